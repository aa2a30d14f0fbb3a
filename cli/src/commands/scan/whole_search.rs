//! Searches a chunk as one text before it is split into lines.
//!
//! Most chunks have no match if one rare pattern is searched for. Splitting such a chunk into lines takes as
//! long as searching it, so the chunk is searched whole first, and is split only if there is a match
//! somewhere. ripgrep does the same. Where most chunks have a match, this search would be for nothing, so it
//! is left out for a while then.
//!
//! A pattern that matches in a line also matches in a text that has this line, unless it depends on where
//! the text begins or ends: `^` and `$` do, boundaries of ASCII words don't, as a line end is no part of a word.

use dragnet::PatternSet;
use regex_syntax::hir::{Hir, Look};

use crate::input::Chunk;

/// The most chunks that are not searched whole after some with a match, whose search was for nothing. A guess.
const MAX_PAUSE: u32 = 15;

/// Decides which chunks are searched whole.
#[derive(Debug, Default)]
pub(super) struct WholeSearch {
    /// The number of chunks that are not searched whole from now on.
    pause: u32,
    /// The length of the next pause. It grows with each chunk that has a match, until one has none.
    next_pause: u32,
}

impl WholeSearch {
    /// Whether no line of a chunk can match. `pattern` is one that [`is_possible`] is true for.
    ///
    /// False also for chunks that need further steps if they have no match: the last part of a file that is
    /// read in blocks, all its parts if they have to be searched in order, and the first part of a file that
    /// the user named, about which there may be a message.
    pub(super) fn rules_out(
        &mut self,
        pattern: Option<&PatternSet>,
        chunk: &Chunk,
        needs_order: bool,
    ) -> bool {
        let Some(pattern) = pattern else { return false };
        let has_steps = chunk.parts().iter().any(|part| {
            !part.is_whole_file && (part.is_last || needs_order)
                || part.first_line == 1 && part.source.is_explicit()
        });
        if self.pause > 0 || has_steps {
            self.pause = self.pause.saturating_sub(1);
            return false;
        }
        let has_match = pattern.is_match(chunk.bytes());
        if has_match {
            self.pause = self.next_pause;
            self.next_pause = (2 * self.next_pause + 1).min(MAX_PAUSE);
        } else {
            self.next_pause = 0;
        }
        !has_match
    }
}

/// Whether a pattern matches in every text that has a line in which it matches.
pub(super) fn is_possible(hir: &Hir) -> bool {
    const WORDS: [Look; 6] = [
        Look::WordAscii,
        Look::WordAsciiNegate,
        Look::WordStartAscii,
        Look::WordEndAscii,
        Look::WordStartHalfAscii,
        Look::WordEndHalfAscii,
    ];
    hir.properties().look_set().iter().all(|look| WORDS.contains(&look))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_see_the_ends_of_a_text_are_excluded() {
        for (pattern, expected) in [
            ("abc", true),
            (r"a\nb", true),
            (r"(?-u)\ba\B[a-z](?:\b{end-half}x)?", true),
            (r"(?-u)\b{start}a\b{end}", true),
            ("^a", false),
            ("(?m)a|b$", false),
            (r"\Aa", false),
            ("(?mR)a$", false),
            (r"\ba", false),
        ] {
            assert_eq!(is_possible(&regex_syntax::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }
}
