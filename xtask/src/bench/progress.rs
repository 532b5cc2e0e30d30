//! The progress, on one line that is overwritten; without a terminal, one line for each step.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    bar: ProgressBar,
    since: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Progress { bar, since: Instant::now() }
    }

    /// A step that takes seconds or minutes.
    pub(crate) fn begin(&self, what: &str) {
        self.say(what);
        if self.bar.is_hidden() {
            let taken = self.since.elapsed().as_secs();
            println!("{:02}:{:02} {what}", taken / 60, taken % 60);
        }
    }

    /// The current part of a step.
    pub(crate) fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// A line that stays.
    pub(crate) fn done(&self, what: &str) {
        self.bar.suspend(|| println!("{what}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
