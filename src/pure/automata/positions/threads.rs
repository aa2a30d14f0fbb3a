//! Lists of *threads*: the ways to continue a match that backtracking would still try at an offset, in its order.
//!
//! A byte leads each thread to those that its choices allow, in the order of preference. A match cuts off all threads
//! after it, since they are not tried any more. Such lists are the states of a [DFA](super::backtrack_dfa) that finds
//! preferred matches (Cox, *Regular Expression Matching in the Wild*).
//!
//! A thread is a number: the position at which the last byte was read, or a run and how many bytes of it were read.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::looks::{self, EDGE, Outlook, any_kind_of};
use super::program::{Choice, List, Program};
use crate::pure::automata::byte_classes::ByteClasses;
use crate::pure::automata::hash::Mixer;

/// The largest number of threads of a list.
const MAX_THREADS: usize = 64;

/// The thread that has read nothing.
const START: u32 = u32::MAX;

/// The next list cannot be computed: it has too many threads, or an assertion needs more than the bytes on both sides.
#[derive(Debug)]
pub(super) struct Undecided;

/// Computes lists of threads. A *key* is the kind of the byte before, if that matters, and a list.
#[derive(Debug)]
pub(super) struct Threads {
    /// By position: the first one with the same choices after it.
    representatives: Box<[u16]>,
    /// By position, and then by run: whether a choice after it asserts something.
    assert: Box<[bool]>,
    /// Whether a choice of what a match begins with does.
    start_asserts: bool,
    /// What was computed last.
    key: Vec<u32>,
    /// The choices that were considered for that.
    considered: u64,
}

impl Threads {
    /// Returns `None` if the program has repetitions that are too long to be counted.
    pub(super) fn new(program: &Program) -> Option<Threads> {
        if program.runs.iter().any(|run| max_count(run.min, run.max) > u32::from(u16::MAX)) {
            return None;
        }
        let mut first = HashMap::<_, _, BuildHasherDefault<Mixer>>::default();
        let positions = 0..program.positions() as u16;
        let representatives = positions
            .clone()
            .map(|at| *first.entry(program.after(at).range()).or_insert(at))
            .collect();
        let asserts = |list| program.choices(list).iter().any(|choice| choice.looks != 0);
        let lists = positions.map(|at| program.after(at));
        let lists = lists.chain(program.runs.iter().map(|run| run.after));
        Some(Threads {
            representatives,
            assert: lists.map(asserts).collect(),
            start_asserts: asserts(program.start),
            key: Vec::new(),
            considered: 0,
        })
    }

    /// The key that was computed last.
    pub(super) fn key(&self) -> &[u32] {
        &self.key
    }

    /// Whether that has no threads.
    pub(super) fn is_dead(&self) -> bool {
        self.key.len() == 1
    }

    /// The choices that were considered for it.
    pub(super) fn considered(&self) -> u64 {
        self.considered
    }

    /// Computes the key where a match begins after a byte of this kind.
    pub(super) fn start(&mut self, kind: usize) {
        self.key.clear();
        self.key.extend([kind as u32, START]);
        self.forget_kind();
    }

    /// Computes the key that a byte leads to from `key`, or the end of the record if it is `None`. Returns whether a
    /// match ends before it.
    pub(super) fn step(
        &mut self,
        program: &Program,
        key: &[u32],
        byte: Option<u8>,
    ) -> Result<bool, Undecided> {
        let (before, threads) = key.split_first().ok_or(Undecided)?;
        let after = byte.map_or(EDGE, any_kind_of);
        let reads = |set: u16| byte.is_some_and(|b| program.sets[usize::from(set)].contains(b));
        self.key.clear();
        self.key.push(after as u32);
        self.considered = 0;
        let mut is_match = false;
        'threads: for &thread in threads {
            let run = run_of(thread)
                .map(|(number, count)| (number, count, &program.runs[usize::from(number)]));
            let longer = run.and_then(|(number, count, run)| {
                let next = (count + 1).min(max_count(run.min, run.max));
                (count < run.max && reads(run.set))
                    .then(|| (thread_in_run(number, next), run.greedy))
            });
            if let Some((longer, true)) = longer {
                self.push(longer)?;
            }
            if run.is_none_or(|(_, count, run)| count >= run.min) {
                let choices = program.allowed(list_after(program, thread), byte);
                self.considered += choices.len() as u64;
                for choice in choices {
                    if choice.position != Choice::END && !reads(choice.set) {
                        continue;
                    }
                    match looks::outlook(choice.looks, 1 << before, 1 << after) {
                        Outlook::Always => {}
                        Outlook::Never => continue,
                        Outlook::Depends(_) => return Err(Undecided),
                    }
                    if choice.position == Choice::END {
                        is_match = true;
                        break 'threads;
                    }
                    self.push(match choice.position.checked_sub(Choice::RUN) {
                        Some(number) => thread_in_run(number, 1),
                        None => self.representatives[usize::from(choice.position)].into(),
                    })?;
                }
            }
            if let Some((longer, false)) = longer {
                self.push(longer)?;
            }
        }
        self.forget_kind();
        Ok(is_match)
    }

    /// Adds a thread after all others, unless it is there.
    fn push(&mut self, thread: u32) -> Result<(), Undecided> {
        if !self.key[1..].contains(&thread) {
            if self.key.len() > MAX_THREADS {
                return Err(Undecided);
            }
            self.key.push(thread);
        }
        Ok(())
    }

    /// Forgets the kind of the byte before if no thread asserts something.
    fn forget_kind(&mut self) {
        let asserts = |&thread: &u32| match run_of(thread) {
            _ if thread == START => self.start_asserts,
            Some((number, _)) => self.assert[self.representatives.len() + usize::from(number)],
            None => self.assert[thread as usize],
        };
        if !self.key[1..].iter().any(asserts) {
            self.key[0] = EDGE as u32;
        }
    }

    /// Heap memory in bytes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&self.representatives[..])
            + size_of_val(&self.assert[..])
            + self.key.capacity() * size_of::<u32>()
    }
}

/// What can come after a thread, if it is not in a run that is to be longer.
fn list_after(program: &Program, thread: u32) -> List {
    match run_of(thread) {
        _ if thread == START => program.start,
        Some((number, _)) => program.runs[usize::from(number)].after,
        None => program.after(thread as u16),
    }
}

/// The number from which on the bytes of a run need not be counted.
fn max_count(min: u32, max: u32) -> u32 {
    if max == u32::MAX { min } else { max }
}

/// The thread that has read `count` bytes of a run.
fn thread_in_run(number: u16, count: u32) -> u32 {
    u32::from(Choice::RUN + number) << 16 | count
}

/// The number of the run that a thread is in, and how many of its bytes it has read.
fn run_of(thread: u32) -> Option<(u16, u32)> {
    let number = ((thread >> 16) as u16).checked_sub(Choice::RUN)?;
    (thread != START).then_some((number, thread & 0xFFFF))
}

/// Divides the bytes into classes that a program does not distinguish. Returns the class of each byte, and a byte of
/// each class.
pub(super) fn byte_classes(program: &Program) -> ([u8; 256], Vec<u8>) {
    let mut classes = ByteClasses::new();
    if program.all_choices().iter().any(|choice| choice.looks != 0) {
        classes.divide(any_kind_of);
    }
    for set in &program.sets {
        classes.divide(|byte| usize::from(set.contains(byte)));
    }
    classes.finish()
}
