//! Prints the groups of matches in the lines of standard input.
//!
//!     cat FILE | cargo run --example captures

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = dragnet::PatternSet::new([r"(?<a>\w+)-(?<b>\w+)", r"(\d{4}) (\d{4})"])?;
    for line in std::io::stdin().lines() {
        for captures in set.captures_iter(&line?) {
            let [a, b] = [1, 2].map(|group| captures[group].escape_ascii());
            println!("pattern {}: {a} and {b}", captures.pattern());
        }
    }
    Ok(())
}
