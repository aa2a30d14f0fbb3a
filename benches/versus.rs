//! All ways to find which of many patterns match which records, side by side.
//!
//! ```sh
//! cargo bench --bench versus                       # pure Rust
//! cargo bench --bench versus --features native     # and libhs
//! DRAGNET_RULES=rules.toml DRAGNET_LOGS=folder cargo bench --bench versus -- files
//! ```
//!
//! Every contender scans the same batches of records on one thread. The contenders take turns in
//! each of several rounds, and the medians are compared, so that a machine that speeds up or slows
//! down does so for all. Only ratios are meant to be compared from machine to machine. A slow
//! contender scans less of the data, and its matches are compared with those of the same part.
//!
//! An argument names the rule sets or corpora to run, by a part of their name. `DRAGNET_ROUNDS`
//! sets the number of rounds (5), `DRAGNET_MEBIBYTES` the size of the generated corpora (8).
//! `DRAGNET_AGAINST` names the contenders to run beside the pure engine, by parts of their names
//! with commas between them (all); `none` leaves it alone, for a profiler.
//! `DRAGNET_JSON` names a file that the numbers are appended to as JSON lines, for `chart.py`.
//! `DRAGNET_RULES` (TOML files with `[[rules]]`, separated by `:`) and `DRAGNET_LOGS` (files or
//! folders, separated by `:`) add rule sets and corpora.

mod support;

use support::{contender, corpus, number, report, rules};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let rounds = number("DRAGNET_ROUNDS", 5).max(1);
    let corpora = corpus::all(number("DRAGNET_MEBIBYTES", 8) << 20);
    let mut summary = report::Summary::default();
    for set in rules::all() {
        let mut contenders = None;
        for corpus in &corpora {
            let title = format!("{} over {}", set.name, corpus.name);
            if !arguments.is_empty() && !arguments.iter().any(|a| title.contains(a.as_str())) {
                continue;
            }
            // Built when first needed, and once for all corpora.
            let contenders = contenders.get_or_insert_with(|| contender::all(&set));
            let rows = contender::race(contenders, corpus, rounds);
            report::print(&title, &set, corpus, contenders, &rows);
            report::save(&set, corpus, contenders, &rows);
            summary.add(&title, contenders, &rows);
        }
    }
    summary.print();
}
