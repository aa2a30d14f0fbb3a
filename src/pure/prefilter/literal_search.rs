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
        let Arrangement { teddy, qgrams, long, .. } = arrange(literals, isa);
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
fn arrange(literals: &[Literal], isa: Isa) -> Arrangement {
    let ids = || (0..literals.len()).map(NeedleId::new);
    let (short, long): (Vec<NeedleId>, Vec<NeedleId>) =
        ids().partition(|id| literals[id.index()].len() < long_grams::MIN_WINDOW);
    let costs = PassCosts::of(isa);
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pure::literal::Cube;

    const ALPHABET: &[u8] = b"abAB_1 \x00\xFFz@`";

    fn naive(literals: &[Literal], buffer: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for at in 0..buffer.len() {
            for (number, literal) in literals.iter().enumerate() {
                if literal.is_at(buffer, at) {
                    all.push((at, number));
                }
            }
        }
        all
    }

    fn literal(max: usize) -> impl Strategy<Value = Literal> {
        let cube = (prop::sample::select(ALPHABET), any::<bool>());
        prop::collection::vec(cube, 1..max).prop_map(|cubes| {
            Literal::from_cubes(cubes.into_iter().map(|(b, fold)| {
                if fold && b.is_ascii_alphabetic() {
                    Cube { value: b & 0xDF, mask: 0xDF }
                } else {
                    Cube::exact(b)
                }
            }))
        })
    }

    /// Every way to arrange the literals, with every instruction set of this machine.
    fn arrangements(literals: &[Literal]) -> Vec<(String, LiteralSearch)> {
        let ids: Vec<NeedleId> = (0..literals.len()).map(NeedleId::new).collect();
        let (short, long): (Vec<NeedleId>, Vec<NeedleId>) =
            ids.iter().partition(|id| literals[id.index()].len() < qgrams::GRAM);
        let mut all = Vec::new();
        for isa in Isa::available() {
            all.push((format!("{isa}, as planned"), LiteralSearch::new(literals, isa)));
            let costs = PassCosts::of(isa);
            let teddy = |ids: &[NeedleId]| {
                let windows = (!ids.is_empty()).then(|| TeddyWindows::new(ids, literals, costs));
                windows.map(|windows| windows.build(literals))
            };
            let strings = LiteralBytes::new(literals);
            all.push((
                format!("{isa}, Teddy alone"),
                LiteralSearch { teddy: teddy(&ids), qgrams: None, long: None, strings, isa },
            ));
            let (fit, rest): (Vec<NeedleId>, Vec<NeedleId>) =
                ids.iter().partition(|id| literals[id.index()].len() >= long_grams::MIN_WINDOW);
            if !fit.is_empty() {
                let strings = LiteralBytes::new(literals);
                let long = Some(LongGramWindows::new(&fit, literals).build(literals, &strings));
                all.push((
                    format!("{isa}, long grams"),
                    LiteralSearch { teddy: teddy(&rest), qgrams: None, long, strings, isa },
                ));
            }
            for stride in 1..=qgrams::MAX_STRIDE {
                let (fit, rest): (Vec<NeedleId>, Vec<NeedleId>) = long
                    .iter()
                    .partition(|id| literals[id.index()].len() > qgrams::GRAM + stride - 2);
                let windows =
                    (!fit.is_empty()).then(|| QGramWindows::with_stride(&fit, literals, stride));
                let qgrams = windows.map(|windows| windows.build(literals));
                let strings = LiteralBytes::new(literals);
                let few = [&short[..], &rest].concat();
                all.push((
                    format!("{isa}, q-grams of stride {stride}"),
                    LiteralSearch { teddy: teddy(&few), qgrams, long: None, strings, isa },
                ));
            }
        }
        all
    }

    fn check(
        literals: &[Literal],
        arrangements: &[(String, LiteralSearch)],
        buffer: &[u8],
        split: usize,
    ) {
        let expected = naive(literals, buffer);
        for (name, prefilter) in arrangements {
            let mut out = Vec::new();
            prefilter.find(buffer, 0..split, &mut out);
            prefilter.find(buffer, split..buffer.len(), &mut out);
            assert!(out.is_sorted_by_key(|c| c.window_start), "{name}");
            for c in &out {
                assert!((c.start..c.end).contains(&c.window_start), "{name}");
                assert_eq!((c.end - c.start) as usize, literals[c.needle.index()].len());
            }
            let mut found: Vec<_> =
                out.iter().map(|c| (c.start as usize, c.needle.index())).collect();
            found.sort();
            assert_eq!(found, expected, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            // Each case builds the tables of every arrangement.
            cases: ProptestConfig::default().cases.div_ceil(4),
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_arrangement_equals_a_naive_search(
            literals in (2usize..16).prop_flat_map(|max| prop::collection::vec(literal(max), 1..24)),
            buffer in prop::collection::vec(prop::sample::select(ALPHABET), 0..300),
            split in any::<prop::sample::Index>(),
        ) {
            check(&literals, &arrangements(&literals), &buffer, split.index(buffer.len() + 1));
        }
    }

    #[test]
    fn literals_are_found_around_every_vector_edge() {
        for len in [1, 2, 3, 4, 5, 8, 9, 11, 32] {
            let text: Vec<u8> = (0..len).map(|i| b'k' + (i % 13) as u8).collect();
            let literals = [Literal::exact(&text), Literal::exact(b"~~~~~~~")];
            let arrangements = arrangements(&literals);
            for size in (len..=len + 4).chain(60..=72).chain(124..=136).chain(254..=262) {
                for at in 0..=size - len {
                    let mut buffer = vec![b'.'; size];
                    buffer[at..at + len].copy_from_slice(&text);
                    check(&literals, &arrangements, &buffer, size / 2);
                }
            }
        }
    }

    #[test]
    fn dense_literals_are_all_found() {
        let literals = ["ab", "bab", "abab", "bababab", "abababababab", "abababac", "b", "cab"]
            .map(|text| Literal::exact(text.as_bytes()));
        let mut buffer = b"ab".repeat(3000);
        buffer[4095] = b'c';
        for some in [&literals[..], &literals[2..6], &literals[3..6], &literals[3..4]] {
            check(some, &arrangements(some), &buffer, 2500);
        }
    }
    /// Many long literals with and without case, some of which share most of their bytes, beside short
    /// ones.
    #[test]
    fn many_long_literals_are_found_by_long_grams() {
        let word = |n: usize| format!("{}ational{}", ["n", "rel", "irr"][n % 3], n / 3 + 100);
        let long = (0..cost::MIN_LONG_GRAM_LITERALS + 300).map(|n| {
            let cubes = word(n).into_bytes().into_iter().map(Cube::exact);
            Literal::from_cubes(cubes.map(|cube| match cube.value {
                letter @ b'a'..=b'z' if n % 2 == 0 => Cube { value: letter & 0xDF, mask: 0xDF },
                _ => cube,
            }))
        });
        let short = (0..40).map(|n| Literal::exact(format!("+{n}").as_bytes()));
        let literals: Vec<Literal> = long.chain(short).collect();
        let text: String = (0..500)
            .map(|n| match n % 4 {
                0 => word(n).to_uppercase(),
                1 => format!("{} +{}", word(n * 7 % 400), n % 60),
                _ => word(n),
            })
            .flat_map(|word| [word, " ".into()])
            .collect();
        for isa in Isa::available() {
            let search = LiteralSearch::new(&literals, isa);
            assert!(search.describe().contains("grams of 8 bytes"), "{}", search.describe());
            let arranged = [(isa.to_string(), search)];
            for start in 0..9 {
                check(&literals, &arranged, &text.as_bytes()[start..], 1001);
            }
        }
    }
}
