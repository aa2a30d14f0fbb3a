//! What sets, engines and scanners tell of their memory, against what was allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use dragnet::pure::Engine;
use dragnet::{Batch, Matches, Pattern, PatternSet, Report, Scan};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `dealloc`, and `alloc` got it from there.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `make` makes, and how many bytes it holds.
fn held<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    let made = make();
    (made, LIVE.load(Ordering::Relaxed) - before)
}

/// What is told is what is held, but for a part that can't be seen from outside.
fn check(what: &str, told: usize, held: usize) {
    assert!(told > held / 2 && told < held * 2, "{what}: {told} bytes told, {held} held");
}

// One test: another one at the same time would allocate as well.
#[test]
fn what_is_told_is_about_what_is_held() {
    let patterns: Vec<String> = (0..2000)
        .map(|n: u32| {
            let word: String = (0..7).map(|i| (b'a' + (n >> i & 15) as u8) as char).collect();
            format!(r"(?i)\b{word}{n}[\w .-]{{0,20}}[:=]\s{{0,3}}[0-9a-f]{{32}}\b|{word}_{n}\.com")
        })
        .collect();
    let (set, bytes) = held(|| {
        let patterns = patterns.iter().map(|p| Pattern::new(p).unicode(false));
        PatternSet::builder().patterns(patterns).build().unwrap()
    });
    check("patterns", set.memory(), bytes);

    let (engine, bytes) = held(|| Engine::new(&set, Report::Patterns));
    check("engine", engine.memory(), bytes);

    let text: String = patterns.iter().map(|p| format!("{}\n", p.replace(r"\.", "."))).collect();
    let mut offsets = Vec::new();
    let batch = Batch::lines(text.as_bytes(), &mut offsets).unwrap();
    let mut matches = Matches::new();
    let mut scanner = engine.scanner();
    scanner.scan(&batch, &mut matches).unwrap();
    // Automata are built by now, but for the working memory of this scanner.
    drop(scanner);
    let (scanner, bytes) = held(|| {
        let mut scanner = engine.scanner();
        scanner.scan(&batch, &mut matches).unwrap();
        scanner
    });
    assert_eq!(matches.len(), 2000);
    check("scanner", scanner.memory(), bytes);
}
