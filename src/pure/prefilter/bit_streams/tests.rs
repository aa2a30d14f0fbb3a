use proptest::prelude::*;
use regex_automata::nfa::thompson;
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_syntax::hir::Hir;

use super::super::candidate::Candidate;
use super::super::segments::Segments;
use super::*;
use crate::Batch;
use crate::pure::ids::NeedleId;
use crate::simd::Isa;

fn parse(pattern: &str) -> Hir {
    regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap()
}

fn pike_vm(hir: &Hir) -> PikeVM {
    let config = thompson::Config::new().utf8(false);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).unwrap();
    PikeVM::new_from_nfa(nfa).unwrap()
}

/// Small patterns of classes, repetitions and assertions.
fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "a",
            "b",
            "[ab]",
            "[^a]",
            "(?s-u:.)",
            "c ",
            "ab",
            "é",
            "[aé]",
            r"(?-u:\b)",
            r"(?-u:\B)",
            r"\b",
            "^",
            "$",
            "(?m:^)",
            "\n",
        ][..],
    );
    let leaf = prop_oneof![4 => prop::sample::select(&["a", "b", "[ab]", "[abc]"][..]), 3 => leaf]
        .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let repeat = prop::sample::select(
            &["*", "+", "?", "{2}", "{0,2}", "{3,7}", "{2,}", "{18}", "{70}", "{1,90}"][..],
        );
        prop_oneof![
            2 => (inner.clone(), repeat).prop_map(|(p, r)| format!("(?:{p}){r}")),
            3 => prop::collection::vec(inner.clone(), 2..5).prop_map(|all| all.concat()),
            1 => prop::collection::vec(inner, 2..4).prop_map(|all| format!("(?:{})", all.join("|"))),
        ]
    })
}

/// Text with short and long runs.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => prop::collection::vec(prop::sample::select(&b"aaabbbc \n\xC3\xA9"[..]), 0..40),
        1 => (prop::sample::select(&b"abc"[..]), 0usize..150).prop_map(|(b, n)| vec![b; n]),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// All candidates of a batch, searched in ranges of this many pieces.
fn find(streams: &BitStreams, batch: &Batch<'_>, pieces: usize) -> Vec<Candidate> {
    let mut progress = streams.progress();
    let mut out = Vec::new();
    // Twice, to see that nothing remains from an earlier search.
    for _ in 0..2 {
        progress.reset();
        out.clear();
        let extent = batch.extent();
        let segments = Segments::new(batch.buffer(), batch.offsets(), batch.terminator());
        for start in extent.clone().step_by(pieces * search::PIECE) {
            let range = start..extent.end.min(start + pieces * search::PIECE);
            streams.find(&segments, range, &mut progress, &mut out);
        }
    }
    out
}

fn check(patterns: &[String], batch: &Batch<'_>, pieces: usize) -> Result<(), TestCaseError> {
    let hirs: Vec<Hir> = patterns.iter().map(|pattern| parse(pattern)).collect();
    let with_index = hirs.iter().enumerate();
    let sequences: Vec<(NeedleId, &Hir)> = with_index
        .filter(|(_, hir)| ClassSequence::of(hir).is_some())
        .map(|(index, hir)| (NeedleId::new(index), hir))
        .collect();
    if sequences.is_empty() {
        return Ok(());
    }
    for isa in Isa::available() {
        let streams = BitStreams::new(sequences.iter().copied(), isa);
        prop_assert_eq!(streams.len(), sequences.len());
        let found = find(&streams, batch, pieces);
        for (needle, hir) in &sequences {
            let pattern = &patterns[needle.index()];
            let vm = pike_vm(hir);
            let mut cache = vm.create_cache();
            for (record, bytes) in batch.iter().enumerate() {
                let range = batch.range(record);
                let inside = |c: &&Candidate| {
                    c.needle == *needle
                        && range.start <= c.start as usize
                        && c.end as usize <= range.end
                        && c.start < c.end
                };
                let candidates: Vec<&Candidate> = found.iter().filter(inside).collect();
                let matches = vm.is_match(&mut cache, bytes);
                prop_assert_eq!(!candidates.is_empty(), matches, "{} {} {:?}", pattern, isa, range);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases * 4,
        ..ProptestConfig::default()
    })]

    #[test]
    fn sequences_are_found_where_patterns_match(
        patterns in prop::collection::vec(pattern(), 1..4),
        text in text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
        pieces in 1usize..4,
    ) {
        let mut offsets: Vec<u32> = cuts.iter().map(|c| c.index(text.len() + 1) as u32).collect();
        offsets.sort();
        check(&patterns, &Batch::from_offsets(&text, &offsets).unwrap(), pieces)?;
        check(&patterns, &Batch::lines(&text, &mut Vec::new()).unwrap(), pieces)?;
        // The byte that takes the terminator's place may be any byte.
        offsets.dedup();
        check(&patterns, &Batch::from_line_offsets(&text, &offsets).unwrap(), pieces)?;
    }
}

#[test]
fn matches_are_found_at_every_piece_edge() {
    let patterns = [r"\ba{3,5}\d{2}-\d+x\b", r"^[a-z]{70}\d$", r"\d{64}a", "x(?:ab?){3}y*z$"];
    let patterns = patterns.map(|p| format!("(?-u:{p})"));
    let texts = [
        "aaaa12-3456789x".to_owned(),
        "b".repeat(70) + "1",
        "7".repeat(64) + "a",
        "xaabay".to_owned() + &"y".repeat(200) + "z",
    ];
    for before in 0..2 * search::PIECE + 2 {
        let mut all = vec![b' '; before];
        let mut offsets = vec![0, before as u32];
        for text in &texts {
            all.extend(text.as_bytes());
            offsets.push(all.len() as u32);
        }
        check(&patterns, &Batch::from_offsets(&all, &offsets).unwrap(), 1).unwrap();
    }
}

#[test]
fn patterns_of_parts_with_streams_have_sequences() {
    for (pattern, len) in [
        (r"\b[a-f0-9]{40}\b", Some(40)),
        (r"\w{12,}\d\w{12,}\d", Some(26)),
        (r"^\d{2}(?:x|yz)?\d$", Some(3)),
        (r"\d{3,5}[x-z]", Some(4)),
        (r"(?:ab|c\d){2}", Some(4)),
        (r"a(?:\b|\B)\d", Some(2)),
        (r"\d(?u:é)", Some(3)),
        // Too short.
        (r"\d", None),
        // Parts without streams.
        (r"\d{3}(?:ab)*c", None),
        (r"\d\d(?m:$)\n", None),
        ("$\na", None),
        (r"\d^a", None),
        (r"\d(?u:[^é])", None),
        // The match is empty or not before the assertion.
        (r"(?:\b|a)\bcd", None),
        (r"(?:ab){18}", None),
        (r"(?:ab){1,18}", None),
    ] {
        let sequence = ClassSequence::of(&parse(&format!("(?-u:{pattern})")));
        assert_eq!(sequence.map(|sequence| sequence.len), len, "{pattern}");
    }
}

#[test]
fn nested_repetitions_are_given_up_soon() {
    let mut pattern = "[ab]c".to_owned();
    for _ in 0..6 {
        pattern = format!("(?:{pattern}){{0,9}}");
    }
    assert!(ClassSequence::of(&parse(&format!("(?-u:x){pattern}[yz]{{3}}"))).is_none());
}

#[test]
fn separators_are_not_word_bytes() {
    let patterns = [r"(?-u: b\b)".to_owned(), r"(?-u:\bbc)".to_owned(), "c.".to_owned()];
    let batch = Batch::from_line_offsets(b" babcabc", &[0, 3, 6]).unwrap();
    check(&patterns, &batch, 1).unwrap();
}
