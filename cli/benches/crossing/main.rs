//! What it costs to cross to C, threads and processes, on this machine.
//!
//! ```sh
//! cargo bench --bench crossing
//! ```
//!
//! First the ladder of `dragnet cost`, then other ways to get to another thread or process and
//! back, side by side. All take turns in each of several rounds, so that a machine that speeds up
//! or slows down does so for all. Only ratios are meant to be compared from machine to machine.
//!
//! `DRAGNET_ROUNDS` sets the number of rounds (9), `DRAGNET_MILLISECONDS` for how long each
//! contender is measured in all of them (200).

#[path = "../../src/commands/cost/measure/mod.rs"]
#[allow(dead_code, reason = "the command uses the rest")]
mod measure;
mod peers;

use std::time::Duration;

use measure::{Options, Outcome, Percentiles};

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let Some(kind) = arguments.find(|argument| argument.starts_with("--peer=")) {
        let end = peers::serve(kind.trim_start_matches("--peer="), arguments.next());
        return end.expect("the other process");
    }
    let number = |name: &str, default| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let rounds: u32 = number("DRAGNET_ROUNDS", 9).max(1);
    let time = Duration::from_millis(number("DRAGNET_MILLISECONDS", 200).into());

    let options = Options { time, rounds, peer: || Ok(peers::again()) };
    let ladder = measure::measure(&options).expect("a ladder");
    heading("the crossing alone");
    for rung in &ladder.rungs {
        match &rung.outcome {
            Outcome::Measured(cost) => row(rung.title, &cost.call, cost.ratio),
            Outcome::Unsupported(reason) => println!("{:<34} unsupported: {reason}", rung.title),
            _ => println!("{:<34} unknown", rung.title),
        }
    }
    for (i, records) in measure::BATCHES.into_iter().enumerate() {
        heading(&format!("a batch of {records}"));
        for rung in &ladder.rungs {
            if let Outcome::Measured(cost) = &rung.outcome {
                row(rung.title, &cost.batches[i].call, cost.batches[i].ratio);
            }
        }
    }
    println!("\nThe crossing is under 5% of the work in batches of at least");
    for rung in &ladder.rungs {
        if let Outcome::Measured(cost) = &rung.outcome {
            let more = || format!("more than {}", measure::MAX_BATCH);
            println!("{:<34} {:>14}", rung.title, cost.enough.map_or_else(more, |n| n.to_string()));
        }
    }

    let mut contenders = peers::contenders();
    peers::race(&mut contenders, time, rounds).expect("every contender");
    heading("round trips, each against the first");
    let results: Vec<_> =
        contenders.iter().filter_map(|c| Some((c.name, c.percentiles()?))).collect();
    for (name, percentiles) in &results {
        row(name, percentiles, percentiles.p50 / results[0].1.p50);
    }
}

fn heading(title: &str) {
    println!(
        "\n{title:<34} {:>10} {:>10} {:>10} {:>10} {:>9} {:>8}",
        "p50 ns", "p90 ns", "p99 ns", "mean ns", "ratio", "samples"
    );
}

fn row(name: &str, call: &Percentiles, ratio: f64) {
    let Percentiles { p50, p90, p99, mean, samples, .. } = call;
    println!(
        "{name:<34} {p50:>10.1} {p90:>10.1} {p99:>10.1} {mean:>10.1} {ratio:>8.2}x {samples:>8}"
    );
}
