//! Scans in an async task: a ticket is a future, which is ready when its record has been scanned.
//!
//!     cargo run --package dragnet-placement --example tokio

use dragnet::{Engine, PatternSet, Report};
use dragnet_placement::ScanOwner;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = PatternSet::new([r"timeout after \d+ ms", "error"])?;
    let owner = ScanOwner::of(&Engine::new(&set, Report::Patterns))?; // a thread of its own
    let handle = owner.handle(); // one for each task
    let task = tokio::spawn(async move { handle.submit(b"error: timeout after 30 ms")?.await });
    println!("{} patterns", task.await??.len());
    Ok(())
}
