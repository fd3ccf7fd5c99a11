//! Progress output: a live bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Progress of an epoch.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    live: bool,
}

impl Progress {
    /// For a training, with its loss. Draws nothing unless standard error is a terminal.
    pub fn new() -> Self {
        Self::with("{prefix:>22} {wide_bar} {pos}/{len} clicks, {per_sec}, {eta} left, loss {msg}")
    }

    /// For scoring, without a loss.
    pub fn of_histories() -> Self {
        Self::with("{prefix:>22} {wide_bar} {pos}/{len} histories, {per_sec}, {eta} left")
    }

    fn with(style: &str) -> Self {
        let live = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
        Self { bar, live }
    }

    /// Starts a bar of `total` clicks.
    pub fn start(&self, what: String, total: usize) {
        if self.live {
            self.bar.reset();
            self.bar.set_length(total as u64);
            self.bar.set_prefix(what);
        }
    }

    /// Advances by `count` without a loss.
    pub fn done(&self, count: usize) {
        if self.live {
            self.bar.inc(count as u64);
        }
    }

    /// Advances by `clicks`, and shows the mean loss.
    pub fn advance(&self, clicks: usize, loss: f64) {
        if self.live {
            self.bar.set_message(format!("{loss:.4}"));
            self.bar.inc(clicks as u64);
        }
    }

    /// Prints a line.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Resets the peak memory of the process to its current memory, if the system can.
pub fn forget_peak_memory() {
    // If this fails, the peak is that of the whole process, which is still true.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Peak memory of this process, bytes, if the system reports it.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
