//! Functions for [DataFusion](https://datafusion.apache.org) that search columns of strings or bytes
//! for thousands of regular expressions at once, with [`dragnet`].
//!
//! ```
//! use datafusion::prelude::SessionContext;
//! use dragnet::{Pattern, PatternSet};
//! use dragnet_datafusion::RuleSets;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secrets = PatternSet::new([Pattern::new(r"\bghp_\w+").name("token")])?;
//! let ctx = SessionContext::new();
//! dragnet_datafusion::register(&ctx, RuleSets::new().with("secrets", &secrets));
//!
//! let rows = ctx
//!     .sql(
//!         "SELECT dragnet_redact(line, 'secrets') AS line, dragnet_which(line, ['error', '\\d+ ms']) AS kinds
//!          FROM (VALUES ('error: ghp_0123 is refused'), ('30 ms'), ('ok')) AS logs(line)
//!          WHERE dragnet_any(line, ['error', '\\d+ ms'])",
//!     )
//!     .await?;
//! assert_eq!(
//!     rows.to_string().await?,
//!     "\
//! +------------------------------------+-------+
//! | line                               | kinds |
//! +------------------------------------+-------+
//! | error: [REDACTED:token] is refused | [0]   |
//! | 30 ms                              | [1]   |
//! +------------------------------------+-------+"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # The functions
//!
//! The first argument is the text: a column of `Utf8`, `Binary`, or the `Large` or `View` form of
//! either. Dictionaries are unpacked. The second argument, the rules, must be constant. A string is
//! the name of a set in [`RuleSets`]; a list of strings is a set of patterns without names, in the
//! syntax of [`dragnet::Pattern::new`].
//!
//! | function | result for each row | type |
//! | --- | --- | --- |
//! | `dragnet_any(text, rules)` | whether any pattern matches | `Boolean` |
//! | `dragnet_which(text, rules)` | the patterns that match, ascending | `List<UInt32>` |
//! | `dragnet_count(text, rules)` | the number of matches of all patterns | `UInt64` |
//! | `dragnet_spans(text, rules)` | pattern, start and end of each match | `List<Struct<pattern, start, end>>` of `UInt32` |
//! | `dragnet_redact(text, rules)` | the text with all matches replaced by `[REDACTED:name]` | that of the text |
//!
//! Patterns are numbered from 0 in the order of their set, and offsets are in bytes. A null text gives
//! null. Matches of one pattern do not overlap; [`dragnet::Engine`] says what is found.
//!
//! # Cost
//!
//! A batch of rows is one call of the engine, which reads the column in place;
//! [`dragnet::arrow`] says for which columns a part is copied. A named set is compiled when it is
//! first used, and then once for all queries and threads; of the lists, the last 16 stay compiled. Each
//! thread that scans at the same time has a scanner of its own, which is kept for the next batch.
//!
//! # Errors
//!
//! A set that is unknown or does not compile, a text of another type and rules that are not constant
//! are errors when a query is planned. The message has the pattern and the position of its fault.
//!
//! # Ballista
//!
//! Plans have the names of functions, so the scheduler and all executors must know them, with the
//! same sets: [`functions`] returns them for their registries. The example `ballista` does that.

mod function;
mod rules;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

pub use rules::RuleSets;

/// Registers all functions in a session, where they replace those of an earlier call. Compiles
/// nothing yet.
///
/// See the [documentation of the crate](crate) for an example.
pub fn register(ctx: &SessionContext, rules: RuleSets) {
    for function in functions(rules) {
        ctx.register_udf(function);
    }
}

/// Returns all functions, for registries other than that of a session.
///
/// ```
/// use dragnet_datafusion::{RuleSets, functions};
///
/// let names: Vec<_> = functions(RuleSets::new()).iter().map(|f| f.name().to_owned()).collect();
/// assert!(names.contains(&"dragnet_redact".to_owned()));
/// ```
pub fn functions(rules: RuleSets) -> Vec<ScalarUDF> {
    let rules = Arc::new(rules);
    function::Kind::ALL
        .iter()
        .map(|&kind| function::Function::new(kind, Arc::clone(&rules)).into())
        .collect()
}
