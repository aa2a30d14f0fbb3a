//! The results of all races: one line for each pair of rules and text, and for each comparison the
//! geometric mean and the worst pair.

use super::contender::{Answers, Contender, Row};

const PER_LINE: &str = "hs_scan per record";
const WHOLE: &str = "hs_scan whole buffer";

/// The comparisons with libhs: a way of the pure engine, the call of libhs, and the heading.
const WITH_LIBHS: [(&str, &str, &str); 5] = [
    ("pure", PER_LINE, "warm/line"),
    ("pure, first pass", PER_LINE, "first/line"),
    ("pure, spans", PER_LINE, "spans/line"),
    ("pure, spans, first pass", PER_LINE, "sp.first/line"),
    ("pure", WHOLE, "warm/whole"),
];

/// The speeds that the table of all pairs shows, with their headings.
const SPEEDS: [(&str, &str); 6] = [
    ("pure, first pass", "first"),
    ("pure", "warm"),
    ("pure, spans, first pass", "sp.first"),
    ("pure, spans", "spans"),
    (PER_LINE, "per line"),
    (WHOLE, "whole"),
];

#[derive(Default)]
pub(super) struct Summary {
    pairs: Vec<Pair>,
    /// For each comparison, the ratio and the title of each race.
    comparisons: Vec<(String, Vec<(f64, String)>)>,
    /// Contenders that found other matches than dragnet promises.
    faults: Vec<String>,
}

/// One line of the table of all pairs.
struct Pair {
    title: String,
    speeds: Vec<Option<f64>>,
    ratios: Vec<Option<f64>>,
}

impl Summary {
    pub(super) fn add(&mut self, title: &str, contenders: &[Contender], rows: &[Row]) {
        let row = |name: &str| Some(&rows[contenders.iter().position(|c| c.name == name)?]);
        let ratio = |(way, other, _): (&str, &str, &str)| Some(row(way)?.ratio(row(other)?));
        self.pairs.push(Pair {
            title: title.to_owned(),
            speeds: SPEEDS.map(|(name, _)| Some(row(name)?.megabytes_per_second())).to_vec(),
            ratios: WITH_LIBHS.map(ratio).to_vec(),
        });
        for comparison in WITH_LIBHS {
            let (way, other, _) = comparison;
            if let Some(ratio) = ratio(comparison) {
                self.compare(format!("{way} / {other}"), ratio, title);
            }
        }
        for (contender, row) in contenders.iter().zip(rows).skip(1) {
            let name = &contender.name;
            let is_way = WITH_LIBHS.iter().any(|(way, other, _)| way == name || other == name);
            if contender.in_summary && contender.answers != Answers::Incomparable && !is_way {
                self.compare(format!("pure / {name}"), rows[0].ratio(row), title);
            }
            if name == PER_LINE {
                let ratio = contender.build_seconds / contenders[0].build_seconds;
                self.compare("time of hs_compile_multi / building pure".to_owned(), ratio, title);
            }
            if contender.answers == Answers::Promised && row.pairs != row.expected {
                self.faults.push(format!("{name}: {title}"));
            }
        }
    }

    fn compare(&mut self, name: String, ratio: f64, title: &str) {
        let entry = (ratio, title.to_owned());
        match self.comparisons.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => list.push(entry),
            None => self.comparisons.push((name, vec![entry])),
        }
    }

    /// Prints everything. Returns whether dragnet's engines found the same matches.
    pub(super) fn print(&self) -> bool {
        self.print_pairs();
        println!("\nratios: geometric mean, lowest");
        for (name, list) in &self.comparisons {
            let mean = list.iter().map(|(ratio, _)| ratio.ln()).sum::<f64>() / list.len() as f64;
            let (worst, title) = list.iter().min_by(|a, b| a.0.total_cmp(&b.0)).expect("one race");
            println!("{name:<44} {:>7.2}x {worst:>7.2}x ({title})", mean.exp());
        }
        for fault in &self.faults {
            println!("WRONG MATCHES: {fault}");
        }
        self.faults.is_empty()
    }

    /// One line for each pair, the lowest ratio of the warm engine to libhs first.
    fn print_pairs(&self) {
        let width = self.pairs.iter().map(|pair| pair.title.chars().count()).max().unwrap_or(0);
        let cell = |value: Option<f64>, digits: usize| match value {
            Some(value) => format!("{value:.digits$}"),
            None => "-".to_owned(),
        };
        print!("\n{:<width$}", "MB/s, and ratios to libhs");
        SPEEDS.iter().for_each(|(_, heading)| print!(" {heading:>9}"));
        WITH_LIBHS.iter().for_each(|(.., heading)| print!(" {heading:>13}"));
        println!();
        let mut pairs: Vec<&Pair> = self.pairs.iter().collect();
        let key = |pair: &Pair| pair.ratios[0].or(pair.speeds[1]).unwrap_or(f64::INFINITY);
        pairs.sort_by(|a, b| key(a).total_cmp(&key(b)));
        for pair in pairs {
            print!("{:<width$}", pair.title);
            pair.speeds.iter().for_each(|&speed| print!(" {:>9}", cell(speed, 1)));
            pair.ratios.iter().for_each(|&ratio| print!(" {:>13}", cell(ratio, 2)));
            println!();
        }
    }
}
