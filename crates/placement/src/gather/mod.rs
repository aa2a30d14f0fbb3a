//! Gathers the records of concurrent callers, so that one scan serves them all.
//!
//! Records that callers hand in are appended to the *open* round, a batch that all share. It is
//! *sealed* when it has as many records or bytes as it may have, and *due* when it is sealed, or
//! somebody waits for it, or it has been open for the linger. While a member of the pool is free
//! and a round is due, an [`Errand`](errand::Errand) is sent to the pool beneath: a call that
//! claims a round, scans it and answers all its tickets at once. While no member is free, records
//! go on to gather, so that rounds grow with the load by themselves.
//!
//! The round consists of *segments*: one for all batches, and one for each handle that submits
//! single records. A handle that adds a record gets *credit* for some more, which count as queued
//! and as part of the round at once. So it adds those to its [`Lane`](lane::Lane), behind a lock of
//! its own, and the lock that all share is taken once for many records. Whoever seals the round
//! takes back the credit and the segments; whoever finds no room takes back the credit first. So
//! all that is said of records in the open round holds of those in lanes too, and the limits are
//! exact. The member makes one batch of the segments before it scans, where it holds up nobody.
//!
//! Without a deadline an errand claims its round when it begins, and the round gathers until then.
//! With one, the errand takes its round along when it is sent, since its deadline is that of one
//! round: the time to wait for the member counts.
//!
//! Nothing here has a timer while there is nothing to do. A round that is open and not due is
//! minded by a free member, which waits for it for the rest of the linger and no longer.

mod core;
mod errand;
mod handle;
mod intake;
mod lane;
#[cfg(all(loom, test))]
mod model;
mod round;
mod state;
mod ticket;

pub use handle::ScanHandle;
pub use ticket::Ticket;

pub(super) use self::core::Core;
pub(super) use state::Limits;

use dragnet::ScanError;
use dragnet_boundary::CallError;

/// What a caller gets to know of a call that did not run.
fn scan_error(error: &CallError) -> ScanError {
    match error {
        CallError::TimedOut => ScanError::TimedOut,
        CallError::Closed => closed(),
        other => ScanError::Unavailable { reason: other.to_string() },
    }
}

/// What a caller gets once the owner or pool was dropped.
fn closed() -> ScanError {
    ScanError::Unavailable { reason: "the owner of the scanner was dropped".to_owned() }
}

/// What a panic said.
fn panicked(payload: Box<dyn std::any::Any + Send>) -> ScanError {
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(message) => (*message).to_owned(),
            None => {
                dragnet_boundary::sync::discard(payload);
                "a value that is not a text".to_owned()
            }
        },
    };
    ScanError::Panicked { message }
}
