//! Counts the matches of a stream on all processors.
//!
//!     cat FILE | cargo run --example threads

use std::{error::Error, io, ops::ControlFlow, thread};

use dragnet::{Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(&PatternSet::new([r"\b\w+\b", r"\d+"])?, Report::Spans);
    let threads = thread::available_parallelism()?.get();
    let mut scanners = (0..threads).map(|_| engine.scanner()).collect::<Result<Vec<_>, _>>()?;
    let mut counts = [0; 2];
    let _ = ReaderScan::lines().scan_threads(io::stdin(), &mut scanners, |m| {
        counts[m.pattern()] += 1;
        ControlFlow::Continue(())
    })?;
    println!("{} words, {} numbers", counts[0], counts[1]);
    Ok(())
}
