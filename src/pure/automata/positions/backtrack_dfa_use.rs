//! Decides when a [`BacktrackDfa`] takes the place of backtracking.

use super::backtrack_dfa::BacktrackDfa;
use super::backtrack_search::DFA_BYTES_PER_STEP;
use super::program::Program;
use crate::pure::mechanism;

/// The steps that a DFA would have saved, in each scanner, before it is made. A guess at the time to fill its table.
/// Lower in tests, so that small inputs reach it.
pub(super) const STEPS_BEFORE_DFA: u32 = if cfg!(test) { 64 } else { 20_000 };

/// How much backtracking was used in a scanner, and the DFA that takes its place.
#[derive(Debug, Default)]
pub(super) struct BacktrackDfaUse {
    dfa: Option<Box<BacktrackDfa>>,
    /// The steps that a DFA would have saved.
    saved: u32,
    /// Whether there is no DFA, or it has failed.
    has_failed: bool,
    /// Whether a DFA was dropped since [`BacktrackDfaUse::take_changed`] was called last.
    was_dropped: bool,
}

#[cfg(test)]
impl BacktrackDfaUse {
    pub(super) fn due() -> BacktrackDfaUse {
        BacktrackDfaUse { saved: STEPS_BEFORE_DFA, ..BacktrackDfaUse::default() }
    }

    pub(super) fn working(&mut self) -> Option<&mut BacktrackDfa> {
        self.dfa.as_deref_mut().filter(|dfa| !dfa.has_failed())
    }
}

impl BacktrackDfaUse {
    /// The DFA, if it is worthwhile. It is made if `may_grow`.
    pub(super) fn dfa(&mut self, program: &Program, may_grow: bool) -> Option<&mut BacktrackDfa> {
        if self.dfa.as_ref().is_some_and(|dfa| dfa.has_failed()) {
            (self.dfa, self.has_failed, self.was_dropped) = (None, true, true);
        }
        let is_due = may_grow && !self.has_failed && self.saved >= STEPS_BEFORE_DFA;
        if self.dfa.is_none() && is_due && mechanism::backtrack_dfas() {
            self.dfa = BacktrackDfa::new(program).map(Box::new);
            self.has_failed = self.dfa.is_none();
        }
        self.dfa.as_deref_mut()
    }

    /// Counts a search by backtracking of this many steps and bytes.
    pub(super) fn add(&mut self, steps: u64, bytes: u64) {
        let saved = steps.saturating_sub(bytes / DFA_BYTES_PER_STEP);
        self.saved = self.saved.saturating_add(u32::try_from(saved).unwrap_or(u32::MAX));
    }

    /// Drops the DFA, and begins to count anew.
    pub(super) fn restart(&mut self) {
        *self = BacktrackDfaUse { has_failed: self.has_failed, ..BacktrackDfaUse::default() };
    }

    /// Whether the memory may have changed since this was called last.
    #[inline]
    pub(super) fn take_changed(&mut self) -> bool {
        let has_grown = self.dfa.as_mut().is_some_and(|dfa| dfa.take_grown());
        std::mem::take(&mut self.was_dropped) || has_grown
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.dfa.as_ref().map_or(0, |dfa| dfa.memory())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::*;

    #[test]
    fn a_dfa_is_made_after_many_steps_if_there_is_memory() {
        let program = &Program::new(&parse("a+b")).unwrap();
        let used = |steps: u64, bytes: u64| {
            let mut used = BacktrackDfaUse::default();
            used.add(steps, bytes);
            used
        };
        let due = u64::from(STEPS_BEFORE_DFA);
        assert!(used(due, 0).dfa(program, true).is_some());
        assert!(used(due, 0).dfa(program, false).is_none());
        assert!(used(due - 1, 0).dfa(program, true).is_none());
        // A DFA reads this many bytes in a step, so that it would save one step less.
        assert!(used(due, DFA_BYTES_PER_STEP).dfa(program, true).is_none());
        assert!(used(due, DFA_BYTES_PER_STEP - 1).dfa(program, true).is_some());

        let mut kept = used(due, 0);
        assert_eq!(kept.memory(), 0);
        assert!(kept.dfa(program, true).is_some());
        assert!(kept.memory() > 0);
        assert!(kept.dfa(program, false).is_some());
        kept.restart();
        assert_eq!(kept.memory(), 0);
        assert!(kept.dfa(program, true).is_none());
    }

    #[test]
    fn changes_of_the_memory_are_noted_once() {
        let program = &Program::new(&parse("a+b")).unwrap();
        let mut used = BacktrackDfaUse::due();
        assert!(!used.take_changed());
        let search = |used: &mut BacktrackDfaUse, record: &[u8]| {
            let dfa = used.dfa(program, true).unwrap();
            dfa.fill_budget();
            _ = dfa.end_of_match::<true>(program, record, 0..record.len(), &mut 0);
        };
        for (record, expected) in [("aa", true), ("aa", false), ("ab", true), ("aab", false)] {
            search(&mut used, record.as_bytes());
            assert_eq!(used.take_changed(), expected, "{record}");
            assert!(!used.take_changed());
        }
        used.dfa(program, true).unwrap().spend_budget();
        let _ = used.dfa(program, true).unwrap().end_of_match::<true>(program, b"c", 0..1, &mut 0);
        assert!(used.dfa(program, true).is_none());
        assert!(used.take_changed());
        assert!(!used.take_changed());
    }

    #[test]
    fn a_dfa_that_has_failed_is_not_made_again() {
        let program = &Program::new(&parse("a+b")).unwrap();
        let mut used = BacktrackDfaUse::due();
        let dfa = used.dfa(program, true).unwrap();
        while !dfa.has_failed() {
            dfa.spend_budget();
            let _ = dfa.end_of_match::<true>(program, b"aab", 0..3, &mut 0);
        }
        for _ in 0..2 {
            assert!(used.dfa(program, true).is_none());
            assert_eq!(used.memory(), 0);
            used.restart();
            used.add(STEPS_BEFORE_DFA.into(), 0);
        }
    }
}
