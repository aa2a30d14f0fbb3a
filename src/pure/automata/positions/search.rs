//! The searches: a state is advanced byte by byte until it is known whether there is a match.

use std::ops::Range;

use super::automaton::{Automaton, FirstBytes};
use super::backtrack_search::BacktrackScratch;
use super::bits::Bits;
use super::counter::Counter;
use super::looks::{self, Looks};

/// The working memory of searches. It can be used with any automaton, by one search after the
/// other.
#[derive(Debug, Default)]
pub(crate) struct PositionScratch {
    /// By position, if the automaton has counters.
    counters: Vec<Counter>,
    rings: Vec<u64>,
    pub(super) backtrack: BacktrackScratch,
}

impl PositionScratch {
    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.counters.capacity() * size_of::<Counter>()
            + self.rings.capacity() * size_of::<u64>()
            + self.backtrack.memory()
    }

    fn reserve(&mut self, counters: usize, ring_words: usize) {
        if self.counters.len() < counters {
            self.counters.resize(counters, Counter::default());
        }
        if self.rings.len() < ring_words {
            self.rings.resize(ring_words, 0);
        }
    }
}

/// How a search goes over the record.
pub(super) trait Mode {
    /// Whether it reads from the end of the range to its start.
    const BACKWARD: bool;
    /// Whether a match must begin where the search does.
    const ANCHORED: bool;
}

/// Searches for a match that begins at the start of the range.
pub(super) struct StartsAt;

/// Searches for a match that ends at the end of the range.
pub(super) struct EndsAt;

/// Searches for a match anywhere in the range.
pub(super) struct Anywhere;

impl Mode for StartsAt {
    const BACKWARD: bool = false;
    const ANCHORED: bool = true;
}

impl Mode for EndsAt {
    const BACKWARD: bool = true;
    const ANCHORED: bool = true;
}

impl Mode for Anywhere {
    const BACKWARD: bool = false;
    const ANCHORED: bool = false;
}

impl<const N: usize> Automaton<N> {
    /// Tests whether `record` has a match within `span`, as `M` says. Adds the words of states that
    /// were computed to `steps`. Assertions see the whole record.
    pub(super) fn search<M: Mode>(
        &self,
        record: &[u8],
        span: Range<usize>,
        scratch: &mut PositionScratch,
        steps: &mut u64,
    ) -> bool {
        let (found, read) = if self.counting.is_empty() {
            self.run::<M, false>(record, span, scratch)
        } else {
            scratch.reserve(self.counters(), self.ring_words);
            self.run::<M, true>(record, span, scratch)
        };
        *steps += (N * (read + 1)) as u64;
        found
    }

    /// Reads up to the end of a match, or to its start if the search reads backward. Returns whether there is one,
    /// and how many bytes were read.
    #[inline(always)]
    fn run<M: Mode, const COUNTERS: bool>(
        &self,
        record: &[u8],
        span: Range<usize>,
        scratch: &mut PositionScratch,
    ) -> (bool, usize) {
        let bytes = &record[span.clone()];
        // The boundary of the record after `read` bytes.
        let boundary = |read: usize| if M::BACKWARD { span.end - read } else { span.start + read };
        if self.is_empty_at(record, boundary(0)) {
            return (true, 0);
        }
        let mut next = self.first_at(record, boundary(0));
        let mut counting = Bits::EMPTY;
        let mut branches = (Bits::EMPTY, Bits::EMPTY);
        let mut read = 0;
        while read < bytes.len() {
            let byte = if M::BACKWARD { bytes[bytes.len() - 1 - read] } else { bytes[read] };
            let reading = self.reading(byte);
            let mut state = next & reading;
            if COUNTERS {
                let begins = state & self.counting;
                state &= !self.counting;
                let touched = counting & reading | begins;
                counting = if touched.is_empty() {
                    Bits::EMPTY
                } else {
                    self.count(touched, begins, counting, read, scratch, &mut state)
                };
            }
            read += 1;
            next = self.plain_next(state);
            if state.intersects(self.special) {
                if state.intersects(self.last.any) && self.ends_at(state, record, boundary(read)) {
                    return (true, read);
                }
                next |= self.special_next(state, &mut branches, record, boundary(read));
            } else if state.is_empty() && (!COUNTERS || counting.is_empty()) {
                if M::ANCHORED {
                    return (false, read);
                }
                if self.empty.when.is_empty() {
                    read += self.skip(&bytes[read..]);
                }
            }
            if !M::ANCHORED {
                if !self.empty.when.is_empty() && self.is_empty_at(record, boundary(read)) {
                    return (true, read);
                }
                next |= self.first_at(record, boundary(read));
            }
        }
        (false, read)
    }

    /// Counts a byte at the counters `touched`, of which `begins` begin another count with it and
    /// `counting` were active before. Adds the counters that are within their limits to `state`, and
    /// returns those that are still active.
    #[inline]
    fn count(
        &self,
        touched: Bits<N>,
        begins: Bits<N>,
        counting: Bits<N>,
        read: usize,
        scratch: &mut PositionScratch,
        state: &mut Bits<N>,
    ) -> Bits<N> {
        let PositionScratch { counters, rings, .. } = scratch;
        let mut active = Bits::EMPTY;
        touched.for_each(|position| {
            let count = counters[position].count(
                self.limits(position),
                rings,
                read,
                begins.contains(position),
                counting.contains(position),
            );
            if count.active {
                active.insert(position);
            }
            if count.ready {
                state.insert(position);
            }
        });
        active
    }

    /// Whether the pattern matches the empty string at offset `at`.
    #[inline(always)]
    pub(super) fn is_empty_at(&self, record: &[u8], at: usize) -> bool {
        self.empty.always
            || !self.empty.when.is_empty() && {
                let holding = looks::holding_at(record, at, self.looks);
                self.empty.when.iter().any(|&looks| hold(looks, holding))
            }
    }

    /// The positions that a match can begin with at offset `at`.
    #[inline(always)]
    pub(super) fn first_at(&self, record: &[u8], at: usize) -> Bits<N> {
        let mut first = self.first.always;
        if !self.first.when.is_empty() {
            let holding = looks::holding_at(record, at, self.looks);
            for &(looks, positions) in &self.first.when {
                if hold(looks, holding) {
                    first |= positions;
                }
            }
        }
        first
    }

    /// Whether a match ends with one of the positions `state` at offset `at`.
    #[inline]
    pub(super) fn ends_at(&self, state: Bits<N>, record: &[u8], at: usize) -> bool {
        state.intersects(self.last.always) || {
            let holding = looks::holding_at(record, at, self.looks);
            let ends =
                |&(looks, last): &(Looks, Bits<N>)| state.intersects(last) && hold(looks, holding);
            self.last.when.iter().any(ends)
        }
    }

    /// The positions that come after the positions `state` by a step to the next one or to the same.
    #[inline(always)]
    pub(super) fn plain_next(&self, state: Bits<N>) -> Bits<N> {
        (state & self.steps).shifted() | state & self.loops
    }

    /// The other positions that come after the positions `state` at offset `at`, which are none
    /// unless some of these are `special`. `branches` keeps the branching positions of the last call
    /// and what they lead to.
    #[inline(always)]
    pub(super) fn special_next(
        &self,
        state: Bits<N>,
        branches: &mut (Bits<N>, Bits<N>),
        record: &[u8],
        at: usize,
    ) -> Bits<N> {
        let mut next = Bits::EMPTY;
        let branching = state & self.branching;
        if !branching.is_empty() {
            if branching != branches.0 {
                *branches = (branching, Bits::EMPTY);
                branching.for_each(|position| branches.1 |= self.further(position));
            }
            next = branches.1;
        }
        if state.intersects(self.conditional) {
            next |= self.conditional_next(state, looks::holding_at(record, at, self.looks));
        }
        next
    }

    /// The positions that conditional steps lead to where the assertions `holding` hold.
    fn conditional_next(&self, state: Bits<N>, holding: Looks) -> Bits<N> {
        let mut next = Bits::EMPTY;
        for step in &self.conditional_steps {
            if state.intersects(step.from) && hold(step.looks, holding) {
                next |= step.to;
            }
        }
        next
    }

    /// The number of bytes before the first one that a match can begin with.
    fn skip(&self, bytes: &[u8]) -> usize {
        match self.first_bytes {
            FirstBytes::One(a) => memchr::memchr(a, bytes),
            FirstBytes::Two(a, b) => memchr::memchr2(a, b, bytes),
            FirstBytes::Three(a, b, c) => memchr::memchr3(a, b, c, bytes),
            FirstBytes::Many => {
                bytes.iter().position(|&byte| self.reading(byte).intersects(self.first.any))
            }
        }
        .unwrap_or(bytes.len())
    }
}

#[inline(always)]
pub(super) fn hold(required: Looks, holding: Looks) -> bool {
    required & !holding == 0
}
