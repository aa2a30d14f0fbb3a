//! The search for literals: a pass of Teddy, one of q-grams or one of long grams, or several of
//! these.
//!
//! [`teddy`](super::teddy) is the fastest pass as long as its buckets hold few literals; [`qgrams`]
//! hardly slows down with their number, but needs literals of some length; [`long_grams`] is for
//! hundreds to tens of thousands of literals of eight bytes or more. [`arrange`] divides the literals
//! of an engine between them by the estimated cost of the passes.

use std::ops::Range;

use crate::pure::cost::{self, PassCosts};
use crate::pure::ids::NeedleId;
use crate::pure::literal::Literal;
use crate::pure::mechanism;
use crate::simd::Isa;

use super::candidate::Candidate;
use super::literal_bytes::LiteralBytes;
use super::long_grams::{self, LongGramWindows, LongGrams};
use super::qgrams::{self, QGramWindows, QGrams};
use super::teddy::{Teddy, TeddyWindows};

/// The compiled search for the literals of an engine.
#[derive(Debug)]
pub(crate) struct LiteralSearch {
    /// The search for few or short literals.
    teddy: Option<Teddy>,
    /// The search for many literals.
    qgrams: Option<QGrams>,
    /// The search for many long literals.
    long: Option<LongGrams>,
    /// The bytes of all literals, to confirm them.
    strings: LiteralBytes,
    isa: Isa,
}

impl LiteralSearch {
    /// Arranges `literals`, none of which is empty, for searching with the instructions of `isa`.
    /// The id of each literal is its index.
    pub(crate) fn new(literals: &[Literal], isa: Isa) -> LiteralSearch {
        let Arrangement { teddy, qgrams, long, .. } = arrange(literals, PassCosts::of(isa));
        let strings = LiteralBytes::new(literals);
        LiteralSearch {
            teddy: teddy.map(|windows| windows.build(literals)),
            qgrams: qgrams.map(|windows| windows.build(literals)),
            long: long.map(|windows| windows.build(literals, &strings)),
            strings,
            isa,
        }
    }

    /// Appends every literal in `buffer` whose window (the part of the literal that is searched for
    /// first) starts in `range`, in the order of these windows. Literals may extend beyond the
    /// range on both sides.
    pub(crate) fn find(&self, buffer: &[u8], range: Range<usize>, out: &mut Vec<Candidate>) {
        let (isa, strings) = (self.isa, &self.strings);
        let start = out.len();
        let mut passes = 0;
        if let Some(teddy) = &self.teddy {
            teddy.find(isa, buffer, range.clone(), strings, out);
            passes += 1;
        }
        if let Some(qgrams) = &self.qgrams {
            qgrams.find(isa, buffer, range.clone(), strings, out);
            passes += 1;
        }
        if let Some(long) = &self.long {
            long.find(isa, buffer, range, strings, out);
            passes += 1;
        }
        // Each pass appends in order, so a single one needs no sorting.
        if passes > 1 {
            out[start..].sort_by_key(|candidate| candidate.window_start);
        }
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.teddy.as_ref().map_or(0, Teddy::memory)
            + self.qgrams.as_ref().map_or(0, QGrams::memory)
            + self.long.as_ref().map_or(0, LongGrams::memory)
            + self.strings.memory()
    }

    /// The passes in use, for people to read.
    pub(crate) fn describe(&self) -> String {
        let mut parts = Vec::new();
        if let Some(teddy) = &self.teddy {
            parts.push(format!("Teddy ({}) for {} literals", self.isa, teddy.literals()));
        }
        if let Some(qgrams) = &self.qgrams {
            parts.push(format!(
                "q-grams at every {} for {} literals",
                ["position", "second position", "third position", "fourth position"]
                    [qgrams.stride() - 1],
                qgrams.literals(),
            ));
        }
        if let Some(long) = &self.long {
            parts.push(format!(
                "grams of {} bytes at every fourth position for {} literals",
                long.gram(),
                long.literals(),
            ));
        }
        parts.join(", ")
    }
}

/// The largest number of literals that Teddy gets if q-grams can take some of them. With more,
/// almost every position passes Teddy's buckets.
const MAX_TEDDY: usize = 256;

/// The searches for the literals of an engine, or for some of them, before they are built.
struct Arrangement {
    teddy: Option<TeddyWindows>,
    qgrams: Option<QGramWindows>,
    long: Option<LongGramWindows>,
    /// The estimated time, in nanoseconds per byte.
    cost: f64,
}

impl Arrangement {
    /// The number of passes over the buffer.
    fn passes(&self) -> usize {
        usize::from(self.teddy.is_some())
            + usize::from(self.qgrams.is_some())
            + usize::from(self.long.is_some())
    }
}

/// Divides literals between the searches.
///
/// If many literals are long enough for long grams, all of them are searched for that way, unless
/// that adds a pass for the other literals that costs more than it saves.
fn arrange(literals: &[Literal], costs: &PassCosts) -> Arrangement {
    let ids = || (0..literals.len()).map(NeedleId::new);
    let (short, long): (Vec<NeedleId>, Vec<NeedleId>) =
        ids().partition(|id| literals[id.index()].len() < long_grams::MIN_WINDOW);
    let without = || arrange_without_long(&ids().collect::<Vec<_>>(), literals, costs);
    if long.len() < cost::MIN_LONG_GRAM_LITERALS || !mechanism::long_grams() {
        return without();
    }
    let long = LongGramWindows::new(&long, literals);
    let cost = long.cost(costs);
    let long = Some(long);
    if short.is_empty() {
        return Arrangement { teddy: None, qgrams: None, long, cost };
    }
    let rest = arrange_without_long(&short, literals, costs);
    let divided = Arrangement { long, cost: cost + rest.cost, ..rest };
    let without = without();
    // With as many passes, long grams replace q-grams.
    if divided.passes() <= without.passes() || divided.cost < without.cost {
        divided
    } else {
        without
    }
}

/// Divides the literals with these ids between Teddy and q-grams by the estimated cost of both
/// passes.
///
/// A division gives the literals that are shorter than some length to Teddy and the others to
/// q-grams. Lengths that are tried: that of a gram, since only Teddy can search for shorter
/// literals; each length from which on q-grams can use a larger stride; and no limit, so that Teddy
/// gets all. The cost of a division is known only after choosing its windows, which takes time for
/// many literals. So the divisions are tried in the order of what they cost at least, until none that is
/// left can cost less.
fn arrange_without_long(ids: &[NeedleId], literals: &[Literal], costs: &PassCosts) -> Arrangement {
    let mut divisions = Vec::new();
    let mut last = None;
    for len in (qgrams::GRAM..=qgrams::GRAM + qgrams::MAX_STRIDE - 1).chain([usize::MAX]) {
        let (few, many): (Vec<NeedleId>, Vec<NeedleId>) =
            ids.iter().partition(|id| literals[id.index()].len() < len);
        // The first division gives Teddy only what q-grams can't take, so it is always valid.
        let first = last.is_none();
        let switched_off =
            (!mechanism::qgrams() && len != usize::MAX) || (!mechanism::teddy() && !first);
        if switched_off || last == Some(few.len()) || (few.len() > MAX_TEDDY && !first) {
            continue;
        }
        last = Some(few.len());
        let teddy = (!few.is_empty()).then(|| TeddyWindows::new(&few, literals, costs));
        let teddy_cost = teddy.as_ref().map_or(0.0, |windows| windows.cost(costs));
        let at_least = match many.len() {
            0 => teddy_cost,
            _ => teddy_cost + QGramWindows::least_cost(&many, literals, costs),
        };
        divisions.push((at_least, teddy, teddy_cost, many));
    }
    divisions.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best = Arrangement { teddy: None, qgrams: None, long: None, cost: f64::INFINITY };
    for (at_least, teddy, teddy_cost, many) in divisions {
        if at_least >= best.cost {
            break;
        }
        let qgrams = (!many.is_empty()).then(|| QGramWindows::new(&many, literals));
        let cost = teddy_cost + qgrams.as_ref().map_or(0.0, |windows| windows.cost(costs));
        if cost < best.cost {
            best = Arrangement { teddy, qgrams, long: None, cost };
        }
    }
    best
}

#[cfg(test)]
mod tests;
