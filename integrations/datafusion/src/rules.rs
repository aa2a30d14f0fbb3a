//! Sets of patterns, and their engines and scanners.
//!
//! DataFusion calls a function for each batch of about 8,192 rows, from as many threads as there are
//! partitions. An engine takes milliseconds to make, and a scanner learns its caches, so both must
//! outlive the call: sets are found again by their name or their list, and scanners wait in their
//! set for the next call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use dragnet::arrow::{ColumnError, ColumnScanner};
use dragnet::redact::Redactor;
use dragnet::{Engine, PatternSet, Report, Scanner};

/// The most sets from lists that stay compiled: more than the lists of a query, and few enough that
/// those of old queries, each of up to some megabytes, do not fill the memory of a server.
const MAX_LISTS: usize = 16;

/// The sets of patterns that queries can name.
///
/// ```
/// use dragnet::PatternSet;
/// use dragnet_datafusion::RuleSets;
///
/// let rules = RuleSets::new().with("digits", &PatternSet::new([r"\d+"])?);
/// # Ok::<(), dragnet::BuildError>(())
/// ```
#[derive(Debug, Default)]
pub struct RuleSets {
    named: BTreeMap<String, Arc<RuleSet>>,
    /// Sets from lists; the last one was used last.
    lists: Mutex<Vec<(ScalarValue, Arc<RuleSet>)>>,
}

impl RuleSets {
    /// Makes a collection without names. Queries can still list patterns.
    pub fn new() -> RuleSets {
        RuleSets::default()
    }

    /// Adds a set under a name, and replaces an earlier one of that name.
    pub fn with(mut self, name: impl Into<String>, set: &PatternSet) -> RuleSets {
        self.named.insert(name.into(), Arc::new(RuleSet::new(set.clone())));
        self
    }

    /// The set that an argument of a query names or lists.
    pub(crate) fn resolve(&self, rules: &ScalarValue) -> Result<Arc<RuleSet>> {
        match rules {
            ScalarValue::Utf8(Some(name)) => match self.named.get(name) {
                Some(set) => Ok(Arc::clone(set)),
                None => plan_err!(
                    "there is no rule set named '{name}'; the names are {:?}. \
                     A pattern is written as a list: ['{name}']",
                    self.named.keys().collect::<Vec<_>>()
                ),
            },
            ScalarValue::List(list) if list.is_valid(0) => self.listed(rules, &list.value(0)),
            _ => plan_err!("the rules must be a name or a list of patterns, not {rules}"),
        }
    }

    fn listed(&self, key: &ScalarValue, patterns: &dyn Array) -> Result<Arc<RuleSet>> {
        let mut lists = locked(&self.lists);
        if let Some(at) = lists.iter().position(|(other, _)| other == key) {
            lists[at..].rotate_left(1);
            return Ok(Arc::clone(&lists[lists.len() - 1].1));
        }
        drop(lists);
        let patterns = patterns.as_string::<i32>();
        if let Some(at) = (0..patterns.len()).find(|&at| patterns.is_null(at)) {
            return plan_err!("pattern {at} of the rules is null");
        }
        // Compiled without the lock, so that a large set does not stop the other queries.
        let set = PatternSet::new(patterns.iter().flatten())
            .map_err(|error| DataFusionError::Plan(format!("the rules have errors: {error}")))?;
        let set = Arc::new(RuleSet::new(set));
        let mut lists = locked(&self.lists);
        if lists.len() == MAX_LISTS {
            lists.remove(0);
        }
        lists.push((key.clone(), Arc::clone(&set)));
        Ok(set)
    }
}

/// A set, and an engine for each kind of report, made when it is first used.
#[derive(Debug)]
pub(crate) struct RuleSet {
    set: PatternSet,
    patterns: OnceLock<Searcher>,
    spans: OnceLock<Searcher>,
}

/// An engine, and the scanners that are not in use.
#[derive(Debug)]
struct Searcher {
    engine: Engine,
    idle: Mutex<Vec<Search>>,
}

/// What scans a column: the memory of one thread.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) scanner: ColumnScanner<Scanner>,
    pub(crate) redactor: Redactor,
}

impl RuleSet {
    fn new(set: PatternSet) -> RuleSet {
        RuleSet { set, patterns: OnceLock::new(), spans: OnceLock::new() }
    }

    /// Calls `scan` with a scanner that reports `report`.
    pub(crate) fn search<T>(
        &self,
        report: Report,
        scan: impl FnOnce(&mut Search) -> Result<T, ColumnError>,
    ) -> Result<T> {
        let searcher = match report {
            Report::Patterns => &self.patterns,
            Report::Spans => &self.spans,
        };
        let searcher = searcher.get_or_init(|| Searcher {
            engine: Engine::new(&self.set, report),
            idle: Mutex::default(),
        });
        let idle = locked(&searcher.idle).pop();
        let mut search = match idle {
            Some(search) => search,
            None => Search {
                scanner: ColumnScanner::new(searcher.engine.scanner().map_err(external)?),
                redactor: Redactor::new(&self.set),
            },
        };
        let found = scan(&mut search).map_err(external)?;
        locked(&searcher.idle).push(search);
        Ok(found)
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Locks a mutex. A list that a mutex protects is complete even if another thread panics, so poison is
/// ignored.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
