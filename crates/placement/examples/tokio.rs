//! Scans in async tasks: a ticket is a future, which is ready when its record has been scanned.
//!
//!     cargo run --package dragnet-placement --example tokio

use dragnet::{Engine, PatternSet, Report};
use dragnet_placement::ScanOwner;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = PatternSet::new([r"timeout after \d+ ms", "error"])?;
    let owner = ScanOwner::of(&Engine::new(&set, Report::Patterns))?; // a thread of its own
    let tasks = ["all is well", "error: timeout after 30 ms"].map(|text| {
        let handle = owner.handle(); // one for each task
        tokio::spawn(async move { handle.submit(text.as_bytes())?.await })
    });
    for task in tasks {
        println!("{} patterns", task.await??.len());
    }
    Ok(())
}
