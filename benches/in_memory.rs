//! Measures separately what `dragnet scan` does with one thread: reading files, and scanning their bytes.
//!
//! ```sh
//! in_memory RULES FILES
//! ```
//!
//! `benches/command.py --library` runs it for the files and rules of the command. `RULES` is a file of rules, each
//! one the number of the group that is reported, a space, the regex and a NUL byte. `FILES` is a file of paths,
//! each with a NUL byte. For each step, the program prints a line with its name, the seconds that passed and
//! those of this thread:
//!
//! - `read`: each file is opened by its path and read into a buffer that is used for all files.
//! - `scan`: a new scanner scans the lines of all files, which are in memory, in batches of one or more small
//!   files or of a part of a larger one. This includes splitting the batches into lines. The matches are counted.
//!
//! A last line has the number of matches and by how many bytes (on Linux) the engine and `scan` raised the peak of
//! the memory.

#[allow(dead_code, reason = "each benchmark uses a part")]
mod support;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::time::Instant;

use dragnet::{Batch, Engine, Pattern, PatternSet, Report, Scan};

use support::thread_seconds;

/// The least size of a batch, in bytes, and the size of a part of a larger file. The command searches files of less
/// than 1 MiB whole; batches of that size were not faster here.
const BATCH: usize = 64 << 10;

/// The bytes that are read at once, as for a block of the command.
const BLOCK_SIZE: usize = 128 << 10;

fn main() {
    // `cargo bench` adds an option, and `cargo test` runs the program without arguments.
    let paths: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [rules, files] = &*paths else { return println!("usage: in_memory RULES FILES") };
    let regexes = entries(rules);
    let patterns = regexes.iter().map(|rule| {
        let (group, regex) = rule.split_once(' ').expect("a rule has a group and a regex");
        let group = group.parse().expect("a group is a number");
        Pattern::new(regex).unicode(false).report_group(group)
    });
    let files = entries(files);

    let mut buffer = vec![0; BLOCK_SIZE];
    measured("read", || {
        for path in &files {
            let mut file = File::open(path).expect("the file exists");
            // A file ends where fewer bytes are read.
            while file.read(&mut buffer).expect("the file can be read") == BLOCK_SIZE {}
        }
    });
    let batches = batches(&files);
    peak_memory();
    let before = peak_memory();
    let set = PatternSet::builder().patterns(patterns).build().expect("the rules are valid");
    let engine = Engine::new(&set, Report::Spans);
    let matches = measured("scan", || {
        let mut scanner = engine.scanner().expect("there is memory");
        let (mut offsets, mut count) = (Vec::new(), 0);
        for text in &batches {
            let batch = Batch::lines(text, &mut offsets).expect("the text is short enough");
            let flow = scanner.scan_with(&batch, &mut |matches| {
                count += matches.len();
                ControlFlow::Continue(())
            });
            assert!(flow.expect("nobody stops it").is_continue());
        }
        count
    });
    println!("matches {matches} {}", peak_memory() - before);
}

/// Runs `step` and prints what it took.
fn measured<T>(name: &str, step: impl FnOnce() -> T) -> T {
    let (wall, cpu) = (Instant::now(), thread_seconds());
    let result = step();
    println!("{name} {} {}", wall.elapsed().as_secs_f64(), thread_seconds() - cpu);
    result
}

/// The largest number of bytes that were resident since the last call, or 0 where Linux does not say it.
fn peak_memory() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
    // Sets the peak to what is resident now.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    kib.unwrap_or(0) * 1024
}

/// The entries of a file, of which each ends with a NUL byte.
fn entries(path: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("the list is text");
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// The contents of all files in batches of whole lines.
fn batches(files: &[String]) -> Vec<Vec<u8>> {
    let (mut batches, mut batch) = (Vec::new(), Vec::new());
    for path in files {
        let bytes = std::fs::read(path).expect("the file can be read");
        // The command does not search a byte order mark.
        let mut rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        while !rest.is_empty() {
            // A block ends at the last line end, or with a longer line.
            let most = rest.len().min(BATCH);
            let end = match memchr::memrchr(b'\n', &rest[..most]) {
                _ if most == rest.len() => most,
                Some(at) => at + 1,
                None => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
            };
            batch.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            if batch.last() != Some(&b'\n') {
                batch.push(b'\n');
            }
            if batch.len() >= BATCH || !rest.is_empty() {
                batches.push(std::mem::take(&mut batch));
            }
        }
    }
    batches.push(batch);
    batches
}
