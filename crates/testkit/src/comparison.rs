//! The comparison of every scanner with the oracle.

use std::ops::ControlFlow;

use dragnet::{Backend, Batch, Match, Matches, PatternSet, Report, Scan, ScanError};

use super::{Contender, Layout, Oracle, Spec, contenders, set};

/// A scanner of each contender and each report for one set of patterns, and their oracle. Compares
/// any number of batches: scanners and match lists are reused from batch to batch, as a program
/// would.
pub struct Comparison {
    specs: Vec<Spec>,
    set: PatternSet,
    oracle: Oracle,
    scanners: Vec<(&'static str, Report, Box<dyn Scan>)>,
    matches: Matches,
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
        Comparison { specs: specs.to_vec(), set, oracle, scanners, matches: Matches::new() }
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
        Layout::all(records).iter().try_for_each(|layout| self.layout(layout).map(drop))
    }

    /// Scans the lines of `text` with every scanner, and returns their matches.
    ///
    /// # Errors
    ///
    /// A description of the first difference from the oracle.
    pub fn lines(&mut self, text: &[u8]) -> Result<Vec<Match>, String> {
        self.layout(&Layout::lines(text))
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

fn show(m: Option<&Match>) -> String {
    match m {
        Some(m) => format!("record {} pattern {} at {:?}", m.record(), m.pattern(), m.span()),
        None => "missing".to_owned(),
    }
}
