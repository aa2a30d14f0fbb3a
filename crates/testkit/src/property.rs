//! Generators as strategies of proptest.

use std::fmt::Debug;

use proptest::prelude::*;
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{FileFailurePersistence, TestRunner};

use crate::shrink::{Recorder, Recording, Replay, Shrinker};
use crate::{Choices, Native, Rng, native};

/// How a property runs. `PROPTEST_CASES` sets the number of its cases; the default keeps the suite
/// quick. The seeds of failures are kept beside the test that found them, in a file that proptest
/// names after it. A change to a generator makes other cases of these seeds, so a failure that is
/// worth keeping belongs into the table of named cases.
pub fn config(default_cases: u32) -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(text) => text.parse().expect("PROPTEST_CASES is a number"),
        // libhs compiles a set of patterns about a hundred times as long as all else takes.
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

/// The strategy of whatever `draw` makes. It shrinks by the choices that `draw` asked for.
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
        // Proptest's random state is a seed for ours, and is all that it keeps of a failure.
        let seed = any::<u64>().new_tree(runner)?.current();
        let (_, made) = Recorder::record(Rng::new(seed), self.draw);
        Ok(DrawnTree { draw: self.draw, current: made.clone(), shrinker: Shrinker::new(made) })
    }
}

/// A value by its choices, and how it shrinks.
struct DrawnTree<T> {
    draw: fn(&mut dyn Choices) -> T,
    /// What is tried now.
    current: Recording,
    shrinker: Shrinker,
}

impl<T> DrawnTree<T> {
    /// Makes the next proposal current; the best known failure where there is none.
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

    /// Proptest calls it when the current value fails.
    fn simplify(&mut self) -> bool {
        self.shrinker.accept(self.current.clone());
        self.propose()
    }

    /// Proptest calls it when the current value does not fail.
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
