//! The options of `dragnet rules`.

use crate::args::{EngineArgs, OutputArgs, RuleArgs};

/// List the rules and how each one is searched
///
/// The word in parentheses after a rule's name is its strategy: `literal` if the engine first looks
/// for a string that every match contains, `run` for a long run of bytes of one class, `classes` for a
/// sequence of byte classes, `no filter` if an automaton has to read every record, `always` if the
/// rule matches every record, and `native` if the C library searches it. Rules without a filter cost
/// the most.
///
/// With --format json, each line is an object for one rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
        dragnet rules                 list the built-in rules\n  \
        dragnet rules --explain       explain how each one is searched\n  \
        dragnet rules -r gitleaks.toml --format json")]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    /// Explain how each rule is searched, and why
    ///
    /// The last line names the prefilter that searches for the literals of all rules. In JSON, each
    /// rule has the field explanation, and the last line is an object with the field prefilter alone.
    #[arg(long)]
    pub(crate) explain: bool,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
