//! Every scanner there is.

use std::io::Write;
use std::sync::LazyLock;

use dragnet::pure::{self, Level};
use dragnet::{Backend, Engine, EngineError, PatternSet, Report, Scan, StopFlag};

use super::placements::placements;

type Build = dyn Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync;

/// One way to get a scanner.
pub struct Contender {
    pub name: String,
    build: Box<Build>,
}

impl Contender {
    pub fn new(
        name: impl Into<String>,
        build: impl Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync + 'static,
    ) -> Contender {
        Contender { name: name.into(), build: Box::new(build) }
    }

    /// A scanner that nobody stops.
    pub fn scanner(&self, set: &PatternSet, report: Report) -> Box<dyn Scan> {
        self.scanner_with(set, report, StopFlag::new())
    }

    pub fn scanner_with(&self, set: &PatternSet, report: Report, stop: StopFlag) -> Box<dyn Scan> {
        (self.build)(set, report, stop)
    }
}

/// The scanners that this build on this machine has. Whatever is in this list is in every test.
pub fn contenders() -> &'static [Contender] {
    static LIST: LazyLock<Vec<Contender>> = LazyLock::new(list);
    &LIST
}

/// The engines among the [`contenders`], without scanners that run on other threads or in other
/// processes.
pub fn engine_contenders() -> Vec<Contender> {
    let mut list = engines();
    list.extend(simd_levels());
    list
}

fn list() -> Vec<Contender> {
    let mut list = engine_contenders();
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

/// What became of the native backend.
pub enum Native {
    /// This build has none.
    NotBuilt,
    /// It has one, and its library is not used.
    Refused(EngineError),
    /// It runs.
    Accepted,
}

pub fn native() -> Native {
    let nothing = PatternSet::new([""; 0]).expect("an empty set is valid");
    match Engine::with_backend(&nothing, Report::Patterns, Backend::Native) {
        Ok(_) => Native::Accepted,
        Err(EngineError::NotBuilt) => Native::NotBuilt,
        Err(error) => Native::Refused(error),
    }
}

/// Prints to the standard error stream itself: what the print macros print, the test harness
/// swallows when the test passes.
pub fn say(text: &str) {
    // A closed stream is no reason to fail a test.
    let _ = writeln!(std::io::stderr(), "dragnet tests: {text}");
}
