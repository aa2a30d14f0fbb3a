//! Notices that the text has changed, from the transitions that its DFAs compute.
//!
//! A scanner divides its groups by what one text reaches, and keeps them apart. If a log is followed by source
//! code, other patterns are better searched together, and states that are never reached again fill the cache.
//! Then it is best to start anew. Reading the same kind of text, DFAs compute few transitions once they know its
//! common states; when it changes, they compute many at once.
//!
//! Starting anew takes about as long as reading some hundred kilobytes. The distance between two starts grows,
//! so that the cost is bounded if two texts alternate.

/// If no more transitions than this are computed between two times at which groups are joined, the text is known.
/// System logs with the OWASP core rule set: at most 1,500 after the first 200 KB.
const KNOWN: usize = if cfg!(test) { 8 } else { 2048 };
/// The transitions from which on a known text has changed. From logs to user agents 10,000, from source to payloads
/// 26,000.
const CHANGED: usize = if cfg!(test) { 16 } else { 8192 };
/// The bytes that have to be read before groups start anew for the first time. The distance doubles with each
/// time.
const FIRST_DISTANCE: usize = if cfg!(test) { 400 } else { 1 << 20 };
/// The largest distance, in bytes.
const MAX_DISTANCE: usize = if cfg!(test) { 1600 } else { 64 << 20 };

#[derive(Clone, Debug)]
pub(super) struct TextChange {
    /// Whether few transitions were computed at last.
    known: bool,
    /// Whether a known text has changed since the groups started anew.
    changed: bool,
    /// The bytes read since the groups started anew.
    bytes: usize,
    /// How many bytes have to be read before groups start anew.
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

    /// Whether the groups should start anew.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.changed && self.bytes >= self.distance
    }

    /// What to continue with when the groups have started anew.
    pub(super) fn next(&self) -> TextChange {
        TextChange { distance: (2 * self.distance).min(MAX_DISTANCE), ..TextChange::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads so many bytes of a text that is known, and then of another.
    fn change_after(text: &mut TextChange, bytes: usize) -> bool {
        text.add_transitions(KNOWN);
        text.add_bytes(bytes);
        text.add_transitions(CHANGED);
        text.is_due()
    }

    #[test]
    fn a_new_text_is_not_a_change() {
        let mut text = TextChange::new();
        text.add_bytes(MAX_DISTANCE);
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
