//! A progress bar for searches that take long.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long a search may take before it is worth a progress bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A progress bar on standard error, if that is a terminal, once a search takes long. None if the
/// output goes to another program, which may be a pager and want the terminal for itself.
#[derive(Debug)]
pub(super) struct Progress {
    started: Instant,
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new() -> Progress {
        // How much there will be is not known, since directories are walked as they are searched.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {bytes} searched, {bytes_per_sec}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress { started: Instant::now(), bar, is_shown: false }
    }

    /// Counts bytes that have been searched.
    pub(super) fn advance(&mut self, bytes: u64) {
        if !self.is_shown && self.started.elapsed() > PATIENCE && !stdout_is_pipe() {
            self.is_shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    /// Takes the bar out of the way of what `print` prints.
    pub(super) fn hide_during<T>(&self, print: impl FnOnce() -> T) -> T {
        if self.is_shown { self.bar.suspend(print) } else { print() }
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(unix)]
fn stdout_is_pipe() -> bool {
    use std::os::unix::fs::FileTypeExt;

    crate::input::metadata(std::io::stdout()).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn stdout_is_pipe() -> bool {
    use std::io::IsTerminal;

    !std::io::stdout().is_terminal()
}
