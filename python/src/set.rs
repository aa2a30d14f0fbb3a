//! The class `PatternSet`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_schema::DataType;
use dragnet::arrow::{patterns_type, spans_type};
use dragnet::redact::{Redactor, Replacement};
use dragnet::{Batch, Pattern, Report, Scan, StopFlag};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::column::Column;
use crate::error;
use crate::found::{GroupNames, Match};
use crate::groups::{self, Finders, captures_type};
use crate::many::{Many, Threads, spans_in_characters};
use crate::number::Index;
use crate::scan::Pool;
use crate::text::Text;

/// Bytes of a string from which on a search releases the interpreter's lock. Less is searched in a
/// microsecond or so, for which other threads need not be let in.
const DETACH_BYTES: usize = 4096;

/// Many regular expressions that are searched for together.
///
/// The syntax is that of Rust's regex crate. A set is immutable: threads may share it. It can be
/// pickled.
///
/// >>> from dragnet_scan import PatternSet
/// >>> rules = PatternSet([r"user=\w+", r"timeout after \d+ ms"], names=["user", "timeout"])
/// >>> rules.matches("user=zoë: timeout after 30 ms")
/// [0, 1]
/// >>> [m.group() for m in rules.finditer("user=zoë: timeout after 30 ms")]
/// ['user=zoë', 'timeout after 30 ms']
///
/// Invalid patterns raise PatternError, which lists all of them:
///
/// >>> PatternSet(["ok", "a(b"])
/// Traceback (most recent call last):
///     ...
/// dragnet_scan.PatternError: pattern 1: unclosed group at byte 1
#[pyclass(frozen, module = "dragnet_scan")]
pub(crate) struct PatternSet {
    set: dragnet::PatternSet,
    unicode: bool,
    /// The name of each pattern.
    names: Vec<Option<Py<PyString>>>,
    /// Scanners that report which patterns match.
    which: Pool,
    /// Scanners that report where patterns match.
    spans: Pool,
    finders: Finders,
}

#[pymethods]
impl PatternSet {
    /// Compiles patterns.
    ///
    /// names has a name or None for each pattern. With unicode=False, classes such as \w and \b are
    /// ASCII, and . matches any byte except \n, as rule sets for RE2 and Hyperscan expect; (?u) and
    /// (?-u) in a pattern override it.
    ///
    /// report_groups has the number of a group for each pattern, 0 for the whole match. finditer() reports
    /// the span of this group in place of the whole match, and redact() hides only the group: the secretGroup
    /// of a rule of gitleaks. Where the group took no part in a match, the whole match is reported. Which
    /// patterns match does not change.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> rules = PatternSet([r"key=(\w+)", r"\d+"], report_groups=[1, 0])
    /// >>> rules.finditer_many(["key=a7f"]).to_list(), rules.redact("key=a7f")
    /// ([[(0, 4, 7), (1, 5, 6)]], 'key=[REDACTED]')
    #[new]
    #[pyo3(signature = (patterns, *, names = None, unicode = true, report_groups = None))]
    fn new(
        py: Python<'_>,
        patterns: Vec<String>,
        names: Option<Vec<Option<String>>>,
        unicode: bool,
        report_groups: Option<Vec<Index>>,
    ) -> PyResult<PatternSet> {
        let names = names.unwrap_or_else(|| vec![None; patterns.len()]);
        let groups = report_groups.unwrap_or_else(|| vec![Index::Valid(0); patterns.len()]);
        for (count, what) in [(names.len(), "names"), (groups.len(), "report_groups")] {
            if count != patterns.len() {
                let patterns = patterns.len();
                return Err(PyValueError::new_err(format!(
                    "{count} {what} for {patterns} patterns"
                )));
            }
        }
        if groups.contains(&Index::Negative) {
            return Err(PyValueError::new_err("report_groups has a negative number"));
        }
        let list = patterns.into_iter().zip(&names).zip(groups).map(|((regex, name), group)| {
            let pattern = Pattern::new(regex).unicode(unicode).report_group(group.saturated());
            match name {
                Some(name) => pattern.name(name),
                None => pattern,
            }
        });
        let builder = dragnet::PatternSet::builder().patterns(list);
        let set = py.detach(|| builder.build()).map_err(|error| error::of_build(py, &error))?;
        let names = names
            .into_iter()
            .map(|name| name.map(|name| PyString::new(py, &name).unbind()))
            .collect();
        let (which, spans) = (Pool::new(&set, Report::Patterns), Pool::new(&set, Report::Spans));
        let finders = Finders::new(&set);
        Ok(PatternSet { set, unicode, names, which, spans, finders })
    }

    /// The patterns, as they were given.
    #[getter]
    fn patterns(&self) -> Vec<&str> {
        self.set.iter().map(Pattern::as_str).collect()
    }

    /// The name of each pattern, or None.
    #[getter]
    fn names(&self, py: Python<'_>) -> Vec<Option<Py<PyString>>> {
        self.names.iter().map(|name| name.as_ref().map(|name| name.clone_ref(py))).collect()
    }

    /// The number of the group that each pattern reports, 0 for the whole match.
    #[getter]
    fn report_groups(&self) -> Vec<usize> {
        self.set.iter().map(Pattern::get_report_group).collect()
    }

    fn __len__(&self) -> usize {
        self.set.len()
    }

    fn __repr__(&self) -> String {
        format!("<dragnet_scan.PatternSet of {} patterns>", self.set.len())
    }

    /// For pickle and copy.
    fn __getnewargs_ex__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<((Vec<&str>,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("names", self.names(py))?;
        keywords.set_item("unicode", self.unicode)?;
        keywords.set_item("report_groups", self.report_groups())?;
        Ok(((self.patterns(),), keywords))
    }

    /// Returns whether any pattern matches a str or bytes.
    fn is_match(&self, py: Python<'_>, string: &Bound<'_, PyAny>) -> PyResult<bool> {
        let text = Text::new(string)?;
        let mut is_match = false;
        search(py, &self.which, &text.bytes()?, |_| {
            is_match = true;
            ControlFlow::Break(())
        })?;
        Ok(is_match)
    }

    /// Returns the numbers of the patterns that match a str or bytes, ascending.
    fn matches(&self, py: Python<'_>, string: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
        let text = Text::new(string)?;
        let mut patterns = Vec::new();
        search(py, &self.which, &text.bytes()?, |m| {
            patterns.push(m.pattern());
            ControlFlow::Continue(())
        })?;
        Ok(patterns)
    }

    /// Returns an iterator over the matches in a str or bytes, ordered by pattern, then start.
    ///
    /// The matches of one pattern do not overlap, as in re.finditer(); those of different patterns may.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> next(PatternSet(["b+"]).finditer("äbbc"))
    /// <dragnet_scan.Match pattern=0, span=(1, 3), match='bb'>
    /// >>> next(PatternSet(["b+"]).finditer("äbbc".encode()))
    /// <dragnet_scan.Match pattern=0, span=(2, 4), match=b'bb'>
    fn finditer<'py>(
        &self,
        py: Python<'py>,
        string: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let text = Text::new(string)?;
        let bytes = text.bytes()?;
        let found = self.find(py, &bytes)?;
        let offsets = text.offsets(&bytes);
        let list = PyList::empty(py);
        for m in found {
            let Some(span) = offsets.span(m.start(), m.end()) else { continue };
            list.append(Bound::new(py, self.match_of(py, &text, m.pattern(), span))?)?;
        }
        Ok(list.try_iter()?.into_any())
    }

    /// Returns an iterator over the matches in a str or bytes with their groups, ordered by pattern, then
    /// start. Group 0 is the whole match, also of a pattern for which finditer() reports a group.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> m = next(PatternSet([r"(?P<key>\w+)=(\w+)"]).captures("für user=zoë"))
    /// >>> m.group("key"), m[2], m.span(2), m.groups(), m.groupdict()
    /// ('user', 'zoë', (9, 12), ('user', 'zoë'), {'key': 'user'})
    fn captures<'py>(
        &self,
        py: Python<'py>,
        string: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let text = Text::new(string)?;
        let bytes = text.bytes()?;
        let matches = self.find(py, &bytes)?;
        let offsets = text.offsets(&bytes);
        let mut found = Vec::new();
        self.finders.for_each(&matches, &bytes, |captures| {
            if let Some(spans) = groups::spans(captures, &offsets) {
                found.push((captures.pattern(), spans.collect::<Vec<_>>()));
            }
        });
        let mut names: HashMap<usize, GroupNames> = HashMap::new();
        let list = PyList::empty(py);
        for (pattern, spans) in found {
            let names = names.entry(pattern).or_insert_with(|| {
                self.set.capture_names(pattern).map(|name| name.map(str::to_owned)).collect()
            });
            // Group 0 takes part in each match.
            let Some((Some(whole), groups)) = spans.split_first() else { continue };
            let found = self.match_of(py, &text, pattern, *whole);
            list.append(Bound::new(py, found.with_groups(groups.into(), names.clone()))?)?;
        }
        Ok(list.try_iter()?.into_any())
    }

    /// Returns a str or bytes with all matches hidden.
    ///
    /// Each match is replaced by replacement or, if it is None, by [REDACTED:name] with the name of its
    /// pattern, or [REDACTED] if it has none. Matches that overlap are replaced together, by the
    /// replacement of the one that starts first. Where a pattern without Unicode hides a part of a
    /// character of a str, the rest of it becomes U+FFFD.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet([r"\bghp_\w+"], names=["token"]).redact("für ghp_0123")
    /// 'für [REDACTED:token]'
    #[pyo3(signature = (string, replacement = None))]
    fn redact<'py>(
        &self,
        py: Python<'py>,
        string: &Bound<'py, PyAny>,
        replacement: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let text = Text::new(string)?;
        let record = text.bytes()?;
        let mut redactor = self.redactor(replacement);
        let run = || {
            self.spans.with_scanner(&StopFlag::new(), |mut scanner| {
                let redacted = redactor.redact(&mut scanner, &record);
                (scanner, redacted)
            })
        };
        let redacted = detached(py, record.len(), run)
            .map_err(|error| error::of_scan(&error))?
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(match text {
            Text::Str(_) => PyString::new(py, &String::from_utf8_lossy(&redacted)).into_any(),
            Text::Bytes(_) => PyBytes::new(py, &redacted).into_any(),
        })
    }

    /// Returns for each record whether any pattern matches.
    ///
    /// The records are a list (or any iterable) of str or of bytes, or an object with Arrow's PyCapsule
    /// interface with strings or bytes: a column, or a table with one column. Columns are not copied.
    /// None and null are records that give None.
    ///
    /// The scan runs on this many threads, at most 1,024, without the interpreter's lock. progress is called every
    /// 50 ms or so with the numbers of records that are scanned and of all. KeyboardInterrupt, or an exception
    /// of progress, stops the scan.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet(["error", "warning"]).is_match_many(["all is well", "an error", None]).to_list()
    /// [False, True, None]
    #[pyo3(
        signature = (records, *, threads = Threads::ONE, progress = None),
        text_signature = "($self, records, *, threads=1, progress=None)"
    )]
    fn is_match_many(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        threads: Threads,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Column> {
        let many = Many::new(records, threads, progress)?;
        many.scan(py, &self.which, &DataType::Boolean, |scanner, values, _| {
            Ok(Arc::new(scanner.is_match(values)?))
        })
    }

    /// Returns for each record the list of the patterns that match, ascending.
    ///
    /// The arguments are those of is_match_many().
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet(["error", r"\d+"]).matches_many(["all is well", "error 404"]).to_list()
    /// [[], [0, 1]]
    #[pyo3(
        signature = (records, *, threads = Threads::ONE, progress = None),
        text_signature = "($self, records, *, threads=1, progress=None)"
    )]
    fn matches_many(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        threads: Threads,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Column> {
        let many = Many::new(records, threads, progress)?;
        many.scan(py, &self.which, &patterns_type(), |scanner, values, _| {
            Ok(Arc::new(scanner.patterns(values)?))
        })
    }

    /// Returns for each record the list of its matches, as tuples of pattern, start and end, ordered by
    /// pattern, then start.
    ///
    /// The arguments are those of is_match_many(). Offsets count characters in a list of str, and bytes
    /// in a list of bytes and in columns of Arrow, also in those of strings.
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet(["error", r"\d+"]).finditer_many(["all is well", "error 404"]).to_list()
    /// [[], [(0, 0, 5), (1, 6, 9)]]
    #[pyo3(
        signature = (records, *, threads = Threads::ONE, progress = None),
        text_signature = "($self, records, *, threads=1, progress=None)"
    )]
    fn finditer_many(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        threads: Threads,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Column> {
        let many = Many::new(records, threads, progress)?;
        let in_characters = many.records.in_characters;
        many.scan(py, &self.spans, &spans_type(), |scanner, values, array| {
            let spans = scanner.spans(values)?;
            Ok(Arc::new(if in_characters { spans_in_characters(array, &spans) } else { spans }))
        })
    }

    /// Returns for each record the list of its matches with their groups, ordered by pattern, then start: as
    /// tuples of the pattern and a list of the groups, each of them a tuple of start and end, or None if it
    /// took no part in the match. Group 0 is the whole match.
    ///
    /// The arguments and the offsets are those of finditer_many(), and the matches those of captures().
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet([r"(\w+)=(\d+)?"]).captures_many(["id=7 user=zoë", "all is well"]).to_list()
    /// [[(0, [(0, 4), (0, 2), (3, 4)]), (0, [(5, 10), (5, 9), None])], []]
    #[pyo3(
        signature = (records, *, threads = Threads::ONE, progress = None),
        text_signature = "($self, records, *, threads=1, progress=None)"
    )]
    fn captures_many(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        threads: Threads,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Column> {
        let many = Many::new(records, threads, progress)?;
        let in_characters = many.records.in_characters;
        many.scan(py, &self.spans, &captures_type(), |scanner, values, array| {
            self.finders.find(scanner, values, array, in_characters)
        })
    }

    /// Returns each record with all matches hidden, as redact() does.
    ///
    /// The other arguments are those of is_match_many().
    ///
    /// >>> from dragnet_scan import PatternSet
    /// >>> PatternSet([r"\d+"]).redact_many(["card 1234", None], replacement="#").to_list()
    /// ['card #', None]
    #[pyo3(
        signature = (records, *, replacement = None, threads = Threads::ONE, progress = None),
        text_signature = "($self, records, *, replacement=None, threads=1, progress=None)"
    )]
    fn redact_many(
        &self,
        py: Python<'_>,
        records: &Bound<'_, PyAny>,
        replacement: Option<&str>,
        threads: Threads,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Column> {
        let many = Many::new(records, threads, progress)?;
        let result_type = match many.records.chunks.first() {
            Some(chunk) => chunk.data_type().clone(),
            None => DataType::Utf8,
        };
        let redactor = || self.redactor(replacement);
        many.scan(py, &self.spans, &result_type, |scanner, values, _| {
            scanner.redact(values, &mut redactor())
        })
    }
}

impl PatternSet {
    /// The matches in one record.
    fn find(&self, py: Python<'_>, record: &[u8]) -> PyResult<Vec<dragnet::Match>> {
        let mut found = Vec::new();
        search(py, &self.spans, record, |m| {
            found.push(*m);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn match_of(
        &self,
        py: Python<'_>,
        text: &Text<'_>,
        pattern: usize,
        span: (usize, usize),
    ) -> Match {
        let name = self.names[pattern].as_ref().map(|name| name.clone_ref(py).into_any());
        Match::new(pattern, name, text.as_any().clone().unbind(), span)
    }

    fn redactor(&self, replacement: Option<&str>) -> Redactor {
        let redactor = Redactor::new(&self.set);
        match replacement {
            Some(text) => redactor.replacement(Replacement::text(text)),
            None => redactor,
        }
    }
}

/// Calls `run`, which reads this many bytes, without the interpreter's lock where that pays.
fn detached<T: Send>(py: Python<'_>, bytes: usize, run: impl FnOnce() -> T + Send) -> T {
    if bytes < DETACH_BYTES { run() } else { py.detach(run) }
}

/// Calls `each` with the matches in one record.
fn search(
    py: Python<'_>,
    pool: &Pool,
    record: &[u8],
    mut each: impl FnMut(&dragnet::Match) -> ControlFlow<()> + Send,
) -> PyResult<()> {
    let too_long = |_| PyValueError::new_err("a string of more than 4 GiB");
    let offsets = [0, u32::try_from(record.len()).map_err(too_long)?];
    let batch = Batch::from_offsets(record, &offsets)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let run = || {
        pool.with_scanner(&StopFlag::new(), |mut scanner| {
            let result =
                scanner.scan_with(&batch, &mut |block| block.iter().try_for_each(&mut each));
            (scanner, result.map(drop))
        })
    };
    detached(py, record.len(), run)
        .and_then(|result| result)
        .map_err(|error| error::of_scan(&error))
}
