//! The native engine against a plain NFA simulation of one pattern over one record at a time.
#![cfg(feature = "native")]

use dragnet::{
    Backend, Batch, BatchBuf, Engine, Match, Matches, Pattern, PatternSet, Report, Scan, ScanError,
    StopFlag, native,
};
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

/// What a set must report, by definition.
fn expected(patterns: &[Pattern], batch: &Batch<'_>, report: Report) -> Vec<Match> {
    let mut found = Vec::new();
    let vms: Vec<PikeVM> = patterns.iter().map(oracle).collect();
    let mut caches: Vec<_> = vms.iter().map(PikeVM::create_cache).collect();
    for (r, record) in batch.iter().enumerate() {
        for (p, vm) in vms.iter().enumerate() {
            let mut spans = vm.find_iter(&mut caches[p], record);
            match report {
                Report::Which => {
                    if spans.next().is_some() {
                        found.push(Match::new(r as u32, p as u32, 0..0));
                    }
                }
                Report::Spans => found.extend(
                    spans.map(|m| Match::new(r as u32, p as u32, m.start() as u32..m.end() as u32)),
                ),
            }
        }
    }
    found
}

/// The tests give flags inline, all but Unicode, which is off.
fn oracle(pattern: &Pattern) -> PikeVM {
    let hir = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .parse(pattern.as_str())
        .unwrap();
    let config = thompson::Config::new().utf8(false);
    let nfa = thompson::NFA::compiler().configure(config).build_from_hir(&hir).unwrap();
    PikeVM::new_from_nfa(nfa).unwrap()
}

fn ascii<'a>(regexes: impl IntoIterator<Item = &'a str>) -> Vec<Pattern> {
    regexes.into_iter().map(|regex| Pattern::new(regex).unicode(false)).collect()
}

fn check(patterns: &[Pattern], batch: &Batch<'_>) {
    let set = PatternSet::new(patterns.iter().cloned()).unwrap();
    for report in [Report::Which, Report::Spans] {
        let engine = Engine::with_backend(&set, report, Backend::Native).unwrap();
        let mut matches = Matches::new();
        engine.scanner().unwrap().scan(batch, &mut matches).unwrap();
        let expected = expected(patterns, batch, report);
        if matches.as_slice() == expected {
            continue;
        }
        for m in expected.iter().filter(|m| !matches.as_slice().contains(m)) {
            report_difference("misses", m, patterns, batch);
        }
        for m in matches.iter().filter(|m| !expected.contains(m)) {
            report_difference("invents", m, patterns, batch);
        }
        panic!("{report:?} of {patterns:?} differ");
    }
}

fn report_difference(what: &str, m: &Match, patterns: &[Pattern], batch: &Batch<'_>) {
    eprintln!(
        "native {what} {m:?}: {:?} on {:?}",
        patterns[m.pattern()].as_str(),
        String::from_utf8_lossy(batch.record(m.record()).unwrap())
    );
}

fn batch_of<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> BatchBuf {
    let mut batch = BatchBuf::new();
    for record in records {
        batch.push(record).unwrap();
    }
    batch
}

/// A small generator of patterns and records that are likely to meet.
mod random {
    /// An xorshift generator; which numbers it gives is of no matter as long as they differ.
    pub(super) struct Rng(pub(super) u64);

    impl Rng {
        pub(super) fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
        }

        pub(super) fn below(&mut self, n: usize) -> usize {
            (self.next() % n as u64) as usize
        }

        fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
            items[self.below(items.len())]
        }
    }

    const ATOMS: [&str; 32] = [
        "a",
        "b",
        "c",
        "d",
        "ab",
        "bc",
        "-",
        " ",
        r"\n",
        "[ab]",
        "[^a]",
        "[^b\\n]",
        ".",
        "(?s:.)",
        r"\w",
        r"\W",
        r"\d",
        r"\s",
        "(?i:a)",
        "(?i:cd)",
        "(?i:[bc]d)",
        r"\x00",
        r"[\x80-\xff]",
        r"\xff",
        "(?u:\u{e9})",
        "(?u:[\u{e0}-\u{ea}])",
        "(?u:.)",
        "(?u:[^a])",
        "abc",
        "cdab",
        "[a-c]",
        "(?i:abc)",
    ];

    const LOOKS: [&str; 15] = [
        "^",
        "$",
        r"\A",
        r"\z",
        "(?m:^)",
        "(?m:$)",
        r"\b",
        r"\B",
        r"\b",
        r"\B",
        "(?Rm:^)",
        "(?Rm:$)",
        r"\b{start}",
        r"\b{end-half}",
        r"(?u:\b)",
    ];

    const REPEATS: [&str; 12] =
        ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}", "{0,2}", "{3,5}?", "{5}"];

    pub(super) fn pattern(rng: &mut Rng, depth: usize) -> String {
        match rng.below(if depth == 0 { 3 } else { 10 }) {
            0..=1 => rng.pick(&ATOMS).to_owned(),
            2 if rng.below(2) == 0 => format!("(?:{})", rng.pick(&LOOKS)),
            2 => rng.pick(&ATOMS).to_owned(),
            3..=6 => (0..=1 + rng.below(3)).map(|_| pattern(rng, depth - 1)).collect::<String>(),
            7 => format!("(?:{}|{})", pattern(rng, depth - 1), pattern(rng, depth - 1)),
            8 => format!("(?:{}){}", pattern(rng, depth - 1), rng.pick(&REPEATS)),
            _ => format!("({})", pattern(rng, depth - 1)),
        }
    }

    pub(super) fn record(rng: &mut Rng, longest: usize) -> Vec<u8> {
        const PIECES: [&[u8]; 20] = [
            b"a",
            b"b",
            b"c",
            b"d",
            b"ab",
            b"bc",
            b" ",
            b"-",
            b"\n",
            b"\n",
            b"\r\n",
            b"AB",
            b"Cd",
            b"7",
            b"\0",
            b"\xff",
            "\u{e9}".as_bytes(),
            "\u{20ac}".as_bytes(),
            b"cdab",
            b"_",
        ];
        let len = rng.below(longest + 1);
        // Some records keep to few letters, so that more of them match.
        let pieces = if rng.below(2) == 0 { 9 } else { PIECES.len() };
        let mut record = Vec::new();
        while record.len() < len {
            record.extend_from_slice(PIECES[rng.below(pieces)]);
        }
        record
    }
}

/// `DRAGNET_NATIVE_CASES` makes it go on for longer, `DRAGNET_NATIVE_SEED` elsewhere.
#[test]
fn random_patterns_have_the_same_answers() {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let cases = number("DRAGNET_NATIVE_CASES").unwrap_or(200);
    let mut rng = random::Rng(number("DRAGNET_NATIVE_SEED").unwrap_or(1).max(1) * 0x9E37_79B9);
    for _ in 0..cases {
        let count = [1, 1, 2, 5, 20][rng.below(5)];
        let depth = 1 + rng.below(3);
        let patterns: Vec<Pattern> = (0..count)
            .map(|_| Pattern::new(random::pattern(&mut rng, depth)).unicode(false))
            .collect();
        if PatternSet::new(patterns.iter().cloned()).is_err() {
            continue;
        }
        let longest = [3, 20, 40, 80, 200][rng.below(5)];
        let records: Vec<Vec<u8>> = (0..20).map(|_| random::record(&mut rng, longest)).collect();
        let batch = batch_of(records.iter().map(Vec::as_slice));
        check(&patterns, &batch.as_batch());
    }
}
