//! Compares scans and copies of a stream with a scan of batches of the same text.
//!
//! ```sh
//! cargo bench --bench reader
//! ```
//!
//! Each round runs all ways one after the other, on generated logs in memory (`DRAGNET_MEBIBYTES`, 32) with
//! the generated rules of secret scanners, of which many have `\s`, and with a few more that need a line
//! feed; last, with rules that match often. The table shows the speed of each way in MB/s of this
//! thread's time, and as a multiple of that of the batches, the medians over the rounds:
//!
//! - `batches`: the lines of 1 MiB at a time, as batches that are at hand.
//! - `lines`: `ReaderScan::lines`.
//! - `across lines`: `ReaderScan::across_lines` with a window of 16 KiB.
//! - `redacted`, `redacted across lines`: the same, and `Redactor::redact_reader` writes the text to memory.
//!
//! `DRAGNET_ROUNDS` sets the number of rounds (7).

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use std::ops::ControlFlow;

use dragnet::reader::{AcrossLines, ReaderScan, StreamMatch};
use dragnet::redact::Redactor;
use dragnet::{Engine, Matches, Pattern, PatternSet, Report, Scan};

use support::corpus::Corpus;
use support::{number, rules, thread_seconds};

/// Rules whose matches have several lines.
const ACROSS: [&str; 3] = [
    r"-----BEGIN [A-Z ]{2,20}KEY-----\n[^-]{1,8192}-----END [A-Z ]{2,20}KEY-----",
    r"Traceback \(most recent call last\):\n(?:  .*\n)+\w+: .*",
    r"(?m)^Subject: .*(?:\n[ \t].*)*",
];

fn main() {
    let rounds = number("DRAGNET_ROUNDS", 7);
    let corpus = Corpus::logs(number("DRAGNET_MEBIBYTES", 32) << 20);
    println!("| rules | across lines | way | MB/s | of the batches |");
    println!("| --- | ---: | --- | ---: | ---: |");
    for (name, mut regexes) in [("10", rules::generate(10)), ("200", rules::generate(200))] {
        run(
            &format!("{name} in lines"),
            regexes.iter().filter(|r| !r.contains(r"\s")),
            &corpus,
            rounds,
        );
        regexes.extend(ACROSS.map(str::to_owned));
        let few = regexes.iter().filter(|r| !r.contains(r"\s"));
        run(&format!("{name} in lines, 3 across"), few, &corpus, rounds);
        run(&format!("{name} and 3 across"), regexes.iter(), &corpus, rounds);
    }
    run("frequent", FREQUENT.map(str::to_owned).iter(), &corpus, rounds);
}

/// Rules that match in many lines, and of which one may match across lines.
const FREQUENT: [&str; 3] = [r"\btimeout\s+\w+", r"\berror\b", r"id=[0-9a-f]{32}"];

fn run<'r>(name: &str, regexes: impl Iterator<Item = &'r String>, corpus: &Corpus, rounds: usize) {
    let patterns = regexes.map(|regex| Pattern::new(regex).unicode(false));
    let set = PatternSet::builder().patterns(patterns).build().expect("the rules are valid");
    let across = AcrossLines::new(&set, 16 << 10);
    let engine = Engine::new(&set, Report::Spans);
    let mut scanner = engine.scanner().expect("there is memory");
    let text = text_of(corpus);
    let mut redactor = Redactor::new(&set);
    let mut matches = Matches::new();
    let mut out = Vec::with_capacity(2 * text.len());
    let (lines, windows) = (ReaderScan::lines(), ReaderScan::across_lines(&across));
    let names = ["batches", "lines", "across lines", "redacted", "redacted across lines"];
    let mut times = vec![Vec::new(); names.len()];
    // The first round fills the scanner's caches.
    for round in 0..=rounds {
        for (way, times) in times.iter_mut().enumerate() {
            let scan = if way % 2 == 0 { &windows } else { &lines };
            let start = thread_seconds();
            match way {
                0 => (0..corpus.batches.len()).for_each(|index| {
                    scanner.scan(&corpus.batch(index), &mut matches).expect("nobody stops it");
                }),
                1 | 2 => {
                    let count = |_: StreamMatch<'_>| ControlFlow::Continue(());
                    let _ = scan.scan(&text[..], &mut scanner, count).expect("memory is read");
                }
                _ => {
                    out.clear();
                    redactor
                        .redact_reader(scan, &text[..], &mut scanner, &mut out)
                        .expect("memory is read and written");
                }
            }
            if round > 0 {
                times.push(thread_seconds() - start);
            }
        }
    }
    for (way, of_way) in names.iter().zip(&times) {
        let speed = median(of_way.iter().map(|time| text.len() as f64 / time / 1e6));
        let ratio = median(of_way.iter().zip(&times[0]).map(|(time, plain)| plain / time));
        let crossing = across.patterns().count();
        println!("| {name} | {crossing} of {} | {way} | {speed:.0} | {ratio:.2}x |", set.len());
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn text_of(corpus: &Corpus) -> Vec<u8> {
    let mut text = Vec::with_capacity(corpus.bytes());
    for index in 0..corpus.batches.len() {
        let batch = corpus.batch(index);
        text.extend_from_slice(&batch.buffer()[..*batch.offsets().last().unwrap_or(&0) as usize]);
    }
    text
}
