//! Other crates as contenders: `RegexSet`, an Aho-Corasick prefilter and regex-filtered.

use dragnet::Batch;

use super::contender::{Answers, Contender, Counting, WHOLE_CORPUS, timed};
use crate::support::rules::RuleSet;

/// Builds a contender and measures how long that takes. `build` returns the number of refused
/// patterns and the function that scans.
fn contender<S>(
    name: &str,
    sample: usize,
    answers: Answers,
    build: impl FnOnce() -> Option<(usize, S)>,
) -> Option<Contender>
where
    S: FnMut(&Batch<'_>) -> u64 + 'static,
{
    let (built, build_seconds) = timed(build);
    let (refused, scan) = built?;
    Some(Contender {
        name: name.to_owned(),
        build_seconds,
        memory: None,
        refused,
        sample,
        in_summary: true,
        answers,
        search: Box::new(Counting::new(scan)),
    })
}

/// Builds a `RegexSet`. `cache` limits its lazy DFA's cache, in bytes; the crate's default is 2
/// MiB.
pub(super) fn regex_set(name: &str, set: &RuleSet, cache: usize) -> Option<Contender> {
    // Bounds the time of the slowest races: with the default cache, even 1 MiB would take minutes.
    let sample = if cache > 2 << 20 { 1 << 20 } else { 64 << 10 };
    contender(name, sample, Answers::Expected, || {
        let built = regex::bytes::RegexSetBuilder::new(&set.patterns)
            .unicode(false)
            .size_limit(1 << 30)
            .dfa_size_limit(cache)
            .build()
            .inspect_err(|error| eprintln!("{name}: {error}"))
            .ok()?;
        let scan = move |batch: &Batch<'_>| {
            batch.iter().map(|record| built.matches(record).iter().count() as u64).sum()
        };
        Some((0, scan))
    })
}

/// One pass for a byte that no corpus has: a lower bound of the time of any search.
pub(super) fn absent_byte() -> Option<Contender> {
    contender("absent byte", WHOLE_CORPUS, Answers::Incomparable, || {
        Some((0, |batch: &Batch<'_>| u64::from(memchr::memchr(0x01, batch.buffer()).is_some())))
    })
}

fn regexes(set: &RuleSet) -> Vec<regex::bytes::Regex> {
    let build = |p: &String| regex::bytes::RegexBuilder::new(p).unicode(false).build();
    set.patterns.iter().map(|p| build(p).expect("a valid pattern")).collect()
}

/// The prefilter that many projects write by hand: an Aho-Corasick automaton finds one required
/// literal of each pattern, and the pattern's regex then searches each record that has the literal.
pub(super) fn aho_corasick(set: &RuleSet) -> Option<Contender> {
    contender("aho-corasick loop", 4 << 20, Answers::Expected, || {
        let regexes = regexes(set);
        let mut literals: Vec<Vec<u8>> = Vec::new();
        let mut patterns_of_literals: Vec<usize> = Vec::new();
        let mut without_literal = Vec::new();
        for (pattern, regex) in set.patterns.iter().enumerate() {
            match longest_literal(regex) {
                Some(literal) => {
                    literals.push(literal);
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
        Some((0, scan))
    })
}

/// The longest literal that every match must contain, among those at the top level of the pattern;
/// `None` if it is shorter than three bytes. Case-insensitive letters count as literals, because the
/// automaton ignores case.
fn longest_literal(pattern: &str) -> Option<Vec<u8>> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = parser.parse(pattern).ok()?;
    let mut best = Vec::new();
    let mut run = Vec::new();
    let mut visit = |hir: &regex_syntax::hir::Hir| {
        use regex_syntax::hir::{Class, HirKind};
        match hir.kind() {
            HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
            HirKind::Class(Class::Bytes(class)) if class.ranges().len() == 2 => {
                let (upper, lower) = (class.ranges()[0], class.ranges()[1]);
                let letter = lower.start();
                let single = upper.len() == 1 && lower.len() == 1;
                if single && letter.is_ascii_lowercase() && upper.start() == letter ^ 0x20 {
                    run.push(letter);
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

pub(super) fn filtered(set: &RuleSet) -> Option<Contender> {
    // The crate searches only `str`, with Unicode on.
    let accepted = |pattern: &&String| regex::Regex::new(pattern).is_ok();
    let patterns: Vec<&String> = set.patterns.iter().filter(accepted).collect();
    contender("regex-filtered", 1 << 20, Answers::Expected, || {
        let built = patterns
            .iter()
            .try_fold(regex_filtered::Builder::new(), |builder, pattern| builder.push(pattern))
            .map_err(|error| error.to_string())
            .and_then(|builder| builder.build().map_err(|error| error.to_string()))
            .inspect_err(|error| eprintln!("regex-filtered: {error}"))
            .ok()?;
        let scan = move |batch: &Batch<'_>| {
            batch
                .iter()
                .map(|record| built.matching(&String::from_utf8_lossy(record)).count() as u64)
                .sum()
        };
        Some((set.patterns.len() - patterns.len(), scan))
    })
}
