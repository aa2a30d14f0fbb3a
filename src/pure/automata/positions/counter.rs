//! Counted repetitions of one class of bytes, such as `[^;]{2,40}`, as a single position.
//!
//! Bytes of the class may begin to count at many places: in `;[a;]{2,40}x`, each `;` begins another
//! count. So the state of a counter is a *set* of counts. All of them grow by one with each byte
//! of the class, and a byte outside the class ends all of them. The part of the pattern after
//! the repetition can begin if one of the counts lies between the minimum and the maximum.
//!
//! The set itself is never walked. A count is known by the offset where it began, and:
//!
//! - without a maximum, the oldest count is the best one: only its offset is kept;
//! - with a minimum of 0 or 1, the youngest count is the best one: only its offset is kept;
//! - in all other cases, `x{min,max}` is `x{min}` and then `x{0,max-min}`. A ring of `min` bits
//!   delays each count until it has reached the minimum: the bit of an offset says whether a count
//!   began there. From then on, only the youngest that has reached the minimum matters.
//!
//! So a byte costs a few instructions for each counter that is active, however large the numbers
//! are and however many counts overlap. Counting sets (Turoňová et al., "Regex Matching with
//! Counting-Set Automata", OOPSLA 2020) keep the offsets in a queue; the ring takes one bit for
//! each instead, and nothing has to be removed from it. Hyperscan's engine for such repetitions,
//! Castle, has similar special cases.

/// What a counter counts to. Bits of the ring are allotted in the working memory of one search, so
/// that counters of one automaton don't share any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limits {
    /// At least `min` bytes.
    AtLeast { min: usize },
    /// Between 1 and `max` bytes.
    AtMost { max: usize },
    /// At least `min` and at most `min + extra` bytes, with `words` words of ring, a power of two,
    /// from `ring` on.
    Between { min: usize, extra: usize, ring: usize, words: usize },
}

impl Limits {
    /// Limits of a repetition of at least one byte, whose ring begins at word `ring` of the working
    /// memory.
    pub(super) fn new(min: u32, max: Option<u32>, ring: usize) -> Limits {
        let min = min.max(1) as usize;
        match max.map(|max| max as usize) {
            None => Limits::AtLeast { min },
            Some(max) if min == 1 => Limits::AtMost { max },
            Some(max) => {
                let words = min.div_ceil(64).next_power_of_two();
                Limits::Between { min, extra: max.saturating_sub(min), ring, words }
            }
        }
    }

    /// The words of ring that a counter with these limits has.
    pub(super) fn ring_words(&self) -> usize {
        match *self {
            Limits::Between { words, .. } => words,
            Limits::AtLeast { .. } | Limits::AtMost { .. } => 0,
        }
    }
}

/// The state of one counter while it is active. Offsets count the bytes that the search has read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    /// Where the counter became active: the offset of its oldest count.
    oldest: usize,
    /// The offset of its youngest count.
    youngest: usize,
    /// The first offset at which the youngest count that has reached the minimum no longer is
    /// within the maximum. 0 if none has reached it.
    ready_until: usize,
}

/// What a counter says after a byte of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Whether a count is left.
    pub(super) active: bool,
    /// Whether a count is within the limits.
    pub(super) ready: bool,
}

impl Counter {
    /// Counts the byte at offset `at`, which is in the class. `begins` says whether a count begins
    /// with it, `active` whether counts are left from the byte before; one of them is true.
    #[inline]
    pub(super) fn count(
        &mut self,
        limits: &Limits,
        rings: &mut [u64],
        at: usize,
        begins: bool,
        active: bool,
    ) -> Count {
        if !active {
            (self.oldest, self.ready_until) = (at, 0);
        }
        if begins {
            self.youngest = at;
        }
        match *limits {
            Limits::AtLeast { min } => Count { active: true, ready: at - self.oldest + 1 >= min },
            Limits::AtMost { max } => {
                let within = at - self.youngest < max;
                Count { active: within, ready: within }
            }
            Limits::Between { min, extra, ring, words } => {
                let word = |offset: usize| ring + ((offset / 64) & (words - 1));
                let bit = 1 << (at % 64);
                if begins {
                    rings[word(at)] |= bit;
                } else {
                    rings[word(at)] &= !bit;
                }
                // The bits from `oldest` on are of this run of bytes, older ones of a former one.
                if at - self.oldest + 1 >= min {
                    let begin = at + 1 - min;
                    if rings[word(begin)] >> (begin % 64) & 1 != 0 {
                        self.ready_until = at + extra + 1;
                    }
                }
                let ready = at < self.ready_until;
                Count { active: ready || at - self.youngest + 1 < min, ready }
            }
        }
    }
}
