//! Coalesces the records of concurrent callers into shared batches, so that one scan answers many
//! callers.
//!
//! # How it works
//!
//! Records are appended to the *open* batch. It is *sealed* when it has as many records or bytes as
//! a batch may have. It is *due* when it is sealed, when a caller waits for one of its records, or
//! when it has been open for the linger. While a member of the pool is free and a batch is due, a
//! [`Job`](job::Job) is submitted to the pool: a call that takes the batch, scans it and answers all
//! of its tickets at once. While no member is free, the open batch keeps growing. So the size of the
//! batches adapts to the load, as with group commit in databases, and a lone record waits for nobody.
//!
//! An open batch consists of *segments*: one for the batches of [`ScanHandle::scan`], and one for each
//! handle that submits single records. When a handle adds a record under the lock of the queue, it
//! gets a [`Quota`](local_buffer::Quota) for further records, which counts as queued at once. The
//! handle adds those records to its [`LocalBuffer`](local_buffer::LocalBuffer), under a lock that only
//! it uses. So the lock of the queue, on which all callers contend, is taken once for many records.
//! Sealing the batch revokes the quotas and collects the segments; a caller that finds no room revokes
//! the quotas first. So the limits are exact. The member copies the segments into one contiguous batch
//! before it scans, when no lock is held.
//!
//! Without a deadline, a job claims its batch when it starts, so the batch grows until then. With a
//! deadline, a job is submitted with its batch, because the deadline of a call covers the wait for a
//! member.
//!
//! No timer runs while nothing is queued. While a batch is open and not due, a free member waits until
//! it is: this wait is the *flush timer*.
//!
//! # Modules
//!
//! Each module uses only the ones before it: `buffers` and `limits`, `shared_batch`, `local_buffer`,
//! `queue`, `coalescer` (the state that all callers share), `job`, `dispatch`, `submit`, and at last
//! the public `ticket` and `handle`.

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
