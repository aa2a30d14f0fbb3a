//! Chooses, for patterns that are searched by a literal, a run of one class that the record must
//! also contain.
//!
//! A literal such as `key` is frequent; the forty hexadecimal digits of `key=[0-9a-f]{40}` are
//! not. Where the record has no such run, no automaton starts. The check itself is in
//! `verify::required_run`. The run of a pattern that has no rare literal, by which the filters
//! search, is a different one: [`literal::filter_run`](crate::pure::literal::filter_run).

use std::collections::HashMap;

use regex_syntax::hir::{Hir, HirKind};

use crate::pure::cost;
use crate::pure::literal::{ByteRun, ByteSet, any_run};
use crate::pure::mechanism;
use crate::pure::verify::{RequiredRunId, RequiredRuns};

/// The maximum length of a required run, in bytes. Longer runs are only slightly rarer.
const MAX_LEN: u32 = 64;

/// Collects the required runs of all patterns, each once.
#[derive(Default)]
pub(in crate::pure) struct RequiredRunBuilder {
    runs: Vec<(ByteSet, u32)>,
    ids: HashMap<(ByteSet, u32), RequiredRunId>,
}

impl RequiredRunBuilder {
    /// Adds the rarest run that every match of `hir` contains, or returns `None` if no run is
    /// rare enough to be worth the check.
    pub(in crate::pure) fn add(&mut self, hir: &Hir) -> Option<RequiredRunId> {
        if !mechanism::required_runs() {
            return None;
        }
        let parts = match hir.kind() {
            HirKind::Concat(parts) => &parts[..],
            _ => &[],
        };
        // The runs of single parts come first, because `min_by` returns the first of equally rare
        // runs: other patterns are more likely to have the same run, and then share the check.
        let rarity = |run: &ByteRun| run.frequency.max(cost::MIN_RUN_FREQUENCY);
        let run = parts
            .iter()
            .filter_map(run_of)
            .chain(any_run(hir))
            .filter(|run| {
                let short = run.len < cost::MIN_REQUIRED_RUN;
                run.class.frequency()
                    <= if short {
                        cost::MAX_SHORT_RUN_CLASS_FREQUENCY
                    } else {
                        cost::MAX_LONG_RUN_CLASS_FREQUENCY
                    }
            })
            .min_by(|a, b| rarity(a).total_cmp(&rarity(b)))?;
        let key = (run.class, run.len);
        Some(*self.ids.entry(key).or_insert_with(|| {
            self.runs.push(key);
            RequiredRunId::new(self.runs.len() - 1)
        }))
    }

    /// Builds the searches for the collected runs, indexed by [`RequiredRunId`].
    pub(in crate::pure) fn build(self) -> RequiredRuns {
        RequiredRuns::new(self.runs)
    }
}

/// The run that one part of a concatenation consists of or contains.
fn run_of(part: &Hir) -> Option<ByteRun> {
    let (class, len) = match part.kind() {
        HirKind::Class(class) => (class, 1),
        HirKind::Repetition(repetition) if repetition.min > 0 => match repetition.sub.kind() {
            HirKind::Class(class) => (class, repetition.min),
            _ => return any_run(part),
        },
        _ => return None,
    };
    let (class, len) = (ByteSet::of(class), len.min(MAX_LEN));
    // As if the bytes were independent. They are not, but the estimate only ranks the runs of one
    // pattern.
    let frequency = class.frequency().powi(len as i32);
    Some(ByteRun { class, len, before: None, after: None, frequency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(builder: &mut RequiredRunBuilder, pattern: &str) -> Option<usize> {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        builder.add(&parser.clone().parse(pattern).unwrap()).map(RequiredRunId::index)
    }

    #[test]
    fn only_rare_runs_are_required() {
        for (pattern, expected) in [
            ("key=[0-9a-f]{40}", Some(0)),
            ("(?:key|id)[0-9]{16}x", Some(0)),
            ("key=[0-9a-f]{4}", None),
            ("key=.{40}", None),
            (r"key=.*[\x80-\xFF]", Some(0)),
            ("key=.*[a-z]", None),
        ] {
            let mut builder = RequiredRunBuilder::default();
            assert_eq!(add(&mut builder, pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn equal_runs_share_an_id() {
        let mut builder = RequiredRunBuilder::default();
        assert_eq!(add(&mut builder, "key=[0-9a-f]{40}"), Some(0));
        assert_eq!(add(&mut builder, "id=[0-9a-f]{40}"), Some(0));
        assert_eq!(add(&mut builder, "id=[0-9a-f]{41}"), Some(1));
    }
}
