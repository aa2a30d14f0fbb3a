//! Compares the speed of dragnet's engines and other libraries at matching many patterns against
//! many records, on one thread.
//!
//! ```sh
//! cargo bench --bench versus                       # the pure engine and other crates
//! cargo bench --bench versus --features native     # also the native engine and libhs
//! DRAGNET_RULES=rules.toml DRAGNET_LOGS=folder cargo bench --bench versus -- files
//! python3 benches/fetch.py FOLDER                  # public rule sets and their texts, then
//! DRAGNET_PAIRS=FOLDER/pairs.tsv cargo bench --bench versus --features native
//! ```
//!
//! Every contender scans the same batches of records. They take turns in each of several rounds, and
//! a ratio is the median of the ratios within the rounds. Compare ratios: the speeds of two machines,
//! or of two runs on a shared machine, are not comparable.
//!
//! # What is measured
//!
//! - `pure`: `Report::Patterns` by a scanner that has scanned the same text before (warm).
//! - `pure, first pass`: the first 2 MiB of the text, by an engine and a scanner that have scanned
//!   nothing. The last ones are dropped, the patterns parsed and both built again before each pass,
//!   outside of the measured time, so that nothing is warm that scanners share. What stays warm are
//!   the processor's caches and the pages that the allocator got from the system before.
//! - `pure, spans`, `pure, spans, first pass`: the same with `Report::Spans`.
//! - `pure, AVX2` and its like: warm, with the other vector instructions that this machine has.
//! - `native`: the native engine, warm.
//! - `hs_scan per record`: libhs alone, called for each record, with `HS_FLAG_SINGLEMATCH` and a
//!   callback that counts. `hs_scan whole buffer`: one call for each batch, which does not say in
//!   which line a pattern matches.
//! - other crates: see `crates.rs`. `RegexSet` and `regex-filtered` scan only the first MiB.
//!
//! A contender that scans only the beginning of a text is compared with the other one's time for the
//! batches (of 1 MiB) in it. No text is repeated to make it longer, because a scanner would be warm
//! after the first repetition: the first pass over a text of 200 KB reads 200 KB. A pass that takes
//! less than 20 ms is measured several times in a round instead, each time with a new engine.
//!
//! Every pass counts the pairs of a record and a pattern that match. The count of a contender must be
//! the same in each pass, or the program panics, and the same for all of dragnet's engines, or it
//! exits with 1. For other libraries a different count is only shown, since some lose matches or
//! search with Unicode on.
//!
//! # Options
//!
//! An argument selects the rule sets and corpora whose title `RULES over CORPUS` contains it. The
//! other options are environment variables:
//!
//! - `DRAGNET_ROUNDS`: the number of rounds (5).
//! - `DRAGNET_MEBIBYTES`: the size of each generated corpus (8).
//! - `DRAGNET_AGAINST`: the contenders to run besides `pure`, as parts of their names, separated by
//!   commas. `none` matches no name, so that only `pure` runs, for example under a profiler. Without
//!   this variable, all contenders run except `RegexSet` with its default cache and with 256 MiB (see
//!   `contenders.rs`).
//! - `DRAGNET_ISA`: the vector instructions of all contenders called `pure` and of its spans and
//!   first passes (`AVX2`, for example), instead of the engine's own choice.
//! - `DRAGNET_JSON`: a file that the figures are appended to as JSON lines, for `chart.py` and
//!   `mechanisms.py`.
//! - `DRAGNET_RULES`: more rule sets, as paths of TOML files with `[[rules]]`, separated by `:`.
//! - `DRAGNET_LOGS`: more corpora, as paths of files or folders, separated by `:`.
//! - `DRAGNET_PAIRS`: a file with the path of a rule set and of a corpus in each line, separated by a
//!   tab and relative to the folder of the file. Only these pairs are raced.

#[path = "../support/mod.rs"]
mod support;

mod contender;
mod contenders;
mod crates;
mod engines;
#[cfg(feature = "native")]
mod hyperscan;
mod pairs;
mod report;
mod summary;
#[cfg(dragnet_mechanisms)]
mod without;

use std::borrow::Borrow;
use std::process::ExitCode;

use support::corpus::{self, Corpus};
use support::number;
use support::rules::{self, RuleSet};

fn main() -> ExitCode {
    let mut benchmark = Benchmark {
        selected: std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect(),
        rounds: number("DRAGNET_ROUNDS", 5).max(1),
        summary: summary::Summary::default(),
    };
    if let Some(pairs) = pairs::named() {
        for (set, corpora) in pairs {
            benchmark.run(&set, corpora.iter().map(|path| Corpus::file(path)));
        }
    } else {
        let corpora = corpus::all(number("DRAGNET_MEBIBYTES", 8) << 20);
        for set in rules::all() {
            benchmark.run(&set, corpora.iter());
        }
    }
    if benchmark.summary.print() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Benchmark {
    /// Parts of the titles of the races to run. Empty for all.
    selected: Vec<String>,
    rounds: usize,
    summary: summary::Summary,
}

impl Benchmark {
    /// Races all contenders with one rule set over some corpora.
    fn run(&mut self, set: &RuleSet, corpora: impl Iterator<Item: Borrow<Corpus>>) {
        let mut built = None;
        for corpus in corpora {
            let corpus = corpus.borrow();
            let title = format!("{} over {}", set.name, corpus.name);
            if corpus.batches.is_empty() {
                continue;
            }
            let is_selected = |part: &String| title.contains(part.as_str());
            if !self.selected.is_empty() && !self.selected.iter().any(is_selected) {
                continue;
            }
            // Built for the first selected corpus and used for all of them.
            let built = built.get_or_insert_with(|| contenders::all(set));
            let rows = contender::race(built, corpus, self.rounds);
            report::print(&title, set, corpus, built, &rows);
            report::save(set, corpus, built, &rows);
            self.summary.add(&title, built, &rows);
        }
    }
}
