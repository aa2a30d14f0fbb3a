//! The ways to scan, behind one interface, and the race between them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use dragnet::pure::Isa;
use dragnet::{Batch, Matches, Report, Scan, pure};

use super::corpus::Corpus;
use super::rules::RuleSet;

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) build_seconds: f64,
    /// What it needs, in bytes, where it can tell.
    pub(crate) memory: Option<usize>,
    /// Tells what its scanner needs besides by now, in bytes.
    pub(crate) working_memory: Option<Box<dyn Fn() -> usize>>,
    /// Patterns that it can't take, and does not look for.
    pub(crate) refused: usize,
    /// How much of a corpus is enough to measure it, in bytes.
    pub(crate) enough: usize,
    pub(crate) scan: Box<dyn FnMut(&Batch<'_>) -> u64>,
}

pub(crate) struct Row {
    pub(crate) megabytes_per_second: f64,
    pub(crate) matches: u64,
    /// What the first contender found in the same part of the corpus.
    pub(crate) expected: u64,
}

const ALL: usize = usize::MAX;

pub(crate) fn all(set: &RuleSet) -> Vec<Contender> {
    let named = std::env::var("DRAGNET_AGAINST").ok();
    let wanted = |name: &str| {
        named.as_ref().is_none_or(|named| named.split(',').any(|part| name.contains(part.trim())))
    };
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
        all.extend(super::hyperscan::contenders(set, &wanted));
    }
    for (name, cache) in [("RegexSet", 2 << 20), ("RegexSet, 256 MiB", 256 << 20)] {
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
        all.push(contender("absent byte", ALL, || {
            // A byte that no corpus has; what any pass over the data costs at least.
            (0, None, |batch: &Batch<'_>| u64::from(memchr::memchr(0x01, batch.buffer()).is_some()))
        }));
    }
    all
}

/// Builds a contender under the clock.
fn contender<S>(
    name: &'static str,
    enough: usize,
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
        enough,
        scan: Box::new(scan),
    }
}

fn pure(name: &'static str, set: &RuleSet, isa: Isa) -> Contender {
    let start = Instant::now();
    // Parsing is part of building, as it is for the others.
    let engine = pure::Engine::with_isa(&set.parse(), Report::Patterns, isa);
    let scanner = Rc::new(RefCell::new(engine.scanner()));
    let build_seconds = start.elapsed().as_secs_f64();
    let in_use = Rc::clone(&scanner);
    let mut matches = Matches::new();
    let scan = move |batch: &Batch<'_>| {
        scanner.borrow_mut().scan(batch, &mut matches).expect("nothing stops it");
        matches.len() as u64
    };
    Contender {
        name,
        build_seconds,
        memory: Some(engine.memory()),
        working_memory: Some(Box::new(move || in_use.borrow().memory())),
        refused: 0,
        enough: ALL,
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
    let mut scanner = engine.scanner().expect("scratch space");
    let build_seconds = start.elapsed().as_secs_f64();
    let mut matches = Matches::new();
    let scan = move |batch: &Batch<'_>| {
        scanner.scan(batch, &mut matches).expect("nothing stops it");
        matches.len() as u64
    };
    Some(Contender {
        name: "native",
        build_seconds,
        memory: Some(engine.memory()),
        working_memory: None,
        refused: 0,
        enough: ALL,
        scan: Box::new(scan),
    })
}

/// `cache` is what its lazy DFA may hold; with the default of 2 MiB it gives up on most sets, and
/// simulates an NFA.
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
    // It is slow on large sets, and even a small part takes long.
    let enough = if cache > 2 << 20 { 1 << 20 } else { 64 << 10 };
    Some(Contender {
        name,
        build_seconds,
        memory: None,
        working_memory: None,
        refused: 0,
        enough,
        scan: Box::new(scan),
    })
}

fn regexes(set: &RuleSet) -> Vec<regex::bytes::Regex> {
    let build = |p: &String| regex::bytes::RegexBuilder::new(p).unicode(false).build();
    set.patterns.iter().map(|p| build(p).expect("a valid pattern")).collect()
}

/// What people write by hand: an automaton over one required literal of each pattern, and a
/// regex for each candidate.
fn aho_corasick(set: &RuleSet) -> Contender {
    contender("aho-corasick loop", 4 << 20, || {
        let regexes = regexes(set);
        let mut literals: Vec<Vec<u8>> = Vec::new();
        let mut owners: Vec<usize> = Vec::new();
        let mut always = Vec::new();
        for (pattern, regex) in set.patterns.iter().enumerate() {
            match longest_literal(regex) {
                Some(literal) => {
                    literals.push(literal.into_bytes());
                    owners.push(pattern);
                }
                None => always.push(pattern),
            }
        }
        let automaton = aho_corasick::AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&literals)
            .expect("literals fit");
        let mut seen = vec![u64::MAX; regexes.len()];
        let mut record_number = 0;
        let scan = move |batch: &Batch<'_>| {
            let mut count = 0;
            for record in batch.iter() {
                record_number += 1;
                let mut check = |pattern: usize| {
                    if std::mem::replace(&mut seen[pattern], record_number) != record_number {
                        count += u64::from(regexes[pattern].is_match(record));
                    }
                };
                always.iter().copied().for_each(&mut check);
                for found in automaton.find_overlapping_iter(record) {
                    check(owners[found.pattern().as_usize()]);
                }
            }
            count
        };
        (0, None, scan)
    })
}

/// The longest run of plain letters, digits and dashes that every match must contain: a run at
/// the top level of the pattern.
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
        // It works on text alone, with Unicode on.
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
        enough: 1 << 20,
        scan: Box::new(scan),
    })
}

/// Lets all contenders scan the corpus in turns, and gives the medians.
pub(crate) fn race(contenders: &mut [Contender], corpus: &Corpus, rounds: usize) -> Vec<Row> {
    let mut times = vec![Vec::new(); contenders.len()];
    let mut rows: Vec<Row> = Vec::new();
    for round in 0..=rounds {
        for (index, contender) in contenders.iter_mut().enumerate() {
            let mut bytes = 0;
            let mut matches = 0;
            let mut seconds = 0.0;
            for number in 0..corpus.batches.len() {
                let batch = part(corpus.batch(number), contender.enough.saturating_sub(bytes));
                if batch.is_empty() {
                    break;
                }
                let start = Instant::now();
                matches += (contender.scan)(&batch);
                seconds += start.elapsed().as_secs_f64();
                bytes += size(&batch);
            }
            if round == 0 {
                // The first round warms caches and lazy automata up.
                rows.push(Row { megabytes_per_second: 0.0, matches, expected: 0 });
            } else {
                times[index].push(bytes as f64 / seconds / 1e6);
            }
        }
    }
    let enough: Vec<usize> = contenders.iter().map(|c| c.enough).collect();
    for ((row, times), enough) in rows.iter_mut().zip(&mut times).zip(enough) {
        times.sort_by(f64::total_cmp);
        row.megabytes_per_second = times[times.len() / 2];
        let mut bytes = 0;
        for number in 0..corpus.batches.len() {
            let batch = part(corpus.batch(number), enough.saturating_sub(bytes));
            if batch.is_empty() {
                break;
            }
            bytes += size(&batch);
            row.expected += (contenders[0].scan)(&batch);
        }
    }
    rows
}

fn size(batch: &Batch<'_>) -> usize {
    match batch.len() {
        0 => 0,
        len => batch.range(len - 1).end - batch.range(0).start + 1,
    }
}

/// The first records of a batch that have `enough` bytes.
fn part<'a>(batch: Batch<'a>, enough: usize) -> Batch<'a> {
    if enough == 0 || batch.is_empty() {
        return batch.slice(0..0);
    }
    let first = batch.range(0).start;
    let (mut low, mut high) = (0, batch.len());
    while low < high {
        let middle = (low + high) / 2;
        if batch.range(middle).end - first < enough {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    batch.slice(0..batch.len().min(low + 1))
}
