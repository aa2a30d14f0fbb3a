//! The places where a scanner can run, and such places within each other.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use dragnet::{
    Backend, Batch, Engine, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag,
};
use dragnet_placement::{ScanBuilder, ScanHandle, ScanOwner, ScanPool, Shadow};

use super::contenders::{Contender, Native, native};
use super::expect::not_tested;

/// Makes scanners, on whichever thread.
type Make = Arc<dyn Fn() -> Box<dyn Scan> + Send + Sync>;

/// A place as it is for any set of patterns.
type Place = Box<dyn Fn(&PatternSet, Report) -> Make + Send + Sync>;

/// Owner threads, pools of them, other processes, and second engines beside the first.
pub(crate) fn placements() -> Vec<Contender> {
    if let Err(error) = std::thread::Builder::new().spawn(|| ()) {
        not_tested("threads", &format!("no owners, pools and shadows: {error}"));
        return Vec::new();
    }
    let pure = || engine(Backend::Pure);
    let native = || engine(Backend::Native);
    let usual = |builder: ScanBuilder| builder;
    let mut list = vec![
        ("owner over pure", owner(pure(), usual)),
        (
            "owner over pure, small shared batches",
            // Each batch is split over many shared batches, and the queue has room for one or two of them.
            owner(pure(), |builder| {
                builder.batch_records(3).batch_bytes(50).queued_records(7).bypass_bytes(usize::MAX)
            }),
        ),
        ("owner over pure, bypassing batches", owner(pure(), |builder| builder.bypass_bytes(0))),
        (
            "pool of 3 over pure",
            pool(3, pure(), |builder| {
                let forever = std::time::Duration::from_secs(600);
                builder.batch_records(5).queued_bytes(2000).deadline(forever)
            }),
        ),
        ("shadow of pure over pure", shadow(pure(), pure())),
        ("shadow of an owner over a pool", shadow(owner(pure(), usual), pool(2, pure(), usual))),
    ];
    let with_native = matches!(self::native(), Native::Accepted);
    if with_native {
        list.extend([
            ("owner over native", owner(native(), usual)),
            ("pool of 2 over native", pool(2, native(), usual)),
            ("shadow of native over pure", shadow(native(), pure())),
        ]);
    }
    #[cfg(target_os = "linux")]
    if let Some(reason) = super::foreign() {
        not_tested("sidecar", &format!("no other process can be started: {reason}"));
    } else {
        let whole = |backend| sidecar(backend, |builder| builder);
        let parts =
            |builder: dragnet_sidecar::SidecarBuilder| builder.chunk_bytes(40).max_in_flight(3);
        list.extend([
            ("sidecar over pure", whole(Backend::Pure)),
            ("sidecar over pure, a process for each", process()),
            ("sidecar over pure, in parts", sidecar(Backend::Pure, parts)),
            ("pool of 2 over sidecars over pure", pool(2, whole(Backend::Pure), usual)),
            ("shadow of a sidecar over pure", shadow(whole(Backend::Pure), pure())),
        ]);
        if with_native {
            list.extend([
                ("sidecar over native", whole(Backend::Native)),
                ("owner over a sidecar over native", owner(whole(Backend::Native), usual)),
                (
                    "shadow of pure over a sidecar over native",
                    shadow(pure(), whole(Backend::Native)),
                ),
            ]);
        }
    }
    list.into_iter()
        .map(|(name, place)| {
            Contender::new(name, move |set, report, stop| {
                let mut scanner = place(set, report)();
                scanner.set_stop(stop);
                scanner
            })
        })
        .collect()
}

/// In this place, as the engine makes it.
fn engine(backend: Backend) -> Place {
    Box::new(move |set, report| {
        let engine = Engine::with_backend(set, report, backend).expect("was accepted");
        Arc::new(move || Box::new(engine.scanner().expect("has scratch space")))
    })
}

/// In another process, which serves others too.
#[cfg(target_os = "linux")]
fn sidecar(
    backend: Backend,
    setup: fn(dragnet_sidecar::SidecarBuilder) -> dragnet_sidecar::SidecarBuilder,
) -> Place {
    use dragnet_sidecar::Sidecar;

    Box::new(move |set, report| {
        let builder = setup(Sidecar::builder(set, report).backend(backend));
        Arc::new(move || {
            let builder = builder.clone();
            Box::new(builder.connect(super::socket()).expect("a server listens"))
        })
    })
}

/// In another process that does nothing else.
#[cfg(target_os = "linux")]
fn process() -> Place {
    use dragnet_sidecar::Sidecar;

    Box::new(move |set, report| {
        let builder = Sidecar::builder(set, report).backend(Backend::Pure);
        Arc::new(move || {
            let builder = builder.clone();
            Box::new(builder.spawn_with(super::server).expect("a server starts"))
        })
    })
}

/// On a thread of its own.
fn owner(inner: Place, setup: fn(ScanBuilder) -> ScanBuilder) -> Place {
    Box::new(move |set, report| {
        let make = inner(set, report);
        Arc::new(move || {
            let make = Arc::clone(&make);
            let builder = setup(ScanBuilder::new("owner"));
            let owner = builder.owner(move || Ok::<_, String>(make())).expect("has a thread");
            Box::new(Placed { handle: owner.handle(), _keep: Keep::Owner(owner) })
        })
    })
}

/// On as many threads.
fn pool(members: usize, inner: Place, setup: fn(ScanBuilder) -> ScanBuilder) -> Place {
    Box::new(move |set, report| {
        let make = inner(set, report);
        Arc::new(move || {
            let make = Arc::clone(&make);
            let builder = setup(ScanBuilder::new("pool"));
            let pool = builder.pool(members, move || Ok::<_, String>(make())).expect("has threads");
            Box::new(Placed { handle: pool.handle(), _keep: Keep::Pool(pool) })
        })
    })
}

/// In one place, with another one beside it that scans every batch too.
fn shadow(second: Place, primary: Place) -> Place {
    Box::new(move |set, report| {
        let (primary, second) = (primary(set, report), second(set, report));
        let set = set.clone();
        Arc::new(move || {
            let found = Arc::new(Mutex::new(None));
            let first = Arc::clone(&found);
            let second = Arc::clone(&second);
            let shadow = Shadow::builder(primary(), &set)
                .sample(1)
                .on_difference(move |difference| {
                    first.lock().unwrap().get_or_insert_with(|| difference.to_string());
                })
                .start(move || Ok::<_, String>(second()))
                .expect("has a thread");
            Box::new(Watched { shadow, found })
        })
    })
}

/// A handle and what it scans on.
struct Placed {
    handle: ScanHandle,
    _keep: Keep,
}

#[allow(dead_code, reason = "kept for its drop")]
enum Keep {
    Owner(ScanOwner),
    Pool(ScanPool),
}

impl Scan for Placed {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        self.handle.scan(batch, out)
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        self.handle.scan_with(batch, each)
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.handle.set_stop(stop);
    }
}

/// Panics when two scanners differ, once that is known.
struct Watched {
    shadow: Shadow<Box<dyn Scan>>,
    found: Arc<Mutex<Option<String>>>,
}

impl Watched {
    fn check(&self) {
        self.shadow.flush().expect("is not called by a report");
        if let Some(difference) = self.found.lock().unwrap().as_ref() {
            panic!("{difference}");
        }
        let stats = self.shadow.stats();
        assert_eq!(stats.failed, 0, "{stats:?}");
    }
}

impl Scan for Watched {
    fn scan(&mut self, batch: &Batch<'_>, out: &mut Matches) -> Result<(), ScanError> {
        let answer = self.shadow.scan(batch, out);
        self.check();
        answer
    }

    fn scan_with(
        &mut self,
        batch: &Batch<'_>,
        each: &mut dyn FnMut(&[Match]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ScanError> {
        let answer = self.shadow.scan_with(batch, each);
        self.check();
        answer
    }

    fn set_stop(&mut self, stop: StopFlag) {
        self.shadow.set_stop(stop);
    }
}
