//! Notices that the text has changed, from the transitions that DFAs compute.
//!
//! A scanner divides its groups by what one text reaches, and keeps them apart. If source code follows a log,
//! other patterns are better searched together, and states that are never reached again fill the cache. Then the
//! scanner restarts from the groups that the engine has prepared. DFAs that know the common states of a text
//! compute few transitions while they read more of its kind; when the kind changes, they compute many at once.
//!
//! A restart takes about as long as reading some hundred kilobytes. The distance between two restarts grows, so
//! that they cost little if two texts alternate.
//!
//! # Limits
//!
//! The transitions of all groups are counted together, so a set with hundreds of groups may never know a text,
//! and does not restart then. A text that keeps dividing groups is not judged until it stops. A restart that
//! comes too soon after the last one is delayed until its distance is reached.

use crate::pure::mechanism;

/// A text is known if at most this many transitions were computed between two times at which groups are
/// changed. System logs with the OWASP core rule set: at most 1,500 after the first 200 KB.
const KNOWN: usize = if cfg!(test) { 8 } else { 2048 };
/// A known text has changed if at least this many transitions were computed after it, between two such times.
/// With the OWASP core rule set, from logs to user agents 10,000, from user agents to payloads 13,000 and more.
const CHANGED: usize = if cfg!(test) { 16 } else { 8192 };
/// The bytes that have to be read before the first restart. Each restart doubles the distance. A guess.
const FIRST_DISTANCE: usize = if cfg!(test) { 400 } else { 1 << 20 };
/// The largest distance, in bytes. A guess.
const MAX_DISTANCE: usize = if cfg!(test) { 1600 } else { 64 << 20 };

#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextChange {
    /// Whether few transitions were computed in the last interval.
    known: bool,
    /// Whether a known text has changed since the last restart.
    changed: bool,
    /// The bytes read since the last restart.
    bytes: usize,
    /// The bytes that have to be read before the next restart.
    distance: usize,
}

impl TextChange {
    pub(super) fn new() -> TextChange {
        TextChange { known: false, changed: false, bytes: 0, distance: FIRST_DISTANCE }
    }

    #[inline]
    pub(super) fn add_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Adds that this many transitions were computed since the last call.
    pub(super) fn add_transitions(&mut self, transitions: usize) {
        self.changed |= self.known && transitions >= CHANGED;
        self.known = transitions <= KNOWN;
    }

    /// Forgets that the text is known, because tables have been emptied or replaced: they are filled again
    /// whether or not the text changes.
    pub(super) fn forget(&mut self) {
        self.known = false;
    }

    /// Whether to restart.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        mechanism::text_changes() && self.changed && self.bytes >= self.distance
    }

    /// What to continue with after a restart.
    pub(super) fn next(&self) -> TextChange {
        TextChange { distance: (2 * self.distance).min(MAX_DISTANCE), ..TextChange::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `bytes` of a known text and then another text. Returns whether a restart is due.
    fn change_after(text: &mut TextChange, bytes: usize) -> bool {
        text.add_transitions(KNOWN);
        text.add_bytes(bytes);
        text.add_transitions(CHANGED);
        text.is_due()
    }

    #[test]
    fn filling_tables_is_not_a_change() {
        let mut text = TextChange::new();
        text.add_bytes(MAX_DISTANCE);
        text.add_transitions(KNOWN);
        text.forget();
        text.add_transitions(CHANGED);
        assert!(!text.is_due());
        for transitions in [CHANGED, KNOWN + 1, CHANGED, KNOWN, CHANGED - 1] {
            text.add_transitions(transitions);
            assert!(!text.is_due());
        }
    }

    #[test]
    fn distances_grow_up_to_a_limit() {
        let mut text = TextChange::new();
        let mut distance = FIRST_DISTANCE;
        for _ in 0..20 {
            assert!(!change_after(&mut text, distance - 1));
            // The change is not forgotten.
            text.add_transitions(0);
            text.add_bytes(1);
            assert!(text.is_due());
            text = text.next();
            distance = (2 * distance).min(MAX_DISTANCE);
        }
        assert_eq!(distance, MAX_DISTANCE);
    }
}
