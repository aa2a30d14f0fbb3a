//! Every scanner there is.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock, Mutex};

use dragnet::placement::Shadow;
use dragnet::pure::{self, Level};
use dragnet::{
    Backend, Batch, Engine, EngineError, Match, Matches, PatternSet, Report, Scan, ScanError,
    StopFlag,
};

type Build = dyn Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync;

/// One way to get a scanner.
pub(crate) struct Contender {
    pub(crate) name: String,
    build: Box<Build>,
}

impl Contender {
    fn new(
        name: impl Into<String>,
        build: impl Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync + 'static,
    ) -> Contender {
        Contender { name: name.into(), build: Box::new(build) }
    }

    /// A scanner that nobody stops.
    pub(crate) fn scanner(&self, set: &PatternSet, report: Report) -> Box<dyn Scan> {
        self.scanner_with(set, report, StopFlag::new())
    }

    pub(crate) fn scanner_with(
        &self,
        set: &PatternSet,
        report: Report,
        stop: StopFlag,
    ) -> Box<dyn Scan> {
        (self.build)(set, report, stop)
    }
}

/// The scanners that this build on this machine has. Whatever is in this list is in every test.
pub(crate) fn contenders() -> &'static [Contender] {
    static LIST: LazyLock<Vec<Contender>> = LazyLock::new(list);
    &LIST
}

fn list() -> Vec<Contender> {
    let mut list = engines();
    list.extend(simd_levels());
    list.extend(placements());
    let names: Vec<_> = list.iter().map(|contender| contender.name.as_str()).collect();
    say(&format!("contenders: {}", names.join(", ")));
    list
}

/// One contender for each backend, less a native one that was refused.
fn engines() -> Vec<Contender> {
    // Every backend has a line here: a new one does not compile until it has.
    let take = |backend| match backend {
        // Whichever of the other two it is, that one is in the list.
        Backend::Auto => false,
        Backend::Pure => true,
        Backend::Native => match native() {
            Native::Accepted => true,
            Native::NotBuilt => false,
            Native::Refused(error) => {
                say(&format!("NATIVE IS NOT TESTED, its library is refused: {error}"));
                false
            }
        },
    };
    [Backend::Auto, Backend::Pure, Backend::Native]
        .into_iter()
        .filter(|&backend| take(backend))
        .map(|backend| {
            Contender::new(backend.to_string(), move |set, report, stop| {
                let engine = Engine::with_backend(set, report, backend).expect("was accepted");
                Box::new(engine.scanner_with(stop).expect("has scratch space"))
            })
        })
        .collect()
}

/// The pure engine once for each SIMD level that this machine has, by name.
fn simd_levels() -> Vec<Contender> {
    Level::available()
        .into_iter()
        .map(|level| {
            Contender::new(format!("pure, {level}"), move |set, report, stop| {
                Box::new(pure::Engine::with_level(set, report, level).scanner_with(stop))
            })
        })
        .collect()
}

/// An owner thread, a pool of them, another process, a second engine beside the first.
fn placements() -> Vec<Contender> {
    let mut list = vec![shadow(Backend::Pure)];
    if matches!(native(), Native::Accepted) {
        list.push(shadow(Backend::Native));
    }
    #[cfg(target_os = "linux")]
    list.extend(sidecars());
    list
}

/// A process for each backend; one that gets a batch in very many parts.
#[cfg(target_os = "linux")]
fn sidecars() -> Vec<Contender> {
    use dragnet::sidecar::{Sidecar, SidecarBuilder};

    let contender = |name: &str, backend, setup: fn(SidecarBuilder) -> SidecarBuilder| {
        Contender::new(name, move |set, report, stop| {
            let builder = setup(Sidecar::builder(set, report).backend(backend));
            let mut sidecar = builder.spawn_with(super::server).expect("a server starts");
            sidecar.set_stop(stop);
            Box::new(sidecar)
        })
    };
    let mut list = vec![
        contender("sidecar over pure", Backend::Pure, |builder| builder),
        contender("sidecar over pure, in parts", Backend::Pure, |builder| {
            builder.part(40).in_flight(3)
        }),
    ];
    if let Native::Accepted = native() {
        list.push(contender("sidecar over native", Backend::Native, |builder| builder));
    }
    list
}

/// The pure engine with another one beside it that scans every batch too.
fn shadow(second: Backend) -> Contender {
    Contender::new(format!("shadow of {second} over pure"), move |set, report, stop| {
        let primary = pure::Engine::new(set, report).scanner_with(stop);
        let engine = Engine::with_backend(set, report, second).expect("was accepted");
        let found = Arc::new(Mutex::new(None));
        let first = Arc::clone(&found);
        let shadow = Shadow::builder(primary, set)
            .sample(1)
            .on_difference(move |difference| {
                first.lock().unwrap().get_or_insert_with(|| difference.to_string());
            })
            .start(move || engine.scanner())
            .expect("has a thread and scratch space");
        Box::new(Watched { shadow, found })
    })
}

/// Panics when the two engines differ, once that is known.
struct Watched {
    shadow: Shadow<pure::Scanner>,
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

/// What became of the native backend.
pub(crate) enum Native {
    /// This build has none.
    NotBuilt,
    /// It has one, and its library is not used.
    Refused(EngineError),
    /// It runs.
    Accepted,
}

pub(crate) fn native() -> Native {
    let nothing = PatternSet::new([""; 0]).expect("an empty set is valid");
    match Engine::with_backend(&nothing, Report::Which, Backend::Native) {
        Ok(_) => Native::Accepted,
        Err(EngineError::NotBuilt) => Native::NotBuilt,
        Err(error) => Native::Refused(error),
    }
}

/// Prints to the standard error stream itself: what the print macros print, the test harness
/// swallows when the test passes.
pub(crate) fn say(text: &str) {
    // A closed stream is no reason to fail a test.
    let _ = writeln!(std::io::stderr(), "dragnet tests: {text}");
}
