//! Prints the groups of matches in the lines of standard input.
//!
//!     cat FILE | cargo run --example captures

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = dragnet::PatternSet::new([r"(?<a>\w+)-(?<b>\w+)", r"(\d{4}) (\d{4})"])?;
    for line in std::io::stdin().lines() {
        for captures in set.captures_iter(&line?) {
            let groups = captures.iter().skip(1).flatten();
            let groups: Vec<_> = groups.map(|g| g.as_bytes().escape_ascii().to_string()).collect();
            println!("pattern {}: {groups:?}", captures.pattern());
        }
    }
    Ok(())
}
