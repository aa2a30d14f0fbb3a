//! Prints which patterns match in which lines of a file.
//!
//!     cargo run --example lines -- FILE

use std::{error::Error, fs::File};

use dragnet::{Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let set = PatternSet::new([r"version = .*", r"rust-\w+"])?;
    let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
    let file = File::open(std::env::args().nth(1).ok_or("no file")?)?;
    ReaderScan::lines().for_each(file, &mut scanner, |m| {
        println!("{}: pattern {}: {}", m.line(), m.pattern(), m.text().escape_ascii());
    })?;
    Ok(())
}
