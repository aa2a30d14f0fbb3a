//! Combinations over every scanner, against the oracle's matches and a plain evaluation.

use std::fmt::Write as _;

use proptest::prelude::*;

use dragnet::{Batch, BatchBuf, Combinations, Match, Matches, PatternSet, Report, Scan};
use dragnet_testkit::{
    Case, Choices, Oracle, by_blocks, case, config, contenders, drawn, patterns,
};

/// A boolean expression over numbered items: patterns, then combinations.
#[derive(Clone, Debug)]
enum Tree {
    Item(usize),
    Not(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    AtLeast(usize, Vec<usize>),
    None(Vec<usize>),
}

impl Tree {
    /// A random expression over the items below `items`.
    fn random(choices: &mut dyn Choices, items: usize, depth: usize) -> Tree {
        let kinds = if depth == 0 { 1 } else { 6 };
        match choices.below(kinds) {
            0 => Tree::Item(choices.below(items)),
            1 => Tree::Not(Box::new(Tree::random(choices, items, depth - 1))),
            2 => Tree::All(choices.list(2, 3, |c| Tree::random(c, items, depth - 1))),
            3 => Tree::Any(choices.list(2, 3, |c| Tree::random(c, items, depth - 1))),
            4 => {
                let list = choices.list(1, 4, |c| c.below(items));
                Tree::AtLeast(choices.below(4), list)
            }
            _ => Tree::None(choices.list(1, 4, |c| c.below(items))),
        }
    }

    /// Appends the expression in the language of combinations.
    fn write(&self, patterns: usize, out: &mut String) {
        match self {
            Tree::Item(item) => write_item(*item, patterns, out),
            Tree::Not(inner) => {
                out.push_str("not ");
                inner.write(patterns, out);
            }
            Tree::All(parts) | Tree::Any(parts) => {
                let word = if matches!(self, Tree::All(_)) { " and " } else { " or " };
                out.push('(');
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        out.push_str(word);
                    }
                    part.write(patterns, out);
                }
                out.push(')');
            }
            Tree::AtLeast(least, list) => {
                write!(out, "any {least} of ").unwrap();
                write_list(list, patterns, out);
            }
            Tree::None(list) => {
                out.push_str("none of ");
                write_list(list, patterns, out);
            }
        }
    }

    fn holds(&self, values: &[bool]) -> bool {
        let count = |list: &[usize]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list.dedup();
            list.iter().filter(|item| values[**item]).count()
        };
        match self {
            Tree::Item(item) => values[*item],
            Tree::Not(inner) => !inner.holds(values),
            Tree::All(parts) => parts.iter().all(|part| part.holds(values)),
            Tree::Any(parts) => parts.iter().any(|part| part.holds(values)),
            Tree::AtLeast(least, list) => count(list) >= *least,
            Tree::None(list) => count(list) == 0,
        }
    }
}

fn write_item(item: usize, patterns: usize, out: &mut String) {
    match item.checked_sub(patterns) {
        None => write!(out, "#{item}").unwrap(),
        Some(earlier) => write!(out, "c{earlier}").unwrap(),
    }
}

fn write_list(list: &[usize], patterns: usize, out: &mut String) {
    out.push('(');
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_item(*item, patterns, out);
    }
    out.push(')');
}

/// Patterns, records and combinations.
#[derive(Debug)]
struct Combined {
    case: Case,
    trees: Vec<Tree>,
    only_combinations: bool,
    placed: bool,
}

fn combined(choices: &mut dyn Choices) -> Combined {
    let case = case(choices, patterns, 1);
    let items = case.specs.len();
    let mut trees = Vec::new();
    choices.list(1, 4, |choices| {
        let tree = Tree::random(choices, items + trees.len(), 3);
        trees.push(tree);
    });
    Combined { case, trees, only_combinations: choices.ratio(1, 3), placed: choices.ratio(1, 6) }
}

/// The matches of a batch, with `combinations` evaluated one by one.
fn expected(combined: &Combined, report: Report, records: &[Vec<u8>]) -> Vec<Match> {
    let mut oracle = Oracle::new(&combined.case.specs);
    let spans = oracle.spans(records.iter().map(Vec::as_slice));
    let found = if report == Report::Spans { spans } else { Oracle::patterns(&spans) };
    let patterns = combined.case.specs.len();
    let mut all = Vec::new();
    for record in 0..records.len() {
        let of_record: Vec<Match> =
            found.iter().filter(|m| m.record() == record).copied().collect();
        let mut values = vec![false; patterns];
        of_record.iter().for_each(|m| values[m.pattern()] = true);
        if !combined.only_combinations {
            all.extend(of_record);
        }
        for tree in &combined.trees {
            let holds = tree.holds(&values);
            if holds {
                all.push(Match::without_span(record as u32, values.len() as u32));
            }
            values.push(holds);
        }
    }
    all
}

proptest! {
    #![proptest_config(config(120))]

    #[test]
    fn combinations_hold_where_their_trees_do(combined in drawn(combined)) {
        let patterns = combined.case.specs.len();
        let set: PatternSet = dragnet_testkit::set(&combined.case.specs);
        let texts = combined.trees.iter().enumerate().map(|(number, tree)| {
            let mut text = String::new();
            tree.write(patterns, &mut text);
            (format!("c{number}"), text)
        });
        let combinations = Combinations::new(&set, texts).unwrap();
        let mut records = BatchBuf::new();
        for record in &combined.case.batches[0] {
            records.push(record).unwrap();
        }
        let batch: Batch<'_> = records.as_batch();
        for report in [Report::Patterns, Report::Spans] {
            let expected = expected(&combined, report, &combined.case.batches[0]);
            for contender in contenders().iter().filter(|c| combined.placed || !c.is_placed) {
                let mut scanner = combinations
                    .scanner(contender.scanner(&set, report))
                    .only_combinations(combined.only_combinations);
                let mut matches = Matches::new();
                for _ in 0..2 {
                    scanner.scan(&batch, &mut matches).unwrap();
                    prop_assert_eq!(matches.as_slice(), &expected[..], "{}", &contender.name);
                    let blocks = by_blocks(&mut scanner, &batch).unwrap();
                    prop_assert_eq!(&blocks, &expected, "{} in blocks", &contender.name);
                }
            }
        }
    }
}
