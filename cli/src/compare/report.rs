//! What a comparison comes to.

use serde::Serialize;

use super::{Comparison, Contender, SHOWN};
use crate::escape;
use crate::json;

/// How much faster one must be to be worth a word; less is noise.
const NOTABLE: f64 = 1.1;

#[derive(Serialize)]
struct Json {
    patterns: usize,
    records: u64,
    bytes: u64,
    equal: bool,
    contenders: Vec<JsonContender>,
}

#[derive(Serialize)]
struct JsonContender {
    name: String,
    build_seconds: f64,
    scan_seconds: f64,
    matches: u64,
}

/// Prints one JSON object.
pub(super) fn json(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let contenders = comparison.contenders.iter().map(|contender| JsonContender {
        name: contender.backend.to_string(),
        build_seconds: contender.build.as_secs_f64(),
        scan_seconds: contender.scan.as_secs_f64(),
        matches: contender.total,
    });
    json::push_line(
        out,
        &Json {
            patterns: comparison.rules.patterns().len(),
            records: comparison.records,
            bytes: comparison.bytes,
            equal: comparison.is_equal,
            contenders: contenders.collect(),
        },
    );
}

/// Prints a table, and what to make of it.
pub(super) fn text(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let Comparison { rules, records, bytes, .. } = comparison;
    let patterns = rules.patterns().len();
    let mut lines = vec![
        format!("{patterns} patterns, {records} lines, {bytes} bytes"),
        String::new(),
        format!(
            "{:<8} {:>10} {:>10} {:>10} {:>10}",
            "backend", "build s", "scan s", "MB/s", "matches"
        ),
    ];
    lines.extend(comparison.contenders.iter().map(|contender| {
        format!(
            "{:<8} {:>10.3} {:>10.3} {:>10.1} {:>10}",
            contender.backend.to_string(),
            contender.build.as_secs_f64(),
            contender.scan.as_secs_f64(),
            *bytes as f64 / 1e6 / contender.scan.as_secs_f64().max(1e-9),
            contender.total,
        )
    }));
    lines.push(String::new());
    lines.extend(differences(comparison));
    lines.push(recommendation(comparison));
    out.extend_from_slice((lines.join("\n") + "\n").as_bytes());
}

/// The differences, one line each, under a heading; nothing if there are none.
pub(super) fn differences(comparison: &Comparison<'_>) -> Vec<String> {
    let list = &comparison.differences;
    if list.is_empty() {
        return Vec::new();
    }
    let heading = match list.len() {
        SHOWN => format!("the answers differ; the first {SHOWN} differences:"),
        _ => "the answers differ:".to_owned(),
    };
    let lines = list.iter().map(|difference| {
        format!(
            "{}:{}:{}: {}: bytes {}..{} found by {} only",
            difference.path,
            difference.line,
            difference.range.start + 1,
            escape::text(comparison.rules.id(difference.rule).as_bytes()),
            difference.range.start,
            difference.range.end,
            difference.by,
        )
    });
    std::iter::once(heading).chain(lines).collect()
}

/// What to make of it, in a sentence or two.
fn recommendation(comparison: &Comparison<'_>) -> String {
    let [pure, native] = comparison.contenders.as_slice() else {
        let reason = comparison.no_native.as_deref().unwrap_or("it did not run");
        return format!("Only the pure backend ran, so there is nothing to compare: {reason}.");
    };
    if !comparison.is_equal {
        return "Use --backend pure, and please report this: the answers must be the same."
            .to_owned();
    }
    let ratio = seconds(native) / seconds(pure);
    match ratio {
        _ if comparison.bytes == 0 => "There was nothing to scan.".to_owned(),
        _ if (1.0 / NOTABLE..=NOTABLE).contains(&ratio) => "Same answers, at about the same \
             speed. Use --backend pure: it needs no C library."
            .to_owned(),
        _ if ratio > 1.0 => {
            format!("Same answers. Use --backend pure: it is {ratio:.1} times as fast here.")
        }
        _ => format!(
            "Same answers. Use --backend native if you can ship its C library: it is {:.1} times \
             as fast here.",
            1.0 / ratio
        ),
    }
}

fn seconds(contender: &Contender) -> f64 {
    contender.scan.as_secs_f64().max(1e-9)
}
