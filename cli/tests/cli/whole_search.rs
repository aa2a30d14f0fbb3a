//! A search for one pattern looks at many lines as one text first, to see that there is no match. That changes
//! no result.

use dragnet_testkit::{Rng, case, patterns};

use crate::common::{Run, Tree};

/// A pattern that never matches. Next to another one, lines are searched one by one.
const NEVER: &str = r"[^\s\S]";

/// Writes files of which most have lines from `records`, between others in which hardly anything is found.
fn random_tree(rng: &mut Rng, records: &[Vec<u8>]) -> Tree {
    let tree = Tree::new();
    for number in 0..1 + rng.below(30) {
        let mut text = Vec::new();
        for _ in 0..rng.below(4) {
            let fillers = *rng.pick(&[0, 1, 20, 2000]);
            (0..fillers).for_each(|_| text.extend_from_slice(b"~~~~~~ ~~~~~~~~~\n"));
            if rng.below(3) == 0 {
                text.extend_from_slice(&records[rng.below(records.len())]);
                text.extend_from_slice(
                    rng.pick::<&[u8]>(&[b"\n", b"\r\n", b"\n\n", b"", b"\xFF\n"]),
                );
            }
        }
        if rng.below(20) == 0 {
            text.push(0);
        }
        if rng.below(60) == 0 {
            // Read in blocks.
            text.resize(1_200_000, b'~');
        }
        tree.write(&format!("{}/{number}", rng.pick(&["a", "b", "a/c"])), text);
    }
    tree
}

/// What is printed, without the time that it took.
fn printed(run: &Run) -> (Vec<&str>, Vec<&str>, Option<i32>) {
    let messages = run.stderr.lines().filter(|line| !line.ends_with(" seconds")).collect();
    (run.lines(), messages, run.status)
}

#[test]
fn the_search_of_many_lines_at_once_changes_no_result() {
    let (mut found, mut clean) = (0, 0);
    for seed in 0..25 {
        let rng = &mut Rng::new(seed);
        let case = case(rng, patterns, 1);
        let mut records = case.batches.concat();
        records.push(b"ab".to_vec());
        let tree = random_tree(rng, &records);
        for spec in case.specs.iter().take(2) {
            let options =
                ["-i", "-w", "-U", "--crlf", "--unicode", "-o", "--count", "-l", "-m1", "-C1"];
            let option = rng.pick(&options);
            // Where a file ends early, two threads may have searched more blocks of it, which `--stats` counts.
            let threads = match *option {
                "-l" | "-m1" => "-j1",
                _ => *rng.pick(&["-j1", "-j2"]),
            };
            // What depends on the ends of the text is what could go wrong.
            let (before, after) =
                *rng.pick(&[("", ""), ("^", ""), ("", "$"), (r"\A", ""), (r"\b", r"\b")]);
            let regex = format!("{before}(?:{}){after}", spec.regex);
            let args = ["scan", "--backend", "pure", "--stats", option, threads, "-e", &regex];
            let one = tree.run(args);
            let two = tree.run([&args[..], &["-e", NEVER]].concat());
            if two.status == Some(2) {
                // A pattern that is invalid without Unicode.
                assert_eq!(one.status, Some(2));
                continue;
            }
            assert_eq!(printed(&one), printed(&two), "{seed} {args:?}");
            *if one.status == Some(0) { &mut found } else { &mut clean } += 1;
        }
    }
    assert!(found > 10 && clean > 5, "{found} {clean}");
}
