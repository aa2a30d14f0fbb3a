//! A cheap test before any automaton starts: whether a record has the long run of bytes of one
//! class that a pattern needs besides its literal, as the forty digits of `key=[0-9a-f]{40}`.
//!
//! Literals such as `key` are frequent, and what makes a key of it hardly ever is there. Each
//! record is looked through once for each different run at most.

use std::collections::HashMap;

use regex_syntax::hir::{Hir, HirKind};

use super::literal::{ByteRun, ByteSet, any_run};

/// A run that is shorter is in so many records that asking costs more than it saves, unless its
/// class is rare.
const MIN_LEN: u32 = 12;
const RARE_CLASS: f64 = 0.05;
/// The same for a run of a class that most of ordinary text is in.
const MAX_FREQUENCY: f64 = 0.9;
/// One that is rarer than this is as good as another.
const RARE: f64 = 1e-5;

/// The runs that the patterns of an engine need.
#[derive(Debug, Default)]
pub(super) struct Needs {
    runs: Vec<(ByteSet, u32)>,
    numbers: HashMap<(ByteSet, u32), u32>,
}

/// What is known of a record, by run. Each scanner has its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    epoch: u64,
    met: bool,
}

impl Needs {
    /// The number of the run that every match of `hir` has, if there is one worth asking for.
    pub(super) fn add(&mut self, hir: &Hir) -> Option<u32> {
        let parts = match hir.kind() {
            HirKind::Concat(parts) => &parts[..],
            _ => &[],
        };
        // Of those that are rare enough a part's own run, which other patterns have as well.
        let rarity = |run: &ByteRun| run.frequency.max(RARE);
        let parts = parts.iter().filter_map(run_of);
        let run = parts
            .chain(any_run(hir))
            .filter(|run| {
                let most = if run.len < MIN_LEN { RARE_CLASS } else { MAX_FREQUENCY };
                run.class.frequency() <= most
            })
            .min_by(|a, b| rarity(a).total_cmp(&rarity(b)))?;
        let key = (run.class, run.len);
        Some(*self.numbers.entry(key).or_insert_with(|| {
            self.runs.push(key);
            self.runs.len() as u32 - 1
        }))
    }

    pub(super) fn create_cache(&self) -> Vec<Known> {
        vec![Known::default(); self.runs.len()]
    }

    /// Whether `record` has the run. `epoch` tells records apart.
    pub(super) fn are_met(
        &self,
        need: u32,
        known: &mut [Known],
        epoch: u64,
        record: &[u8],
    ) -> bool {
        let known = &mut known[need as usize];
        if known.epoch != epoch {
            let (class, len) = &self.runs[need as usize];
            *known = Known { epoch, met: has_run(class, *len as usize, record) };
        }
        known.met
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.runs[..]) * 2
    }
}

/// The run that a part of a concatenation is, if it is one.
fn run_of(part: &Hir) -> Option<ByteRun> {
    let (class, len) = match part.kind() {
        HirKind::Class(class) => (class, 1),
        HirKind::Repetition(repetition) if repetition.min > 0 => match repetition.sub.kind() {
            HirKind::Class(class) => (class, repetition.min),
            _ => return any_run(part),
        },
        _ => return None,
    };
    let class = ByteSet::of(class);
    // As if each byte were independent: it only tells which of several to ask for.
    let frequency = class.frequency().powi(len.min(64) as i32);
    Some(ByteRun { class, len: len.min(64), before: None, after: None, frequency })
}

/// Whether `len` bytes of `class` follow one another in `record`. `len` is not zero.
///
/// Looks at the last byte first of the `len` that come next, as Boyer and Moore do (1977): where
/// it is not in the class, none of those before it need be looked at. No byte is looked at twice.
fn has_run(class: &ByteSet, len: usize, record: &[u8]) -> bool {
    if len == 1 {
        return record.iter().any(|&byte| class.contains(byte));
    }
    // The run in question starts at `start`, and its bytes before `known` are in the class.
    let (mut start, mut known) = (0, 0);
    while let Some(bytes) = record.get(known..start + len) {
        match bytes.iter().rposition(|&byte| !class.contains(byte)) {
            None => return true,
            Some(index) => {
                let end = start + len;
                start = known + index + 1;
                known = end;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needs(pattern: &str) -> (Needs, Option<u32>) {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let mut needs = Needs::default();
        let number = needs.add(&parser.clone().parse(pattern).unwrap());
        (needs, number)
    }

    #[test]
    fn runs_worth_asking_for_are_found() {
        assert_eq!(needs("key=[0-9a-f]{40}").1, Some(0));
        assert_eq!(needs("(?:key|id)[0-9]{16}x").1, Some(0));
        assert_eq!(needs("key=[0-9a-f]{4}").1, None);
        assert_eq!(needs("key=.{40}").1, None);
        assert_eq!(needs(r"key=.*[\x80-\xFF]").1, Some(0));
        assert_eq!(needs("key=.*[a-z]").1, None);
        let mut needs = needs("key=[0-9a-f]{40}").0;
        let parse = |pattern| regex_syntax::parse(pattern).unwrap();
        assert_eq!(needs.add(&parse("id=[0-9a-f]{40}")), Some(0));
        assert_eq!(needs.add(&parse("id=[0-9a-f]{41}")), Some(1));
    }

    #[test]
    fn a_record_is_asked_once() {
        let (needs, number) = needs("[0-9]{12}");
        let mut known = needs.create_cache();
        let number = number.unwrap();
        assert!(needs.are_met(number, &mut known, 1, b"id 012345678901"));
        assert!(needs.are_met(number, &mut known, 1, b""));
        assert!(!needs.are_met(number, &mut known, 2, b"id 01234567890"));
    }

    proptest! {
        #[test]
        fn runs_are_where_a_naive_search_finds_them(
            record in "[01a]{0,60}",
            len in 1..14usize,
        ) {
            let class = any_run(&regex_syntax::parse("[01]{12}").unwrap()).unwrap().class;
            let expected = record.as_bytes().windows(len).any(|w| w.iter().all(|b| *b != b'a'));
            prop_assert_eq!(has_run(&class, len, record.as_bytes()), expected);
        }
    }
}
