//! Prints the measurements as a table or as JSON.

use super::measure::{BATCHES, Cost, Measurements, Outcome, Percentiles, Record, Rung};
use serde::Serialize;

use crate::json;

/// The length of the longest bar, in characters.
const MAX_BAR_LEN: usize = 24;

#[derive(Serialize)]
struct JsonReport {
    record_bytes: usize,
    rungs: Vec<JsonRung>,
}

#[derive(Serialize)]
struct JsonRung {
    name: &'static str,
    title: &'static str,
    /// Why the system does not support the rung; `null` if it does. Unsupported rungs have no figures.
    unsupported: Option<String>,
    #[serde(flatten)]
    cost: Option<JsonCost>,
}

#[derive(Serialize)]
struct JsonCost {
    call: JsonPercentiles,
    ratio: f64,
    batches: Vec<JsonBatch>,
    records_for_5_percent: Option<usize>,
}

#[derive(Serialize)]
struct JsonBatch {
    records: usize,
    ratio: f64,
    record_ns: f64,
    call: JsonPercentiles,
}

#[derive(Serialize)]
struct JsonPercentiles {
    p10_ns: f64,
    p50_ns: f64,
    p90_ns: f64,
    p99_ns: f64,
    mean_ns: f64,
    samples: usize,
    calls_per_sample: u64,
}

impl From<&Percentiles> for JsonPercentiles {
    fn from(call: &Percentiles) -> JsonPercentiles {
        JsonPercentiles {
            p10_ns: call.p10,
            p50_ns: call.p50,
            p90_ns: call.p90,
            p99_ns: call.p99,
            mean_ns: call.mean,
            samples: call.samples,
            calls_per_sample: call.calls_per_sample,
        }
    }
}

impl From<&Cost> for JsonCost {
    fn from(cost: &Cost) -> JsonCost {
        let batches = cost.batches.iter().map(|batch| JsonBatch {
            records: batch.records,
            ratio: batch.ratio,
            record_ns: batch.per_record(),
            call: (&batch.call).into(),
        });
        JsonCost {
            call: (&cost.call).into(),
            ratio: cost.ratio,
            batches: batches.collect(),
            records_for_5_percent: cost.negligible_from,
        }
    }
}

/// Appends one JSON object to `out`.
pub(super) fn json(out: &mut Vec<u8>, measurements: &Measurements) {
    let rungs = measurements.rungs.iter().map(|Rung { name, title, outcome, .. }| {
        let (unsupported, cost) = match outcome {
            Outcome::Measured(cost) => (None, Some(cost.into())),
            Outcome::Unsupported(reason) => (Some(reason.clone()), None),
        };
        JsonRung { name, title, unsupported, cost }
    });
    json::push_line(out, &JsonReport { record_bytes: size_of::<Record>(), rungs: rungs.collect() });
}

/// Appends a table to `out`, and a bar chart if `bars` is set.
pub(super) fn text(out: &mut Vec<u8>, measurements: &Measurements, bars: bool) {
    let mut lines = vec![
        format!(
            "{:<27} {:^36} {:^43} {:>9}",
            "", "the crossing alone", "a record, in batches of", "under 5%"
        ),
        format!(
            "{:<27} {:>8} {:>8} {:>8} {:>9} {} {:>9}",
            "",
            "p50",
            "p90",
            "p99",
            "ratio",
            BATCHES.map(|size| format!("{size:>8}")).join(" "),
            "from",
        ),
    ];
    lines.extend(measurements.rungs.iter().map(|rung| match &rung.outcome {
        Outcome::Measured(cost) => row(rung.title, cost),
        Outcome::Unsupported(reason) => format!("{:<27} unsupported: {reason}", rung.title),
    }));
    if bars {
        lines.extend(chart(measurements));
    }
    lines.push(String::new());
    lines.extend(measurements.rungs.iter().map(sentence));
    out.extend_from_slice((lines.join("\n") + "\n").as_bytes());
}

/// Returns a sentence about a rung: what it is and what it costs.
fn sentence(rung: &Rung) -> String {
    let cost = match &rung.outcome {
        Outcome::Unsupported(_) => "this system does not support it".to_owned(),
        Outcome::Measured(_) if rung.name == "rust" => "the others are compared with it".to_owned(),
        Outcome::Measured(cost) => {
            let negligible = match cost.negligible_from {
                Some(1) => "below 5% of the work on one record".to_owned(),
                Some(records) => format!("below 5% of the work on {records} records"),
                None => "above 5% of the work on all measured batches".to_owned(),
            };
            format!("{} for each call, {negligible}", time(cost.call.p50))
        }
    };
    format!("{}: {}; {cost}.", rung.title, rung.about)
}

fn row(title: &str, cost: &Cost) -> String {
    let Percentiles { p50, p90, p99, .. } = cost.call;
    let batches = cost.batches.iter().map(|batch| format!("{:>8}", time(batch.per_record())));
    let negligible_from = match cost.negligible_from {
        Some(records) => records.to_string(),
        None => format!("> {}", BATCHES[BATCHES.len() - 1]),
    };
    format!(
        "{title:<27} {:>8} {:>8} {:>8} {:>9} {} {negligible_from:>9}",
        time(p50),
        time(p90),
        time(p99),
        format!("{:.1}x", cost.ratio),
        batches.collect::<Vec<_>>().join(" "),
    )
}

/// Formats nanoseconds in the unit that needs the fewest digits.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "us"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    match value {
        v if v < 100.0 => format!("{v:.1} {unit}"),
        v => format!("{v:.0} {unit}"),
    }
}

/// Returns the lines of a bar chart of the crossings, on a logarithmic scale.
fn chart(measurements: &Measurements) -> Vec<String> {
    let crossings: Vec<_> = measurements
        .rungs
        .iter()
        .filter_map(|rung| match &rung.outcome {
            // A logarithmic scale has no zero. 0.1 ns is below the resolution of the measurement.
            Outcome::Measured(cost) => Some((rung.title, cost.call.p50.max(0.1))),
            _ => None,
        })
        .collect();
    let least = crossings.iter().map(|(_, time)| *time).fold(f64::INFINITY, f64::min);
    let most = crossings.iter().map(|(_, time)| *time).fold(least, f64::max);
    let scale = (most / least).ln().max(f64::MIN_POSITIVE);
    let bars = crossings.iter().map(|&(title, time)| {
        let length = 1 + ((time / least).ln() / scale * (MAX_BAR_LEN - 1) as f64).round() as usize;
        format!("{title:<27} {:<MAX_BAR_LEN$} {}", "\u{2588}".repeat(length), self::time(time))
    });
    let heading = "The crossing alone, by its median; the scale is logarithmic".to_owned();
    [String::new(), heading].into_iter().chain(bars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_the_shortest_unit() {
        let cases = [
            (0.0, "0.0 ns"),
            (1.46, "1.5 ns"),
            (99.0, "99.0 ns"),
            (999.0, "999 ns"),
            (1_500.0, "1.5 us"),
            (48_000.0, "48.0 us"),
            (2.5e6, "2.5 ms"),
            (12e9, "12.0 s"),
        ];
        for (nanoseconds, expected) in cases {
            assert_eq!(time(nanoseconds), expected);
        }
    }
}
