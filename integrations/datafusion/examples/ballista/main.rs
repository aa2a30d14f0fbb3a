//! A cluster of Ballista whose processes know dragnet's functions, and a query that survives the
//! death of one of them.
//!
//!     cargo run --example ballista
//!
//! It starts a scheduler and two executors as processes of their own, lets them redact partitioned
//! Parquet files, kills an executor while it holds a part of the result, and checks that the answer is
//! that of one process, row by row. `scheduler` and `executor` in this file are all that a cluster
//! of your own needs.

mod cluster;
mod data;

use std::error::Error;
use std::time::{Duration, Instant};

use ballista::prelude::SessionContextExt;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use dragnet::{Pattern, PatternSet};
use dragnet_datafusion::RuleSets;

use cluster::Cluster;

/// The query that all processes work on: its rows are sorted by one stage of tasks, and merged by
/// another, which reads what executors hold.
const QUERY: &str = r"
    SELECT id, dragnet_redact(line, 'secrets') AS line, dragnet_spans(line, 'secrets') AS spans,
        dragnet_which(line, ['status=5\d\d', 'user=\w+']) AS kinds, dragnet_count(line, ['\d+']) AS numbers
    FROM logs
    WHERE dragnet_any(line, ['status=[45]\d\d', 'token'])
    ORDER BY id";

/// The longest that the comparison may take. It takes about 15 seconds on two cores, of which the
/// scheduler needs 5 to notice that an executor is gone.
const TIME_LIMIT: Duration = Duration::from_secs(180);

/// The sets that the client, the scheduler and all executors must know.
fn rules() -> Result<RuleSets, Box<dyn Error>> {
    let secrets = PatternSet::new([
        Pattern::new(r"\bghp_[0-9a-z]{12}\b").name("token"),
        Pattern::new(r"\b\w+@\w+\.example\b").name("email"),
    ])?;
    Ok(RuleSets::new().with("secrets", &secrets))
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scheduler", port] => runtime.block_on(cluster::scheduler(port.parse()?)),
        ["executor", scheduler, port, grpc_port, folder] => {
            let ports = [scheduler.parse()?, port.parse()?, grpc_port.parse()?];
            runtime.block_on(cluster::executor(ports, folder))
        }
        [] => runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, compare()).await? }),
        _ => Err("usage: ballista".into()),
    }
}

/// Runs the query in this process and in a cluster that loses an executor.
async fn compare() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("dragnet-ballista-{}", std::process::id()));
    let files = folder.join("logs");
    data::write(&files)?;

    // Ballista reads strings without views, so that results have the same types.
    let here = SessionContext::new_with_config(
        SessionConfig::new()
            .set_bool("datafusion.execution.parquet.schema_force_view_types", false),
    );
    let expected = answer(&here, &files).await?;

    let mut cluster = Cluster::start(&folder)?;
    cluster.wait_for_scheduler().await;
    let remote = SessionContext::remote(&cluster.url()).await?;
    let start = Instant::now();
    let mut query =
        tokio::spawn(
            async move { answer(&remote, &files).await.map_err(|error| error.to_string()) },
        );
    let held = tokio::select! {
        held = cluster.wait_for_second() => held?,
        ended = &mut query => {
            ended??;
            return Err("the query was over before an executor was killed".into());
        }
    };
    cluster.kill_second()?;
    println!("killed an executor with {held} files of rows after {:.1?}", start.elapsed());
    let found = query.await??;
    println!("the other executor finished after {:.1?}", start.elapsed());

    if found != expected {
        return Err("the answer is not that of one process".into());
    }
    println!("{} rows of {}, equal to those of one process", found.num_rows(), data::ROWS);
    drop(cluster);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn answer(
    ctx: &SessionContext,
    files: &std::path::Path,
) -> Result<RecordBatch, Box<dyn Error>> {
    dragnet_datafusion::register(ctx, rules()?);
    let files = files.to_str().ok_or("the folder's name is not UTF-8")?;
    ctx.register_parquet("logs", files, ParquetReadOptions::default()).await?;
    let batches = ctx.sql(QUERY).await?.collect().await?;
    let schema = batches.first().ok_or("no rows")?.schema();
    Ok(concat_batches(&schema, &batches)?)
}
