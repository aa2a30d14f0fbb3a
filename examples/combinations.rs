//! Prints the lines of standard input in which a combination of patterns holds.
//!
//!     cat FILE | cargo run --example combinations

use std::{error::Error, io, ops::ControlFlow};

use dragnet::{Combinations, Engine, Pattern, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let internal = Pattern::new(r"\b10\.\d+\.\d+\.\d+\b").name("internal");
    let set = PatternSet::new([Pattern::new(r"\blogin\b").name("login"), internal])?;
    let combinations = Combinations::new(&set, [("foreign login", "login and not internal")])?;
    let scanner = Engine::new(&set, Report::Patterns).scanner()?;
    let mut scanner = combinations.scanner(scanner).only_combinations(true);
    let _ = ReaderScan::lines().scan(io::stdin(), &mut scanner, |m| {
        println!("line {}: {}", m.line(), m.record_bytes().escape_ascii());
        ControlFlow::Continue(())
    })?;
    Ok(())
}
