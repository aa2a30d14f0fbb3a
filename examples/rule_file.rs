//! Scans standard input for the rules of a file, each of which is a line with a name and a pattern.
//!
//!     cat FILE | cargo run --example rule_file -- examples/rules.txt

use std::{error::Error, fs, io};

use dragnet::{Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let file = fs::read_to_string(std::env::args().nth(1).ok_or("no rule file")?)?;
    let set = PatternSet::new(file.lines().filter_map(|line| line.split_once(' ')))?;
    let mut scanner = Engine::new(&set, Report::Patterns).scanner()?;
    ReaderScan::lines().for_each(io::stdin(), &mut scanner, |m| {
        println!("line {}: {}", m.line(), m.name(&set).unwrap_or_default());
    })?;
    Ok(())
}
