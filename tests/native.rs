//! The native engine against a plain NFA simulation of one pattern over one record at a time.
#![cfg(feature = "native")]

use dragnet::{
    Backend, Batch, BatchBuf, Engine, EngineError, Match, Matches, Pattern, PatternSet, Report,
    Scan, ScanError, StopFlag, native,
};
use dragnet_testkit as expect;
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};

/// Whether the library is refused, which is then said: nothing of it can be tested.
fn is_refused() -> bool {
    let nothing = PatternSet::new([""; 0]).unwrap();
    match Engine::with_backend(&nothing, Report::Patterns, Backend::Native) {
        Err(error @ EngineError::SelfTest { .. }) => {
            expect::not_tested("native", &error.to_string());
            true
        }
        _ => false,
    }
}

/// What a set must report, by definition.
fn expected(patterns: &[Pattern], batch: &Batch<'_>, report: Report) -> Vec<Match> {
    let mut found = Vec::new();
    let vms: Vec<PikeVM> = patterns.iter().map(oracle).collect();
    let mut caches: Vec<_> = vms.iter().map(PikeVM::create_cache).collect();
    for (r, record) in batch.iter().enumerate() {
        for (p, vm) in vms.iter().enumerate() {
            let mut spans = vm.find_iter(&mut caches[p], record);
            match report {
                Report::Patterns => {
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
    for report in [Report::Patterns, Report::Spans] {
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

/// How many cases there are, and where the numbers begin; more, or others, by hand.
#[test]
fn random_patterns_have_the_same_answers() {
    if is_refused() {
        return;
    }
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let cases = number("DRAGNET_NATIVE_CASES").unwrap_or(40);
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

/// Patterns of which libhs has another opinion, or none, when they are handed to it as they are.
/// All are tried on all of the records, alone and together.
#[test]
fn what_libhs_reads_otherwise_has_the_same_answers() {
    if is_refused() {
        return;
    }
    let patterns = ascii([
        // `$` is the end and nothing else, unless multi-line.
        "a$",
        "a$|b",
        r"a\z",
        r"(?:a|\n)$",
        "(?m:a$)",
        "(?m:$)a",
        r"(?m:\n$)",
        r"(?:$|a)b",
        // Behind a line feed at the end there is a line for us.
        "(?m:^)a",
        r"\n(?m:^)",
        r"(?m:^\z)",
        r"(?m:^|a)b",
        r"(?:(?m:^)a|b\n)+",
        "a(?m:^)",
        // Refused: end anchors inside, and what can never match.
        r"a$b",
        r"a\zb|c",
        r"(?:a\z)+b",
        "a^b",
        r"[^\x00-\xff]",
        "[^\\s\\S]a",
        r"\b\Ba",
        // Bytes, not code points.
        r"\xff",
        r"[\x80-\xff]+a",
        r"[^a]",
        r".\x00",
        r"\x00\n",
        r"(?s:.)\xff",
        "(?u:\u{e9})",
        "(?u:[^a]a)",
        "(?u:.\\xff|.a)",
        "(?u:[\u{e0}-\u{20ac}]{2})",
        "(?iu:\u{c9}a|k)",
        r"(?u:\p{Sm})",
        r"(?u:\w\b)",
        // Counts.
        "a{3}",
        "(?:ab){2,}?",
        "[ab]{40,}",
        "(?:a|b.){3,5}c",
        "a{33000}",
        "(?:a{500}b){20}",
        // Looks.
        r"\bab\b",
        r"\Bb",
        r"a\B",
        r"\b\b\ba",
        r"(?:\b|-)a",
        r"a(?:\b)*b",
        r"(?:\z)*a",
        r"(?:^)+a",
        r"(?:\A|b)*a\z",
        r"\b{start}a",
        r"a\b{end}",
        r"\b{start-half}b",
        r"b\b{end-half}",
        "(?Rm:^a)",
        "(?Rm:b$)",
        "(?Rm:$)\\r",
        r"(?R:.)+b",
        // Nothing.
        "",
        "a*",
        "(?:a|)",
        r"\b",
        r"\z",
        "^",
        "(?m:^)",
        "(?m:$)",
        r"\B",
        "()",
        "a??",
        // Flags inside.
        "(?i:ab)c",
        "(?i)a(?-i)b",
        "(?s:a.b)",
        "a.b",
        "(?x: a b # c\n)",
        "(?U:a+b+?)",
        // What looks like syntax.
        r"\.\*\(\?\[\]\{\}\|\\\^\$/'#",
        r"\(\*UTF8\)a",
        r"(?:\(\?i\))a",
        "\x07\x1b\t",
    ]);
    let records: [&[u8]; 36] = [
        b"",
        b"a",
        b"b",
        b"a\n",
        b"\n",
        b"\n\n",
        b"ab",
        b"ab\n",
        b"a\nb",
        b"b\na",
        b"\na\n",
        b"aab",
        b"ba",
        b"b\n\na",
        b"a\r\nb\r\n",
        b"\r\nab",
        b"\r",
        b"\xff",
        b"\xffa",
        b"a\xff",
        b"\xc3\xa9",
        b"\xc3\xa9a",
        b"\xc3",
        b"\xe2\x82\xac\xc3\xa9",
        b"\xe2\x89\xa0",
        b"\0",
        b"\0\n",
        b"a\0\n",
        b"abab",
        b"aaa-ab",
        b"- a b",
        b"ABc aBC",
        b"\xe2\x84\xaa",
        b"caa\nbab\n--b",
        br".*(?[]{}|\^$/'#(*UTF8)a(?i)a",
        b"\x07\x1b\t",
    ];
    let long = [b"ab".repeat(30), b"a".repeat(1_500), [b'a'; 500].repeat(3)].map(|mut record| {
        record.push(b'b');
        record
    });
    let batch = batch_of(records.into_iter().chain(long.iter().map(Vec::as_slice)));
    check(&patterns, &batch.as_batch());
    for pattern in patterns {
        check(&[pattern], &batch.as_batch());
    }
}

#[test]
fn the_engine_tells_what_runs_on_the_pure_one() {
    if is_refused() {
        return;
    }
    let set = PatternSet::new(ascii([
        "ab",
        r"a\zb",
        "b+",
        r"\n(?m:^)",
        "(?:a|b)c",
        "x*",
        r"(?u:\b)a",
        "[^b]{3}",
    ]))
    .unwrap();
    let engine = native::Engine::new(&set, Report::Patterns).unwrap();
    let left: Vec<usize> = engine.on_pure().iter().map(native::OnPure::pattern).collect();
    assert_eq!(left, [1, 3, 5, 6]);
    assert!(engine.on_pure().iter().all(|left| !left.reason().is_empty()));
    assert!(engine.library().starts_with(char::is_alphabetic));
    assert!(engine.memory() > 0);
}

#[test]
fn batches_of_every_kind_are_scanned() {
    if is_refused() {
        return;
    }
    // By libhs, by the pure engine, and by both.
    for patterns in [vec!["ab", "b.c"], vec!["x*", "(?m:^)"], vec!["x*", "ab", "", "b.c"], vec![]] {
        let patterns = ascii(patterns);
        check(&patterns, &BatchBuf::new().as_batch());
        let nothing: &[u8] = &[];
        check(&patterns, &batch_of([nothing; 3]).as_batch());
        let text = b"ab\n\nxab\nb-c\nbbc ab\n\n\nab";
        for len in 0..=text.len() {
            let mut offsets = Vec::new();
            check(&patterns, &Batch::lines(&text[..len], &mut offsets).unwrap());
        }
        let mut offsets = Vec::new();
        let mut long = vec![b'-'; 1000];
        long.extend_from_slice(text);
        let lines = Batch::lines(&long, &mut offsets).unwrap();
        for end in 0..=lines.len() {
            check(&patterns, &lines.slice(end / 2..end));
        }
        check(&patterns, &Batch::from_offsets(text, &[2, 3, 3, 9, 20, 22]).unwrap());
        check(&patterns, &Batch::from_offsets(text, &[]).unwrap());
        check(&patterns, &Batch::from_offsets(&[], &[0, 0, 0]).unwrap());
    }
}

#[test]
fn a_raised_flag_stops_a_scan() {
    if is_refused() {
        return;
    }
    let set = PatternSet::new(ascii(["a", "x*"])).unwrap();
    let batch = batch_of([&b"aaa"[..]; 3]);
    for report in [Report::Patterns, Report::Spans] {
        let stop = StopFlag::new();
        let engine = native::Engine::new(&set, report).unwrap();
        let mut scanner = engine.scanner_with(stop.clone()).unwrap();
        let mut matches = Matches::new();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        let all = matches.clone();
        stop.raise();
        assert_eq!(scanner.scan(&batch.as_batch(), &mut matches), Err(ScanError::Stopped));
        assert!(matches.is_empty());
        stop.clear();
        scanner.scan(&batch.as_batch(), &mut matches).unwrap();
        assert_eq!(matches, all);
    }
}

#[test]
fn an_engine_is_shared_between_threads() {
    if is_refused() {
        return;
    }
    let patterns = ascii(["a+b", "x*y", "^", "b(?:a|c)"]);
    let set = PatternSet::new(patterns.iter().cloned()).unwrap();
    let engine = native::Engine::new(&set, Report::Spans).unwrap();
    let batch = batch_of([&b"aab"[..], b"xxy", b"", b"bac"].repeat(100));
    let expected = expected(&patterns, &batch.as_batch(), Report::Spans);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut scanner = engine.scanner().unwrap();
            let (batch, expected) = (&batch, &expected);
            scope.spawn(move || {
                let mut matches = Matches::new();
                for _ in 0..20 {
                    scanner.scan(&batch.as_batch(), &mut matches).unwrap();
                    assert_eq!(matches.as_slice(), expected);
                }
            });
        }
    });
}

/// Memory between pages that can't be read.
#[cfg(unix)]
mod guarded {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    use std::ffi::c_void;
    use std::ptr::null_mut;

    /// A multiple of the page size of every system.
    const LEN: usize = 64 << 10;

    pub(super) struct Pages {
        base: *mut u8,
    }

    impl Pages {
        pub(super) fn new() -> Pages {
            // SAFETY: a new mapping of three parts; the first and last lose their rights, and
            // nothing refers to them.
            let base = unsafe {
                let rights = ProtFlags::READ | ProtFlags::WRITE;
                let base = mmap_anonymous(null_mut(), 3 * LEN, rights, MapFlags::PRIVATE).unwrap();
                mprotect(base, LEN, MprotectFlags::empty()).unwrap();
                mprotect(base.byte_add(2 * LEN), LEN, MprotectFlags::empty()).unwrap();
                base.cast::<u8>()
            };
            Pages { base }
        }

        pub(super) fn readable(&mut self) -> &mut [u8] {
            // SAFETY: the part in the middle is mapped, zeroed at first, and borrowed with `self`.
            unsafe { std::slice::from_raw_parts_mut(self.base.add(LEN), LEN) }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // SAFETY: the mapping is as long as when it was made, and no borrow of it is left.
            unsafe { munmap(self.base.cast::<c_void>(), 3 * LEN).unwrap() };
        }
    }
}

/// libhs reads whole vectors; a record at the very end of readable memory must not be at its
/// mercy, nor one at the very start.
#[test]
#[cfg(unix)]
fn nothing_is_read_outside_of_a_borrowed_buffer() {
    if is_refused() {
        return;
    }
    let patterns = ascii([
        "ab",
        "b",
        "[ab]c",
        r"[\x80-\xff]a",
        "(?i:abc|bcd|cde)",
        "a.*b",
        "[a-c]{20}",
        r"a\b",
        r"c\z",
        r"\Aa",
        "x*y",
    ]);
    let mut pages = guarded::Pages::new();
    let page = pages.readable();
    let bytes = b"abcd-b c\x80ab";
    page.iter_mut().zip(bytes.iter().cycle()).for_each(|(to, &from)| *to = from);
    let set = PatternSet::new(patterns.iter().cloned()).unwrap();
    let engine = native::Engine::new(&set, Report::Patterns).unwrap();
    let mut scanner = engine.scanner().unwrap();
    let mut matches = Matches::new();
    for len in 0..=200u32 {
        let ends: [&[u8]; 2] = [&page[page.len() - len as usize..], &page[..len as usize]];
        for buffer in ends {
            for offsets in [&[0, len][..], &[0, len / 2, len], &[0, 0, len / 3, len, len]] {
                let batch = Batch::from_offsets(buffer, offsets).unwrap();
                scanner.scan(&batch, &mut matches).unwrap();
                assert_eq!(
                    matches.as_slice(),
                    expected(&patterns, &batch, Report::Patterns),
                    "{len}"
                );
            }
        }
    }
    // A batch may lie within a larger buffer, and end where that does.
    let offsets: Vec<u32> = (0..=page.len() as u32).step_by(1024).collect();
    let batch = Batch::from_offsets(page, &offsets).unwrap();
    scanner.scan(&batch, &mut matches).unwrap();
    assert_eq!(matches.as_slice(), expected(&patterns, &batch, Report::Patterns));
}
