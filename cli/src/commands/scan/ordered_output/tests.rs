//! Tasks of several threads, and the order in which they are printed.

use std::ops::Range;
use std::sync::Arc;

use dragnet_testkit::Rng;

use super::*;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn lines(&self) -> Vec<u32> {
        let bytes = self.0.lock().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

fn output<T>(written: &Written, window: usize) -> OrderedOutput<T> {
    OrderedOutput::new(Box::new(written.clone()), ScanProgressBar::new(), window)
}

fn print<T>(output: &mut TaskOutput<'_, T>, numbers: Range<u32>) {
    for number in numbers {
        output.text().extend_from_slice(format!("{number}\n").as_bytes());
    }
}

/// Prints the numbers of a task, or some of them and hands back the others.
fn run(rng: &mut Rng, output: TaskOutput<'_, Range<u32>>, task: Range<u32>) {
    let needs_turn = task.start.is_multiple_of(7);
    let taken = if needs_turn { output.at_turn(task) } else { Some((output, task)) };
    let Some((mut output, task)) = taken else { return };
    let middle = task.start + rng.below(task.len() + 1) as u32;
    let end = middle + rng.below((task.end - middle) as usize + 1) as u32;
    let parts = [middle..end, end..task.end].into_iter().filter(|part| !part.is_empty());
    let is_early = rng.below(2) == 0;
    if is_early {
        output.hand_back(parts.clone().collect());
    }
    if rng.below(3) == 0 {
        std::thread::yield_now();
    }
    if rng.below(5) == 0 {
        output.wait_for_turn();
    }
    print(&mut output, task.start..middle);
    if !is_early {
        output.hand_back(parts.collect());
    }
    output.finish(0);
}

#[test]
fn tasks_are_printed_in_order_whoever_runs_them() {
    for seed in 0..300 {
        let rng = &mut Rng::new(seed);
        let written = Written::default();
        let output = output(&written, 1 + rng.below(6));
        let tasks = Mutex::new((0..rng.below(20) as u32).map(|task| task * 10..task * 10 + 10));
        let count = tasks.lock().unwrap().len() as u32 * 10;
        std::thread::scope(|scope| {
            for thread in 0..1 + rng.below(4) {
                let (output, tasks) = (&output, &tasks);
                let mut rng = Rng::new(seed * 10 + thread as u64);
                scope.spawn(move || {
                    loop {
                        if let Some((output, task)) = output.take() {
                            run(&mut rng, output, task);
                            continue;
                        }
                        let mut tasks = tasks.lock().unwrap();
                        match output.begin() {
                            Turn::HandedBack(task_output, task) => {
                                drop(tasks);
                                run(&mut rng, task_output, task);
                            }
                            Turn::New(task_output) => match tasks.next() {
                                Some(task) => {
                                    drop(tasks);
                                    run(&mut rng, task_output, task);
                                }
                                None => {
                                    output.complete();
                                    task_output.finish(0);
                                }
                            },
                            Turn::End => return,
                        }
                    }
                });
            }
        });
        assert_eq!(written.lines(), Vec::from_iter(0..count), "{seed}");
        assert!(output.lock().slots.is_empty());
    }
}

fn begin<T>(output: &OrderedOutput<T>) -> TaskOutput<'_, T> {
    match output.begin() {
        Turn::New(output) => output,
        _ => panic!("it was handed back"),
    }
}

#[test]
fn a_task_that_needs_its_turn_keeps_no_thread() {
    let written = Written::default();
    let output = output(&written, 4);
    let (first, second, mut third) = (begin(&output), begin(&output), begin(&output));
    assert!(second.at_turn(1).is_none());
    assert!(output.take().is_none());
    print(&mut third, 3..4);
    third.finish(0);
    first.hand_back(vec![0]);
    first.finish(0);
    for expected in [0, 1] {
        let (task, number) = output.take().unwrap();
        assert_eq!(number, expected);
        let (mut task, _) = task.at_turn(number).unwrap();
        print(&mut task, number..2 * number + 1);
        task.finish(0);
    }
    assert_eq!(written.lines(), [0, 1, 2, 3]);
}

#[test]
fn tasks_outside_the_window_wait() {
    let written = Written::default();
    let output = output(&written, 2);
    let (mut first, mut last) = (begin(&output), begin(&output));
    print(&mut last, 4..5);
    last.finish(0);
    first.hand_back(vec![1, 3]);
    let (mut second, number) = output.take().unwrap();
    print(&mut second, number..2);
    second.hand_back(vec![2]);
    assert!(output.take().is_none());
    second.finish(0);
    assert!(output.take().is_none());
    print(&mut first, 0..1);
    first.finish(0);
    assert_eq!(written.lines(), [0, 1]);
    for expected in [2, 3] {
        let (mut next, number) = output.take().unwrap();
        assert_eq!(number, expected);
        print(&mut next, number..number + 1);
        next.finish(0);
    }
    assert_eq!(written.lines(), [0, 1, 2, 3, 4]);
    output.complete();
    assert!(matches!(output.begin(), Turn::End));
}
