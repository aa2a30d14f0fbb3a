//! Prints the result of a comparison, as text or as JSON.

use dragnet::Backend;
use serde::Serialize;

use super::ratio::Ratio;
use super::verdict::{MIN_BYTES, Verdict};
use super::{Comparison, MAX_DIFFERENCES};
use crate::escape;
use crate::json;

/// The JSON output.
#[derive(Serialize)]
struct JsonComparison {
    patterns: usize,
    records: u64,
    bytes: u64,
    equal: bool,
    /// The size of the sample that was scanned in rounds.
    sample_bytes: u64,
    rounds: usize,
    /// How many times as long the native backend takes as the pure one, with the bounds of noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<JsonRatio>,
    /// The faster backend; null if the difference is small, uncertain or from too little data.
    faster: Option<String>,
    /// The number of bytes from which on the faster backend is ahead, with the time to build it.
    break_even_bytes: Option<u64>,
    contenders: Vec<JsonContender>,
}

#[derive(Serialize)]
struct JsonRatio {
    mean: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct JsonContender {
    name: String,
    build_seconds: f64,
    first_scan_seconds: f64,
    /// Of the sample, after the first scan.
    scan_seconds: f64,
    matches: u64,
}

/// Appends the comparison as one JSON object.
pub(super) fn json(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let contenders = comparison.contenders.iter().map(|contender| JsonContender {
        name: contender.backend.to_string(),
        build_seconds: contender.build_time.as_secs_f64(),
        first_scan_seconds: contender.first_time.as_secs_f64(),
        scan_seconds: contender.warm_seconds(),
        matches: contender.total_matches,
    });
    let measured = comparison.measured();
    let (faster, break_even) = match measured.map(|measured| measured.verdict()) {
        Some(Verdict::Faster { winner, break_even, .. }) if comparison.is_equal => {
            (Some(comparison.contenders[winner].backend.to_string()), Some(break_even))
        }
        _ => (None, None),
    };
    json::push_line(
        out,
        &JsonComparison {
            patterns: comparison.rules.patterns().len(),
            records: comparison.records,
            bytes: comparison.bytes,
            equal: comparison.is_equal,
            sample_bytes: comparison.sample_bytes as u64,
            rounds: comparison.contenders.first().map_or(0, |contender| contender.rounds.len()),
            ratio: measured
                .and_then(|measured| measured.ratio)
                .map(|Ratio { mean, low, high }| JsonRatio { mean, low, high }),
            faster,
            break_even_bytes: break_even,
            contenders: contenders.collect(),
        },
    );
}

/// Appends the comparison as a table, the differences and a recommendation.
pub(super) fn text(out: &mut Vec<u8>, comparison: &Comparison<'_>) {
    let Comparison { rules, records, bytes, sample_bytes, .. } = comparison;
    let patterns = rules.patterns().len();
    let mut lines = vec![
        format!("patterns: {patterns}, lines: {records}, bytes: {bytes}"),
        String::new(),
        format!(
            "{:<8} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "backend", "build s", "first MB/s", "warm MB/s", "rounds", "matches"
        ),
    ];
    let rate = |bytes: u64, seconds: f64| match bytes {
        0 => "-".to_owned(),
        _ => format!("{:.1}", bytes as f64 / 1e6 / seconds.max(1e-9)),
    };
    lines.extend(comparison.contenders.iter().map(|contender| {
        format!(
            "{:<8} {:>10.3} {:>10} {:>10} {:>10} {:>10}",
            contender.backend.to_string(),
            contender.build_time.as_secs_f64(),
            rate(*bytes, contender.first_time.as_secs_f64()),
            rate(*sample_bytes as u64, contender.warm_seconds()),
            contender.rounds.len(),
            contender.total_matches,
        )
    }));
    lines.push(String::new());
    if (*sample_bytes as u64) < *bytes {
        lines.push(format!("Warm: the first {sample_bytes} bytes, scanned again in rounds."));
    }
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

/// Returns a few sentences that recommend a backend, or say why none is recommended.
fn recommendation(comparison: &Comparison<'_>) -> String {
    let Some(measured) = comparison.measured() else {
        let reason = comparison.native_error.as_deref().unwrap_or("it did not run");
        return format!("Only the pure backend ran, so there is nothing to compare: {reason}.");
    };
    if !comparison.is_equal {
        return "The backends disagree, which is a bug. Use --backend pure, and please report this."
            .to_owned();
    }
    match measured.verdict() {
        Verdict::TooLittleData => format!(
            "Same answers. The sample of {} bytes is too small to show which backend is faster: use \
             at least {MIN_BYTES}, of the kind that will be searched.",
            comparison.sample_bytes
        ),
        Verdict::Same { within } => format!(
            "Same answers, and no difference in speed that can be relied on: at most {:.0}% either \
             way. Use --backend pure: it needs no C library.",
            (within - 1.0) * 100.0
        ),
        Verdict::Faster { winner, times, break_even } => {
            let name = comparison.contenders[winner].backend;
            let advice = match name {
                Backend::Native => "Use --backend native if you can ship its C library",
                _ => "Use --backend pure",
            };
            let building = match break_even {
                0 => "and takes no longer to build".to_owned(),
                bytes => format!(
                    "but takes {:.3} s longer to build, so it is ahead from {:.1} MB on",
                    measured.build[winner] - measured.build[1 - winner],
                    bytes as f64 / 1e6
                ),
            };
            format!("Same answers. {advice}: it is {times:.2} times as fast here, {building}.")
        }
    }
}
