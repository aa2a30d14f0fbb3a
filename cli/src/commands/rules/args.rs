//! The options of `dragnet rules`.

use crate::args::{ColorArgs, EngineArgs, OutputArgs, RuleArgs};

const STRATEGIES: &str = "Strategies:\n  \
    literal     a string that every match contains\n  \
    run         a long run of bytes of one class, such as [a-f0-9]{40}\n  \
    classes     a sequence of byte classes\n  \
    no filter   nothing: an automaton reads every record: the slowest, unless the rule starts with ^\n  \
    always      nothing: the rule matches every record\n  \
    never       nothing: the rule matches no record, such as a^b\n  \
    native      the C library searches the rule, with a strategy of its own";

const EXAMPLES: &str = "Examples:\n  \
    dragnet rules             list the built-in rules\n  \
    dragnet rules --explain   explain how each one is searched\n  \
    dragnet rules -r gitleaks.toml --format json";

/// List the rules and how each one is searched
///
/// Each rule is printed as its name, its strategy in parentheses and its description, followed by
/// its regex. The strategy is what the engine searches for first, to find the places where the rule
/// can match.
///
/// With --format json, each line is an object for one rule, with the fields id, description, regex
/// and search, which is the strategy. A rule that reports a group in place of its match has the field group,
/// the number of the group.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{STRATEGIES}\n\n{EXAMPLES}"))]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) color: ColorArgs,

    /// Explain how each rule is searched, and why
    ///
    /// The sentence names the literal, how often it is expected in a megabyte of ordinary text, and the
    /// part of the line that is checked wherever it is found. The last line names the prefilter that
    /// searches for the literals of all rules. In JSON, each rule has the field explanation, and the
    /// last line is an object with the field prefilter alone.
    #[arg(long)]
    pub(crate) explain: bool,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
