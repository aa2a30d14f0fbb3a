//! Coalesces the records of concurrent callers into shared batches, so that one scan answers many
//! callers.
//!
//! # How it works
//!
//! Records are appended to the *open* batch. It is *sealed* when it has as many records or bytes as a
//! batch may have: then it takes no more. It is *due* when it is sealed, when a caller waits for one of
//! its records, or when it has been open for the linger (the configured maximum delay).
//!
//! The threads of the pool are its *members*. When a batch is due and a member is free, a
//! [`Job`](job::Job) is submitted to the pool: a call that takes the batch, scans it and answers all of
//! its tickets at once. While no member is free, the open batch keeps growing. So the size of the batches
//! adapts to the load, as with group commit in databases. Without a linger, a record is scanned at once
//! if a member is free.
//!
//! An open batch consists of *segments*: one for the batches of [`Scan::scan`](dragnet::Scan::scan), and
//! one for each handle that submits single records. When a handle adds a record under the lock of the
//! queue, it gets a [`Quota`](local_buffer::Quota) for further records, which counts as queued at once.
//! The handle adds those records to its [`LocalBuffer`](local_buffer::LocalBuffer), under a lock that
//! only it uses. So the lock of the queue, on which all callers contend, is taken once for many records.
//! Sealing the batch revokes the quotas and collects the segments. A caller that finds the queue full
//! revokes all quotas and checks again, so unused quotas never cause a wait, and the limits are exact.
//! The member copies the segments into one contiguous batch before it scans, when no lock is held.
//!
//! Without a deadline, a job is submitted *unbound*: it claims a batch when it starts, so the batch
//! grows until then. With a deadline, a job is submitted *bound* to its batch, because the deadline of
//! a call includes the wait for a member, and a late batch must get its answer.
//!
//! No thread exists only to end a linger. While a batch is open and not due, a free member waits until
//! it is due: this call is the *flush timer*. While nothing is queued, no timer runs.
//!
//! # Modules
//!
//! Each module uses only the ones before it: `buffers` and `limits`, `shared_batch`, `local_buffer`,
//! `queue`, `coalescer` (the state that all callers share), `job`, `dispatch`, `submit`, and the public
//! `ticket` and `handle`.

mod buffers;
mod coalescer;
mod dispatch;
mod handle;
mod job;
mod limits;
mod local_buffer;
#[cfg(all(loom, test))]
mod model;
mod queue;
mod shared_batch;
mod submit;
mod ticket;

pub(crate) use self::coalescer::Coalescer;
pub use handle::ScanHandle;
pub(crate) use limits::Limits;
pub use ticket::Ticket;
