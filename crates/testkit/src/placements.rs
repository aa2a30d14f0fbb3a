//! Scanners that run on other threads and in other processes, and such scanners inside each other.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use dragnet::{
    Backend, Batch, Engine, Match, Matches, PatternSet, Report, Scan, ScanError, StopFlag,
};
use dragnet_placement::{ScanBuilder, ScanHandle, ScanOwner, ScanPool, Shadow};

use super::{Contender, Native, native, not_tested};

/// Makes scanners, on any thread.
type Make = Arc<dyn Fn() -> Box<dyn Scan> + Send + Sync>;

/// A place for scanners: given a set of patterns, how to make scanners that run there.
type Place = Box<dyn Fn(&PatternSet, Report) -> Make + Send + Sync>;

/// A contender for each place and for some places inside others.
pub(crate) fn placements() -> Vec<Contender> {
    if let Err(error) = std::thread::Builder::new().spawn(|| ()) {
        not_tested("threads", &format!("no scanner runs on another one: {error}"));
        return Vec::new();
    }
    let pure = || engine(Backend::Pure);
    let native = || engine(Backend::Native);
    let default = |builder: ScanBuilder| builder;
    let mut list = vec![
        ("owner over pure", owner(pure(), default)),
        (
            "owner over pure, small shared batches",
            // Each batch is split over many shared batches. The queue has room for one or two of them.
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
        (
            "shadow of an owner over a pool",
            shadow(owner(pure(), default), pool(2, pure(), default)),
        ),
    ];
    let with_native = matches!(self::native(), Native::Accepted);
    if with_native {
        list.extend([
            ("owner over native", owner(native(), default)),
            ("pool of 2 over native", pool(2, native(), default)),
            ("shadow of native over pure", shadow(native(), pure())),
        ]);
    }
    #[cfg(target_os = "linux")]
    if let Some(reason) = super::server_unavailable_reason() {
        not_tested("sidecar", &format!("this program can't start itself again: {reason}"));
    } else {
        let whole = |backend| sidecar(backend, |builder| builder);
        let parts =
            |builder: dragnet_sidecar::SidecarBuilder| builder.chunk_bytes(40).max_in_flight(3);
        list.extend([
            ("sidecar over pure", whole(Backend::Pure)),
            ("sidecar over pure, a process for each", process()),
            ("sidecar over pure, in parts", sidecar(Backend::Pure, parts)),
            ("pool of 2 over sidecars over pure", pool(2, whole(Backend::Pure), default)),
            ("shadow of a sidecar over pure", shadow(whole(Backend::Pure), pure())),
        ]);
        if with_native {
            list.extend([
                ("sidecar over native", whole(Backend::Native)),
                ("owner over a sidecar over native", owner(whole(Backend::Native), default)),
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
            .placed()
        })
        .collect()
}

/// The calling thread.
fn engine(backend: Backend) -> Place {
    Box::new(move |set, report| {
        let engine = Engine::with_backend(set, report, backend).expect("the backend is accepted");
        Arc::new(move || Box::new(engine.scanner().expect("there is scratch space")))
    })
}

/// A process that serves all sidecars of this test program.
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
            Box::new(builder.connect(super::server_socket()).expect("a server listens"))
        })
    })
}

/// A process for each sidecar.
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

/// One thread that owns the scanner.
fn owner(inner: Place, setup: fn(ScanBuilder) -> ScanBuilder) -> Place {
    Box::new(move |set, report| {
        let make = inner(set, report);
        Arc::new(move || {
            let make = Arc::clone(&make);
            let builder = setup(ScanBuilder::new("owner"));
            let owner = builder.owner(move || Ok::<_, String>(make())).expect("a thread starts");
            Box::new(Placed { handle: owner.handle(), _keep: Keep::Owner(owner) })
        })
    })
}

/// `members` threads that each own a scanner.
fn pool(members: usize, inner: Place, setup: fn(ScanBuilder) -> ScanBuilder) -> Place {
    Box::new(move |set, report| {
        let make = inner(set, report);
        Arc::new(move || {
            let make = Arc::clone(&make);
            let builder = setup(ScanBuilder::new("pool"));
            let pool =
                builder.pool(members, move || Ok::<_, String>(make())).expect("threads start");
            Box::new(Placed { handle: pool.handle(), _keep: Keep::Pool(pool) })
        })
    })
}

/// A scanner in place `primary`, with a shadow in place `second` that scans every batch as well.
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
                .expect("a thread starts");
            Box::new(Watched { shadow, found })
        })
    })
}

/// A handle, and the threads that it needs.
struct Placed {
    handle: ScanHandle,
    _keep: Keep,
}

#[allow(dead_code, reason = "kept until it is dropped")]
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

/// Panics if the two scanners of a shadow differ.
struct Watched {
    shadow: Shadow<Box<dyn Scan>>,
    found: Arc<Mutex<Option<String>>>,
}

impl Watched {
    fn check(&self) {
        self.shadow.flush().expect("no report calls it");
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
