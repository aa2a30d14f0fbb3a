//! The list of every scanner of this build on this machine.

use std::sync::LazyLock;

use dragnet::pure::{self, Isa};
use dragnet::{Backend, Engine, EngineError, PatternSet, Report, Scan, StopFlag};

use super::{not_tested, say};

type Build = dyn Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync;

/// One way to build a scanner.
pub struct Contender {
    /// The engine, and where it runs.
    pub name: String,
    /// Whether its scanners run on other threads or in other processes.
    pub is_placed: bool,
    build: Box<Build>,
}

impl Contender {
    /// A contender on the calling thread, from a function that builds its scanner.
    pub fn new(
        name: impl Into<String>,
        build: impl Fn(&PatternSet, Report, StopFlag) -> Box<dyn Scan> + Send + Sync + 'static,
    ) -> Contender {
        Contender { name: name.into(), is_placed: false, build: Box::new(build) }
    }

    /// Says that its scanners run on other threads or in other processes.
    #[cfg(feature = "placements")]
    pub(crate) fn placed(self) -> Contender {
        Contender { is_placed: true, ..self }
    }

    /// A scanner without a stop flag.
    pub fn scanner(&self, set: &PatternSet, report: Report) -> Box<dyn Scan> {
        self.scanner_with(set, report, StopFlag::new())
    }

    /// A scanner that `stop` stops.
    pub fn scanner_with(&self, set: &PatternSet, report: Report, stop: StopFlag) -> Box<dyn Scan> {
        (self.build)(set, report, stop)
    }
}

/// Every scanner of this build on this machine. A scanner in this list is in every test.
pub fn contenders() -> &'static [Contender] {
    static LIST: LazyLock<Vec<Contender>> = LazyLock::new(list);
    &LIST
}

fn list() -> Vec<Contender> {
    let mut list = engines();
    list.extend(simd_levels());
    #[cfg(feature = "placements")]
    list.extend(super::placements::placements());
    let names: Vec<_> = list.iter().map(|contender| contender.name.as_str()).collect();
    say(&format!("scanners under test: {}", names.join("; ")));
    list
}

/// One contender for each backend that this build has and whose C library is accepted.
fn engines() -> Vec<Contender> {
    // Without a wildcard: a new backend does not compile until it has a line here.
    let is_tested = |backend| match backend {
        // Always resolves to one of the other two.
        Backend::Auto => false,
        Backend::Pure => true,
        Backend::Native => match native() {
            Native::Accepted => true,
            Native::NotBuilt => false,
            Native::Refused(error) => {
                not_tested("native", &format!("its library is refused: {error}"));
                false
            }
        },
    };
    [Backend::Auto, Backend::Pure, Backend::Native]
        .into_iter()
        .filter(|&backend| is_tested(backend))
        .map(|backend| {
            Contender::new(backend.to_string(), move |set, report, stop| {
                let engine =
                    Engine::with_backend(set, report, backend).expect("the backend is accepted");
                Box::new(engine.scanner_with(stop).expect("there is scratch space"))
            })
        })
        .collect()
}

/// The pure engine with each instruction set of this machine.
fn simd_levels() -> Vec<Contender> {
    Isa::available()
        .into_iter()
        .map(|isa| {
            Contender::new(format!("pure, {isa}"), move |set, report, stop| {
                Box::new(pure::Engine::with_isa(set, report, isa).scanner_with(stop))
            })
        })
        .collect()
}

/// Whether the native backend can be used.
pub enum Native {
    /// This build has no native backend.
    NotBuilt,
    /// The backend refuses the C library, for this reason.
    Refused(EngineError),
    /// The C library passed its self-test.
    Accepted,
}

/// Whether the native backend of this build can be used.
pub fn native() -> Native {
    let nothing = PatternSet::new([""; 0]).expect("an empty set is valid");
    match Engine::with_backend(&nothing, Report::Patterns, Backend::Native) {
        Ok(_) => Native::Accepted,
        Err(EngineError::NotBuilt) => Native::NotBuilt,
        Err(error) => Native::Refused(error),
    }
}
