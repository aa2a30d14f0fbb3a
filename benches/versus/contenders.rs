//! The selection of contenders.

use dragnet::pure::Isa;

use super::contender::Contender;
#[cfg(feature = "native")]
use super::hyperscan;
use super::{crates, engines};
use crate::support::rules::RuleSet;

/// Builds the contenders that `DRAGNET_AGAINST` selects, the pure engine first.
pub(super) fn all(set: &RuleSet) -> Vec<Contender> {
    let selection = std::env::var("DRAGNET_AGAINST").ok();
    let is_named =
        |selection: &str, name: &str| selection.split(',').any(|part| name.contains(part.trim()));
    let wanted = |name: &str| selection.as_ref().is_none_or(|list| is_named(list, name));
    let wanted_explicitly =
        |name: &str| selection.as_ref().is_some_and(|list| is_named(list, name));
    let mut all = engines::pure(set, level(), &wanted);
    #[cfg(dragnet_mechanisms)]
    all.extend(super::without::contenders(set, level()));
    #[cfg(feature = "native")]
    {
        if wanted("native") {
            all.extend(engines::native(set));
        }
        all.extend(hyperscan::contenders(set, &wanted));
    }
    // With its default cache of 2 MiB, RegexSet's lazy DFA gives up on most of these rule sets and
    // leaves the search to an NFA simulation. Users with many patterns raise the limit, so a
    // comparison with the default would be unfair: it runs on request only, without a line in the
    // summary.
    if wanted_explicitly(DEFAULT_REGEX_SET) {
        let default = crates::regex_set(DEFAULT_REGEX_SET, set, 2 << 20);
        all.extend(default.map(|default| Contender { in_summary: false, ..default }));
    }
    if wanted_explicitly(SMALL_REGEX_SET) {
        all.extend(crates::regex_set(SMALL_REGEX_SET, set, 256 << 20));
    }
    if wanted("RegexSet, 1 GiB") {
        all.extend(crates::regex_set("RegexSet, 1 GiB", set, 1 << 30));
    }
    if wanted("aho-corasick loop") {
        all.extend(crates::aho_corasick(set));
    }
    if wanted("regex-filtered") {
        all.extend(crates::filtered(set));
    }
    if wanted("absent byte") {
        all.extend(crates::absent_byte());
    }
    all
}

const DEFAULT_REGEX_SET: &str = "RegexSet, default cache";
const SMALL_REGEX_SET: &str = "RegexSet, 256 MiB";

/// The instructions that the pure engine uses: those that `DRAGNET_ISA` names, or the engine's own
/// choice.
fn level() -> Isa {
    let Ok(name) = std::env::var("DRAGNET_ISA") else { return Isa::best() };
    let available = Isa::available();
    let found = available.iter().find(|isa| isa.name() == name);
    *found.unwrap_or_else(|| panic!("DRAGNET_ISA is not one of {available:?}"))
}
