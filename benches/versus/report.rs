//! The table of one race, and its JSON lines.

use std::io::Write;

use super::contender::{Answers, Contender, Row};
use crate::support::corpus::Corpus;
use crate::support::rules::RuleSet;

/// Prints the table of one race.
///
/// `pure is` says how many times as fast the first contender is over the bytes that both scan, and
/// the second ratio is the row's build time divided by the first contender's. `KiB` is the memory
/// that all scanners share, and `+ scanner` what each scanner adds. `=` after the number of matching
/// pairs of a record and a pattern says that it is the expected one.
pub(super) fn print(
    title: &str,
    set: &RuleSet,
    corpus: &Corpus,
    contenders: &[Contender],
    rows: &[Row],
) {
    println!(
        "\n{title}: {} patterns, {} records of {} bytes on average, {:.1} MB",
        set.patterns.len(),
        corpus.records(),
        corpus.bytes() / corpus.records().max(1),
        corpus.bytes() as f64 / 1e6,
    );
    println!(
        "{:<24} {:>9} {:>8} {:>10} {:>8} {:>9} {:>9}  matches",
        "", "MB/s", "pure is", "build ms", "ratio", "KiB", "+ scanner"
    );
    for (contender, row) in contenders.iter().zip(rows) {
        let matches = match contender.answers {
            Answers::Incomparable => String::new(),
            _ if row.pairs == row.expected => format!("{} =", row.pairs),
            _ => format!("{} DIFFERS from {}", row.pairs, row.expected),
        };
        let refused = match contender.refused {
            0 => String::new(),
            count => format!(" ({count} patterns refused)"),
        };
        println!(
            "{:<24} {:>9.1} {:>7.2}x {:>10.1} {:>8.1} {:>9} {:>9}  {matches}{refused}",
            contender.name,
            row.megabytes_per_second(),
            rows[0].ratio(row),
            contender.build_seconds * 1e3,
            contender.build_seconds / contenders[0].build_seconds,
            kibibytes(contender.memory),
            kibibytes(contender.search.scanner_memory()),
        );
    }
}

fn kibibytes(bytes: Option<usize>) -> String {
    bytes.map_or(String::new(), |bytes| (bytes / 1024).to_string())
}

/// Appends a JSON object for each contender to the file that `DRAGNET_JSON` names, if it is set.
///
/// `pure_is` is the ratio of the table, and `first_pass_is`, `spans_are` and `spans_first_pass_are`
/// are those of the other ways of the pure engine.
pub(super) fn save(set: &RuleSet, corpus: &Corpus, contenders: &[Contender], rows: &[Row]) {
    let Some(path) = std::env::var_os("DRAGNET_JSON") else { return };
    let ways = [
        ("pure", "pure_is"),
        ("pure, first pass", "first_pass_is"),
        ("pure, spans", "spans_are"),
        ("pure, spans, first pass", "spans_first_pass_are"),
    ];
    let mut lines = String::new();
    for (contender, row) in contenders.iter().zip(rows) {
        let mut ratios = String::new();
        for (way, key) in ways {
            if let Some(index) = contenders.iter().position(|c| c.name == way) {
                ratios += &format!(",\"{key}\":{:.4}", rows[index].ratio(row));
            }
        }
        lines += &format!(
            "{{\"rules\":{},\"patterns\":{},\"corpus\":{},\"bytes\":{},\"contender\":{},\
             \"megabytes_per_second\":{:.3},\"build_seconds\":{:.6},\"refused\":{},\
             \"pairs\":{},\"expected\":{}{ratios}}}\n",
            json(&set.name),
            set.patterns.len(),
            json(&corpus.name),
            corpus.bytes(),
            json(&contender.name),
            row.megabytes_per_second(),
            contender.build_seconds,
            contender.refused,
            row.pairs,
            row.expected,
        );
    }
    let file = std::fs::File::options().create(true).append(true).open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(lines.as_bytes())) {
        eprintln!("{}: {error}", path.display());
    }
}

/// Returns a text as a JSON string. Names of files may contain any character.
fn json(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}
