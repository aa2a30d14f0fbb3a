//! Patterns and records from the bytes of an input: patterns that share literals, and records that
//! they are likely to match.

use arbitrary::{Result, Unstructured};
use dragnet::PatternSet;
use regex_syntax::hir::Hir;

use dragnet_testkit::{Flags, Node, Rng, Spec, sample};

/// The largest pattern, in the units of limits on patterns: the oracle is slow.
const LARGEST: u64 = 1500;

/// The longest record, in bytes, about.
const LONGEST: usize = 600;

const WORDS: [&str; 12] = [
    "foo",
    "foobar",
    "bar",
    "secret",
    "key=",
    "AKIA",
    "ab",
    "ba",
    "kiss",
    "a literal that is longer than thirty-two bytes",
    "é",
    "Σς",
];

const LOOKS: [&str; 20] = [
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
    r"(?-u:\b)",
    r"(?-u:\B)",
    r"\b{start}",
    r"\b{end}",
    r"\b{start-half}",
    r"\b{end-half}",
    r"(?-u:\b{start})",
    r"(?u:\b{end})",
    r"(?-u:\b{end-half})",
];

const CLASSES: [&[(char, char)]; 10] = [
    &[('a', 'b')],
    &[('a', 'a'), ('c', 'c')],
    &[('a', 'f'), ('0', '9')],
    &[('A', 'Z'), ('a', 'z'), ('0', '9'), ('_', '_'), ('-', '-')],
    &[('\n', '\n'), ('a', 'a')],
    &[('\0', '\u{1F}')],
    &[('a', 'c'), ('é', 'é')],
    &[('α', 'ω')],
    &[('k', 'k'), ('s', 's')],
    &[('0', '9')],
];

const GROUPS: [&str; 10] = ["i", "-i", "s", "m", "R", "Rm", "U", "-u", "u", "is-u"];

/// Patterns, and batches to scan with them one after the other.
pub(crate) struct Case {
    pub(crate) specs: Vec<Spec>,
    pub(crate) batches: Vec<Vec<Vec<u8>>>,
}

/// A case from an input. `None` if some pattern is none, or too large.
pub(crate) fn case(source: &mut Unstructured<'_>) -> Result<Option<Case>> {
    let (mut specs, mut alphabet) = (Vec::new(), vec![b'a', b'\n']);
    let count = match source.int_in_range(0..=7)? {
        7 => source.int_in_range(1..=40)?,
        few => few % 4 + 1,
    };
    for _ in 0..count {
        specs.push(pattern(source, &mut alphabet)?);
    }
    let builder = PatternSet::builder().pattern_size_limit(LARGEST).set_size_limit(LARGEST * 4);
    if builder.patterns(specs.iter().map(Spec::pattern)).build().is_err() {
        return Ok(None);
    }
    let hirs: Vec<Hir> = specs.iter().map(Spec::hir).collect();
    let batches = (0..source.int_in_range(1..=2)?).map(|_| records(source, &hirs, &alphabet));
    let batches = batches.collect::<Result<_>>()?;
    Ok(Some(Case { specs, batches }))
}

fn pattern(source: &mut Unstructured<'_>, alphabet: &mut Vec<u8>) -> Result<Spec> {
    let bits: u8 = source.arbitrary()?;
    let on = |bit: u8| bits >> bit & 1 == 1;
    let flags = Flags {
        i: on(0),
        m: on(1),
        s: on(2),
        // White space is rarely meant to be skipped.
        x: bits & 0b1000_1000 == 0b1000_1000,
        crlf: on(4),
        swap_greed: on(5),
        ascii: on(6),
    };
    // As text, which the fuzzer can change everywhere, or as a tree, which is always valid.
    if source.ratio(1, 3)? {
        let len = source.int_in_range(0..=40)?.min(source.len());
        let regex = String::from_utf8_lossy(source.bytes(len)?).into_owned();
        alphabet.extend(regex.bytes().filter(u8::is_ascii_alphanumeric));
        return Ok(Spec { regex, flags });
    }
    let node = node(source, 4)?;
    node.alphabet(alphabet);
    Ok(Spec { regex: node.regex(flags.ascii), flags })
}

fn node(source: &mut Unstructured<'_>, depth: u32) -> Result<Node> {
    let kinds = if depth == 0 { 8 } else { 13 };
    let boxed = |source: &mut Unstructured<'_>| node(source, depth - 1).map(Box::new);
    let list = |source: &mut Unstructured<'_>| -> Result<Vec<Node>> {
        (0..source.int_in_range(1..=4)?).map(|_| node(source, depth - 1)).collect()
    };
    Ok(match source.int_in_range(0..=kinds)? {
        0 => Node::Empty,
        1 => Node::Text((*source.choose(&WORDS)?).to_owned()),
        2 => {
            let len = source.int_in_range(1..=3)?;
            let letters = (0..len).map(|_| source.choose(&['a', 'b', 'c', 'A', '0', '\u{17F}']));
            Node::Text(letters.collect::<Result<_>>()?)
        }
        3 => Node::Byte(*source.choose(b"\0\n\r\x80\xC3\xA9\xE2\xFFaK")?),
        4 => Node::Dot,
        5 => Node::Perl(*source.choose(&['d', 'w', 's', 'D', 'W', 'S'])?, source.arbitrary()?),
        6 => {
            let ranges = source.choose(&CLASSES)?.to_vec();
            Node::Class { negated: source.ratio(1, 4)?, ranges, ascii: source.arbitrary()? }
        }
        7 => Node::Look(source.choose(&LOOKS)?),
        8 => {
            let (class, member) = *source.choose(&[(r"\pL", 'é'), (r"\P{Greek}", 'a')])?;
            Node::Property(class, member)
        }
        9 => {
            let node = boxed(source)?;
            let min = match source.int_in_range(0..=7)? {
                7 => source.int_in_range(4..=66)?,
                few => few % 4,
            };
            let more: Option<u8> = source.arbitrary()?;
            let max = more.map(|more| min + u32::from(more % 4));
            Node::Repeat { node, min, max, lazy: source.arbitrary()? }
        }
        10 => Node::Either(list(source)?),
        11 => Node::Flagged(source.choose(&GROUPS)?, boxed(source)?),
        12 => Node::Group(boxed(source)?),
        _ => Node::Concat(list(source)?),
    })
}

fn records(source: &mut Unstructured<'_>, hirs: &[Hir], alphabet: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut total = 0;
    while !source.is_empty() && total < LONGEST * 3 {
        let before = record.len();
        match source.int_in_range(0..=8)? {
            0 => records.push(std::mem::take(&mut record)),
            // What some pattern may match: whole, with a byte changed, or over two records.
            kind @ 1..=5 => {
                let hir = source.choose(hirs)?;
                let mut text = Vec::new();
                sample(hir, &mut Rng::new(u64::from(source.arbitrary::<u8>()?)), &mut text);
                text.truncate(LONGEST);
                if kind >= 4 && !text.is_empty() {
                    let at = source.choose_index(text.len())?;
                    if kind == 4 {
                        text[at] = source.arbitrary()?;
                    } else {
                        record.extend_from_slice(&text[..at]);
                        records.push(std::mem::take(&mut record));
                        text.drain(..at);
                    }
                }
                record.extend(text);
            }
            6 => {
                for _ in 0..source.int_in_range(1..=8)? {
                    record.push(*source.choose(alphabet)?);
                }
            }
            7 => {
                let len = source.int_in_range(1..=6)?.min(source.len());
                record.extend_from_slice(source.bytes(len)?);
            }
            _ => {
                // One byte over and over, up to about a multiple of a vector's width.
                let width = *source.choose(&[16, 32, 64])?;
                let len =
                    (record.len() + 1).next_multiple_of(width) + source.int_in_range(0..=2)? - 1;
                record.resize(len.max(record.len()), *source.choose(alphabet)?);
            }
        }
        total += record.len().saturating_sub(before) + 1;
    }
    records.push(record);
    Ok(records)
}
