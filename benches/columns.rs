//! Compares scans of Arrow columns with a scan of a plain batch of the same values.
//!
//! ```sh
//! cargo bench --bench columns --features arrow
//! ```
//!
//! Each round scans a batch and a column of each type one after the other, and computes the times of this
//! thread as multiples of the batch's. The table shows the medians of these ratios over the rounds, for `scan`
//! into a list of matches on the side of the batch, and for a column of patterns on the other side.
//! `DRAGNET_ROUNDS` sets the number of rounds (15).

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use arrow_array::{Array, BinaryArray, LargeStringArray, StringArray, builder::StringViewBuilder};
use dragnet::arrow::{Column, ColumnScanner};
use dragnet::{BatchBuf, Engine, Matches, PatternSet, Report, Scan};

use support::{ALNUM, LOWER, Rng, number, thread_seconds};

/// Values in a column, about 90 bytes each: 9 MB, more than the caches of a core.
const ROWS: usize = 100_000;

/// A hundred literals and classes, of which every 50th line has one.
fn generate_input(random: &mut Rng) -> (PatternSet, Vec<String>) {
    let words: Vec<String> = (0..100).map(|_| random.string(LOWER, 8)).collect();
    let rules = words.iter().map(|word| format!(r"\b{word}(=[0-9a-f]{{8}})?"));
    let set = PatternSet::new(rules).expect("the rules are valid");
    let lines = (0..ROWS).map(|index| {
        let mut line = format!("2026-01-01 INFO request id={} ", random.string(ALNUM, 16));
        line += &random.string(LOWER, 20 + index % 50);
        if index % 50 == 0 {
            line += " ";
            line += &words[random.below(words.len())];
        }
        line
    });
    let lines = lines.collect();
    (set, lines)
}

fn main() {
    let rounds = number("DRAGNET_ROUNDS", 15);
    let (set, lines) = generate_input(&mut Rng::new(1));
    let mut batch = BatchBuf::new();
    let mut views = StringViewBuilder::new();
    let mut short_views = StringViewBuilder::new();
    for (index, line) in lines.iter().enumerate() {
        batch.push(line.as_bytes()).expect("the lines fit");
        views.append_value(line);
        // Every other value is stored in its view, so that no two values are adjacent.
        short_views.append_value(if index % 2 == 0 { line } else { "short" });
    }
    let columns: Vec<(&str, Box<dyn Array>)> = vec![
        ("Utf8", Box::new(StringArray::from_iter_values(&lines))),
        ("Binary", Box::new(BinaryArray::from_iter_values(&lines))),
        ("LargeUtf8", Box::new(LargeStringArray::from_iter_values(&lines))),
        ("Utf8View, adjacent", Box::new(views.finish())),
        ("Utf8View, copied (half of the bytes)", Box::new(short_views.finish())),
    ];
    let engine = Engine::new(&set, Report::Patterns);
    let mut scanner = engine.scanner().expect("there is memory");
    let mut column_scanner = ColumnScanner::new(engine.scanner().expect("there is memory"));
    let mut matches = Matches::new();
    let mut ratios = vec![Vec::new(); columns.len()];
    // The first round fills the scanners' caches.
    for round in 0..=rounds {
        let start = thread_seconds();
        scanner.scan(&batch.as_batch(), &mut matches).expect("the scan has an answer");
        let plain = thread_seconds() - start;
        for ((_, array), ratios) in columns.iter().zip(&mut ratios) {
            let column = Column::new(&**array).expect("the type is supported");
            let start = thread_seconds();
            let found = column_scanner.patterns(&column).expect("the scan has an answer");
            let elapsed = thread_seconds() - start;
            assert!(found.values().len() >= matches.len() / 2);
            if round > 0 {
                ratios.push(elapsed / plain);
            }
        }
    }
    println!("{ROWS} rows, {} bytes, {} matches", batch.bytes(), matches.len());
    for ((name, _), ratios) in columns.iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("{name:40} {:.2} times the time of the batch", ratios[ratios.len() / 2]);
    }
}
