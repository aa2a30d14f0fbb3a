//! Copies standard input to standard output, with tokens and card numbers hidden.
//!
//!     tail -f FILE | cargo run --example redact

use std::{error::Error, io};

use dragnet::redact::{Redactor, Replacement};
use dragnet::{Engine, PatternSet, Report, reader::ReaderScan};

fn main() -> Result<(), Box<dyn Error>> {
    let card = r"\b(?:\d{4}[ -]?){3}\d{4}\b";
    let set = PatternSet::new([("token", r"\bghp_\w+"), ("card", card)])?;
    let mut scanner = Engine::new(&set, Report::Spans).scanner()?;
    let mut redactor = Redactor::new(&set).pattern_replacement(1, Replacement::keep_last(4));
    redactor.redact_reader(&ReaderScan::lines(), io::stdin(), &mut scanner, io::stdout())?;
    Ok(())
}
