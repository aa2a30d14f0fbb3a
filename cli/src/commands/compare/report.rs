//! Prints the result of a comparison, as text or as JSON.

use serde::Serialize;

use super::{Comparison, Contender, MAX_DIFFERENCES};
use crate::escape;
use crate::json;

/// The ratio of two scan times above which the report calls one backend faster. Smaller ratios may
/// be noise.
const NOTABLE_RATIO: f64 = 1.1;

/// A lower bound on scan times, in seconds, so that dividing by the time of an empty input is not a
/// division by zero.
const MIN_SECONDS: f64 = 1e-9;

/// The JSON output.
#[derive(Serialize)]
struct JsonComparison {
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

/// Appends the comparison as one JSON object.
pub(super) fn json(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let contenders = comparison.contenders.iter().map(|contender| JsonContender {
        name: contender.backend.to_string(),
        build_seconds: contender.build_time.as_secs_f64(),
        scan_seconds: contender.scan_time.as_secs_f64(),
        matches: contender.total_matches,
    });
    json::push_line(
        out,
        &JsonComparison {
            patterns: comparison.rules.patterns().len(),
            records: comparison.records,
            bytes: comparison.bytes,
            equal: comparison.is_equal,
            contenders: contenders.collect(),
        },
    );
}

/// Appends the comparison as a table, the differences and a recommendation.
pub(super) fn text(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let Comparison { rules, records, bytes, .. } = comparison;
    let patterns = rules.patterns().len();
    let mut lines = vec![
        format!("patterns: {patterns}, lines: {records}, bytes: {bytes}"),
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
            contender.build_time.as_secs_f64(),
            contender.scan_time.as_secs_f64(),
            *bytes as f64 / 1e6 / scan_seconds(contender),
            contender.total_matches,
        )
    }));
    lines.push(String::new());
    lines.extend(differences(comparison));
    lines.push(recommendation(comparison));
    out.extend_from_slice((lines.join("\n") + "\n").as_bytes());
}

/// Returns a heading and one line per difference, or no lines if there is no difference.
pub(super) fn differences(comparison: &Comparison<'_>) -> Vec<String> {
    let list = &comparison.differences;
    if list.is_empty() {
        return Vec::new();
    }
    let heading = match list.len() {
        MAX_DIFFERENCES => {
            format!("the answers differ; the first {MAX_DIFFERENCES} differences:")
        }
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
            difference.found_by,
        )
    });
    std::iter::once(heading).chain(lines).collect()
}

/// Returns one or two sentences that recommend a backend.
fn recommendation(comparison: &Comparison<'_>) -> String {
    let [pure, native] = comparison.contenders.as_slice() else {
        let reason = comparison.native_error.as_deref().unwrap_or("it did not run");
        return format!("Only the pure backend ran, so there is nothing to compare: {reason}.");
    };
    if !comparison.is_equal {
        return "The backends disagree, which is a bug. Use --backend pure, and please report this."
            .to_owned();
    }
    let ratio = scan_seconds(native) / scan_seconds(pure);
    match ratio {
        _ if comparison.bytes == 0 => {
            "The input was empty, so there is nothing to compare.".to_owned()
        }
        _ if (1.0 / NOTABLE_RATIO..=NOTABLE_RATIO).contains(&ratio) => {
            "Same answers, at about the same \
             speed. Use --backend pure: it needs no C library."
                .to_owned()
        }
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

fn scan_seconds(contender: &Contender) -> f64 {
    contender.scan_time.as_secs_f64().max(MIN_SECONDS)
}
