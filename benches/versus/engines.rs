//! dragnet's own engines as contenders.

use dragnet::pure::{self, Isa};
use dragnet::{Batch, Matches, Report, Scan};

use super::contender::{Answers, Contender, Search, WHOLE_CORPUS, timed};
use crate::support::rules::RuleSet;

/// The bytes that a first pass scans: about what one thread sees of a small source tree.
const FIRST_PASS: usize = 2 << 20;

/// The ways to measure the pure engine: their names, what is reported, and whether each pass has a new engine.
pub(super) const WAYS: [(&str, Report, bool); 4] = [
    ("pure", Report::Patterns, false),
    ("pure, first pass", Report::Patterns, true),
    ("pure, spans", Report::Spans, false),
    ("pure, spans, first pass", Report::Spans, true),
];

/// The pure engine in all ways to measure it: warm and on the first pass, which patterns match and
/// where, and warm with each other set of vector instructions than `isa`.
pub(super) fn pure(set: &RuleSet, isa: Isa, wanted: &dyn Fn(&str) -> bool) -> Vec<Contender> {
    let mut all = Vec::new();
    for (name, report, first_pass) in WAYS {
        // All other contenders are compared with the first, so that it always runs.
        if all.is_empty() || wanted(name) {
            all.push(way(name.to_owned(), Pure::new(set, isa, report, first_pass)));
        }
    }
    for level in Isa::available().into_iter().skip(1).filter(|&level| level != isa) {
        let name = format!("pure, {level}");
        if wanted(&name) {
            all.push(way(name, Pure::new(set, level, Report::Patterns, false)));
        }
    }
    all
}

pub(super) fn way(name: String, (search, build_seconds): (Pure, f64)) -> Contender {
    Contender {
        name,
        build_seconds,
        memory: Some(search.built().engine.memory()),
        refused: 0,
        sample: if search.first_pass { FIRST_PASS } else { WHOLE_CORPUS },
        in_summary: true,
        answers: Answers::Promised,
        search: Box::new(search),
    }
}

pub(super) struct Pure {
    set: RuleSet,
    isa: Isa,
    report: Report,
    /// Whether each pass has a new engine.
    first_pass: bool,
    /// Always `Some` between calls.
    built: Option<Built>,
    matches: Matches,
}

struct Built {
    engine: pure::Engine,
    scanner: pure::Scanner,
}

impl Built {
    fn new(set: &RuleSet, report: Report, isa: Isa) -> Built {
        let engine = pure::Engine::with_isa(&set.parse(), report, isa);
        let scanner = engine.scanner();
        Built { engine, scanner }
    }
}

impl Pure {
    /// Also returns the seconds that building takes, with parsing: other contenders parse while they
    /// build, too.
    pub(super) fn new(set: &RuleSet, isa: Isa, report: Report, first_pass: bool) -> (Pure, f64) {
        let set = set.clone();
        let (built, build_seconds) = timed(|| Built::new(&set, report, isa));
        let built = Some(built);
        (Pure { set, isa, report, first_pass, built, matches: Matches::new() }, build_seconds)
    }

    fn built(&self) -> &Built {
        self.built.as_ref().expect("an engine is built")
    }
}

impl Search for Pure {
    fn begin(&mut self) {
        let Built { engine, scanner } = self.built.as_mut().expect("an engine is built");
        *scanner = engine.scanner();
    }

    /// A new scanner alone would find the automata that the engine shares already built, so the
    /// engine is new as well, from patterns that are parsed again. The last engine is dropped before: to
    /// free its allocations after that would push the new one out of the processor's caches.
    fn renew(&mut self) {
        if self.first_pass {
            self.built = None;
            self.matches = Matches::new();
            self.built = Some(Built::new(&self.set, self.report, self.isa));
        }
    }

    fn scan(&mut self, batch: &Batch<'_>) {
        let Pure { built, matches, .. } = self;
        let scanner = &mut built.as_mut().expect("an engine is built").scanner;
        scanner.scan(batch, matches).expect("the scan succeeds");
    }

    fn pairs(&self) -> u64 {
        count_pairs(&self.matches)
    }

    fn scanner_memory(&self) -> Option<usize> {
        Some(self.built().scanner.memory())
    }
}

/// The number of pairs of a record and a pattern. A pair with several spans has them in succession.
fn count_pairs(matches: &Matches) -> u64 {
    let mut pairs = 0;
    let mut last = None;
    for found in matches.iter() {
        let pair = Some((found.record(), found.pattern()));
        pairs += u64::from(pair != last);
        last = pair;
    }
    pairs
}

#[cfg(feature = "native")]
pub(super) fn native(set: &RuleSet) -> Option<Contender> {
    struct Native {
        scanner: dragnet::native::Scanner,
        matches: Matches,
    }

    impl Search for Native {
        fn scan(&mut self, batch: &Batch<'_>) {
            self.scanner.scan(batch, &mut self.matches).expect("the scan succeeds");
        }

        fn pairs(&self) -> u64 {
            count_pairs(&self.matches)
        }
    }

    let (built, build_seconds) = timed(|| {
        let engine = dragnet::native::Engine::new(&set.parse(), Report::Patterns)?;
        let scanner = engine.scanner().expect("libhs allocates scratch space");
        Ok::<_, dragnet::EngineError>((engine, scanner))
    });
    let (engine, scanner) = built.inspect_err(|error| eprintln!("native: {error}")).ok()?;
    Some(Contender {
        name: "native".to_owned(),
        build_seconds,
        memory: Some(engine.memory()),
        refused: 0,
        sample: WHOLE_CORPUS,
        in_summary: true,
        answers: Answers::Promised,
        search: Box::new(Native { scanner, matches: Matches::new() }),
    })
}
