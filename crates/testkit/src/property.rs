//! Runs the generators of this crate as proptest strategies, with shrinking by recorded choices.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{FileFailurePersistence, TestRunner};

use crate::shrink::{Recorder, Recording, Replay, Shrinker};
use crate::{Choices, Native, Rng, native};

/// Returns the configuration of a property. `PROPTEST_CASES` sets the number of cases; the default
/// keeps the suite quick. Proptest saves the seeds of failures in a file beside the test that found
/// them. After a change to a generator the same seeds make other cases, so a failure that is worth
/// keeping belongs in the table of named cases.
pub fn config(default_cases: u32) -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(text) => text.parse().expect("PROPTEST_CASES is a number"),
        // Fewer cases, because libhs takes about a hundred times as long to compile the patterns as
        // everything else in a case takes.
        Err(_) if !matches!(native(), Native::NotBuilt) => default_cases.div_ceil(12),
        Err(_) => default_cases,
    };
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// Returns a strategy for the values that `draw` generates. It shrinks a value by shrinking the
/// recorded choices of `draw`; see [`Choices`].
pub fn drawn<T: Debug>(draw: fn(&mut dyn Choices) -> T) -> impl Strategy<Value = T> {
    Drawn { draw }
}

#[derive(Debug)]
struct Drawn<T> {
    draw: fn(&mut dyn Choices) -> T,
}

impl<T: Debug> Strategy for Drawn<T> {
    type Tree = DrawnTree<T>;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // All randomness comes from this one seed, which proptest saves for a failure.
        let seed = any::<u64>().new_tree(runner)?.current();
        let (_, made) = Recorder::record(Rng::new(seed), self.draw);
        Ok(DrawnTree { draw: self.draw, current: made.clone(), shrinker: Shrinker::new(made) })
    }
}

/// A generated value, as the choices that generate it, with the state of shrinking.
struct DrawnTree<T> {
    draw: fn(&mut dyn Choices) -> T,
    /// The choices of the value that is being tested.
    current: Recording,
    shrinker: Shrinker,
}

impl<T> DrawnTree<T> {
    /// Makes the next proposal the current value and returns true. If there is none, makes the
    /// simplest known failure the current value and returns false.
    fn propose(&mut self) -> bool {
        let draw = self.draw;
        let record = |choices: &[usize]| Recorder::record(Replay::new(choices), draw).1;
        let proposal = self.shrinker.propose(record);
        let is_new = proposal.is_some();
        self.current = proposal.unwrap_or_else(|| self.shrinker.best().clone());
        is_new
    }
}

impl<T: Debug> ValueTree for DrawnTree<T> {
    type Value = T;

    fn current(&self) -> T {
        (self.draw)(&mut Replay::new(&self.current.choices))
    }

    /// Called by proptest when the current value fails.
    fn simplify(&mut self) -> bool {
        self.shrinker.accept(self.current.clone());
        self.propose()
    }

    /// Called by proptest when the current value does not fail.
    fn complicate(&mut self) -> bool {
        self.shrinker.reject();
        self.propose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::test_runner::TestError;

    use super::*;

    #[test]
    fn proptest_reports_the_simplest_failure() {
        let numbers = |choices: &mut dyn Choices| choices.list(0, 20, |choices| choices.below(100));
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        let answer = TestRunner::new(config).run(&drawn(numbers), |list| {
            prop_assert!(list.iter().all(|&number| number < 70));
            Ok(())
        });
        let Err(TestError::Fail(_, list)) = answer else { panic!("{answer:?}") };
        assert_eq!(list, [70]);
    }
}
