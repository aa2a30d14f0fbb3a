//! A named case, and how a table writes it.

use std::ops::Range;

use dragnet_testkit::Spec;

/// Patterns, records, and the matches if the case lists them.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Where the case comes from.
    pub(crate) source: &'static str,
    pub(crate) specs: Vec<Spec>,
    pub(crate) records: Vec<Vec<u8>>,
    /// Record, pattern and span of every match, in order.
    pub(crate) expected: Option<Vec<(usize, usize, Range<usize>)>>,
    /// Whether the scanners on other threads and in other processes are compared too.
    pub(crate) placed: bool,
}

impl Case {
    /// A case without patterns or records.
    pub(crate) fn new(name: impl Into<String>, source: &'static str) -> Case {
        Case {
            name: name.into(),
            source,
            specs: Vec::new(),
            records: Vec::new(),
            expected: None,
            placed: true,
        }
    }

    /// Leaves out the scanners on other threads and in other processes, for one of many cases that
    /// differ in nothing that these scanners see.
    pub(crate) fn on_this_thread(mut self) -> Case {
        self.placed = false;
        self
    }

    /// Adds patterns with these flags, written as they stand in `(?ims-u)`.
    pub(crate) fn patterns<P: Into<String>>(
        mut self,
        flags: &str,
        patterns: impl IntoIterator<Item = P>,
    ) -> Case {
        self.specs.extend(patterns.into_iter().map(|pattern| Spec::new(pattern, flags)));
        self
    }

    /// Adds records.
    pub(crate) fn records<R: AsRef<[u8]>>(mut self, records: impl IntoIterator<Item = R>) -> Case {
        self.records.extend(records.into_iter().map(|record| record.as_ref().to_vec()));
        self
    }

    /// Lists the record, pattern and span of every match.
    pub(crate) fn finds(
        mut self,
        expected: impl IntoIterator<Item = (usize, usize, Range<usize>)>,
    ) -> Case {
        self.expected = Some(expected.into_iter().collect());
        self
    }
}

/// A case of one pattern in one record.
pub(crate) fn one(
    name: &str,
    source: &'static str,
    flags: &str,
    pattern: &str,
    record: impl AsRef<[u8]>,
    spans: &[Range<usize>],
) -> Case {
    Case::new(name, source)
        .patterns(flags, [pattern])
        .records([record])
        .finds(spans.iter().map(|span| (0, 0, span.clone())))
}
