//! Prints the lines of standard input in which a combination of patterns holds.
//!
//!     cat FILE | cargo run --example combinations

use std::{error::Error, io};

use dragnet::{Combinations, Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let set = PatternSet::new([("login", r"\blogin\b"), ("internal", r"\b10\.\d+\.\d+\.\d+\b")])?;
    let combinations = Combinations::new(&set, [("foreign login", "login and not internal")])?;
    let scanner = Engine::new(&set, Report::Patterns).scanner()?;
    let mut scanner = combinations.scanner(scanner).only_combinations(true);
    ReaderScan::lines().for_each(io::stdin(), &mut scanner, |m| {
        println!("line {}: {}", m.line(), m.record_bytes().escape_ascii());
    })?;
    Ok(())
}
