//! The contenders of `versus`, except for the calls of libhs in `hyperscan`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use dragnet::pure::Isa;
use dragnet::{Batch, Matches, Report, Scan, pure};

use super::contender::{Contender, WHOLE_CORPUS};
#[cfg(feature = "native")]
use super::hyperscan;
use super::rules::RuleSet;

/// Builds the contenders that `DRAGNET_AGAINST` selects, the pure engine first.
pub(crate) fn all(set: &RuleSet) -> Vec<Contender> {
    let selection = std::env::var("DRAGNET_AGAINST").ok();
    let is_named =
        |selection: &str, name: &str| selection.split(',').any(|part| name.contains(part.trim()));
    let wanted = |name: &str| selection.as_ref().is_none_or(|list| is_named(list, name));
    let wanted_explicitly =
        |name: &str| selection.as_ref().is_some_and(|list| is_named(list, name));
    let mut all = vec![pure("pure", set, Isa::best())];
    let avx2 = Isa::available().into_iter().find(|isa| isa.name() == "AVX2");
    if let Some(avx2) = avx2.filter(|&avx2| avx2 != Isa::best() && wanted("pure, AVX2")) {
        all.push(pure("pure, AVX2", set, avx2));
    }
    #[cfg(feature = "native")]
    {
        if wanted("native") {
            all.extend(native(set));
        }
        all.extend(hyperscan::contenders(set, &wanted));
    }
    // With its default cache of 2 MiB, RegexSet's lazy DFA gives up on most of these rule sets and
    // leaves the search to an NFA simulation. Users with many patterns raise the limit, so a
    // comparison with the default would be unfair: it runs on request only, without a line in the
    // summary.
    if wanted_explicitly(DEFAULT_REGEX_SET) {
        let default = regex_set(DEFAULT_REGEX_SET, set, 2 << 20);
        all.extend(default.map(|default| Contender { in_summary: false, ..default }));
    }
    for (name, cache) in [("RegexSet, 256 MiB", 256 << 20), ("RegexSet, 1 GiB", 1 << 30)] {
        if wanted(name) {
            all.extend(regex_set(name, set, cache));
        }
    }
    if wanted("aho-corasick") {
        all.push(aho_corasick(set));
    }
    if wanted("regex-filtered") {
        all.extend(filtered(set));
    }
    if wanted("absent byte") {
        all.push(contender("absent byte", WHOLE_CORPUS, || {
            // No corpus has this byte. The search is a lower bound: the cost of one pass over the
            // data.
            (0, None, |batch: &Batch<'_>| u64::from(memchr::memchr(0x01, batch.buffer()).is_some()))
        }));
    }
    all
}

const DEFAULT_REGEX_SET: &str = "RegexSet, default cache";

/// Builds a contender and measures how long that takes. `build` returns the number of refused
/// patterns, the memory, and the function that scans.
fn contender<S>(
    name: &'static str,
    sample: usize,
    build: impl FnOnce() -> (usize, Option<usize>, S),
) -> Contender
where
    S: FnMut(&Batch<'_>) -> u64 + 'static,
{
    let start = Instant::now();
    let (refused, memory, scan) = build();
    let build_seconds = start.elapsed().as_secs_f64();
    Contender {
        name,
        build_seconds,
        memory,
        working_memory: None,
        refused,
        sample,
        in_summary: true,
        scan: Box::new(scan),
    }
}

fn pure(name: &'static str, set: &RuleSet, isa: Isa) -> Contender {
    let start = Instant::now();
    // The other contenders parse the patterns while they build, too.
    let engine = pure::Engine::with_isa(&set.parse(), Report::Patterns, isa);
    let scanner = Rc::new(RefCell::new(engine.scanner()));
    let build_seconds = start.elapsed().as_secs_f64();
    let in_use = Rc::clone(&scanner);
    let mut matches = Matches::new();
    let scan = move |batch: &Batch<'_>| {
        scanner.borrow_mut().scan(batch, &mut matches).expect("the scan succeeds");
        matches.len() as u64
    };
    Contender {
        name,
        build_seconds,
        memory: Some(engine.memory()),
        working_memory: Some(Box::new(move || in_use.borrow().memory())),
        refused: 0,
        sample: WHOLE_CORPUS,
        in_summary: true,
        scan: Box::new(scan),
    }
}

#[cfg(feature = "native")]
fn native(set: &RuleSet) -> Option<Contender> {
    let start = Instant::now();
    let engine = match dragnet::native::Engine::new(&set.parse(), Report::Patterns) {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("native: {error}");
            return None;
        }
    };
    let mut scanner = engine.scanner().expect("libhs allocates scratch space");
    let build_seconds = start.elapsed().as_secs_f64();
    let mut matches = Matches::new();
    let scan = move |batch: &Batch<'_>| {
        scanner.scan(batch, &mut matches).expect("the scan succeeds");
        matches.len() as u64
    };
    Some(Contender {
        name: "native",
        build_seconds,
        memory: Some(engine.memory()),
        working_memory: None,
        refused: 0,
        sample: WHOLE_CORPUS,
        in_summary: true,
        scan: Box::new(scan),
    })
}

/// Builds a `RegexSet`. `cache` limits its lazy DFA's cache, in bytes; the crate's default is 2
/// MiB.
fn regex_set(name: &'static str, set: &RuleSet, cache: usize) -> Option<Contender> {
    let start = Instant::now();
    let built = regex::bytes::RegexSetBuilder::new(&set.patterns)
        .unicode(false)
        .size_limit(1 << 30)
        .dfa_size_limit(cache)
        .build();
    let built = match built {
        Ok(built) => built,
        Err(error) => {
            eprintln!("{name}: {error}");
            return None;
        }
    };
    let build_seconds = start.elapsed().as_secs_f64();
    let scan = move |batch: &Batch<'_>| {
        batch.iter().map(|record| built.matches(record).iter().count() as u64).sum()
    };
    // Bounds the time of the slowest races: with the default cache, even 1 MiB would take minutes.
    let sample = if cache > 2 << 20 { 1 << 20 } else { 64 << 10 };
    Some(Contender {
        name,
        build_seconds,
        memory: None,
        working_memory: None,
        refused: 0,
        sample,
        in_summary: true,
        scan: Box::new(scan),
    })
}

fn regexes(set: &RuleSet) -> Vec<regex::bytes::Regex> {
    let build = |p: &String| regex::bytes::RegexBuilder::new(p).unicode(false).build();
    set.patterns.iter().map(|p| build(p).expect("a valid pattern")).collect()
}

/// The prefilter that many projects write by hand: an Aho-Corasick automaton finds one required
/// literal of each pattern, and the pattern's regex then searches each record that has the literal.
fn aho_corasick(set: &RuleSet) -> Contender {
    contender("aho-corasick loop", 4 << 20, || {
        let regexes = regexes(set);
        let mut literals: Vec<Vec<u8>> = Vec::new();
        let mut patterns_of_literals: Vec<usize> = Vec::new();
        let mut without_literal = Vec::new();
        for (pattern, regex) in set.patterns.iter().enumerate() {
            match longest_literal(regex) {
                Some(literal) => {
                    literals.push(literal.into_bytes());
                    patterns_of_literals.push(pattern);
                }
                None => without_literal.push(pattern),
            }
        }
        let automaton = aho_corasick::AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&literals)
            .expect("the automaton is not too large");
        let mut last_checked = vec![u64::MAX; regexes.len()];
        let mut record_number = 0;
        let scan = move |batch: &Batch<'_>| {
            let mut count = 0;
            for record in batch.iter() {
                record_number += 1;
                let mut check = |pattern: usize| {
                    if std::mem::replace(&mut last_checked[pattern], record_number) != record_number
                    {
                        count += u64::from(regexes[pattern].is_match(record));
                    }
                };
                without_literal.iter().copied().for_each(&mut check);
                for found in automaton.find_overlapping_iter(record) {
                    check(patterns_of_literals[found.pattern().as_usize()]);
                }
            }
            count
        };
        (0, None, scan)
    })
}

/// The longest literal that every match must contain, among those at the top level of the pattern;
/// `None` if it is shorter than three bytes. Case-insensitive letters count as literals, because the
/// automaton ignores case.
fn longest_literal(pattern: &str) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = hir.clone().parse(pattern).ok()?;
    let mut best = String::new();
    let mut run = String::new();
    let mut visit = |hir: &regex_syntax::hir::Hir| {
        use regex_syntax::hir::{Class, HirKind};
        match hir.kind() {
            HirKind::Literal(literal) => run += &String::from_utf8_lossy(&literal.0),
            HirKind::Class(Class::Bytes(class)) if class.ranges().len() == 2 => {
                let (upper, lower) = (class.ranges()[0], class.ranges()[1]);
                let pair = upper.len() == 1 && upper.start() | 0x20 == lower.start();
                if pair && lower.len() == 1 {
                    run.push(lower.start() as char);
                } else {
                    run.clear();
                }
            }
            HirKind::Look(_) => {}
            _ => run.clear(),
        }
        if run.len() > best.len() {
            best.clone_from(&run);
        }
    };
    match hir.kind() {
        regex_syntax::hir::HirKind::Concat(parts) => parts.iter().for_each(visit),
        _ => visit(&hir),
    }
    (best.len() >= 3).then_some(best)
}

fn filtered(set: &RuleSet) -> Option<Contender> {
    let start = Instant::now();
    let mut builder = regex_filtered::Builder::new();
    for pattern in &set.patterns {
        // Unicode can't be turned off in this crate, which searches only `str`.
        builder = match builder.push(pattern) {
            Ok(builder) => builder,
            Err(error) => {
                eprintln!("regex-filtered: {error}");
                return None;
            }
        };
    }
    let built = match builder.build() {
        Ok(built) => built,
        Err(error) => {
            eprintln!("regex-filtered: {error}");
            return None;
        }
    };
    let build_seconds = start.elapsed().as_secs_f64();
    let scan = move |batch: &Batch<'_>| {
        batch
            .iter()
            .map(|record| built.matching(&String::from_utf8_lossy(record)).count() as u64)
            .sum()
    };
    Some(Contender {
        name: "regex-filtered",
        build_seconds,
        memory: None,
        working_memory: None,
        refused: 0,
        sample: 1 << 20,
        in_summary: true,
        scan: Box::new(scan),
    })
}
