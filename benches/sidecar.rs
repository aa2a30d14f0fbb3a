//! Scanning in another process, against the same engine in this one.
//!
//! ```sh
//! cargo bench --bench sidecar
//! DRAGNET_RULES=rules.toml DRAGNET_LOGS=folder cargo bench --bench sidecar -- files
//! ```
//!
//! Batches of about 1 MiB, one after the other: by a scanner in this process, by a sidecar, and by
//! a sidecar that gets the next batch before it has answered the last one. They take turns on the
//! same batches in each of several rounds, find the same, and the medians of the rounds' ratios are
//! printed, with the least and the most.
//!
//! An argument names the rule sets or corpora to run, by a part of their name. `DRAGNET_ROUNDS` sets
//! the number of rounds (7), `DRAGNET_PART` the KiB of a part (128), `DRAGNET_IN_FLIGHT` how many parts
//! are on their way at a time (4), `DRAGNET_MEBIBYTES` the size of the generated corpora (8),
//! `DRAGNET_RULES` and `DRAGNET_LOGS` add others, as for `versus`.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "the contenders are for another benchmark")]
mod support;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("a sidecar needs Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::stdin;
    use std::os::fd::AsFd;
    use std::process::{Command, exit};
    use std::time::Instant;

    use dragnet::{Backend, Engine, Matches, Report, Scan, Scanner};
    use dragnet_sidecar::{Limits, Server, Sidecar};

    use crate::support::corpus::{self, Corpus};
    use crate::support::{number, rules};

    const PEER: &str = "--peer";

    pub(crate) fn main() {
        if std::env::args().any(|argument| argument == PEER) {
            let socket = stdin().as_fd().try_clone_to_owned().expect("a socket");
            let server = Server::new(socket, Limits::default(), || exit(2)).expect("a client");
            // SAFETY: the client is the `Sidecar` below, which does not write to the memory of a
            // pending request.
            let server = unsafe { server.search_in_place() };
            return server.run().expect("a client that keeps to the rules");
        }
        let arguments: Vec<String> =
            std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
        let rounds = number("DRAGNET_ROUNDS", 7).max(1);
        let corpora = corpus::all(number("DRAGNET_MEBIBYTES", 8) << 20);
        println!(
            "{:<46} {:>9} {:>24} {:>24}",
            "times the speed of the same engine in-process", "MB/s", "sidecar", "next batch begun"
        );
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for set in rules::all() {
            let patterns = set.parse();
            let engine = Engine::with_backend(&patterns, Report::Patterns, Backend::Pure);
            let mut scanner =
                engine.expect("it is there").scanner().expect("a pure one needs no memory of C");
            let builder = Sidecar::builder(&patterns, Report::Patterns).backend(Backend::Pure);
            let again = || {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.arg(PEER);
                command
            };
            let part = number("DRAGNET_PART", 128);
            let in_flight = number("DRAGNET_IN_FLIGHT", 4);
            let builder = builder.chunk_bytes(part << 10).max_in_flight(in_flight);
            let mut sidecar = builder.spawn_with(again).expect("it starts");
            for corpus in &corpora {
                let title = format!("{} over {}", set.name, corpus.name);
                if !arguments.is_empty() && !arguments.iter().any(|a| title.contains(a.as_str())) {
                    continue;
                }
                let (speed, first, second) = race(&mut scanner, &mut sidecar, corpus, rounds);
                println!("{title:<46} {speed:>9.0} {:>24} {:>24}", show(&first), show(&second));
                one.push(first[first.len() / 2]);
                two.push(second[second.len() / 2]);
            }
        }
        let mean = |list: &[f64]| {
            (list.iter().map(|ratio| ratio.ln()).sum::<f64>() / list.len() as f64).exp()
        };
        println!("{:<46} {:>9} {:>23.2}x {:>23.2}x", "geometric mean", "", mean(&one), mean(&two));
    }

    fn show(ratios: &[f64]) -> String {
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        format!("{:.2}x ({least:.2} to {most:.2})", ratios[ratios.len() / 2])
    }

    /// The scanner's speed in MB/s, and the ratios of both ways to use a sidecar, ascending.
    fn race(
        scanner: &mut Scanner,
        sidecar: &mut Sidecar,
        corpus: &Corpus,
        rounds: usize,
    ) -> (f64, Vec<f64>, Vec<f64>) {
        let mut matches = Matches::new();
        let batches = corpus.batches.len();
        let (mut speeds, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
        // The first round is for what is built when it is first used.
        for round in 0..=rounds {
            let start = Instant::now();
            let mut here = 0;
            for index in 0..batches {
                scanner.scan(&corpus.batch(index), &mut matches).expect("an answer");
                here += matches.len();
            }
            let in_process = start.elapsed().as_secs_f64();

            let start = Instant::now();
            let mut there = 0;
            for index in 0..batches {
                sidecar.scan(&corpus.batch(index), &mut matches).expect("an answer");
                there += matches.len();
            }
            let alone = start.elapsed().as_secs_f64();

            let start = Instant::now();
            let mut ahead = 0;
            for index in 0..batches {
                sidecar.submit(&corpus.batch(index)).expect("it is sent");
                if index > 0 {
                    sidecar.wait(&mut matches).expect("an answer");
                    ahead += matches.len();
                }
            }
            sidecar.wait(&mut matches).expect("an answer");
            ahead += matches.len();
            let begun = start.elapsed().as_secs_f64();

            assert!(here == there && here == ahead, "{here}, {there} and {ahead} matches");
            if round > 0 {
                speeds.push(corpus.bytes() as f64 / in_process / 1e6);
                one.push(in_process / alone);
                two.push(in_process / begun);
            }
        }
        for list in [&mut speeds, &mut one, &mut two] {
            list.sort_by(f64::total_cmp);
        }
        (speeds[speeds.len() / 2], one, two)
    }
}
