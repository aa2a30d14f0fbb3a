//! Describes an error in a pattern, with carets under the faulty text.

use dragnet::PatternError;
use unicode_width::UnicodeWidthStr;

use super::Origin;
use crate::escape;

/// The number of characters of a pattern that are shown on either side of the start of the faulty
/// text.
const CONTEXT: usize = 50;

/// Returns a message with the pattern's origin, the reason and the faulty line of the pattern.
pub(super) fn message(origin: &Origin, error: &PatternError) -> String {
    let mut message = format!("{origin}: {}", escape::text(error.reason().as_bytes()));
    match error.position() {
        Some(position) => {
            let (excerpt, carets) = point_at(error.regex(), position.start, position.end);
            message.push_str(&format!("\n    {excerpt}\n    {carets}"));
        }
        None => {
            let (excerpt, _) = point_at(error.regex(), 0, 0);
            message.push_str(&format!("\n    {excerpt}"));
        }
    }
    message
}

/// Returns the line of `pattern` that contains the byte at `start`, shortened to a readable length,
/// and the line to print below it: carets, at least one, under the bytes from `start` to `end`.
fn point_at(pattern: &str, start: usize, end: usize) -> (String, String) {
    let line_start = pattern[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = pattern[start..].find('\n').map_or(pattern.len(), |at| start + at);
    let mut before = escape_tabs(&pattern[line_start..start]);
    let faulty = escape_tabs(&pattern[start..end.clamp(start, line_end)]);
    let mut rest = escape_tabs(&pattern[start..line_end]);
    if let Some((cut, _)) = before.char_indices().rev().nth(CONTEXT) {
        before.replace_range(..cut, "...");
    }
    if let Some((cut, _)) = rest.char_indices().nth(CONTEXT) {
        rest.replace_range(cut.., "...");
    }
    // The faulty text can be longer than the part of the line that is shown.
    let width = faulty.width().min(rest.width()).max(1);
    let carets = format!("{}{}", " ".repeat(before.width()), "^".repeat(width));
    (before + &rest, carets)
}

/// Escapes tabs too, whose width on a terminal depends on their column.
fn escape_tabs(text: &str) -> String {
    escape::text(text.as_bytes()).replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::point_at;

    #[test]
    fn carets_are_below_the_faulty_text() {
        let long = format!("{}({}", "a".repeat(100), "b".repeat(100));
        let shown = format!("...{}({}...", "a".repeat(51), "b".repeat(49));
        let cases: [(&str, usize, usize, &str, &str); 7] = [
            ("a(b", 1, 2, "a(b", " ^"),
            ("a[z-a]", 2, 5, "a[z-a]", "  ^^^"),
            ("a\\", 2, 2, "a\\", "  ^"),
            ("星(b", 3, 4, "星(b", "  ^"),
            ("\t(b", 1, 2, "\\t(b", "  ^"),
            ("one\ntwo(\nthree", 7, 8, "two(", "   ^"),
            (&long, 100, 101, &shown, &format!("{}^", " ".repeat(54))),
        ];
        for (pattern, start, end, excerpt, carets) in cases {
            assert_eq!(point_at(pattern, start, end), (excerpt.into(), carets.into()), "{pattern}");
        }
    }
}
