//! Compares ways to let several threads share one scanner, each scanning one record at a time.
//!
//! ```sh
//! cargo bench --bench owner
//! ```
//!
//! Eight threads scan log-like records in one of four ways:
//!
//! 1. They submit them to a `ScanOwner` and keep up to 256 records in flight each.
//! 2. They send each one to a thread that owns the scanner, through a channel of the standard
//!    library, and wait for the answer.
//! 3. The same through a channel of crossbeam.
//! 4. They lock a mutex around the scanner for each record.
//!
//! Each round runs all four, one after the other, and computes their times as multiples of the
//! first one's. The table shows the medians of these ratios over the rounds.
//!
//! The second table shows the latency of one record at a time, submitted by one thread: to the
//! `ScanOwner`, and by a call of an `Owner` of dragnet-boundary that does the same scan without
//! coalescing.
//!
//! `DRAGNET_ROUNDS` sets the number of rounds (9), `DRAGNET_RECORDS` the number of records of each
//! thread in a round (10000), and `DRAGNET_LINGER` the maximum delay before the
//! owner flushes a batch that no caller waits for, in microseconds (0). `DRAGNET_PROFILE` runs only
//! one of the four ways, by its number above, for a profiler.

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use std::collections::VecDeque;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use dragnet::{Backend, BatchBuf, Engine, Matches, PatternSet, Report, Scan, Scanner};
use dragnet_boundary::Builder;
use dragnet_placement::{ScanBuilder, ScanHandle};

use support::{ALNUM, LOWER, Rng, number};

const THREADS: usize = 8;
const IN_FLIGHT: usize = 256;

/// A hundred rules like those of secret scanners, and records that few of them match.
fn generate_input(random: &mut Rng) -> (PatternSet, Vec<Vec<u8>>) {
    let words: Vec<String> = (0..100).map(|_| random.string(LOWER, 8)).collect();
    let rules = words.iter().enumerate().map(|(index, word)| match index % 3 {
        0 => format!(r"\b{word}_[0-9A-Za-z]{{16}}\b"),
        1 => format!("(?i){word}=[0-9a-f]{{8}}"),
        _ => word.clone(),
    });
    let set = PatternSet::new(rules).expect("the rules are valid");
    let records = (0..4096).map(|index| {
        let mut line = format!("2026-01-01T00:00:{:02} INFO request id=", index % 60);
        line += &random.string(ALNUM, 16);
        for _ in 0..8 {
            let len = 3 + random.below(8);
            line += " ";
            line += &random.string(LOWER, len);
        }
        if index % 50 == 0 {
            line += " ";
            line += &words[random.below(words.len())];
        }
        line.into_bytes()
    });
    (set, records.collect())
}

/// Returns the records that one thread scans. Threads start at different offsets.
fn records_of_thread(
    records: &[Vec<u8>],
    thread: usize,
    count: usize,
) -> impl Iterator<Item = &[u8]> {
    (0..count).map(move |i| records[(thread * 509 + i) % records.len()].as_slice())
}

/// Calls `run` on all threads at once, each with its number. Returns the nanoseconds per record and
/// the number of matches.
fn time_threads(count: usize, run: impl Fn(usize) -> usize + Sync) -> (f64, usize) {
    let start = Instant::now();
    let matches = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS).map(|t| scope.spawn(move || run(t))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).sum()
    });
    (start.elapsed().as_nanos() as f64 / (THREADS * count) as f64, matches)
}

/// Submits the records and keeps up to [`IN_FLIGHT`] of them in flight. Returns the number of matches.
fn pipelined<'r>(handle: &ScanHandle, records: impl Iterator<Item = &'r [u8]>) -> usize {
    let (mut matches, mut found) = (Matches::new(), 0);
    let mut tickets = VecDeque::with_capacity(IN_FLIGHT);
    for record in records {
        if tickets.len() == IN_FLIGHT {
            let ticket: dragnet_placement::Ticket = tickets.pop_front().expect("the queue is full");
            ticket.wait(&mut matches).expect("the scan succeeds");
            found += matches.len();
        }
        tickets.push_back(handle.submit(record).expect("the owner accepts it"));
    }
    for ticket in tickets {
        ticket.wait(&mut matches).expect("the scan succeeds");
        found += matches.len();
    }
    found
}

fn scan_one(scanner: &mut Scanner, batch: &mut BatchBuf, record: &[u8], matches: &mut Matches) {
    batch.clear();
    batch.push(record).expect("the record fits");
    scanner.scan(&batch.as_batch(), matches).expect("the scan succeeds");
}

/// Runs the thread that owns the scanner: receives records and answers each one through the channel
/// of its caller.
fn serve(mut scanner: Scanner, receive: impl Fn() -> Option<(Vec<u8>, Matches, Reply)>) {
    let mut batch = BatchBuf::new();
    while let Some((record, mut matches, reply)) = receive() {
        scan_one(&mut scanner, &mut batch, &record, &mut matches);
        reply.send(record, matches);
    }
}

enum Reply {
    Std(mpsc::Sender<(Vec<u8>, Matches)>),
    Crossbeam(crossbeam_channel::Sender<(Vec<u8>, Matches)>),
}

impl Reply {
    fn send(self, record: Vec<u8>, matches: Matches) {
        // Sending can't fail: the caller waits for the answer.
        match self {
            Reply::Std(sender) => drop(sender.send((record, matches))),
            Reply::Crossbeam(sender) => drop(sender.send((record, matches))),
        }
    }
}

/// Sends the records one by one, waits for each answer and reuses its memory. Returns the number of
/// matches.
fn round_trips<'r>(
    records: impl Iterator<Item = &'r [u8]>,
    round_trip: impl Fn(Vec<u8>, Matches) -> (Vec<u8>, Matches),
) -> usize {
    let (mut buffer, mut matches, mut found) = (Vec::new(), Matches::new(), 0);
    for record in records {
        buffer.clear();
        buffer.extend_from_slice(record);
        (buffer, matches) = round_trip(buffer, matches);
        found += matches.len();
    }
    found
}

fn through_std(engine: &Engine, records: &[Vec<u8>], count: usize) -> (f64, usize) {
    let scanner = engine.scanner().expect("a pure scanner always starts");
    let (send, receive) = mpsc::channel::<(Vec<u8>, Matches, Reply)>();
    let server = thread::spawn(move || serve(scanner, || receive.recv().ok()));
    let result = time_threads(count, |thread| {
        let (answer, answers) = mpsc::channel();
        round_trips(records_of_thread(records, thread, count), |record, matches| {
            send.send((record, matches, Reply::Std(answer.clone()))).expect("the server runs");
            answers.recv().expect("the server answers")
        })
    });
    drop(send);
    server.join().expect("the thread does not panic");
    result
}

fn through_crossbeam(engine: &Engine, records: &[Vec<u8>], count: usize) -> (f64, usize) {
    let scanner = engine.scanner().expect("a pure scanner always starts");
    let (send, receive) = crossbeam_channel::unbounded::<(Vec<u8>, Matches, Reply)>();
    let server = thread::spawn(move || serve(scanner, || receive.recv().ok()));
    let result = time_threads(count, |thread| {
        let (answer, answers) = crossbeam_channel::bounded(1);
        round_trips(records_of_thread(records, thread, count), |record, matches| {
            send.send((record, matches, Reply::Crossbeam(answer.clone())))
                .expect("the server runs");
            answers.recv().expect("the server answers")
        })
    });
    drop(send);
    server.join().expect("the thread does not panic");
    result
}

fn with_mutex(engine: &Engine, records: &[Vec<u8>], count: usize) -> (f64, usize) {
    let scanner = Mutex::new(engine.scanner().expect("a pure scanner always starts"));
    time_threads(count, |thread| {
        let (mut batch, mut matches, mut found) = (BatchBuf::new(), Matches::new(), 0);
        for record in records_of_thread(records, thread, count) {
            // The batch is prepared before locking, to hold the lock as briefly as possible.
            batch.clear();
            batch.push(record).expect("the record fits");
            let mut scanner = scanner.lock().expect("no thread panics");
            scanner.scan(&batch.as_batch(), &mut matches).expect("the scan succeeds");
            drop(scanner);
            found += matches.len();
        }
        found
    })
}

/// One of the four ways. Takes the number of records of each thread and returns what
/// [`time_threads`] returns.
type Way<'a> = dyn Fn(&Engine, &[Vec<u8>], usize) -> (f64, usize) + 'a;

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 50)
}

/// Returns the microseconds that `run` takes for each record, in ascending order.
fn latencies<'r>(records: impl Iterator<Item = &'r [u8]>, mut run: impl FnMut(&[u8])) -> Vec<f64> {
    let mut times: Vec<f64> = records
        .map(|record| {
            let start = Instant::now();
            run(record);
            start.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn print_latencies(name: &str, times: &[f64]) {
    let [p50, p90, p99] = [50, 90, 99].map(|percent| percentile(times, percent));
    println!("{name:<28} {p50:>9.1} {p90:>9.1} {p99:>9.1}");
}

fn main() {
    let rounds = number("DRAGNET_ROUNDS", 9).max(1);
    let count = number("DRAGNET_RECORDS", 10_000);
    let (set, records) = generate_input(&mut Rng::new(1));
    let engine = Engine::with_backend(&set, Report::Spans, Backend::Pure)
        .expect("the pure engine is in every build");

    let owner = {
        let engine = engine.clone();
        let linger = std::time::Duration::from_micros(number("DRAGNET_LINGER", 0) as u64);
        let builder = ScanBuilder::new("owner").linger(linger);
        builder.owner(move || engine.scanner()).expect("the thread starts")
    };
    let names = ["owner, 256 in flight", "mpsc round trip", "crossbeam round trip", "mutex"];
    let to_owner = |_: &Engine, records: &[Vec<u8>], count| {
        let handle = owner.handle();
        time_threads(count, |t| pipelined(&handle.clone(), records_of_thread(records, t, count)))
    };
    let ways: [&Way; 4] = [&to_owner, &through_std, &through_crossbeam, &with_mutex];
    if let Some(way) = number("DRAGNET_PROFILE", 0).checked_sub(1) {
        let (name, way) = (names[way], ways[way]);
        let times = (0..rounds).map(|_| way(&engine, &records, count).0).collect();
        println!("{name}: {:.0} ns per record", median(times));
        return;
    }
    let mut times = vec![Vec::new(); names.len()];
    for _ in 0..rounds {
        let results = ways.map(|way| way(&engine, &records, count));
        for (times, (time, matches)) in times.iter_mut().zip(results) {
            assert_eq!(matches, results[0].1, "the matches differ");
            times.push(time);
        }
    }
    println!("{THREADS} threads, {count} records each, medians of {rounds} rounds\n");
    println!("{:<28} {:>12} {:>9}", "", "ns / record", "ratio");
    for (name, other) in names.iter().zip(&times) {
        let ratios = other.iter().zip(&times[0]).map(|(other, mine)| other / mine).collect();
        println!("{name:<28} {:>12.0} {:>9.2}", median(other.clone()), median(ratios));
    }

    let bare = {
        let engine = engine.clone();
        let make = move || engine.scanner().map(|scanner| (scanner, BatchBuf::new()));
        Builder::new("bare").owner(make).expect("the thread starts")
    };
    let mut matches = Matches::new();
    let mut handle = owner.handle();
    let mut batch = BatchBuf::new();
    println!("\none record alone, us {:>17} {:>9} {:>9}", "p50", "p90", "p99");
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        times[0].extend(latencies(records_of_thread(&records, 0, 1000), |record| {
            bare.call(|(scanner, batch)| scan_one(scanner, batch, record, &mut matches))
                .expect("the call succeeds");
        }));
        times[1].extend(latencies(records_of_thread(&records, 0, 1000), |record| {
            let ticket = handle.submit(record).expect("the owner accepts it");
            ticket.wait(&mut matches).expect("the scan succeeds");
        }));
        times[2].extend(latencies(records_of_thread(&records, 0, 1000), |record| {
            batch.clear();
            batch.push(record).expect("the record fits");
            handle.scan(&batch.as_batch(), &mut matches).expect("the scan succeeds");
        }));
    }
    for (name, times) in ["bare Owner::call", "submit and wait", "scan"].iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        print_latencies(name, times);
    }
}
