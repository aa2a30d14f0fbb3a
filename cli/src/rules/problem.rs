//! What is wrong with a pattern, with a caret under the place.

use dragnet::PatternError;
use unicode_width::UnicodeWidthStr;

use super::Origin;
use crate::escape;

/// How many columns of a pattern are shown on either side of the fault.
const CONTEXT: usize = 50;

/// A message that names where the pattern was written and the reason, and shows the faulty line
/// of the pattern.
pub(super) fn describe(origin: &Origin, error: &PatternError) -> String {
    let mut message = format!("{origin}: {}", error.reason());
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

/// The line of `pattern` that holds the byte at `start`, cut to a readable length, and the line
/// to print below it: carets under the bytes up to `end`, at least one.
fn point_at(pattern: &str, start: usize, end: usize) -> (String, String) {
    let line_start = pattern[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = pattern[start..].find('\n').map_or(pattern.len(), |at| start + at);
    let mut before = escape_tabs(&pattern[line_start..start]);
    let fault = escape_tabs(&pattern[start..end.clamp(start, line_end)]);
    let mut rest = escape_tabs(&pattern[start..line_end]);
    if let Some((cut, _)) = before.char_indices().rev().nth(CONTEXT) {
        before.replace_range(..cut, "...");
    }
    if let Some((cut, _)) = rest.char_indices().nth(CONTEXT) {
        rest.replace_range(cut.., "...");
    }
    // A long fault may reach past what is shown of the line.
    let width = fault.width().min(rest.width()).max(1);
    let carets = format!("{}{}", " ".repeat(before.width()), "^".repeat(width));
    (before + &rest, carets)
}

/// Text in which every character has the width that it counts with.
fn escape_tabs(text: &str) -> String {
    escape::text(text.as_bytes()).replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::point_at;

    #[test]
    fn the_caret_stands_under_the_fault() {
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
