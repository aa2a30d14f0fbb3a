//! Counts the matches of a stream on all processors.
//!
//!     cat FILE | cargo run --example threads

use std::{error::Error, io, thread};

use dragnet::{Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(&PatternSet::new([r"\b\w+\b", r"\d+"])?, Report::Spans);
    let mut scanners = engine.scanners(thread::available_parallelism()?.get())?;
    let mut counts = [0; 2];
    ReaderScan::lines().for_each_threads(io::stdin(), &mut scanners, |m| {
        counts[m.pattern()] += 1;
    })?;
    println!("{} words, {} numbers", counts[0], counts[1]);
    Ok(())
}
