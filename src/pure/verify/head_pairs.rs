//! Checks whether the byte pairs that the head of a pattern requires are in the record, before an
//! automaton of this pattern starts.
//!
//! Many heads are of the form `Android.*; ` or `; (?:ST|XT)[0-9]{4}.*`: where the tail matches, an
//! automaton reads back to the start of the record to find out that there is no `Android` and no `ST`. Of the
//! heads of user agent rules, four in five fail like this, and dozens of rules wait for the same tail. So the
//! pairs of neighbouring bytes before the hit are collected in a set, once for all patterns and hits of a
//! record, and a head needs one pair of each of its *clauses*: for the second one, `ST` or `XT`.
//!
//! Pairs rather than whole literals, because a head is then checked with a few bits, however many
//! alternatives it has, and because short words and classes such as `[BLQR]C` count too.
//!
//! # Cost and limits
//!
//! Each byte before the last hit of a pattern with clauses is read once in each record. Far from the start of
//! a long record, the pairs are collected only once the automata of that pattern have taken about as long.
//! The set has one bit for several pairs, and pairs that an earlier hit has collected stay in it. So it can
//! only be too large, which costs an automaton, but no match.

use std::ops::Range;

use regex_syntax::hir::{Hir, HirKind};

use crate::pure::ids::PatternIndex;
use crate::pure::literal::{ByteSet, byte_frequency};
use crate::pure::mechanism;

use super::patterns::Split;

/// The number of bits of a set. A record of `n` bytes sets fewer than `n`.
const BITS: usize = 4096;

/// The largest number of clauses of a head. The rarest are kept.
const MAX_CLAUSES: usize = 3;

/// The largest number of pairs of a clause.
const MAX_PAIRS: usize = 64;

/// The largest number of bytes of a class that is a part of pairs.
const MAX_CLASS: usize = 4;

/// The frequency of a clause in text, per byte, above which it would hold in most records.
const MAX_FREQUENCY: f64 = 1.0 / 512.0;

/// Pairs of which a match contains at least one.
type Clause = Vec<(u8, u8)>;

/// The clauses of the heads of all patterns.
#[derive(Debug, Default)]
pub(super) struct HeadPairs {
    /// By pattern: a range of `clauses`.
    clauses_of: Vec<Range<u32>>,
    /// Each a range of `bits`.
    clauses: Vec<Range<u32>>,
    /// The bits of pairs.
    bits: Vec<u16>,
}

/// The pairs in the first part of a record. Each scanner has one.
#[derive(Debug)]
pub(super) struct PairSet {
    /// The record, by its epoch.
    epoch: u64,
    /// The length of the part of which the pairs were collected, in bytes.
    len: usize,
    bits: [u64; BITS / 64],
}

impl Default for PairSet {
    fn default() -> PairSet {
        PairSet { epoch: 0, len: 0, bits: [0; BITS / 64] }
    }
}

impl PairSet {
    /// The bit of a pair. Pairs of ASCII letters that differ only in case have different bits.
    #[inline(always)]
    fn bit(first: u8, second: u8) -> usize {
        (usize::from(first) << 5 ^ usize::from(second)) % BITS
    }

    /// Adds the pairs of a record's first bytes. Returns the number of bytes that it read.
    #[inline]
    fn extend(&mut self, epoch: u64, prefix: &[u8]) -> usize {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.len = 0;
            self.bits = [0; BITS / 64];
        }
        if prefix.len() <= self.len {
            return 0;
        }
        let new = &prefix[self.len.saturating_sub(1)..];
        for pair in new.windows(2) {
            let bit = PairSet::bit(pair[0], pair[1]);
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
        self.len = prefix.len();
        new.len()
    }

    #[inline(always)]
    fn contains(&self, bit: u16) -> bool {
        self.bits[usize::from(bit) / 64] >> (bit % 64) & 1 != 0
    }
}

impl HeadPairs {
    /// `splits` has the two parts of each pattern that is verified in two parts.
    pub(super) fn new(splits: &[Option<Box<Split>>]) -> HeadPairs {
        HeadPairs::with_max_frequency(splits, MAX_FREQUENCY)
    }

    fn with_max_frequency(splits: &[Option<Box<Split>>], max_frequency: f64) -> HeadPairs {
        let mut pairs = HeadPairs::default();
        for split in splits {
            let first = pairs.clauses.len() as u32;
            let split = split.iter().filter(|_| mechanism::head_pairs());
            for clause in split.flat_map(|split| rarest_clauses(&split.head, max_frequency)) {
                let start = pairs.bits.len() as u32;
                pairs.bits.extend(clause.iter().map(|&(a, b)| PairSet::bit(a, b) as u16));
                pairs.clauses.push(start..pairs.bits.len() as u32);
            }
            pairs.clauses_of.push(first..pairs.clauses.len() as u32);
        }
        pairs
    }

    /// Whether the head of a pattern can match in `prefix`, the part of a record before a hit, as far as its
    /// pairs say. `epoch` differs from record to record. Adds the bytes that were read to `steps`.
    #[inline]
    pub(super) fn allow(
        &self,
        pattern: PatternIndex,
        set: &mut PairSet,
        epoch: u64,
        prefix: &[u8],
        steps: &mut u64,
    ) -> bool {
        let clauses = &self.clauses_of[pattern.index()];
        if clauses.is_empty() {
            return true;
        }
        *steps += set.extend(epoch, prefix) as u64;
        self.clauses[clauses.start as usize..clauses.end as usize].iter().all(|clause| {
            let bits = &self.bits[clause.start as usize..clause.end as usize];
            bits.iter().any(|&bit| set.contains(bit))
        })
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.clauses_of[..])
            + size_of_val(&self.clauses[..])
            + size_of_val(&self.bits[..])
    }
}

fn frequency(clause: &Clause) -> f64 {
    let of_pair = |&(a, b): &(u8, u8)| byte_frequency::of_byte(a) * byte_frequency::of_byte(b);
    clause.iter().map(of_pair).sum()
}

/// The rarest clauses of a pattern, the rarest first.
fn rarest_clauses(hir: &Hir, max_frequency: f64) -> Vec<Clause> {
    let mut clauses = Vec::new();
    collect(hir, &mut None, &mut clauses);
    clauses.retain(|clause| frequency(clause) <= max_frequency);
    rarest_first(&mut clauses);
    clauses.truncate(MAX_CLAUSES);
    clauses
}

fn rarest_first(clauses: &mut [Clause]) {
    clauses.sort_by(|a, b| frequency(a).total_cmp(&frequency(b)));
}

/// Adds the clauses of `hir`. `previous` is the set of bytes of which one comes directly before, if that is
/// known, and then that of the last byte.
fn collect(hir: &Hir, previous: &mut Option<ByteSet>, clauses: &mut Vec<Clause>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            literal.0.iter().for_each(|&byte| add(ByteSet::from_iter([byte]), previous, clauses));
        }
        HirKind::Class(class) => match ByteSet::of_byte_class(class) {
            Some(set) => add(set, previous, clauses),
            None => *previous = None,
        },
        HirKind::Capture(capture) => collect(&capture.sub, previous, clauses),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| collect(sub, previous, clauses)),
        HirKind::Repetition(repetition) => {
            if repetition.min > 0 {
                collect(&repetition.sub, previous, clauses);
            }
            // Each copy ends with the same bytes, but there may be none.
            if repetition.min == 0 {
                *previous = None;
            }
        }
        HirKind::Alternation(alternatives) => {
            let sorted_clauses = |alternative| {
                let mut clauses = Vec::new();
                collect(alternative, &mut previous.clone(), &mut clauses);
                rarest_first(&mut clauses);
                clauses
            };
            let all: Vec<Vec<Clause>> = alternatives.iter().map(sorted_clauses).collect();
            let common = all.iter().map(Vec::len).min().unwrap_or(0);
            for index in 0..common.min(MAX_CLAUSES) {
                if all.iter().map(|clauses| clauses[index].len()).sum::<usize>() <= MAX_PAIRS {
                    clauses.push(all.iter().flat_map(|clauses| clauses[index].clone()).collect());
                }
            }
            *previous = None;
        }
    }
}

/// Adds the clause of a byte of `set` after one of `previous`, which then becomes `set`, if both are small.
fn add(set: ByteSet, previous: &mut Option<ByteSet>, clauses: &mut Vec<Clause>) {
    let set = Some(set).filter(|set| set.iter().count() <= MAX_CLASS);
    if let (Some(first), Some(second)) = (&*previous, &set) {
        clauses.push(first.iter().flat_map(|a| second.iter().map(move |b| (a, b))).collect());
    }
    *previous = set;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::Input;

    use super::super::random_patterns::{BYTES, PARTS, oracle, parse};
    use super::*;

    fn pairs(heads: &[&str]) -> HeadPairs {
        let split = |head: &&str| {
            let head = regex_syntax::parse(head).unwrap();
            Some(Box::new(Split { head, tail: Hir::empty() }))
        };
        HeadPairs::new(&heads.iter().map(split).collect::<Vec<_>>())
    }

    #[test]
    fn clauses_hold_where_heads_match() {
        for (head, with, without) in [
            ("Android.*; ", "Android 4; ", "android 4; "),
            ("; {0,2}(?:ST|XT)[0-9]{4}", "; ST1234", "; SX1234"),
            ("[BLQR]C[0-9]", "QC1", "SC1"),
            ("(?i:bz)=", "Bz=", "b z="),
            ("q(?:bcd)+w", "qbcdbcdw", "q bcdw"),
            ("z{2,5}q", "zzzq", "zzx"),
            ("(?:kx)?q", "q", ""),
            ("(?:kx){2}q", "kxkxq", "kxkx q"),
            ("(?:k|kx)+q", "kq", ""),
            ("kx|q", "q", ""),
            ("k(?:x|)q", "kq", ""),
            ("é[kK]x", "éKx", "éK x"),
            // Only the rarest pairs are required, and none that are common.
            ("bkbkzq", "bkbkzq", "bkbk"),
            ("e .*", "e 1", ""),
        ] {
            let heads = pairs(&[head]);
            let first = PatternIndex::new(0);
            let allow = |text: &str| {
                heads.allow(first, &mut PairSet::default(), 1, text.as_bytes(), &mut 0)
            };
            assert!(allow(with), "{head} in {with}");
            assert_eq!(allow(without), heads.clauses.is_empty(), "{head} in {without}");
            assert_eq!(heads.clauses.is_empty(), without.is_empty(), "{head}");
        }
    }

    proptest! {
        /// With all clauses, also those that would hold in most records.
        #[test]
        fn clauses_hold_before_every_match(
            parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 1..6),
            alternatives in any::<bool>(),
            record in prop::collection::vec(prop::sample::select(BYTES.to_vec()), 0..24),
        ) {
            let head = parts.join(if alternatives { "|" } else { "" });
            let hir = parse(&head);
            let split = Some(Box::new(Split { head: hir.clone(), tail: Hir::empty() }));
            let heads = HeadPairs::with_max_frequency(&[split], f64::INFINITY);
            let oracle = oracle(&hir);
            let set = &mut PairSet::default();
            for end in 0..=record.len() {
                let ends = |start| {
                    let input = Input::new(&record).span(start..end);
                    oracle.find_iter(&mut oracle.create_cache(), input).any(|m| m.end() == end)
                };
                if (0..=end).any(ends) {
                    let first = PatternIndex::new(0);
                    let allowed = heads.allow(first, set, 1, &record[..end], &mut 0);
                    prop_assert!(allowed, "{} before {end}", head);
                }
            }
        }
    }

    #[test]
    fn pairs_must_end_before_the_hit() {
        let heads = pairs(&["zq.*"]);
        let first = PatternIndex::new(0);
        let record = b"-zqzq";
        let (mut set, mut steps) = (PairSet::default(), 0);
        for end in 0..=record.len() {
            let allowed = heads.allow(first, &mut set, 1, &record[..end], &mut steps);
            assert_eq!(allowed, end >= 3, "{end}");
        }
        // Each byte is read once, and one more for each pair that two parts share.
        assert_eq!(steps, 5 + 4);
        assert!(!heads.allow(first, &mut set, 2, b"-z", &mut steps));
    }
}
