//! Finds out which patterns match one string, and where.
//!
//!     cargo run --example one_string

fn main() -> Result<(), dragnet::BuildError> {
    let set = dragnet::PatternSet::new([r"user=\w+", r"timeout after \d+ ms", "error"])?;
    let text = "user=bob: timeout after 30 ms";
    println!("{} patterns match", set.matches(text).iter().count());
    for m in set.find_iter(text) {
        println!("pattern {}: {}", m.pattern(), &text[m.range()]);
    }
    Ok(())
}
