//! Sources of choices, from which generators take all their decisions.
//!
//! One generator then serves three purposes. With an [`Rng`] as the source, its output depends only
//! on the seed. With the bytes of a fuzzer's input, the fuzzer's mutations steer it. With a list of
//! recorded choices, it repeats its output or, after some choices were deleted or lowered, makes a
//! simpler one, which is how failures are shrunk. The idea is that of Hypothesis (MacIver and
//! Donaldson, "Test-Case Reduction via Test-Case Generation", ECOOP 2020).
//!
//! Shrinking needs one rule in every generator: the simplest alternative of a choice is number 0.
//! An exhausted source always answers 0, so a generator ends soon after.

/// A source of choices.
pub trait Choices {
    /// A number below `limit`, which must not be 0. The simplest alternative is number 0.
    fn below(&mut self, limit: usize) -> usize;

    /// Marks the start of a part: the choices up to the matching [`end`](Choices::end) can be
    /// deleted together, or replaced by a part within them. Only shrinking uses this.
    fn begin(&mut self) {}

    /// Ends the innermost open part.
    fn end(&mut self) {}
}

/// Makes a value from further choices.
pub(crate) type Alternative<'a, T> = &'a dyn Fn(&mut dyn Choices) -> T;

impl dyn Choices + '_ {
    /// A number from `min` to `max`, both included.
    pub fn range(&mut self, min: usize, max: usize) -> usize {
        min + self.below(max - min + 1)
    }

    /// True `numerator` out of `denominator` times.
    pub fn ratio(&mut self, numerator: usize, denominator: usize) -> bool {
        self.below(denominator) >= denominator - numerator
    }

    /// True half of the time.
    pub fn flag(&mut self) -> bool {
        self.ratio(1, 2)
    }

    /// One of `list`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// The index of one of these alternatives, chosen with a probability proportional to its
    /// weight.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        let chosen = weights.iter().position(|weight| match rest.checked_sub(*weight) {
            Some(less) => {
                rest = less;
                false
            }
            None => true,
        });
        chosen.expect("the weights have a sum above 0")
    }

    /// Runs one of these alternatives, chosen as by `weighted`, and returns its
    /// result.
    pub fn one_of<T>(&mut self, alternatives: &[(usize, Alternative<'_, T>)]) -> T {
        let weights: Vec<usize> = alternatives.iter().map(|(weight, _)| *weight).collect();
        let (_, make) = alternatives[self.weighted(&weights)];
        make(self)
    }

    /// A list of `min` to `max` items. All lengths are equally likely.
    ///
    /// The length is not chosen up front: before each item, a choice says whether there is one
    /// more. So an item and its choices can be deleted together, and what is left is still a list.
    pub fn list<T>(
        &mut self,
        min: usize,
        max: usize,
        mut item: impl FnMut(&mut dyn Choices) -> T,
    ) -> Vec<T> {
        let mut list = Vec::new();
        while list.len() < max {
            self.begin();
            // Alternative 0 of the remaining lengths ends the list as it is.
            let limit = if list.len() < min { 1 } else { max - list.len() + 1 };
            if self.below(limit) == 0 && list.len() >= min {
                self.end();
                break;
            }
            list.push(item(self));
            self.end();
        }
        list
    }

    /// A text of `min` to `max` characters of `alphabet`.
    pub fn text(&mut self, alphabet: &str, min: usize, max: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        self.list(min, max, |choices| choices.pick(&alphabet)).into_iter().collect()
    }
}

/// A pseudorandom number generator whose numbers depend only on the seed, on every machine
/// (SplitMix64; Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator with this seed. Any seed will do.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "it never ends, so it needs no Option")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which must not be 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// One of `list`, which must not be empty.
    pub fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// A text of `len` characters, each one of `alphabet`, which is ASCII.
    pub fn string(&mut self, alphabet: &[u8], len: usize) -> String {
        (0..len).map(|_| char::from(*self.pick(alphabet))).collect()
    }
}

impl Choices for Rng {
    fn below(&mut self, limit: usize) -> usize {
        Rng::below(self, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_all_lengths_equally_often() {
        let mut rng = Rng::new(1);
        let choices: &mut dyn Choices = &mut rng;
        let mut counts = [0; 7];
        for _ in 0..4000 {
            counts[choices.list(2, 5, |choices| choices.flag()).len()] += 1;
        }
        assert_eq!((counts[0], counts[1], counts[6]), (0, 0, 0));
        assert!(counts[2..=5].iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }

    #[test]
    fn alternatives_are_as_frequent_as_their_weights() {
        let mut rng = Rng::new(2);
        let choices: &mut dyn Choices = &mut rng;
        let mut counts = [0; 3];
        (0..6000).for_each(|_| counts[choices.weighted(&[1, 0, 5])] += 1);
        assert!(counts[1] == 0 && (900..1100).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn an_exhausted_source_makes_the_simplest_thing() {
        struct Exhausted;
        impl Choices for Exhausted {
            fn below(&mut self, _limit: usize) -> usize {
                0
            }
        }
        let choices: &mut dyn Choices = &mut Exhausted;
        assert_eq!(choices.text("abc", 2, 9), "aa");
        assert_eq!((choices.range(3, 8), choices.flag()), (3, false));
    }
}
