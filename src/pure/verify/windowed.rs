//! Verifies patterns in a window around hits, where the needle lies anywhere in a match.
//!
//! Each hit of such a needle allows a match in a window of the record: from the largest distance
//! before the needle to the largest distance after it. Hits whose windows can touch form a cluster,
//! and the windows of all needles of a pattern are merged where they touch, so that no part of the
//! record is searched twice for one pattern. So a window is not searched immediately: it is
//! scheduled, and searched when the next window does not touch it or when the record ends.

use std::ops::Range;

use crate::pure::ids::{NeedleId, PatternIndex};

use super::cache::{HitCluster, VerifyCache};
use super::tables::VerifyTables;

/// Adds the hit `start..end` of `record` to the cluster of its needle. A hit that is too far away
/// starts a new cluster, and the windows of the old one are scheduled.
pub(super) fn add_hit(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    needle: NeedleId,
    start: u32,
    end: u32,
) {
    let cluster = &mut cache.clusters[needle.index()];
    if cluster.epoch != cache.epoch {
        *cluster = HitCluster { epoch: cache.epoch, start, end };
        cache.clustered.push(needle);
        return;
    }
    // Candidates are sorted by the start of their window and not of their needle, so the hit can
    // also lie before the cluster.
    let gap = start.saturating_sub(cluster.end).max(cluster.start.saturating_sub(end));
    if tables.postings.reach(needle).is_none_or(|reach| gap <= reach) {
        (cluster.start, cluster.end) = (cluster.start.min(start), cluster.end.max(end));
    } else {
        let finished = std::mem::replace(cluster, HitCluster { start, end, ..*cluster });
        schedule(tables, cache, record, needle, finished);
    }
}

/// Searches the windows of all clusters and all scheduled windows of the record.
pub(super) fn verify_remaining(tables: &VerifyTables, cache: &mut VerifyCache, record: &[u8]) {
    let mut clustered = std::mem::take(&mut cache.clustered);
    for needle in clustered.drain(..) {
        let cluster = cache.clusters[needle.index()];
        schedule(tables, cache, record, needle, cluster);
    }
    cache.clustered = clustered;
    while let Some(pattern) = cache.scheduled.pop() {
        if let Some(window) = cache.status[pattern.index()].window.take() {
            verify(tables, cache, record, pattern, window);
        }
    }
}

/// Schedules verification of this needle's patterns around a cluster of hits. A window that
/// touches the pattern's scheduled one is merged with it; otherwise the scheduled one is searched
/// now and replaced.
fn schedule(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    needle: NeedleId,
    cluster: HitCluster,
) {
    for posting in tables.postings.of(needle).1 {
        if !cache.has_any_run(&tables.required_runs, posting.required_run.as_slice(), record) {
            continue;
        }
        let window = posting.window(cluster.start..cluster.end, record.len());
        let status = &mut cache.status[posting.pattern.index()];
        status.enter_record(cache.epoch);
        match &mut status.window {
            scheduled @ None => {
                *scheduled = Some(window);
                cache.scheduled.push(posting.pattern);
            }
            Some(other) if window.start <= other.end && other.start <= window.end => {
                *other = window.start.min(other.start)..window.end.max(other.end);
            }
            Some(other) => {
                let finished = std::mem::replace(other, window);
                verify(tables, cache, record, posting.pattern, finished);
            }
        }
    }
}

/// Searches a window of the record for the pattern, unless the pattern has matched or the window
/// lies within the largest one that was searched in this record.
fn verify(
    tables: &VerifyTables,
    cache: &mut VerifyCache,
    record: &[u8],
    pattern: PatternIndex,
    window: Range<usize>,
) {
    let status = &mut cache.status[pattern.index()];
    status.enter_record(cache.epoch);
    if status.matched
        || (status.start as usize <= window.start && window.end <= status.end as usize)
    {
        return;
    }
    cache.steps += window.len() as u64 + 1;
    let found =
        tables.patterns.is_match(pattern, &mut cache.memory_of(pattern), record, window.clone());
    let status = &mut cache.status[pattern.index()];
    if found {
        status.matched = true;
        cache.matched.push(pattern);
    } else if window.len() > (status.end - status.start) as usize {
        (status.start, status.end) = (window.start as u32, window.end as u32);
    }
    cache.measure(pattern);
}
