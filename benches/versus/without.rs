//! The pure engine with one of its mechanisms switched off, for `mechanisms.py`.

use dragnet::pure::{Isa, MECHANISMS, switch_off};
use dragnet::{Batch, Report};

use super::contender::{Contender, Search};
use super::engines::{Pure, WAYS, way};
use crate::support::rules::RuleSet;

/// The bytes that these contenders scan. There are a hundred of them.
const SAMPLE: usize = 1 << 20;

/// The engine without each mechanism, in all ways to measure it. That without `nothing` is the engine as it
/// is, which shows how far the measurement can be trusted. `DRAGNET_WITHOUT` selects mechanisms, separated by
/// commas.
pub(super) fn contenders(set: &RuleSet, isa: Isa) -> Vec<Contender> {
    let selection = std::env::var("DRAGNET_WITHOUT").ok();
    let is_selected =
        |name: &&str| selection.as_ref().is_none_or(|list| list.split(',').any(|n| n == *name));
    let mechanisms = MECHANISMS.iter().enumerate().filter(|(_, name)| is_selected(name));
    let mechanisms = mechanisms.map(|(index, name)| (Some(index), *name));
    std::iter::once((None, "nothing"))
        .chain(mechanisms)
        .flat_map(|(index, name)| {
            WAYS.map(|(way_name, report, first_pass)| {
                let name = format!("{way_name}, without {name}");
                without(set, isa, index, (name, report, first_pass))
            })
        })
        .collect()
}

fn without(
    set: &RuleSet,
    isa: Isa,
    mechanism: Option<usize>,
    (name, report, first_pass): (String, Report, bool),
) -> Contender {
    switch_off(mechanism);
    let contender = way(name, Pure::new(set, isa, report, first_pass));
    switch_off(None);
    let search = Box::new(Without { mechanism, search: contender.search });
    Contender { sample: SAMPLE, in_summary: false, search, ..contender }
}

struct Without {
    mechanism: Option<usize>,
    search: Box<dyn Search>,
}

impl Search for Without {
    fn begin(&mut self) {
        switch_off(self.mechanism);
        self.search.begin();
        switch_off(None);
    }

    fn renew(&mut self) {
        switch_off(self.mechanism);
        self.search.renew();
        switch_off(None);
    }

    fn scan(&mut self, batch: &Batch<'_>) {
        switch_off(self.mechanism);
        self.search.scan(batch);
        switch_off(None);
    }

    fn pairs(&self) -> u64 {
        self.search.pairs()
    }

    fn scanner_memory(&self) -> Option<usize> {
        self.search.scanner_memory()
    }
}
