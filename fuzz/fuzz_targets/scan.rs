//! Small sets of patterns and batches against the oracle: one engine, or one level of SIMD, of those
//! that this machine has; both reports, all layouts of a batch, at once and in blocks.

#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};

mod support;

use dragnet_testkit::{Comparison, engine_contenders};
use support::{Case, case};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((&choice, data)) = data.split_first() else { return Corpus::Reject };
    let mut source = Unstructured::new(data);
    let Ok(Some(Case { specs, batches })) = case(&mut source) else { return Corpus::Reject };
    // One of them for each input, or most of the time would go into building.
    let all = engine_contenders();
    let name = &all[usize::from(choice) % all.len()].name;
    let mut comparison = Comparison::of(&specs, |contender| contender.name == *name);
    for records in batches {
        if let Err(difference) = comparison.batch(&records) {
            panic!("{difference}\npatterns: {specs:#?}\nrecords: {}", show(&records));
        }
    }
    Corpus::Keep
});

fn show(records: &[Vec<u8>]) -> String {
    records.iter().map(|record| format!("\n    b\"{}\"", record.escape_ascii())).collect()
}
