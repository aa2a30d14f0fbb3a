//! A thread that keeps changing shared memory while others read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use super::super::memory::SharedMapping;
use super::{Rng, spawn_named};

/// The bytes of a mapping that are changed.
pub(super) struct Range {
    pub(super) mapping: Arc<SharedMapping>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Changes memory until it is dropped.
pub(super) struct Scrambler {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scrambler {
    pub(super) fn start(ranges: Vec<Range>, seed: u64) -> Scrambler {
        let end = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&end);
        let work = move || {
            let mut rng = Rng(seed);
            while !is_over.load(Ordering::Relaxed) {
                if rng.one_in(256) {
                    std::thread::yield_now();
                }
                let Range { mapping, start, end } = &ranges[rng.below(ranges.len())];
                let index = start / 4 + rng.below((end - start) / 4);
                assert!(index * 4 + 4 <= mapping.len(), "within the mapping");
                // SAFETY: the word is in the mapping, as just asserted, and aligned, since a mapping
                // starts at a page. The mapping is writable and lives as long as `ranges`.
                let word =
                    unsafe { AtomicU32::from_ptr(mapping.as_ptr().cast::<u32>().add(index)) };
                // Mostly values that may pass one check and fail the next one.
                let value = match rng.below(4) {
                    0 => rng.edge(),
                    1 => word.load(Ordering::Relaxed) ^ 1 << rng.below(32),
                    _ => rng.below(300) as u32,
                };
                word.store(value, Ordering::Relaxed);
            }
        };
        Scrambler { end, thread: Some(spawn_named("hostile-scrambler", work)) }
    }
}

impl Drop for Scrambler {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the scrambler does not panic");
        }
    }
}
