//! Random patterns, and batches that they are likely to match in.
//!
//! The tables list the atoms, the functions below them the shapes. Both follow the rule of
//! [`choices`](crate::choices): the first alternative is the simplest.

use std::fmt;

use regex_syntax::hir::Hir;

use super::{Bounds, Choices, Flags, Node, Spec, records};

/// Words that many patterns share. Some begin or end with one another. One is longer than a vector of
/// 32 bytes, one than a vector of 64 bytes. Two consist of characters of two bytes, and `kiss` has
/// letters that fold beyond ASCII.
const WORDS: &[&str] = &[
    "ab",
    "ba",
    "foo",
    "bar",
    "foobar",
    "secret",
    "token",
    "AKIA",
    "key=",
    "kiss",
    "é",
    "Σς",
    "a literal that is longer than thirty-two bytes",
    "another one, which does not even fit into a vector of sixty-four bytes",
];

/// Characters that are written or folded in more than one way, or that a flag changes.
const TEXTS: &[&str] =
    &["a b", "\r\n", "#-&", "é", "É", "ſ", "K", "\u{212A}", "星", "ß", "Σς", "😀", "\u{2028}"];

/// Bytes at which UTF-8, lines and letters begin and end.
const BYTES: &[u8] = b"aK\n\r\0\x80\xC3\xA9\xE2\xFF";

/// Unicode classes, each with one of its characters, and one that never matches.
const PROPERTIES: &[(&str, char)] = &[
    (r"\pL", 'é'),
    (r"\p{Greek}", 'Σ'),
    (r"\P{Greek}", 'a'),
    (r"\p{Lu}", 'É'),
    (r"\p{P}", ','),
    ("[a&&b]", 'a'),
];

const PERL_CLASSES: &[char] = &['d', 'w', 's', 'D', 'W', 'S'];

const CLASSES: &[&[(char, char)]] = &[
    &[('a', 'b')],
    &[('0', '9')],
    &[('a', 'a'), ('c', 'c')],
    &[('k', 'k'), ('s', 's')],
    &[('a', 'f'), ('0', '9')],
    &[('\n', '\n'), ('a', 'a')],
    &[('\0', '\u{1F}')],
    &[('a', 'c'), ('é', 'é')],
    &[('α', 'ω')],
    &[('A', 'Z'), ('a', 'z'), ('0', '9'), ('_', '_'), ('-', '-')],
];

const LOOKS: &[&str] = &[
    "^",
    "$",
    r"\A",
    r"\z",
    r"\b",
    r"\B",
    "(?m:^)",
    "(?m:$)",
    "(?Rm:^)",
    "(?Rm:$)",
    r"(?u:\b)",
    r"(?u:\B)",
    r"(?-u:\b)",
    r"(?-u:\B)",
    r"\b{start}",
    r"\b{end}",
    r"\b{start-half}",
    r"\b{end-half}",
    r"(?-u:\b{start})",
    r"(?-u:\b{end})",
    r"(?u:\b{start})",
    r"(?u:\b{end})",
    r"(?-u:\b{start-half})",
    r"(?-u:\b{end-half})",
];

/// The flags of groups such as `(?is-u:a)`.
const GROUP_FLAGS: &[&str] = &["i", "-i", "s", "m", "R", "Rm", "U", "-u", "u", "x", "is-u"];

/// Counts around the widths of vectors, for runs of a class.
const RUN_LENGTHS: &[usize] = &[3, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65];

/// The maximum depth of trees. Trees then have 13 nodes on average.
const MAX_DEPTH: usize = 4;

/// The exclusive upper bound on the [`Node::weight`] of a pattern: heavier ones take the oracle too
/// long.
const MAX_WEIGHT: u64 = 1500;

/// Patterns, and batches to scan with them one after the other.
#[derive(Clone)]
pub struct Case {
    /// The patterns.
    pub specs: Vec<Spec>,
    /// The records of each batch.
    pub batches: Vec<Vec<Vec<u8>>>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for spec in &self.specs {
            write!(f, "\n    pattern {spec:?}")?;
        }
        for batch in &self.batches {
            write!(f, "\n    batch")?;
            for record in batch {
                write!(f, "\n        b\"{}\"", record.escape_ascii())?;
            }
        }
        Ok(())
    }
}

/// A case with the patterns that `patterns` generates, and 1 to `max_batches` batches.
pub fn case(
    choices: &mut dyn Choices,
    patterns: impl FnOnce(&mut dyn Choices) -> Vec<(Node, Flags)>,
    max_batches: usize,
) -> Case {
    let patterns = patterns(choices);
    let mut alphabet = b"ab \n".to_vec();
    patterns.iter().for_each(|(node, _)| node.alphabet(&mut alphabet));
    let specs: Vec<Spec> = patterns
        .iter()
        .map(|(node, flags)| {
            let mut spec = Spec { flags: *flags, ..Spec::new(node.regex(flags.ascii), "") };
            let groups = spec.hir().properties().explicit_captures_len();
            if groups > 0 && choices.ratio(1, 4) {
                spec.report_group = choices.range(1, groups);
            }
            if choices.ratio(1, 8) {
                spec.bounds = Bounds {
                    min_offset: choices.below(4),
                    max_offset: choices.flag().then(|| choices.below(20)),
                    min_length: choices.below(4),
                };
            }
            spec
        })
        .collect();
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let batches = choices.list(1, max_batches, |choices| records(choices, &hirs, &alphabet));
    Case { specs, batches }
}

/// One to twelve patterns of all kinds; most often few.
pub fn patterns(choices: &mut dyn Choices) -> Vec<(Node, Flags)> {
    let (min, max) = [(1, 3), (4, 12)][choices.weighted(&[4, 1])];
    choices.list(min, max, pattern)
}

/// 20 to 120 literals over a small alphabet, so that they share prefixes, suffixes and q-grams, and
/// a filter has many false candidates.
pub fn literals(choices: &mut dyn Choices) -> Vec<(Node, Flags)> {
    choices.list(20, 120, |choices| {
        let text = choices.text("abcB", 1, 6);
        let flags = choices.pick(&["", "-u", "i-u"]);
        (Node::Text(text), Flags::parse(flags))
    })
}

/// A pattern of any kind.
pub fn pattern(choices: &mut dyn Choices) -> (Node, Flags) {
    let node = loop {
        choices.begin();
        let node = choices.one_of(&[
            (8, &|choices| tree(choices, MAX_DEPTH)),
            (3, &around_a_word),
            (2, &long_text),
            (1, &|choices| Node::Either(choices.list(2, 19, word))),
            (1, &|choices| common_prefix(choices, leaf)),
            (2, &class_run),
        ]);
        choices.end();
        if node.weight() < MAX_WEIGHT {
            break node;
        }
    };
    (node, flags(choices))
}

/// Flags, most of them rarely on.
pub fn flags(choices: &mut dyn Choices) -> Flags {
    let i = choices.ratio(1, 4);
    let mut rare = || choices.ratio(3, 20);
    let (m, s, x, crlf, swap_greed) = (rare(), rare(), rare(), rare(), rare());
    Flags { i, m, s, x, crlf, swap_greed, ascii: choices.flag() }
}

/// Any tree that is no deeper than `depth`.
fn tree(choices: &mut dyn Choices, depth: usize) -> Node {
    if depth == 0 {
        return leaf(choices);
    }
    let inner = |choices: &mut dyn Choices| tree(choices, depth - 1);
    choices.begin();
    let node = choices.one_of(&[
        (5, &leaf),
        (6, &|choices| Node::Concat(choices.list(1, 4, inner))),
        (3, &|choices| Node::Either(choices.list(2, 4, inner))),
        (1, &|choices| common_prefix(choices, inner)),
        (4, &|choices| repeat(choices, inner, 3)),
        (3, &|choices| Node::Group(Box::new(inner(choices)))),
        (1, &|choices| Node::Flagged(choices.pick(GROUP_FLAGS), Box::new(inner(choices)))),
    ]);
    choices.end();
    node
}

fn leaf(choices: &mut dyn Choices) -> Node {
    choices.begin();
    let node = choices.one_of(&[
        (6, &|choices| Node::Text(choices.text("abcA", 1, 3))),
        (2, &word),
        (1, &|_| Node::Empty),
        (2, &|_| Node::Dot),
        (3, &class),
        (3, &look),
        (1, &|choices| Node::Text(choices.pick(TEXTS).to_owned())),
        (1, &|choices| Node::Byte(choices.pick(BYTES))),
        (2, &|choices| Node::Perl(choices.pick(PERL_CLASSES), choices.flag())),
        (1, &|choices| {
            let (class, member) = choices.pick(PROPERTIES);
            Node::Property(class, member)
        }),
    ]);
    choices.end();
    node
}

fn word(choices: &mut dyn Choices) -> Node {
    Node::Text(choices.pick(WORDS).to_owned())
}

fn class(choices: &mut dyn Choices) -> Node {
    let ranges = choices.pick(CLASSES).to_vec();
    Node::Class { negated: choices.flag(), ranges, ascii: choices.flag() }
}

fn look(choices: &mut dyn Choices) -> Node {
    Node::Look(choices.pick(LOOKS))
}

/// A repetition whose minimum is from 0 to `max_min`. It has no maximum, or one that is at most 2 above
/// the minimum.
fn repeat(
    choices: &mut dyn Choices,
    node: impl Fn(&mut dyn Choices) -> Node,
    max_min: usize,
) -> Node {
    let min = choices.below(max_min + 1) as u32;
    let has_max = choices.ratio(1, 3);
    let max = has_max.then(|| min + choices.below(3) as u32);
    Node::Repeat { min, max, lazy: choices.flag(), node: Box::new(node(choices)) }
}

/// Alternatives that start with the same repetition, as in `a.*?c|a.*?b`, and go on as `rest`
/// generates. Which of them is preferred shows in the span, and is lost if the repetition is taken
/// out of the alternation.
fn common_prefix(choices: &mut dyn Choices, rest: impl Fn(&mut dyn Choices) -> Node) -> Node {
    let prefix = choices.list(0, 1, leaf);
    let repeated = repeat(choices, |choices| choices.one_of(&[(2, &|_| Node::Dot), (1, &leaf)]), 1);
    Node::Either(choices.list(2, 3, |choices| {
        let start = prefix.iter().chain([&repeated]).cloned();
        Node::Concat(start.chain([rest(choices)]).collect())
    }))
}

/// A long run of a class, with an optional assertion on either side. It has no literal, so the engine
/// searches for it by sampling every n-th byte.
fn class_run(choices: &mut dyn Choices) -> Node {
    let end = |choices: &mut dyn Choices| choices.list(0, 1, look);
    let head = end(choices);
    let ranges = choices.pick(CLASSES).to_vec();
    let class = Node::Class { negated: false, ranges, ascii: true };
    let min = choices.pick(RUN_LENGTHS) as u32;
    let max = choices.pick(&[None, Some(0), Some(1), Some(40)]).map(|more| min + more);
    let run = Node::Repeat { node: Box::new(class), min, max, lazy: choices.flag() };
    let tail = end(choices);
    Node::Concat(head.into_iter().chain([run]).chain(tail).collect())
}

/// A word that every match contains, with something before and after it, as in
/// `[a-f]{3,9}secret\d+`.
fn around_a_word(choices: &mut dyn Choices) -> Node {
    let side = |choices: &mut dyn Choices| {
        choices.one_of(&[
            (1, &|_| Node::Empty),
            (1, &look),
            (3, &|choices| repeat(choices, leaf, 3)),
            (1, &|choices| repeat(choices, |_| Node::Dot, 1)),
        ])
    };
    let before = [side(choices), side(choices)];
    let word = word(choices);
    let after = [side(choices), side(choices)];
    Node::Concat(before.into_iter().chain([word]).chain(after).collect())
}

/// A literal of up to 70 bytes: longer than the widest vector.
fn long_text(choices: &mut dyn Choices) -> Node {
    Node::Text(choices.text("abc ", 1, 70))
}
