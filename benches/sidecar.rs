//! Compares scanning in another process with the same engine in this one.
//!
//! ```sh
//! cargo bench --bench sidecar
//! DRAGNET_RULES=rules.toml DRAGNET_LOGS=folder cargo bench --bench sidecar -- files
//! ```
//!
//! Batches of about 1 MiB are scanned in three ways: by a scanner in this process, by a sidecar
//! that gets each batch after answering the last (alternating), and by a sidecar that gets the next
//! batch while it scans the last (overlapping). The three take turns on the same batches in each of
//! several rounds and must find the same number of matches. The table shows the speeds of both ways
//! to use the sidecar, as multiples of the speed in this process: the median of the rounds, with
//! the minimum and the maximum.
//!
//! An argument selects the rule sets and corpora whose title `RULES over CORPUS` contains it. The
//! other options are environment variables:
//!
//! - `DRAGNET_ROUNDS`: the number of rounds (7).
//! - `DRAGNET_CHUNK`: the size of a chunk, the unit in which a batch is sent, in KiB (128).
//! - `DRAGNET_IN_FLIGHT`: the number of chunks in flight (4).
//! - `DRAGNET_MEBIBYTES`: the size of each generated corpus (8).
//! - `DRAGNET_RULES`, `DRAGNET_LOGS`: more rule sets and corpora, as for `versus`.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("sidecars are supported on Linux only");
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

    /// The argument that makes this program run as the sidecar's server.
    const PEER: &str = "--peer";

    pub(crate) fn main() {
        if std::env::args().any(|argument| argument == PEER) {
            let socket =
                stdin().as_fd().try_clone_to_owned().expect("standard input is the socket");
            let server = Server::new(socket, Limits::default(), || exit(2)).expect("a client");
            // SAFETY: the client is the `Sidecar` below, which does not write to the memory of a
            // pending request.
            let server = unsafe { server.search_in_place() };
            return server.run().expect("the client follows the protocol");
        }
        let arguments: Vec<String> =
            std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
        let rounds = number("DRAGNET_ROUNDS", 7).max(1);
        let corpora = corpus::all(number("DRAGNET_MEBIBYTES", 8) << 20);
        println!(
            "{:<46} {:>9} {:>24} {:>24}",
            "speed relative to the same engine in-process", "MB/s", "alternating", "overlapping"
        );
        let (mut alternating, mut overlapping) = (Vec::new(), Vec::new());
        for set in rules::all() {
            let patterns = set.parse();
            let engine = Engine::with_backend(&patterns, Report::Patterns, Backend::Pure);
            let mut scanner = engine
                .expect("the pure engine is in every build")
                .scanner()
                .expect("a pure scanner always starts");
            let builder = Sidecar::builder(&patterns, Report::Patterns).backend(Backend::Pure);
            let server = || {
                let mut command =
                    Command::new(std::env::current_exe().expect("this program has a path"));
                command.arg(PEER);
                command
            };
            let chunk_kib = number("DRAGNET_CHUNK", 128);
            let in_flight = number("DRAGNET_IN_FLIGHT", 4);
            let builder = builder.chunk_bytes(chunk_kib << 10).max_in_flight(in_flight);
            let mut sidecar = builder.spawn_with(server).expect("the server starts");
            for corpus in &corpora {
                let title = format!("{} over {}", set.name, corpus.name);
                if !arguments.is_empty() && !arguments.iter().any(|a| title.contains(a.as_str())) {
                    continue;
                }
                let (speed, alternating_ratios, overlapping_ratios) =
                    race(&mut scanner, &mut sidecar, corpus, rounds);
                println!(
                    "{title:<46} {speed:>9.0} {:>24} {:>24}",
                    show(&alternating_ratios),
                    show(&overlapping_ratios)
                );
                alternating.push(median(&alternating_ratios));
                overlapping.push(median(&overlapping_ratios));
            }
        }
        let mean = |list: &[f64]| {
            (list.iter().map(|ratio| ratio.ln()).sum::<f64>() / list.len() as f64).exp()
        };
        println!(
            "{:<46} {:>9} {:>23.2}x {:>23.2}x",
            "geometric mean",
            "",
            mean(&alternating),
            mean(&overlapping)
        );
    }

    fn median(sorted: &[f64]) -> f64 {
        sorted[sorted.len() / 2]
    }

    /// Formats the median, minimum and maximum of ratios in ascending order.
    fn show(ratios: &[f64]) -> String {
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        format!("{:.2}x ({least:.2} to {most:.2})", median(ratios))
    }

    /// Returns the speed of the scanner in this process in MB/s, and the relative speeds of the
    /// alternating and the overlapping sidecar, one per round, in ascending order.
    fn race(
        scanner: &mut Scanner,
        sidecar: &mut Sidecar,
        corpus: &Corpus,
        rounds: usize,
    ) -> (f64, Vec<f64>, Vec<f64>) {
        let mut matches = Matches::new();
        let batches = corpus.batches.len();
        let (mut speeds, mut alternating, mut overlapping) = (Vec::new(), Vec::new(), Vec::new());
        // The first round is not measured: it fills caches and lazy automata.
        for round in 0..=rounds {
            let start = Instant::now();
            let mut local_matches = 0;
            for index in 0..batches {
                scanner.scan(&corpus.batch(index), &mut matches).expect("the scan succeeds");
                local_matches += matches.len();
            }
            let local_seconds = start.elapsed().as_secs_f64();

            let start = Instant::now();
            let mut alternating_matches = 0;
            for index in 0..batches {
                sidecar.scan(&corpus.batch(index), &mut matches).expect("the sidecar answers");
                alternating_matches += matches.len();
            }
            let alternating_seconds = start.elapsed().as_secs_f64();

            let start = Instant::now();
            let mut overlapping_matches = 0;
            for index in 0..batches {
                sidecar.submit(&corpus.batch(index)).expect("the batch is sent");
                if index > 0 {
                    sidecar.wait(&mut matches).expect("the sidecar answers");
                    overlapping_matches += matches.len();
                }
            }
            sidecar.wait(&mut matches).expect("the sidecar answers");
            overlapping_matches += matches.len();
            let overlapping_seconds = start.elapsed().as_secs_f64();

            assert_eq!(local_matches, alternating_matches, "alternating");
            assert_eq!(local_matches, overlapping_matches, "overlapping");
            if round > 0 {
                speeds.push(corpus.bytes() as f64 / local_seconds / 1e6);
                alternating.push(local_seconds / alternating_seconds);
                overlapping.push(local_seconds / overlapping_seconds);
            }
        }
        for list in [&mut speeds, &mut alternating, &mut overlapping] {
            list.sort_by(f64::total_cmp);
        }
        (median(&speeds), alternating, overlapping)
    }
}
