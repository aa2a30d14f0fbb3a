//! Every scanner against the oracle.

use std::ops::ControlFlow;

use dragnet::{Backend, Batch, Match, Matches, PatternSet, Report, Scan, ScanError};

use super::shapes::Shape;
use super::{Contender, Oracle, Spec, contenders, set};

/// All contenders built for one set of patterns, once for each report. Compares as many batches
/// as wanted: scanners and match lists are reused from batch to batch.
pub struct Comparison {
    specs: Vec<Spec>,
    set: PatternSet,
    oracle: Oracle,
    scanners: Vec<(&'static str, Report, Box<dyn Scan>)>,
    matches: Matches,
}

impl Comparison {
    pub fn new(specs: &[Spec]) -> Comparison {
        Comparison::of(specs, |_| true)
    }

    /// As [`Comparison::new`], without libhs: for many large sets, which it takes long to compile.
    pub fn without_native(specs: &[Spec]) -> Comparison {
        let native = Backend::Native.to_string();
        Comparison::of(specs, |contender| !contender.name.contains(&native))
    }

    /// As [`Comparison::new`], with some of the contenders.
    pub fn of(specs: &[Spec], takes_part: impl Fn(&Contender) -> bool) -> Comparison {
        let set = set(specs);
        let scanners = contenders()
            .iter()
            .filter(|contender| takes_part(contender))
            .flat_map(|contender| {
                let name = contender.name.as_str();
                [Report::Patterns, Report::Spans]
                    .map(|report| (name, report, contender.scanner(&set, report)))
            })
            .collect();
        let oracle = Oracle::new(specs);
        Comparison { specs: specs.to_vec(), set, oracle, scanners, matches: Matches::new() }
    }

    /// The oracle's spans.
    pub fn expected(&mut self, records: &[Vec<u8>]) -> Vec<Match> {
        self.oracle.spans(records.iter().map(Vec::as_slice))
    }

    /// Scans `records` with every scanner, laid out in every way.
    ///
    /// # Errors
    ///
    /// What differs from the oracle first, in words.
    pub fn batch(&mut self, records: &[Vec<u8>]) -> Result<(), String> {
        Shape::all(records).iter().try_for_each(|shape| self.shape(shape).map(drop))
    }

    /// Scans the lines of `text` with every scanner, and returns what is right.
    ///
    /// # Errors
    ///
    /// What differs from the oracle first, in words.
    pub fn lines(&mut self, text: &[u8]) -> Result<Vec<Match>, String> {
        self.shape(&Shape::lines(text))
    }

    fn shape(&mut self, shape: &Shape) -> Result<Vec<Match>, String> {
        let spans = self.expected(&shape.records);
        let which = Oracle::which(&spans);
        for (name, report, scanner) in &mut self.scanners {
            let answer = shape.with_batch(|batch| {
                assert!(batch.iter().eq(&shape.records), "{}", shape.name);
                scanner.scan(batch, &mut self.matches)
            });
            let expected = match report {
                Report::Patterns => &which,
                Report::Spans => &spans,
            };
            let found = self.matches.as_slice();
            if answer.is_err() || found != expected {
                let outcome = match answer {
                    Ok(()) => difference(&self.specs, &shape.records, found, expected),
                    Err(error) => error.to_string(),
                };
                return Err(format!("{name}, {report:?}, {}: {outcome}", shape.name));
            }
            // The same in blocks.
            let answer = shape.with_batch(|batch| by_blocks(scanner, batch));
            let outcome = match answer {
                Ok(found) if found == *expected => continue,
                Ok(found) => difference(&self.specs, &shape.records, &found, expected),
                Err(error) => error.to_string(),
            };
            return Err(format!("{name} in blocks, {report:?}, {}: {outcome}", shape.name));
        }
        Ok(spans)
    }

    /// Compares and panics with what differs.
    pub fn assert_batch(&mut self, records: &[Vec<u8>]) {
        if let Err(difference) = self.batch(records) {
            panic!("{difference}\n{:?}", self.set);
        }
    }
}

/// How many matches a block has at most.
pub const BLOCK: usize = 4096;

/// What a scanner hands out in blocks, of which none may be empty or too large.
///
/// # Errors
///
/// Those of the scan.
pub fn by_blocks(scanner: &mut dyn Scan, batch: &Batch<'_>) -> Result<Vec<Match>, ScanError> {
    let mut found = Vec::new();
    let flow = scanner.scan_with(batch, &mut |block| {
        assert!((1..=BLOCK).contains(&block.len()), "a block of {}", block.len());
        found.extend_from_slice(block);
        ControlFlow::Continue(())
    })?;
    assert!(flow.is_continue(), "it says that it ended early");
    Ok(found)
}

/// Says where two lists of matches first differ.
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
        Some(m) => format!("record {} pattern {} at {:?}", m.record(), m.pattern(), m.range()),
        None => "missing".to_owned(),
    }
}
