//! Patterns that are one class after the other, in the bits of a word.
//!
//! The DFA of `\w{12,}\d\w{12,}\d` has thousands of states, one for each way in which digits can
//! lie in the last bytes of a word, and meets them all. An NFA whose states are the bits of a word
//! takes all its steps at once with a few instructions. This is the extended Shift-And algorithm
//! (Navarro and Raffinot, "Flexible Pattern Matching in Strings", 2002, section 4.2): classes of
//! bytes, of which some may be left out and some may be repeated.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// A pattern, or what has to match where it does, as a chain of classes.
#[derive(Debug)]
pub(crate) struct Chain {
    /// By byte: the links that take it. The lowest bit is for what comes before the first link, and
    /// takes any.
    takes: Box<[u64; 256]>,
    /// The links that may take more than one byte.
    repeat: u64,
    /// The links that may be left out; the last of each sequence of such, and the links before
    /// these sequences.
    optional: u64,
    last: u64,
    before: u64,
    /// The last link of the chain.
    end: u64,
    /// Whether the chain matches only where the pattern does.
    pub(crate) exact: bool,
}

/// How many links fit into a word beside what comes before them.
const MAX_LINKS: usize = 63;

#[derive(Clone)]
struct Link {
    /// What it takes, in ascending ranges.
    ranges: Vec<(u8, u8)>,
    optional: bool,
    repeat: bool,
}

impl Chain {
    /// Whether there is a chain that matches just where `hir` does.
    pub(crate) fn fits(hir: &Hir) -> bool {
        links(hir).is_some_and(|(_, exact)| exact)
    }

    /// A chain for `hir`, if there is one that is of use.
    pub(crate) fn new(hir: &Hir) -> Option<Chain> {
        let (links, exact) = links(hir)?;
        let mut chain = Chain {
            takes: Box::new([1; 256]),
            repeat: 1,
            optional: 0,
            last: 0,
            before: 0,
            end: 1 << links.len(),
            exact,
        };
        for (index, link) in links.iter().enumerate() {
            let bit = 2 << index;
            for byte in link.ranges.iter().flat_map(|&(first, last)| first..=last) {
                chain.takes[usize::from(byte)] |= bit;
            }
            chain.repeat |= if link.repeat { bit } else { 0 };
            if link.optional {
                chain.optional |= bit;
                if index == 0 || !links[index - 1].optional {
                    chain.before |= bit >> 1;
                }
                if links.get(index + 1).is_none_or(|next| !next.optional) {
                    chain.last |= bit;
                }
            }
        }
        Some(chain)
    }

    /// Whether the chain matches anywhere in `record`.
    pub(crate) fn is_match(&self, record: &[u8]) -> bool {
        let mut state = self.skip(1);
        for &byte in record {
            let next = (state << 1 | state & self.repeat) & self.takes[usize::from(byte)];
            state = self.skip(next);
            if state & self.end != 0 {
                return true;
            }
        }
        false
    }

    /// Adds the links that can be passed over from those of `state`.
    fn skip(&self, state: u64) -> u64 {
        let ends = state | self.last;
        state | self.optional & (!ends.wrapping_sub(self.before) ^ ends)
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.takes)
    }
}

/// The links for a pattern, not all of them optional, and whether they match only where it does.
fn links(hir: &Hir) -> Option<(Vec<Link>, bool)> {
    let (mut links, mut exact) = (Vec::new(), true);
    collect(hir, &mut links, &mut exact)?;
    links.iter().any(|link| !link.optional).then_some((links, exact))
}

/// Appends the links of `hir`. Clears `exact` where these match more than it does.
fn collect(hir: &Hir, links: &mut Vec<Link>, exact: &mut bool) -> Option<()> {
    let link = |ranges| Link { ranges, optional: false, repeat: false };
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Look(_) => *exact = false,
        HirKind::Literal(literal) => links.extend(literal.0.iter().map(|&b| link(vec![(b, b)]))),
        HirKind::Class(class) => {
            let bytes = match class {
                Class::Bytes(bytes) => bytes.clone(),
                Class::Unicode(chars) => chars.to_byte_class()?,
            };
            links.push(link(bytes.iter().map(|range| (range.start(), range.end())).collect()));
        }
        HirKind::Capture(capture) => collect(&capture.sub, links, exact)?,
        HirKind::Concat(subs) => {
            for sub in subs {
                collect(sub, links, exact)?;
            }
        }
        HirKind::Alternation(_) => return None,
        HirKind::Repetition(repetition) => repeat(repetition, links, exact)?,
    }
    (links.len() <= MAX_LINKS).then_some(())
}

fn repeat(repetition: &Repetition, links: &mut Vec<Link>, exact: &mut bool) -> Option<()> {
    let mut sub = Vec::new();
    collect(&repetition.sub, &mut sub, exact)?;
    let min = repetition.min as usize;
    let copies = repetition.max.map_or(min.max(1), |max| max as usize);
    if sub.len().saturating_mul(copies) > MAX_LINKS {
        return None;
    }
    if repetition.max.is_none() && sub.len() > 1 {
        // From the end of such a copy back to its start there is no way.
        return None;
    }
    for copy in 0..copies {
        let optional = copy >= min;
        // Copies of several links are left out as a whole, links one by one.
        *exact &= !optional || sub.len() <= 1;
        links.extend(sub.iter().cloned().map(|link| Link {
            optional: link.optional || optional,
            repeat: link.repeat || repetition.max.is_none() && copy + 1 == copies,
            ..link
        }));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::nfa::thompson::pikevm::PikeVM;

    use super::super::lazy_dfa;
    use super::*;

    fn parse(pattern: &str) -> Hir {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        parser.clone().parse(pattern).unwrap()
    }

    fn link() -> impl Strategy<Value = String> {
        let class =
            prop::sample::select(&["a", "b", "[ab]", "[^a]", ".", "c", "(?:ab)", r"\b"][..]);
        let count =
            prop::sample::select(&["", "", "", "?", "*", "+", "{2,3}", "{2,}", "{0,2}"][..]);
        (class, count).prop_map(|(class, count)| {
            if class == r"\b" { class.to_owned() } else { format!("{class}{count}") }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: ProptestConfig::default().cases * 8,
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_chain_matches_where_the_pattern_does(
            pattern in prop::collection::vec(link(), 1..12).prop_map(|links| links.concat()),
            records in prop::collection::vec(
                prop::collection::vec(prop::sample::select(&b"aaabbbc\n\xFF"[..]), 0..24),
                0..12,
            ),
        ) {
            let hir = parse(&pattern);
            let Some(chain) = Chain::new(&hir) else { return Ok(()) };
            let oracle = PikeVM::new_from_nfa(lazy_dfa::compile(&[&hir], false)).unwrap();
            for record in &records {
                let expected = oracle.is_match(&mut oracle.create_cache(), &record[..]);
                let found = chain.is_match(record);
                prop_assert!(found || !expected, "{} {}", pattern, record.escape_ascii());
                let only = found == expected || !chain.exact;
                prop_assert!(only, "{} {}", pattern, record.escape_ascii());
            }
        }
    }

    #[test]
    fn chains_are_for_classes_in_sequence() {
        for (pattern, exact) in [
            (r"\w{12,}\d\w{12,}\d", Some(true)),
            (r"a?b+c*[^d]{3,7}x", Some(true)),
            (r"\ba+b", Some(false)),
            ("a(?:bc)?d", Some(false)),
            ("a{63}", Some(true)),
            ("a{64}", None),
            ("a(?:bc)*d", None),
            ("ab|cd", None),
            ("a*", None),
        ] {
            assert_eq!(Chain::new(&parse(pattern)).map(|chain| chain.exact), exact, "{pattern}");
        }
    }
}
