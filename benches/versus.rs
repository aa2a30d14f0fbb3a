//! Compares the speed of dragnet's engines and other libraries at matching many patterns against
//! many records, on one thread.
//!
//! ```sh
//! cargo bench --bench versus                       # the pure engine and other crates
//! cargo bench --bench versus --features native     # also the native engine and libhs
//! DRAGNET_RULES=rules.toml DRAGNET_LOGS=folder cargo bench --bench versus -- files
//! ```
//!
//! Every contender scans the same batches of records. The contenders take turns in each of several
//! rounds, so that a machine that speeds up or slows down does so for all of them, and the table
//! shows the median of each contender's rounds. Compare ratios: the speeds of two machines, or of
//! two runs on a shared machine, are not comparable. A contender that is too slow for the whole
//! corpus scans only the beginning of it, and its matches are compared with those in the same part.
//!
//! An argument selects the rule sets and corpora whose title `RULES over CORPUS` contains it. The
//! other options are environment variables:
//!
//! - `DRAGNET_ROUNDS`: the number of rounds (5).
//! - `DRAGNET_MEBIBYTES`: the size of each generated corpus (8).
//! - `DRAGNET_AGAINST`: the contenders to compare with the pure engine, as parts of their names,
//!   separated by commas. `none` matches no name, so that only the pure engine runs, for example
//!   under a profiler. Without this variable, all contenders run except `RegexSet` with its default
//!   cache (see `support/contenders.rs`).
//! - `DRAGNET_JSON`: a file that the figures are appended to as JSON lines, for `chart.py`.
//! - `DRAGNET_RULES`: more rule sets, as paths of TOML files with `[[rules]]`, separated by `:`.
//! - `DRAGNET_LOGS`: more corpora, as paths of files or folders, separated by `:`.

mod support;

use support::{contender, contenders, corpus, number, report, rules};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let rounds = number("DRAGNET_ROUNDS", 5).max(1);
    let corpora = corpus::all(number("DRAGNET_MEBIBYTES", 8) << 20);
    let mut summary = report::Summary::default();
    for set in rules::all() {
        let mut built = None;
        for corpus in &corpora {
            let title = format!("{} over {}", set.name, corpus.name);
            if !arguments.is_empty() && !arguments.iter().any(|a| title.contains(a.as_str())) {
                continue;
            }
            // Built for the first selected corpus and used for all of them.
            let built = built.get_or_insert_with(|| contenders::all(&set));
            let rows = contender::race(built, corpus, rounds);
            report::print(&title, &set, corpus, built, &rows);
            report::save(&set, corpus, built, &rows);
            summary.add(&title, built, &rows);
        }
    }
    summary.print();
}
