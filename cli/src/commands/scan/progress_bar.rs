//! The progress bar of long searches.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The duration of a search after which the bar appears. Shorter searches print only their matches.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// A progress bar on standard error.
///
/// It is shown if standard error is a terminal and standard output is not a pipe, whose reader may
/// be a pager that uses the same terminal.
#[derive(Debug)]
pub(super) struct ScanProgressBar {
    started: Instant,
    bar: ProgressBar,
    is_shown: bool,
}

impl ScanProgressBar {
    /// Returns a hidden bar and starts its clock.
    pub(super) fn new() -> ScanProgressBar {
        // Without a length: directories are walked during the search, so the total is unknown.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {bytes} searched, {bytes_per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        ScanProgressBar { started: Instant::now(), bar, is_shown: false }
    }

    /// Adds bytes to the number searched, and shows the bar if the search is long enough.
    pub(super) fn advance(&mut self, bytes: u64) {
        if !self.is_shown && self.started.elapsed() > SHOW_AFTER && !stdout_is_pipe() {
            self.is_shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    /// Hides the bar while `print` writes to the terminal.
    pub(super) fn hide_during<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.is_shown { self.bar.suspend(print) } else { print() }
    }

    /// Removes the bar for good.
    pub(super) fn remove(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(unix)]
fn stdout_is_pipe() -> bool {
    use std::os::unix::fs::FileTypeExt;

    crate::input::metadata(std::io::stdout()).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Other systems can't distinguish a pipe from a file.
#[cfg(not(unix))]
fn stdout_is_pipe() -> bool {
    use std::io::IsTerminal;

    !std::io::stdout().is_terminal()
}
