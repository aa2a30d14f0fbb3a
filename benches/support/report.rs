//! The tables that `versus` prints, and the JSON lines that `chart.py` reads.

use std::io::Write;

use super::contender::{Contender, Row};
use super::corpus::Corpus;
use super::rules::RuleSet;

/// Prints the table of one race.
///
/// The first ratio is the first contender's speed divided by the row's speed, the second the row's
/// build time divided by the first contender's. `KiB` is the memory that all scanners share, and
/// `+ scanner` what each scanner adds. `=` after the number of matches says that it is the expected
/// one.
pub(crate) fn print(
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
        "{:<24} {:>9} {:>7} {:>10} {:>8} {:>9} {:>9}  matches",
        "", "MB/s", "ratio", "build ms", "ratio", "KiB", "+ scanner"
    );
    for (contender, row) in contenders.iter().zip(rows) {
        let matches = match contender.name {
            "absent byte" | "hs_scan whole buffer" => String::new(),
            _ if row.matches == row.expected => format!("{} =", row.matches),
            _ => format!("{} DIFFERS from {}", row.matches, row.expected),
        };
        let refused = match contender.refused {
            0 => String::new(),
            count => format!(" ({count} patterns refused)"),
        };
        println!(
            "{:<24} {:>9.1} {:>7.2} {:>10.1} {:>8.1} {:>9} {:>9}  {matches}{refused}",
            contender.name,
            row.megabytes_per_second,
            rows[0].megabytes_per_second / row.megabytes_per_second,
            contender.build_seconds * 1e3,
            contender.build_seconds / contenders[0].build_seconds,
            kibibytes(contender.memory),
            kibibytes(contender.working_memory.as_ref().map(|memory| memory())),
        );
    }
}

fn kibibytes(bytes: Option<usize>) -> String {
    bytes.map_or(String::new(), |bytes| (bytes / 1024).to_string())
}

/// Appends a JSON object for each contender to the file that `DRAGNET_JSON` names, if it is set.
pub(crate) fn save(set: &RuleSet, corpus: &Corpus, contenders: &[Contender], rows: &[Row]) {
    let Some(path) = std::env::var_os("DRAGNET_JSON") else { return };
    let mut lines = String::new();
    for (contender, row) in contenders.iter().zip(rows) {
        lines += &format!(
            "{{\"rules\":{},\"patterns\":{},\"corpus\":{},\"contender\":{},\
             \"megabytes_per_second\":{:.3},\"build_seconds\":{:.6},\"refused\":{}}}\n",
            json(&set.name),
            set.patterns.len(),
            json(&corpus.name),
            json(contender.name),
            row.megabytes_per_second,
            contender.build_seconds,
            contender.refused,
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

/// For each contender but the first, how many times faster the first one was, over all races.
#[derive(Default)]
pub(crate) struct Summary {
    /// For each contender's name, the ratio and the title of each race.
    ratios: Vec<(&'static str, Vec<(f64, String)>)>,
}

impl Summary {
    pub(crate) fn add(&mut self, title: &str, contenders: &[Contender], rows: &[Row]) {
        for (contender, row) in contenders.iter().zip(rows).skip(1).filter(|(c, _)| c.in_summary) {
            let ratio = rows[0].megabytes_per_second / row.megabytes_per_second;
            let entry = (ratio, title.to_owned());
            match self.ratios.iter_mut().find(|(name, _)| *name == contender.name) {
                Some((_, list)) => list.push(entry),
                None => self.ratios.push((contender.name, vec![entry])),
            }
        }
    }

    /// Prints one line for each contender but the first.
    pub(crate) fn print(&self) {
        println!("\nthe speed of pure, as a multiple of the speed of");
        for (name, list) in &self.ratios {
            let mean = list.iter().map(|(ratio, _)| ratio.ln()).sum::<f64>() / list.len() as f64;
            let (worst, title) = list.iter().min_by(|a, b| a.0.total_cmp(&b.0)).expect("one race");
            println!(
                "{name:<24} {:>8.2}x in the geometric mean of {} races, at least {worst:.2}x ({title})",
                mean.exp(),
                list.len(),
            );
        }
    }
}
