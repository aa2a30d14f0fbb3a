//! Random patterns and batches, structured so that shrinking ends at something readable.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use regex_syntax::hir::Hir;

use super::{Flags, Node, Piece, Spec, assemble, pieces};

/// How a property runs. `PROPTEST_CASES` sets the number of its cases; the default keeps the
/// suite quick. Failures are kept beside the test that found them.
pub fn config(default_cases: u32) -> ProptestConfig {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(text) => text.parse().expect("PROPTEST_CASES is a number"),
        // libhs takes a hundred times as long to compile a set as all of the rest takes.
        Err(_) if !matches!(super::native(), super::Native::NotBuilt) => default_cases.div_ceil(12),
        Err(_) => default_cases,
    };
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// Patterns, and batches to scan with them one after the other.
pub struct Case {
    pub specs: Vec<Spec>,
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

/// A set from `patterns` and up to `most` batches that it may match in.
pub fn case(
    patterns: impl Strategy<Value = Vec<(Node, Flags)>>,
    most: usize,
) -> impl Strategy<Value = Case> {
    (patterns, vec(pieces(), 1..=most)).prop_map(|(patterns, pieces)| batches(&patterns, &pieces))
}

/// The case that patterns and the pieces of batches make.
fn batches(patterns: &[(Node, Flags)], pieces: &[Vec<Piece>]) -> Case {
    let mut alphabet = b"ab \n".to_vec();
    patterns.iter().for_each(|(node, _)| node.alphabet(&mut alphabet));
    let specs: Vec<Spec> = patterns
        .iter()
        .map(|(node, flags)| Spec { regex: node.regex(flags.ascii), flags: *flags })
        .collect();
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let batches = pieces.iter().map(|pieces| assemble(&hirs, &alphabet, pieces)).collect();
    Case { specs, batches }
}

/// One to twelve patterns of all kinds; most often few.
pub fn patterns() -> impl Strategy<Value = Vec<(Node, Flags)>> {
    prop_oneof![
        4 => vec(pattern(), 1..=3),
        1 => vec(pattern(), 4..=12),
    ]
}

fn pattern() -> impl Strategy<Value = (Node, Flags)> {
    let node = prop_oneof![
        8 => tree(),
        3 => around_a_word(),
        2 => long_text(),
        1 => vec(word(), 2..20).prop_map(Node::Either),
        2 => run(),
    ];
    (node.prop_filter("too large", |node| node.weight() < 1500), flags())
}

fn flags() -> impl Strategy<Value = Flags> {
    let rare = || prop::bool::weighted(0.15);
    (prop::bool::weighted(0.25), rare(), rare(), rare(), rare(), rare(), any::<bool>()).prop_map(
        |(i, m, s, x, crlf, swap_greed, ascii)| Flags { i, m, s, x, crlf, swap_greed, ascii },
    )
}

/// Any tree of up to four levels.
fn tree() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(4, 20, 4, |inner| {
        let inner = inner.boxed();
        prop_oneof![
            6 => vec(inner.clone(), 1..=4).prop_map(Node::Concat),
            3 => vec(inner.clone(), 2..=4).prop_map(Node::Either),
            4 => repeat(inner.clone(), 0..4),
            1 => inner.clone().prop_map(|node| Node::Group(Box::new(node))),
            1 => (select(vec!["i", "-i", "s", "m", "R", "Rm", "U", "-u", "u", "x", "is-u"]), inner)
                .prop_map(|(flags, node)| Node::Flagged(flags, Box::new(node))),
        ]
    })
}

fn leaf() -> impl Strategy<Value = Node> {
    prop_oneof![
        6 => "[abcA]{1,3}".prop_map(Node::Text),
        2 => word(),
        1 => select(vec!["é", "É", "ſ", "K", "星", "ß", "Σς", "😀", "\u{2028}", "a b", "\r\n", "#-&"])
            .prop_map(|text| Node::Text(text.to_owned())),
        1 => select(b"\0\n\r\x80\xC3\xA9\xE2\xFFaK".to_vec()).prop_map(Node::Byte),
        2 => Just(Node::Dot),
        3 => class(),
        2 => (select(vec!['d', 'w', 's', 'D', 'W', 'S']), any::<bool>())
            .prop_map(|(letter, ascii)| Node::Perl(letter, ascii)),
        1 => select(vec![
            (r"\pL", 'é'), (r"\p{Greek}", 'Σ'), (r"\P{Greek}", 'a'), (r"\p{Lu}", 'É'), (r"\p{P}", ','),
        ]).prop_map(|(class, member)| Node::Property(class, member)),
        3 => look(),
        1 => Just(Node::Empty),
    ]
}

/// Words that many patterns share, two of them longer than a vector.
fn word() -> impl Strategy<Value = Node> {
    select(vec![
        "foo",
        "foobar",
        "bar",
        "secret",
        "token",
        "AKIA",
        "key=",
        "ab",
        "ba",
        "kiss",
        "a literal that is longer than thirty-two bytes",
        "another one, which does not even fit into a vector of sixty-four bytes",
    ])
    .prop_map(|text| Node::Text(text.to_owned()))
}

fn class() -> impl Strategy<Value = Node> {
    let ranges = select(vec![
        vec![('a', 'b')],
        vec![('a', 'a'), ('c', 'c')],
        vec![('a', 'f'), ('0', '9')],
        vec![('A', 'Z'), ('a', 'z'), ('0', '9'), ('_', '_'), ('-', '-')],
        vec![('\n', '\n'), ('a', 'a')],
        vec![('\0', '\u{1F}')],
        vec![('a', 'c'), ('é', 'é')],
        vec![('α', 'ω')],
        vec![('k', 'k'), ('s', 's')],
    ]);
    (any::<bool>(), ranges, any::<bool>()).prop_map(|(negated, ranges, ascii)| Node::Class {
        negated,
        ranges,
        ascii,
    })
}

fn look() -> impl Strategy<Value = Node> {
    select(vec![
        "^",
        "$",
        r"\A",
        r"\z",
        "(?m:^)",
        "(?m:$)",
        "(?Rm:^)",
        "(?Rm:$)",
        r"\b",
        r"\B",
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
    ])
    .prop_map(Node::Look)
}

fn repeat(
    node: impl Strategy<Value = Node>,
    min: std::ops::Range<u32>,
) -> impl Strategy<Value = Node> {
    let extra = prop_oneof![2 => Just(None), 1 => (0..3u32).prop_map(Some)];
    (node, min, extra, any::<bool>()).prop_map(|(node, min, extra, lazy)| Node::Repeat {
        node: Box::new(node),
        min,
        max: extra.map(|extra| min + extra),
        lazy,
    })
}

/// A long run of a class: no literal in it, but every so many bytes one is of the class.
fn run() -> impl Strategy<Value = Node> {
    let min = select(vec![3u32, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65]);
    let max = select(vec![None, Some(0), Some(1), Some(40)]);
    let end = || prop::option::of(look());
    (end(), class(), min, max, any::<bool>(), end()).prop_map(
        |(head, class, min, extra, lazy, tail)| {
            let node = match class {
                Node::Class { ranges, .. } => Node::Class { negated: false, ranges, ascii: true },
                other => other,
            };
            let max = extra.map(|extra| min + extra);
            let run = Node::Repeat { node: Box::new(node), min, max, lazy };
            Node::Concat(head.into_iter().chain([run]).chain(tail).collect())
        },
    )
}

/// A word that every match has in it, with something before and behind, as in
/// `[a-f]{3,9}secret\d+`.
fn around_a_word() -> impl Strategy<Value = Node> {
    let side = || {
        prop_oneof![
            3 => repeat(leaf(), 0..4),
            1 => repeat(Just(Node::Dot), 0..2),
            1 => look(),
            1 => Just(Node::Empty),
        ]
    };
    (side(), side(), word(), side(), side())
        .prop_map(|(a, b, word, c, d)| Node::Concat(vec![a, b, word, c, d]))
}

/// A literal of up to 70 bytes.
fn long_text() -> impl Strategy<Value = Node> {
    "[abc ]{1,70}".prop_map(Node::Text)
}
