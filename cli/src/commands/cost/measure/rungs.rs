//! The rungs, and the measurement of all of them in turns.

use std::hint::black_box;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::rust::{CaughtPanic, HandleLookup};
use super::stats::{BatchTimes, Meter, Percentiles, negligible_from};
use super::threads::{OwnerCall, PoolCall};
use super::work::{BATCHES, Crossing, RustCall, records, work};

/// The options of [`measure`].
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The time for which each rung is measured with each batch size, over all rounds. Each round makes
    /// at least one call, even if that takes longer.
    pub(crate) time: Duration,
    /// Number of rounds, at least one. All rungs take turns in each round, so that a machine that
    /// becomes faster or slower affects all of them.
    pub(crate) rounds: u32,
    /// The path of this program, which is run again as the other process of a rung.
    pub(crate) program: PathBuf,
}

/// The measurements of all rungs on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Measurements {
    /// All rungs. The first one is the plain Rust call.
    pub(crate) rungs: Vec<Rung>,
}

/// A kind of boundary, and what it costs to cross it.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    /// A short name, of lowercase letters and hyphens.
    pub(crate) name: &'static str,
    /// The name in the table.
    pub(crate) title: &'static str,
    /// What the boundary does with each call: a phrase that follows the title.
    pub(crate) about: &'static str,
    pub(crate) outcome: Outcome,
}

/// The outcome of measuring a rung.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Measured(Cost),
    /// The system does not support the rung, for this reason.
    Unsupported(String),
}

/// The cost of a rung.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// The time of a call without records: the crossing alone.
    pub(crate) call: Percentiles,
    /// The median of a call without records, relative to that of the plain Rust call.
    pub(crate) ratio: f64,
    /// The time of calls with records, one for each size in [`BATCHES`].
    pub(crate) batches: Vec<BatchCost>,
    /// The smallest batch, in records, from which on the crossing adds less than 5% to the time of the
    /// work; `None` if it adds more even to the largest batch.
    ///
    /// It is interpolated between the sizes that were measured, from the 10th percentiles, because other
    /// load on the machine makes calls slower and never faster. It depends on the work: for work that
    /// takes twice as long per record, it is about half.
    pub(crate) negligible_from: Option<usize>,
}

/// The cost of a batch of one size.
#[derive(Clone, Debug)]
pub(crate) struct BatchCost {
    /// Number of records in the batch.
    pub(crate) records: usize,
    /// The time of a call with the batch.
    pub(crate) call: Percentiles,
    /// The median, relative to that of the plain Rust call with the same batch.
    pub(crate) ratio: f64,
}

impl BatchCost {
    /// Returns the median time per record, in nanoseconds.
    pub(crate) fn per_record(&self) -> f64 {
        self.call.p50 / self.records as f64
    }
}

/// Why a measurement failed: a rung that the system supports could not be set up, returned an error, or
/// gave a wrong answer.
#[derive(Debug, thiserror::Error)]
#[error("{rung}: {source}")]
pub(crate) struct MeasureError {
    /// The title of the rung.
    pub(crate) rung: &'static str,
    pub(crate) source: io::Error,
}

/// A rung that is being measured.
struct RungMeasurement {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    crossing: io::Result<Box<dyn Crossing>>,
    /// The first meter is for calls without records, the others are for the sizes in [`BATCHES`].
    meters: [Meter; BATCHES.len() + 1],
}

/// Returns the batch size that the meter with this index is for.
fn batch_size(meter: usize) -> usize {
    meter.checked_sub(1).map_or(0, |batch| BATCHES[batch])
}

fn boxed(crossing: impl Crossing + 'static) -> Box<dyn Crossing> {
    Box::new(crossing)
}

fn unsupported(reason: &str) -> io::Result<Box<dyn Crossing>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

fn set_up(options: &Options) -> Vec<RungMeasurement> {
    let mut all = Vec::new();
    let mut add = |name, title, about, crossing| {
        all.push(RungMeasurement { name, title, about, crossing, meters: Default::default() });
    };
    add("rust", "Rust function", "does the work itself", Ok(boxed(RustCall::new())));
    let [plain, guarded, locked, callback] = c_calls();
    add("c", "C function", "is called before the work", plain);
    add(
        "c-guarded",
        "C function, catch_unwind",
        "is called before the work, with panics caught",
        guarded,
    );
    add("c-mutex", "C function, mutex", "is called before the work, with a mutex locked", locked);
    add("c-callback", "C function that calls back", "does the work in a callback", callback);
    add(
        "handle",
        "handle look-up",
        "finds a value by an integer before the work",
        HandleLookup::new().map(boxed),
    );
    let panic = match cfg!(panic = "unwind") {
        true => Ok(boxed(CaughtPanic)),
        false => unsupported("panics end the process in this build"),
    };
    add("panic", "caught panic", "catches a panic on purpose before the work", panic);
    add("owner", "Owner", "has another thread do the work", OwnerCall::new().map(boxed));
    add("pool", "Pool", "has one of two other threads do the work", PoolCall::new().map(boxed));
    let [socket, shared] = processes(options);
    add("unix-socket", "Unix socket", "sends the records to another process", socket);
    add(
        "shared-memory",
        "shared memory",
        "has another process read the records where they are",
        shared,
    );
    all
}

/// Returns the rungs that call C on the same thread.
fn c_calls() -> [io::Result<Box<dyn Crossing>>; 4] {
    #[cfg(not(target_family = "wasm"))]
    {
        use super::c::{CCall, CCallback, GuardedCCall, LockedCCall};
        [
            Ok(boxed(CCall::new())),
            Ok(boxed(GuardedCCall::new())),
            Ok(boxed(LockedCCall::new())),
            Ok(boxed(CCallback::new())),
        ]
    }
    #[cfg(target_family = "wasm")]
    [(); 4].map(|()| unsupported("WebAssembly has no C library"))
}

/// Returns the rungs with another process: through a socket, and through shared memory.
fn processes(options: &Options) -> [io::Result<Box<dyn Crossing>>; 2] {
    #[cfg(target_os = "linux")]
    {
        use super::frame_socket::SocketCrossing;
        use super::sidecar::SidecarCrossing;
        let socket = SocketCrossing::start(&options.program).map(boxed);
        let shared = SidecarCrossing::start(&options.program).map(boxed);
        [socket, shared]
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = &options.program;
        [(); 2].map(|()| unsupported("the sidecar requires Linux"))
    }
}

/// Measures all rungs. Their threads and processes have ended when this returns.
///
/// This takes about a second more than 66 x [`time`](Options::time): 11 rungs, each with 6 batch sizes.
///
/// # Errors
///
/// If a rung fails, or there is no clock, as on plain WebAssembly. A rung that the system does not
/// support is no error, but [`Unsupported`](Outcome::Unsupported).
pub(crate) fn measure(options: &Options) -> Result<Measurements, MeasureError> {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        // `Instant::now` would panic.
        let source = io::Error::new(io::ErrorKind::Unsupported, "there is no clock");
        return Err(MeasureError { rung: "Rust function", source });
    }
    let mut measurements = set_up(options);
    for measurement in &measurements {
        match &measurement.crossing {
            Err(error) if !is_unsupported(error) => {
                let source = io::Error::new(error.kind(), error.to_string());
                return Err(MeasureError { rung: measurement.title, source });
            }
            _ => {}
        }
    }
    let records = records();
    let rounds = options.rounds.max(1);
    for _ in 0..rounds {
        for meter in 0..=BATCHES.len() {
            let batch = &records[..batch_size(meter)];
            let expected = work(black_box(0), batch);
            for RungMeasurement { title, crossing, meters, .. } in &mut measurements {
                let Ok(crossing) = crossing else { continue };
                let repeat = |calls| match crossing.repeat(batch, calls)? == expected {
                    true => Ok(()),
                    false => Err(io::Error::new(io::ErrorKind::InvalidData, "wrong answer")),
                };
                meters[meter]
                    .run(options.time / rounds, repeat)
                    .map_err(|source| MeasureError { rung: title, source })?;
            }
        }
    }
    Ok(Measurements { rungs: outcomes(measurements) })
}

/// Returns whether the error means that the system does not support a rung, or denies it to this
/// process.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

fn outcomes(measurements: Vec<RungMeasurement>) -> Vec<Rung> {
    // The plain call is supported everywhere.
    let plain: Vec<Percentiles> =
        measurements[0].meters.iter().filter_map(Meter::percentiles).collect();
    let rung = |RungMeasurement { name, title, about, crossing, meters }: RungMeasurement| {
        let outcome = match crossing {
            Err(reason) => Outcome::Unsupported(reason.to_string()),
            Ok(_) => Outcome::Measured(cost(&plain, &meters)),
        };
        Rung { name, title, about, outcome }
    };
    measurements.into_iter().map(rung).collect()
}

fn cost(plain: &[Percentiles], meters: &[Meter]) -> Cost {
    let mut costs = meters.iter().zip(plain).enumerate().filter_map(|(i, (meter, plain))| {
        let call = meter.percentiles()?;
        let ratio = call.p50 / plain.p50.max(f64::MIN_POSITIVE);
        Some(BatchCost { records: batch_size(i), call, ratio })
    });
    let alone = costs.next().expect("each meter had a turn");
    let batches: Vec<_> = costs.collect();
    let times: Vec<_> = batches
        .iter()
        .zip(&plain[1..])
        .map(|(batch, plain)| BatchTimes {
            records: batch.records,
            plain: plain.p10,
            crossed: batch.call.p10,
        })
        .collect();
    let negligible_from = negligible_from(&times);
    Cost { call: alone.call, ratio: alone.ratio, batches, negligible_from }
}
