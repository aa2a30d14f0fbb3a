//! Streams: that they are searched and redacted as the records that they consist of, however they arrive.

use std::fmt;

use proptest::prelude::*;

use dragnet_testkit::{
    Bounds, Case, Choices, Comparison, Division, Oracle, Rng, Spec, Stream, case, config, drawn,
    patterns,
};

/// Patterns and a stream.
struct StreamCase {
    case: Case,
    stream: Stream,
    placed: bool,
}

impl fmt::Debug for StreamCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stream { text, .. } = &self.stream;
        let stream = Stream { text: Vec::new(), ..self.stream.clone() };
        write!(f, "{:?}\n{stream:?}\nb\"{}\"", self.case.specs, text.escape_ascii())
    }
}

fn stream_case(choices: &mut dyn Choices) -> StreamCase {
    let placed = choices.ratio(1, 12);
    let case = case(choices, patterns, 1);
    let stream = Stream::of(choices, &case.batches[0]);
    StreamCase { case, stream, placed }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn streams_are_searched_and_redacted_as_their_records(input in drawn(stream_case)) {
        let StreamCase { case, stream, placed } = input;
        let mut comparison = Comparison::with_placements(&case.specs, placed);
        comparison.stream(&stream).map_err(TestCaseError::fail)?;
    }
    /// A property of the definition, and so of the oracle alone.
    #[test]
    fn short_matches_across_lines_are_those_of_the_whole_text(input in drawn(stream_case)) {
        let StreamCase { case, stream, .. } = input;
        let Division::AcrossLines(window) = stream.division else { return Ok(()) };
        let mut oracle = Oracle::new(&case.specs);
        let mut spans = vec![Vec::new(); case.specs.len()];
        for found in oracle.groups(&stream.text) {
            spans[found.pattern].push(found.whole());
        }
        for (pattern, whole) in spans.iter_mut().enumerate() {
            let spec = &case.specs[pattern];
            if spec.report_group == 0
                && spec.bounds == Bounds::default()
                && whole.iter().all(|span| span.len() <= window)
            {
                let found = oracle.across_lines(pattern, &stream.text, window).into_iter();
                let found: Vec<_> = found.map(|(whole, _)| whole).collect();
                // After the last line there is none.
                if stream.text.is_empty() || stream.text.ends_with(b"\n") {
                    whole.retain(|span| span.start < stream.text.len());
                }
                prop_assert_eq!(&*whole, &found, "pattern {}", pattern);
            }
        }
    }
}

/// Windows that are too long for the automata of short records.
#[test]
fn long_windows_find_the_oracles_matches() {
    let specs = [
        (r"BEGIN\n(?:[^E]|E[^N])*END", ""),
        (r"^\w+:.*(?:\n[ \t].*)*", "m"),
        (r"y\s+x$", "Rm"),
        (r"q.{0,300}?b\b", "s-u"),
        (r"[^q]{500}", "-u"),
        (r"\n+\z|x\n", ""),
        (r".*[^A-Z]|[A-Z]", "s-u"),
    ]
    .map(|(regex, flags)| Spec::new(regex, flags));
    let pieces = [
        "BEGIN\n", "END", "name: ", "\n", "\n ", "\r\n", "x", "y ", "q", "b", "\u{e9}", "ab ", "NE",
    ];
    // One scanner is enough: they share the automata of windows.
    let mut comparison = Comparison::of(&specs, |contender| contender.name == "pure");
    for seed in 0..2 {
        let mut rng = Rng::new(seed);
        let mut text = String::new();
        while text.len() < 10_000 {
            let count = 1 + rng.below(40);
            text.push_str(&pieces[rng.below(pieces.len())].repeat(count));
        }
        let stream = Stream {
            text: text.into_bytes(),
            has_mark: seed == 1,
            pieces: vec![7, 100, 3000],
            block_bytes: [100, 1 << 20][seed as usize],
            threads: 1 + 2 * seed as usize,
            division: Division::AcrossLines(1200),
        };
        comparison.stream(&stream).unwrap();
    }
}
