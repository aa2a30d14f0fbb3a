//! Scans a stream on several threads, and passes the matches on in the order of the stream.
//!
//! Each thread takes the next block from the reader, which a lock protects, scans it with a scanner of its
//! own and sends the matches to the calling thread. While it has the lock, it puts the block into a queue,
//! from which the calling thread takes the blocks in order and receives the matches of one after the
//! other. So there is no thread that only reads, and a stream that is slower than one thread is read as on
//! one.
//!
//! The memory is bounded: the queue has room for as many blocks as there are threads, and a thread that has
//! sent [`MAX_QUEUED_LISTS`] lists of matches waits for the calling thread. There is no deadlock, because the
//! calling thread always receives from the first block that it has not finished, and the thread that scans
//! it never waits for another block.
//!
//! # Ends
//!
//! Whatever ends the scan, the calling thread stops receiving. All sends fail from then on, so that each
//! thread ends after the block that it scans. An error of the reader or of a scanner takes its place in
//! the order: what was found before it in the stream has been passed on. A panic on a thread is continued
//! on the calling thread.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use crate::{Match, Scan, ScanError};

use super::across::{AcrossScan, AcrossSpans, BlockMatches};
use super::block::{Block, Copies};
use super::block_reader::BlockReader;
use super::run::Consumer;
use super::{ReadError, ReaderScan};

/// The number of lists of matches, each of up to [`MAX_BLOCK`](crate::MAX_BLOCK), that a thread sends
/// before it waits. 64 KiB each; most blocks have fewer matches altogether.
const MAX_QUEUED_LISTS: usize = 16;

/// A block that is being scanned, and its matches.
struct Task {
    block: Arc<Block>,
    found: Receiver<Message>,
}

/// What a thread sends about its block. The last message is the end; without it, the thread has
/// panicked.
enum Message {
    Matches(Vec<Match>),
    /// All matches of a block that was searched across lines, whose spans are not known yet.
    Across(BlockMatches),
    End(Result<(), ReadError>),
}

/// What the threads share.
struct Shared<'a, R: Read> {
    scan: &'a ReaderScan,
    source: Mutex<BlockSource<'a, R>>,
    /// Blocks to be used again. The calling thread has it, too, but not the rest: the queue ends when the
    /// last thread does.
    free: Arc<Mutex<Vec<Block>>>,
}

struct BlockSource<'a, R: Read> {
    reader: BlockReader<'a, R>,
    tasks: SyncSender<Result<Task, ReadError>>,
}

/// Scans a stream with as many threads as there are scanners.
pub(super) fn run<S: Scan>(
    scan: &ReaderScan,
    reader: impl Read + Send,
    scanners: &mut [S],
    consumer: &mut impl Consumer,
) -> Result<ControlFlow<()>, ReadError> {
    assert!(!scanners.is_empty(), "there must be a scanner");
    std::thread::scope(|scope| {
        let (sender, tasks) = sync_channel(scanners.len());
        let free = Arc::new(Mutex::default());
        let shared = Arc::new(Shared {
            scan,
            source: Mutex::new(BlockSource {
                reader: BlockReader::new(reader, scan),
                tasks: sender,
            }),
            free: Arc::clone(&free),
        });
        let mut threads = Vec::new();
        for scanner in scanners {
            let shared = Arc::clone(&shared);
            let run = move || {
                let mut copies = Copies::default();
                let mut across = shared.scan.across().map(AcrossScan::new);
                while shared.scan_next(scanner, &mut copies, &mut across).is_continue() {}
            };
            match std::thread::Builder::new()
                .name("reader scan".to_owned())
                .spawn_scoped(scope, run)
            {
                Ok(thread) => threads.push(thread),
                // The system limits the number of threads, and one is enough.
                Err(_) if !threads.is_empty() => break,
                Err(error) => {
                    let reason = format!("can't start a thread: {error}");
                    let source = ScanError::Unavailable { reason };
                    return Err(ReadError::Scan { offset: 0, source });
                }
            }
        }
        drop(shared);
        let result = receive(scan, tasks, consumer, |block| {
            if let (Some(block), Ok(mut free)) = (Arc::into_inner(block), free.lock()) {
                free.push(block);
            }
        });
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        result
    })
}

/// Passes the matches of all tasks to `consumer`. `free` takes blocks that are done with.
fn receive(
    scan: &ReaderScan,
    tasks: Receiver<Result<Task, ReadError>>,
    consumer: &mut impl Consumer,
    free: impl Fn(Arc<Block>),
) -> Result<ControlFlow<()>, ReadError> {
    let mut spans = scan.across().map(AcrossSpans::new);
    for task in tasks {
        let Task { block, found } = task?;
        loop {
            let flow = match (found.recv(), &mut spans) {
                (Ok(Message::Matches(matches)), _) => consumer.matches(&block, &matches),
                (Ok(Message::Across(mut found)), Some(spans)) => {
                    consumer.matches(&block, spans.add(&block, &mut found))
                }
                (Ok(Message::End(result)), _) => {
                    result?;
                    break;
                }
                // The thread has panicked, which the caller finds out.
                _ => return Ok(ControlFlow::Break(())),
            };
            if flow.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if consumer.end_of_block(&block).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        free(block);
    }
    Ok(ControlFlow::Continue(()))
}

impl<R: Read> Shared<'_, R> {
    /// Scans the next block. Breaks at the end of the stream, after an error, and when nobody receives
    /// the matches any more.
    fn scan_next(
        &self,
        scanner: &mut impl Scan,
        copies: &mut Copies,
        across: &mut Option<AcrossScan<'_>>,
    ) -> ControlFlow<()> {
        let Some((block, sender)) = self.take() else { return ControlFlow::Break(()) };
        let result = scan_block(&block, scanner, copies, across, &sender);
        // Before the calling thread is done with the block, so that it can be used again.
        drop(block);
        match result {
            Some(result) => {
                let is_error = result.is_err();
                match sender.send(Message::End(result)) {
                    Ok(()) if !is_error => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            }
            None => ControlFlow::Break(()),
        }
    }

    /// Reads the next block and puts it into the queue.
    fn take(&self) -> Option<(Arc<Block>, SyncSender<Message>)> {
        // If another thread has panicked, there is nothing left to do.
        let mut block = self.free.lock().ok()?.pop().unwrap_or_default();
        let mut source = self.source.lock().ok()?;
        match source.reader.next(&mut block) {
            Ok(true) => {
                let block = Arc::new(block);
                let (sender, found) = sync_channel(MAX_QUEUED_LISTS);
                source.tasks.send(Ok(Task { block: Arc::clone(&block), found })).ok()?;
                Some((block, sender))
            }
            Ok(false) => None,
            Err(error) => {
                // Fails only if nobody receives.
                let _ = source.tasks.send(Err(error));
                None
            }
        }
    }
}

/// Sends the matches of a block. Returns `None` if nobody receives them.
fn scan_block(
    block: &Block,
    scanner: &mut impl Scan,
    copies: &mut Copies,
    across: &mut Option<AcrossScan<'_>>,
    sender: &SyncSender<Message>,
) -> Option<Result<(), ReadError>> {
    let error = |source| ReadError::Scan { offset: block.offset(block.start), source };
    if let Some(across) = across {
        let mut found = BlockMatches::default();
        let result = across.scan(block, scanner, copies, &mut found).map_err(error);
        if result.is_ok() {
            sender.send(Message::Across(found)).ok()?;
        }
        return Some(result);
    }
    let flow = block.batch(copies).map_err(super::too_large).and_then(|batch| {
        scanner.scan_with(&batch, &mut |matches| match sender
            .send(Message::Matches(matches.to_vec()))
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    });
    match flow {
        Ok(ControlFlow::Continue(())) => Some(Ok(())),
        Ok(ControlFlow::Break(())) => None,
        Err(source) => Some(Err(error(source))),
    }
}
