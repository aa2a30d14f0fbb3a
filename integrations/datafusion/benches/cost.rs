//! Measures what a query costs one core for each gigabyte of text: reading Parquet, decoding it, and searching
//! it, so that one sees how many cores a network feeds.
//!
//! ```sh
//! python3 ../../benches/fetch.py FOLDER       # public rule sets and their texts
//! cargo bench --bench cost -- FOLDER/rules/wazuh.toml FOLDER/text/wazuh.txt
//! ```
//!
//! The arguments are pairs of a rule file, with the `regex` of each `[[rules]]` table, and a text. Rules that
//! dragnet rejects are counted and left out. Unicode is off.
//!
//! # What is measured
//!
//! The text is repeated until it is large, and each copy has other digits: a column of few different values
//! would be stored as a dictionary, which costs nearly nothing to decode. It is written as the column `line` of
//! two files, compressed with zstd and with Snappy. The queries have one partition and run on one thread, and
//! their results are dropped batch by batch.
//!
//! - `read`: the bytes of the file, from the page cache.
//! - `decode`: `SELECT line`, without `read`.
//! - `any`, `which`, `redact`: `SELECT dragnet_any(line, ...)` and so on, without `SELECT line`.
//!
//! The unit is seconds of processor time for 10⁹ bytes of text, of all threads of this process. Unlike the
//! time on the clock, it does not grow when other work shares the machine, or only a little. The figures are
//! medians of rounds in which all queries take turns.
//!
//! The last columns are the numbers of cores that keep up with a link of 10, 25 or 100 Gbit/s that delivers the
//! files, for `dragnet_which`. With more cores than that, reading is the bound. The protocols between the
//! link and the file are not counted.
//!
//! # Options
//!
//! Linux only. `DRAGNET_ROUNDS`: the number of rounds (5). `DRAGNET_MEBIBYTES`: the size of the text (256).

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use dragnet::{Pattern, PatternSet};
use dragnet_datafusion::RuleSets;
use futures::StreamExt;

/// The rows of a batch that is written.
const ROWS: usize = 8192;

/// How often a file is read for one figure, so that the time is long beside a tick of the system's clock.
const READS: usize = 16;

/// The expressions that are measured, after that of the column alone.
const EXPRESSIONS: [&str; 4] = [
    "line",
    "dragnet_any(line, 'rules')",
    "dragnet_which(line, 'rules')",
    "dragnet_redact(line, 'rules')",
];

/// Links, in Gbit/s.
const LINKS: [f64; 3] = [10.0, 25.0, 100.0];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench`.
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.is_empty() || args.len() % 2 == 1 {
        return Err(
            "usage: cargo bench --bench cost -- RULES.toml TEXT [RULES.toml TEXT]...".into()
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!(
        "| rules | text | compression | file / text | read | decode | any | which | redact \
         | cores at 10 Gbit/s | 25 | 100 |"
    );
    println!("|{}", " --- |".repeat(12));
    for pair in args.chunks(2) {
        runtime.block_on(measure(Path::new(&pair[0]), Path::new(&pair[1])))?;
    }
    Ok(())
}

async fn measure(rules: &Path, text: &Path) -> Result<(), Box<dyn Error>> {
    let set = read_rules(rules)?;
    let lines = Lines::read(text, option("DRAGNET_MEBIBYTES", 256)? << 20)?;
    let gigabytes = lines.bytes as f64 / 1e9;
    let folder = std::env::temp_dir().join(format!("dragnet-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let codecs =
        [("zstd", Compression::ZSTD(ZstdLevel::default())), ("snappy", Compression::SNAPPY)];
    let mut files = Vec::new();
    for (name, compression) in codecs {
        let path = folder.join(format!("{name}.parquet"));
        lines.write(&path, compression)?;
        let config = SessionConfig::new().with_target_partitions(1);
        let ctx = SessionContext::new_with_config(config);
        dragnet_datafusion::register(&ctx, RuleSets::new().with("rules", &set));
        let file = path.to_str().ok_or("the folder's name is not UTF-8")?;
        ctx.register_parquet("logs", file, ParquetReadOptions::default()).await?;
        files.push((name, path, ctx));
    }

    // The times of `read` and of each expression, in each round. The first round warms up.
    let mut times = vec![vec![Vec::new(); 1 + EXPRESSIONS.len()]; files.len()];
    for round in 0..=option("DRAGNET_ROUNDS", 5)? {
        for ((_, path, ctx), times) in files.iter().zip(&mut times) {
            let start = cpu_seconds();
            for _ in 0..READS {
                read(path)?;
            }
            let mut passes = vec![(cpu_seconds() - start) / READS as f64];
            for expression in EXPRESSIONS {
                let start = cpu_seconds();
                let rows = run(ctx, expression).await?;
                passes.push(cpu_seconds() - start);
                assert_eq!(rows, lines.rows, "{expression}");
            }
            if round > 0 {
                times.iter_mut().zip(passes).for_each(|(list, time)| list.push(time));
            }
        }
    }

    for ((name, path, _), times) in files.iter().zip(times) {
        let ratio = path.metadata()?.len() as f64 / lines.bytes as f64;
        let cost: Vec<_> = times.into_iter().map(|list| median(list) / gigabytes).collect();
        let [read, decode, any, which, redact] = cost[..] else { unreachable!() };
        let cores = LINKS.map(|link| format!("{:.0}", link / 8.0 / ratio * which));
        println!(
            "| {} ({}) | {} | {name} | {ratio:.2} | {read:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
            stem(rules),
            set.len(),
            stem(text),
            decode - read,
            any - decode,
            which - decode,
            redact - decode,
            cores.join(" | ")
        );
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Runs a query over a file, drops its rows, and returns their number.
async fn run(ctx: &SessionContext, expression: &str) -> Result<usize, Box<dyn Error>> {
    let frame = ctx.sql(&format!("SELECT {expression} FROM logs")).await?;
    let mut batches = frame.execute_stream().await?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await {
        rows += batch?.num_rows();
    }
    Ok(rows)
}

fn read(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    while file.read(&mut buffer)? > 0 {}
    Ok(())
}

fn read_rules(path: &Path) -> Result<PatternSet, Box<dyn Error>> {
    let file: toml::Table = std::fs::read_to_string(path)?.parse()?;
    let rules =
        file.get("rules").and_then(|rules| rules.as_array()).ok_or("there is no [[rules]]")?;
    let all: Vec<_> = rules
        .iter()
        .filter_map(|rule| Some(Pattern::new(rule.get("regex")?.as_str()?).unicode(false)))
        .collect();
    let accepted: Vec<_> =
        all.iter().filter(|&rule| PatternSet::new([rule.clone()]).is_ok()).cloned().collect();
    if accepted.len() < all.len() {
        eprintln!("{}: {} rules are left out", path.display(), all.len() - accepted.len());
    }
    Ok(PatternSet::new(accepted)?)
}

/// The lines of a text, in columns.
struct Lines {
    columns: Vec<StringArray>,
    rows: usize,
    /// The size of the values.
    bytes: usize,
}

impl Lines {
    /// Repeats a text, with other digits in each copy, until it has at least this many bytes.
    fn read(path: &Path, size: usize) -> Result<Lines, Box<dyn Error>> {
        let original = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        if original.is_empty() {
            return Err(format!("{} is empty", path.display()).into());
        }
        let mut text = original.clone();
        let mut random = 1_u64;
        while text.len() < size {
            text.extend(original.chars().map(|c| {
                if !c.is_ascii_digit() {
                    return c;
                }
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                char::from(b'0' + ((random >> 33) % 10) as u8)
            }));
        }
        let lines: Vec<_> = text.lines().collect();
        Ok(Lines {
            columns: lines.chunks(ROWS).map(|rows| StringArray::from(rows.to_vec())).collect(),
            rows: lines.len(),
            bytes: lines.iter().map(|line| line.len()).sum(),
        })
    }

    fn write(&self, path: &Path, compression: Compression) -> Result<(), Box<dyn Error>> {
        let batch = |column: &StringArray| {
            RecordBatch::try_from_iter([("line", Arc::new(column.clone()) as _)])
        };
        let properties = WriterProperties::builder().set_compression(compression).build();
        let schema = batch(&self.columns[0])?.schema();
        let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?;
        for column in &self.columns {
            writer.write(&batch(column)?)?;
        }
        writer.close()?;
        Ok(())
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn option(name: &str, default: usize) -> Result<usize, Box<dyn Error>> {
    match std::env::var(name) {
        Ok(value) => Ok(value.parse().map_err(|error| format!("{name}: {error}"))?),
        Err(_) => Ok(default),
    }
}

/// The processor time that all threads of this process have used, in Linux's ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc");
    // The name of the program, in parentheses, may have spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse().unwrap_or(0)).sum();
    ticks as f64 / 100.0
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
