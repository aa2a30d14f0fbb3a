//! What a search has done, for `--stats` and the summary on a terminal.

use std::time::Duration;

use crate::input::Skipped;

/// The numbers of one task, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    pub(super) matches: u64,
    /// Lines with a match.
    pub(super) lines: u64,
    /// Files with a match.
    pub(super) matched_files: u64,
    /// Bytes searched.
    pub(super) bytes: u64,
    /// Files searched.
    pub(super) files: u64,
    /// Files that were skipped because they are binary.
    pub(super) binary_files: u64,
}

impl Statistics {
    pub(super) fn add(&mut self, other: Statistics) {
        self.matches += other.matches;
        self.lines += other.lines;
        self.matched_files += other.matched_files;
        self.bytes += other.bytes;
        self.files += other.files;
        self.binary_files += other.binary_files;
    }

    /// The line that is printed on a terminal.
    pub(super) fn summary(&self, time: Duration) -> String {
        format!(
            "{} in {}; searched {}, {}, in {:.3} s",
            count(self.matches, "match", "matches"),
            count(self.matched_files, "file", "files"),
            count(self.files, "file", "files"),
            size(self.bytes),
            time.as_secs_f64()
        )
    }

    /// The lines of `--stats`.
    pub(super) fn lines(&self, skipped: Skipped, time: Duration) -> Vec<String> {
        let mut lines = vec![
            count(self.matches, "match", "matches"),
            count(self.lines, "line with a match", "lines with a match"),
            count(self.matched_files, "file with a match", "files with a match"),
            count(self.files, "file searched", "files searched"),
            count(self.bytes, "byte searched", "bytes searched"),
            format!("{:.6} seconds", time.as_secs_f64()),
        ];
        lines.push(format!("not searched: {}", skipped.describe().as_deref().unwrap_or("nothing")));
        lines
    }
}

/// Returns a number with a noun, and commas between thousands.
fn count(number: u64, one: &str, many: &str) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    format!("{} {}", groups.join(","), if number == 1 { one } else { many })
}

/// Returns a number of bytes for people.
fn size(bytes: u64) -> String {
    match bytes as f64 {
        _ if bytes < 1000 => format!("{bytes} bytes"),
        size if bytes < 1_000_000 => format!("{:.1} kB", size / 1e3),
        size if bytes < 1_000_000_000 => format!("{:.1} MB", size / 1e6),
        size => format!("{:.1} GB", size / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let cases =
            [(0, "0 files"), (1, "1 file"), (1000, "1,000 files"), (1234567, "1,234,567 files")];
        for (number, expected) in cases {
            assert_eq!(count(number, "file", "files"), expected);
        }
        let cases =
            [(999, "999 bytes"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (5 << 30, "5.4 GB")];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes), expected);
        }
    }
}
