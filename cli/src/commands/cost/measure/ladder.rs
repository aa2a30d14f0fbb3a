//! The rungs, and the race between them.

use std::hint::black_box;
use std::io;
use std::process::Command;
use std::time::Duration;

use super::BATCHES;
use super::rust::{Lookup, Panic};
use super::stats::{Meter, Percentiles, Times, enough};
use super::threads::{Owned, Pooled};
use super::work::{self, Crossing};

/// What [`measure`] is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// For how long each rung is measured with each size of batch, in all rounds together. One
    /// call is made in each round, even if it takes longer.
    pub(crate) time: Duration,
    /// In how many rounds, one at least. In each, all rungs have their turn, so that a machine that
    /// gets faster or slower does so for all.
    pub(crate) rounds: u32,
    /// Gives the command that runs this program again, to be the other process of the rungs that
    /// have one. The name of a [`Peer`](super::Peer) is added to its arguments, and the program
    /// then has to call [`serve`](super::serve) with that and nothing else.
    pub(crate) peer: fn() -> io::Result<Command>,
}

/// What crossings cost on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    /// All rungs, the plain Rust call first.
    pub(crate) rungs: Vec<Rung>,
}

/// One way to have work done.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    /// A short name, of lowercase letters and hyphens.
    pub(crate) name: &'static str,
    /// What is crossed, in a few words.
    pub(crate) title: &'static str,
    /// What it costs.
    pub(crate) outcome: Outcome,
}

/// What became of a rung.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It was measured.
    Measured(Cost),
    /// It is not to be had here, for this reason.
    Unsupported(String),
}

/// What a rung costs.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// A call for no records: the crossing alone.
    pub(crate) call: Percentiles,
    /// How many times the plain Rust call for no records this takes, by the medians.
    pub(crate) ratio: f64,
    /// Calls for records, by the size of the batch, as in [`BATCHES`].
    pub(crate) batches: Vec<BatchCost>,
    /// The least batch, in records, from which on the crossing adds less than 5% to the time of
    /// the work; `None` if it adds more in the largest that was measured. It goes by the tenth
    /// percentiles: what else runs on the machine slows down some calls and hastens none.
    ///
    /// Between two sizes that were measured it is interpolated. It is for work that takes about
    /// as long as that of this ladder; for work that takes twice as long, it is half as many.
    pub(crate) enough: Option<usize>,
}

/// What a batch of one size costs.
#[derive(Clone, Debug)]
pub(crate) struct BatchCost {
    /// How many records are in it.
    pub(crate) records: usize,
    /// A call for it.
    pub(crate) call: Percentiles,
    /// How many times the plain Rust call for the same batch this takes, by the medians.
    pub(crate) ratio: f64,
}

impl BatchCost {
    /// How long a record takes, in nanoseconds, by the median.
    pub(crate) fn record(&self) -> f64 {
        self.call.p50 / self.records as f64
    }
}

/// Why there is no ladder: a rung failed, or gave a wrong answer, or could not be set up for
/// another reason than that this system has no such thing.
#[derive(Debug, thiserror::Error)]
#[error("{rung}: {source}")]
pub(crate) struct MeasureError {
    /// The title of the rung.
    pub(crate) rung: &'static str,
    /// What was wrong.
    pub(crate) source: io::Error,
}

/// A rung before it is measured.
struct Candidate {
    name: &'static str,
    title: &'static str,
    crossing: io::Result<Box<dyn Crossing>>,
    /// One for no records, and one for each of [`BATCHES`].
    meters: [Meter; BATCHES.len() + 1],
}

/// The size of the batch that a meter is for.
fn size(meter: usize) -> usize {
    meter.checked_sub(1).map_or(0, |batch| BATCHES[batch])
}

fn boxed(crossing: impl Crossing + 'static) -> Box<dyn Crossing> {
    Box::new(crossing)
}

fn unsupported(reason: &str) -> io::Result<Box<dyn Crossing>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

fn candidates(options: &Options) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut add = |name, title, crossing| {
        all.push(Candidate { name, title, crossing, meters: Default::default() });
    };
    add("rust", "Rust function", Ok(boxed(work::Plain::new())));
    #[cfg(not(target_family = "wasm"))]
    let c: [io::Result<Box<dyn Crossing>>; 4] = {
        use super::c::{Callback, Guarded, Locked, Plain};
        [
            Ok(boxed(Plain::new())),
            Ok(boxed(Guarded::new())),
            Ok(boxed(Locked::new())),
            Ok(boxed(Callback::new())),
        ]
    };
    #[cfg(target_family = "wasm")]
    let c = [(); 4].map(|()| unsupported("there is no C library here"));
    let [plain, guarded, locked, callback] = c;
    add("c", "C function", plain);
    add("c-guarded", "C function, catch_unwind", guarded);
    add("c-mutex", "C function, mutex", locked);
    add("c-callback", "C function that calls back", callback);
    add("handle", "handle look-up", Lookup::new().map(boxed));
    add(
        "panic",
        "caught panic",
        match cfg!(panic = "unwind") {
            true => Ok(boxed(Panic)),
            false => unsupported("panics end the process in this build"),
        },
    );
    add("owner", "Owner", Owned::new().map(boxed));
    add("pool", "Pool", Pooled::new().map(boxed));
    let [socket, shared, spinning] = processes(options);
    add("unix-socket", "Unix socket", socket);
    add("shared-memory", "shared memory", shared);
    add("shared-memory-spin", "shared memory, spinning", spinning);
    all
}

/// The rungs that have another process.
fn processes(options: &Options) -> [io::Result<Box<dyn Crossing>>; 3] {
    #[cfg(unix)]
    let socket = (options.peer)().and_then(super::socket::Socket::start).map(boxed);
    #[cfg(not(unix))]
    let socket = unsupported("there are no Unix sockets here");
    #[cfg(target_os = "linux")]
    let [shared, spinning] = [false, true].map(|spin| {
        (options.peer)().and_then(|peer| super::shared::Shared::start(peer, spin)).map(boxed)
    });
    #[cfg(not(target_os = "linux"))]
    let [shared, spinning] =
        [(); 2].map(|()| unsupported("memory is shared with another process on Linux only"));
    let _ = options;
    [socket, shared, spinning]
}

/// Measures all rungs. What they need, threads and processes, is gone when this returns.
///
/// It takes about 12 rungs x 6 sizes x [`time`](Options::time), and a second.
///
/// # Errors
///
/// If a rung fails, or there is no clock, as on plain WebAssembly. A rung that there can't be on
/// this system is no error, but [`Unsupported`](Outcome::Unsupported).
pub(crate) fn measure(options: &Options) -> Result<Ladder, MeasureError> {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        // Asking for the time would be a panic.
        let source = io::Error::new(io::ErrorKind::Unsupported, "there is no clock here");
        return Err(MeasureError { rung: "Rust function", source });
    }
    let mut candidates = candidates(options);
    for candidate in &candidates {
        match &candidate.crossing {
            Err(error) if !is_unsupported(error) => {
                let source = io::Error::new(error.kind(), error.to_string());
                return Err(MeasureError { rung: candidate.title, source });
            }
            _ => {}
        }
    }
    let records = work::records();
    let rounds = options.rounds.max(1);
    for _ in 0..rounds {
        for meter in 0..=BATCHES.len() {
            let batch = &records[..size(meter)];
            let expected = work::work(black_box(0), batch);
            for Candidate { title, crossing, meters, .. } in &mut candidates {
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
    Ok(Ladder { rungs: rungs(candidates) })
}

/// Whether it says that this system has no such thing, or that this process may not have it.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

fn rungs(candidates: Vec<Candidate>) -> Vec<Rung> {
    // The plain call is measured in any case.
    let plain: Vec<Percentiles> =
        candidates[0].meters.iter().filter_map(Meter::percentiles).collect();
    let rung = |Candidate { name, title, crossing, meters }: Candidate| {
        let outcome = match crossing {
            Err(reason) => Outcome::Unsupported(reason.to_string()),
            Ok(_) => Outcome::Measured(cost(&plain, &meters)),
        };
        Rung { name, title, outcome }
    };
    candidates.into_iter().map(rung).collect()
}

fn cost(plain: &[Percentiles], meters: &[Meter]) -> Cost {
    let mut costs = meters.iter().zip(plain).enumerate().filter_map(|(meter, (times, plain))| {
        let call = times.percentiles()?;
        let ratio = call.p50 / plain.p50.max(f64::MIN_POSITIVE);
        Some(BatchCost { records: size(meter), call, ratio })
    });
    let alone = costs.next().expect("a turn of each meter");
    let batches: Vec<_> = costs.collect();
    let medians: Vec<_> = batches
        .iter()
        .zip(&plain[1..])
        .map(|(batch, plain)| Times {
            records: batch.records,
            plain: plain.p10,
            crossed: batch.call.p10,
        })
        .collect();
    Cost { call: alone.call, ratio: alone.ratio, batches, enough: enough(&medians) }
}
