//! The comparison of every scanner with the oracle.

use std::ops::ControlFlow;

use dragnet::{
    Backend, Batch, Captures, CapturesFinder, Match, Matches, PatternSet, Report, Scan, ScanError,
};

use super::{Contender, Found, Layout, Oracle, Spec, Stream, contenders, set};

/// A scanner of each contender and each report for one set of patterns, and their oracle. It also compares
/// the groups of all matches, and the search of one string. Compares any number of batches: scanners
/// and match lists are reused from batch to batch, as a program would.
pub struct Comparison {
    specs: Vec<Spec>,
    set: PatternSet,
    oracle: Oracle,
    scanners: Vec<(&'static str, Report, Box<dyn Scan>)>,
    matches: Matches,
    finder: CapturesFinder,
}

impl Comparison {
    /// The comparison of all contenders.
    pub fn new(specs: &[Spec]) -> Comparison {
        Comparison::of(specs, |_| true)
    }

    /// The comparison of the contenders on the calling thread and, if `placed`, of all others.
    pub fn with_placements(specs: &[Spec], placed: bool) -> Comparison {
        Comparison::of(specs, |contender| placed || !contender.is_placed)
    }

    /// As [`with_placements`](Comparison::with_placements), without libhs: it takes too long to
    /// compile many large sets.
    pub fn without_native(specs: &[Spec], placed: bool) -> Comparison {
        let native = Backend::Native.to_string();
        Comparison::of(specs, |contender| {
            (placed || !contender.is_placed) && !contender.name.contains(&native)
        })
    }

    /// The comparison of the contenders for which `is_chosen` holds.
    pub fn of(specs: &[Spec], is_chosen: impl Fn(&Contender) -> bool) -> Comparison {
        let set = set(specs);
        let scanners = contenders()
            .iter()
            .filter(|contender| is_chosen(contender))
            .flat_map(|contender| {
                let name = contender.name.as_str();
                [Report::Patterns, Report::Spans]
                    .map(|report| (name, report, contender.scanner(&set, report)))
            })
            .collect();
        let oracle = Oracle::new(specs);
        let finder = set.captures_finder();
        Comparison { specs: specs.to_vec(), set, oracle, scanners, matches: Matches::new(), finder }
    }

    /// The spans that the oracle finds.
    pub fn expected(&mut self, records: &[Vec<u8>]) -> Vec<Match> {
        self.oracle.spans(records.iter().map(Vec::as_slice))
    }

    /// Scans every layout of `records` with every scanner.
    ///
    /// # Errors
    ///
    /// A description of the first difference from the oracle.
    pub fn batch(&mut self, records: &[Vec<u8>]) -> Result<(), String> {
        Layout::all(records).iter().try_for_each(|layout| self.layout(layout).map(drop))?;
        records.iter().try_for_each(|record| self.one_string(record))?;
        self.captures(records)
    }

    /// Scans the lines of `text` with every scanner, and returns their matches.
    ///
    /// # Errors
    ///
    /// A description of the first difference from the oracle.
    pub fn lines(&mut self, text: &[u8]) -> Result<Vec<Match>, String> {
        self.layout(&Layout::lines(text))
    }

    /// Scans and redacts `stream` with every scanner that reports spans, as many of them at a time as the
    /// stream has threads.
    ///
    /// # Errors
    ///
    /// A description of the first difference from the oracle.
    pub fn stream(&mut self, stream: &Stream) -> Result<(), String> {
        let expected = stream.expected(&mut self.oracle, &self.set);
        let redacted = stream.redacted(&expected);
        let scan = stream.scan(&self.set);
        let mut redactor = Stream::redactor(&self.set);
        self.with_spans(stream.threads, |scanners| {
            let found = stream.found(&scan, scanners)?;
            if found == expected {
                let mut out = Vec::new();
                redactor
                    .redact_reader_threads(&scan, stream.reader(), scanners, &mut out)
                    .map_err(|error| error.to_string())?;
                if out == redacted {
                    return Ok(());
                }
                let (out, redacted) = (out.escape_ascii(), redacted.escape_ascii());
                return Err(format!("redacted as b\"{out}\", expected b\"{redacted}\""));
            }
            let at = found.iter().zip(&expected).take_while(|(f, e)| f == e).count();
            Err(format!("match {at} is {:?}, expected {:?}", found.get(at), expected.get(at)))
        })
    }

    /// Calls `check` with all scanners that report spans, up to `count` of them at a time.
    fn with_spans(
        &mut self,
        count: usize,
        mut check: impl FnMut(&mut [Box<dyn Scan>]) -> Result<(), String>,
    ) -> Result<(), String> {
        let scanners = std::mem::take(&mut self.scanners).into_iter();
        let (spans, others): (Vec<_>, Vec<_>) =
            scanners.partition(|(_, report, _)| *report == Report::Spans);
        self.scanners = others;
        let (names, mut scanners): (Vec<_>, Vec<_>) =
            spans.into_iter().map(|(name, _, scanner)| (name, scanner)).unzip();
        let result = scanners.chunks_mut(count).zip(names.chunks(count)).try_for_each(
            |(scanners, names)| check(scanners).map_err(|error| format!("{names:?}: {error}")),
        );
        let spans = names.into_iter().zip(scanners);
        self.scanners.extend(spans.map(|(name, scanner)| (name, Report::Spans, scanner)));
        result
    }

    fn layout(&mut self, layout: &Layout) -> Result<Vec<Match>, String> {
        let spans = self.expected(&layout.records);
        let patterns = Oracle::patterns(&spans);
        for (name, report, scanner) in &mut self.scanners {
            let answer = layout.with_batch(|batch| {
                assert!(batch.iter().eq(&layout.records), "{}", layout.name);
                scanner.scan(batch, &mut self.matches)
            });
            let expected = match report {
                Report::Patterns => &patterns,
                Report::Spans => &spans,
            };
            let found = self.matches.as_slice();
            if answer.is_err() || found != expected {
                let outcome = match answer {
                    Ok(()) => difference(&self.specs, &layout.records, found, expected),
                    Err(error) => error.to_string(),
                };
                return Err(format!("{name}, {report:?}, {}: {outcome}", layout.name));
            }
            // The same scan, with the matches delivered in blocks.
            let answer = layout.with_batch(|batch| by_blocks(scanner, batch));
            let outcome = match answer {
                Ok(found) if found == *expected => continue,
                Ok(found) => difference(&self.specs, &layout.records, &found, expected),
                Err(error) => error.to_string(),
            };
            return Err(format!("{name} in blocks, {report:?}, {}: {outcome}", layout.name));
        }
        Ok(spans)
    }

    /// Searches one record with the methods of the set itself.
    fn one_string(&mut self, record: &[u8]) -> Result<(), String> {
        let (set, specs) = (&self.set, &self.specs);
        let expected = self.oracle.spans([record]);
        let found: Vec<Match> = set.find_iter(record).collect();
        let describe = |found: &[Match], expected: &[Match]| {
            difference(specs, &[record.to_vec()], found, expected)
        };
        if found != expected {
            return Err(format!("find_iter: {}", describe(&found, &expected)));
        }
        let patterns = Oracle::patterns(&expected);
        let numbers = set.matches(record);
        let found: Vec<Match> =
            numbers.iter().map(|pattern| Match::without_span(0, pattern as u32)).collect();
        if found != patterns {
            return Err(format!("matches: {}", describe(&found, &patterns)));
        }
        if set.is_match(record) == patterns.is_empty() {
            return Err(format!("is_match: {}", describe(&[], &patterns)));
        }
        let expected = self.oracle.groups(record);
        let found: Vec<Found> =
            set.captures_iter(record).map(|captures| found_of(&captures)).collect();
        let mut by_pattern = Vec::new();
        for pattern in 0..set.len() {
            let _ = self.finder.for_each(pattern, record, |captures| {
                by_pattern.push(found_of(&captures));
                ControlFlow::Continue(())
            });
        }
        for (way, found) in [("captures_iter", found), ("for_each", by_pattern)] {
            let differs = |at: &usize| !same(found.get(*at), expected.get(*at));
            if let Some(at) = (0..found.len().max(expected.len())).find(differs) {
                return Err(format!(
                    "{way}: {:?}, expected {:?}\nrecord b\"{}\"\n{specs:?}",
                    found.get(at),
                    expected.get(at),
                    record.escape_ascii(),
                ));
            }
        }
        Ok(())
    }

    /// Finds the groups of all matches in `records`, as for the matches of any scanner.
    fn captures(&mut self, records: &[Vec<u8>]) -> Result<(), String> {
        for m in self.expected(records) {
            let record = &records[m.record()];
            let captures = self.finder.captures(&m, record);
            let found = captures.map(|captures| found_of(&captures));
            // The first match for which this span is reported.
            let expected = self.oracle.groups(record).iter().find(|expected| {
                let group = self.specs[m.pattern()].report_group;
                let reported = expected.groups.get(group).cloned().flatten();
                expected.pattern == m.pattern()
                    && reported.or(expected.groups[0].clone()) == Some(m.range())
            });
            if !same(found.as_ref(), expected) {
                return Err(format!(
                    "captures of {m:?}: {found:?}, expected {expected:?}\nrecord b\"{}\"\n{:?}",
                    record.escape_ascii(),
                    self.specs[m.pattern()],
                ));
            }
        }
        Ok(())
    }

    /// Scans every layout of `records` with every scanner.
    ///
    /// # Panics
    ///
    /// If a scanner's answer differs from the oracle's.
    pub fn assert_batch(&mut self, records: &[Vec<u8>]) {
        if let Err(difference) = self.batch(records) {
            panic!("{difference}\n{:?}", self.set);
        }
    }
}

/// The maximum number of matches in a block of `Scan::scan_with`.
pub const BLOCK: usize = 4096;

/// Returns all matches that a scanner delivers in blocks.
///
/// # Errors
///
/// Those of the scan.
///
/// # Panics
///
/// If a block is empty or larger than [`BLOCK`].
pub fn by_blocks(scanner: &mut dyn Scan, batch: &Batch<'_>) -> Result<Vec<Match>, ScanError> {
    let mut found = Vec::new();
    let flow = scanner.scan_with(batch, &mut |block| {
        assert!((1..=BLOCK).contains(&block.len()), "a block of {}", block.len());
        found.extend_from_slice(block);
        ControlFlow::Continue(())
    })?;
    assert!(flow.is_continue(), "the scan reports a break, but the callback never broke");
    Ok(found)
}

/// Whether both are a match with the same groups. A group that a pattern can't reach, as in `(a){0}`, may be
/// missing from the end of the list.
fn same(found: Option<&Found>, expected: Option<&Found>) -> bool {
    let (Some(found), Some(expected)) = (found, expected) else { return false };
    let group = |found: &Found, index: usize| found.groups.get(index).cloned().flatten();
    found.pattern == expected.pattern
        && found.groups.len() <= expected.groups.len()
        && (0..expected.groups.len()).all(|index| group(found, index) == group(expected, index))
}

/// Describes the first difference between two lists of matches.
fn difference(specs: &[Spec], records: &[Vec<u8>], found: &[Match], expected: &[Match]) -> String {
    let at = found.iter().zip(expected).take_while(|(f, e)| f == e).count();
    let (f, e) = (found.get(at), expected.get(at));
    let first = f.into_iter().chain(e).min().expect("the lists differ");
    let (pattern, record) = (first.pattern(), first.record());
    format!(
        "match {at} of {} is {}, and of the expected {} {}\npattern {pattern}: {:?}\nrecord \
         {record}: b\"{}\"",
        found.len(),
        show(f),
        expected.len(),
        show(e),
        specs.get(pattern),
        records.get(record).map_or(String::new(), |r| r.escape_ascii().to_string()),
    )
}

fn found_of(captures: &Captures<'_, '_>) -> Found {
    let groups = captures.iter().map(|group| Some(group?.range())).collect();
    Found { pattern: captures.pattern(), groups }
}

fn show(m: Option<&Match>) -> String {
    match m {
        Some(m) => format!("record {} pattern {} at {:?}", m.record(), m.pattern(), m.span()),
        None => "missing".to_owned(),
    }
}
