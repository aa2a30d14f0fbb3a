//! The memory that sets, engines and scanners report, compared with what they allocate.

use std::sync::atomic::Ordering;

use dragnet::pure::{Engine, Explanation, Scanner};
use dragnet::{Batch, Matches, Pattern, PatternSet, Report, Scan};

use crate::{LIVE, alone};

/// Runs `make`. Returns its result and the number of bytes that it allocated and did not free.
fn allocated<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    let made = make();
    (made, LIVE.load(Ordering::Relaxed) - before)
}

/// Checks that a report is right within a factor of 2. It can't be exact, because dependencies do
/// not report all memory that they allocate.
fn check(what: &str, reported: usize, allocated: usize) {
    assert!(
        reported > allocated / 2 && reported < allocated * 2,
        "{what}: {reported} bytes reported, {allocated} allocated"
    );
}

/// Scans the lines of `text` with a new scanner. Returns it, the bytes that it allocated and the number of
/// matches. An earlier scan has built the automata that scanners share, so only a scanner's own memory is
/// counted.
fn scanned(engine: &Engine, text: &str) -> (Scanner, usize, usize) {
    let mut offsets = Vec::new();
    let batch = Batch::lines(text.as_bytes(), &mut offsets).unwrap();
    let mut matches = Matches::new();
    engine.scanner().scan(&batch, &mut matches).unwrap();
    let (scanner, bytes) = allocated(|| {
        let mut scanner = engine.scanner();
        scanner.scan(&batch, &mut matches).unwrap();
        scanner
    });
    (scanner, bytes, matches.len())
}

#[test]
fn reported_memory_is_about_what_is_allocated() {
    let _turn = alone();
    let patterns: Vec<String> = (0..2000)
        .map(|n: u32| {
            let word: String = (0..7).map(|i| (b'a' + (n >> i & 15) as u8) as char).collect();
            format!(r"(?i)\b{word}{n}[\w .-]{{0,20}}[:=]\s{{0,3}}[0-9a-f]{{32}}\b|{word}_{n}\.com")
        })
        .collect();
    let (set, bytes) = allocated(|| {
        let patterns = patterns.iter().map(|p| Pattern::new(p).unicode(false));
        PatternSet::builder().patterns(patterns).build().unwrap()
    });
    check("patterns", set.memory(), bytes);

    let (engine, bytes) = allocated(|| Engine::new(&set, Report::Patterns));
    check("engine", engine.memory(), bytes);

    let text: String = patterns.iter().map(|p| format!("{}\n", p.replace(r"\.", "."))).collect();
    let (scanner, bytes, matches) = scanned(&engine, &text);
    assert_eq!(matches, 2000);
    check("scanner", scanner.memory(), bytes);
}

/// Patterns whose automata consist mostly of one of their parts, and two whose searches need much memory.
#[test]
fn reported_memory_includes_each_part_of_automata() {
    let _turn = alone();
    for (pattern, report) in [
        ("k#(?:[a-f][g-k]){0,200};", Report::Patterns),
        ("k#(?:a[bc]?d[ef]?g[hi]?){40};", Report::Patterns),
        (r"k#(?-u:[a;]\b[b;]\B){60}x", Report::Patterns),
        ("k#(?:[a-f][g-k]){0,200};", Report::Spans),
        ("k#(?:(?:a|b|cc|d|ee|f|g|h|ii|jj)[k-p])+;", Report::Spans),
    ] {
        let patterns = (100..400).map(|n| pattern.replace('#', &n.to_string()));
        let patterns = patterns.map(|p| Pattern::new(p).unicode(false));
        let set = PatternSet::builder().patterns(patterns).build().unwrap();
        let (engine, bytes) = allocated(|| Engine::new(&set, report));
        let share = engine.memory() as f64 / bytes as f64;
        assert!((0.95..1.05).contains(&share), "{pattern}: {share} of {bytes} bytes reported");
    }
    let text = format!("{}\nk{};", "A".repeat(4000), "a".repeat(200_000));
    for (pattern, report) in
        [("k[ab]{200000,200001};", Report::Patterns), ("(?:A?B?C?){20}[^A-Z]|[A-Z]", Report::Spans)]
    {
        let patterns = [Pattern::new(pattern).unicode(false)];
        let set = PatternSet::builder().patterns(patterns).build().unwrap();
        let (scanner, bytes, _) = scanned(&Engine::new(&set, report), &text);
        check(pattern, scanner.memory(), bytes);
    }
}

/// 300 patterns that share a literal, and 100 without a filter.
#[test]
fn reported_memory_includes_groups() {
    let _turn = alone();
    let shared = (0..300).map(|n| format!("secret_[a-z]{{2,5}}{n:03};"));
    let unfiltered = (0..100).map(|n| format!("[a-z]{{{n},}}[^a-z]e"));
    let patterns = shared.chain(unfiltered).map(|p| Pattern::new(p).unicode(false));
    let set = PatternSet::builder().patterns(patterns).build().unwrap();
    let (engine, bytes) = allocated(|| Engine::new(&set, Report::Patterns));
    check("engine", engine.memory(), bytes);

    let text = "secret_abcd123; some more text\n".repeat(20);
    let (scanner, bytes, _) = scanned(&engine, &text);
    check("scanner", scanner.memory(), bytes);
}

/// 1,000 patterns, of which 200 have no filter, and whose DFAs reach far more states over this text than
/// a scanner may keep.
#[test]
fn a_scanner_of_a_thousand_patterns_takes_at_most_4_mib() {
    let _turn = alone();
    let literal = (0..800).map(|n| format!("secret{n:03}_[a-z]{{2,5}}"));
    let unfiltered = (0..200).map(|n| {
        let [a, b, c] = [n, n / 6, n / 36].map(|digit| char::from(b'a' + (digit % 6) as u8));
        format!("[{a}{b};&|][^{c}!]*[{b}{c}]..{{0,9}}[{a}{c}]")
    });
    let patterns = literal.chain(unfiltered).map(|p| Pattern::new(p).unicode(false));
    let set = PatternSet::builder().patterns(patterns).build().unwrap();
    let engine = Engine::new(&set, Report::Patterns);
    let unfiltered = (0..1000).filter(|&n| engine.explain(n) == Some(Explanation::EveryRecord));
    assert_eq!(unfiltered.count(), 200);

    let mut seed = 1_u32;
    let text: String = (0..60_000)
        .map(|at| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if at % 60 == 59 {
                '\n'
            } else {
                char::from(b"abcdefghijk;&|! "[(seed >> 28) as usize])
            }
        })
        .collect();
    let (scanner, bytes, _) = scanned(&engine, &text);
    assert!(bytes <= 4 << 20, "{bytes} bytes");
    check("scanner", scanner.memory(), bytes);
}

/// 1,000 patterns, of which 300 are too large for anything but lazy DFAs in long records.
#[test]
fn lazy_dfas_of_a_thousand_patterns_take_at_most_4_mib() {
    let _turn = alone();
    let mut seed = 1_u32;
    let mut letter = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (seed >> 16) as u8 % 10)
    };
    let patterns: Vec<Pattern> = (0..1000)
        .map(|n| {
            let words = if n < 300 { 150 } else { 2 };
            let words: Vec<String> =
                (0..words).map(|_| (0..6).map(|_| letter()).collect()).collect();
            let words = words.join("|");
            let (a, b) = (letter(), letter());
            Pattern::new(format!("(?:[{a}{b}]|{words})+x[a-j]*(?:{words})")).unicode(false)
        })
        .collect();
    let set = PatternSet::builder().patterns(patterns).build().unwrap();
    let text: String = (0..30_000)
        .map(|at| match at {
            _ if at % 10_000 == 9_999 => '\n',
            _ if at % 100 == 50 => 'x',
            _ => letter(),
        })
        .collect();
    for report in [Report::Patterns, Report::Spans] {
        let engine = Engine::new(&set, report);
        let (scanner, bytes, _) = scanned(&engine, &text);
        assert!(bytes <= 4 << 20, "{report:?}: {bytes} bytes");
        check("scanner", scanner.memory(), bytes);
    }
}
