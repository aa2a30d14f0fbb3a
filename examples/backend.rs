//! Uses Hyperscan or Vectorscan where this build has it, and says why if it does not.
//!
//!     cargo run --example backend --features native

use dragnet::{Backend, Engine, PatternSet, Report};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = PatternSet::new([r"timeout after \d+ ms", "error"])?;
    let engine =
        Engine::with_backend(&set, Report::Patterns, Backend::Native).or_else(|error| {
            eprintln!("{error}");
            Engine::with_backend(&set, Report::Patterns, Backend::Pure)
        })?;
    println!("{}", engine.backend());
    Ok(())
}
