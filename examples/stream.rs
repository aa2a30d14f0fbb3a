//! Finds key blocks, which cross lines, in a stream of any length.
//!
//!     cat FILE | cargo run --example stream

use std::{error::Error, io};

use dragnet::reader::{AcrossLines, ReaderScan};
use dragnet::{Engine, PatternSet, Report};

fn main() -> Result<(), Box<dyn Error>> {
    let set = PatternSet::new([r"-----BEGIN \w+ KEY-----\s[^-]+-----END \w+ KEY-----"])?;
    let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
    let scan = ReaderScan::across_lines(&AcrossLines::new(&set, 16 << 10));
    scan.for_each(io::stdin(), &mut scanner, |m| {
        println!("{} bytes from line {} on, at {:?}", m.text().len(), m.line(), m.stream_range());
    })?;
    Ok(())
}
