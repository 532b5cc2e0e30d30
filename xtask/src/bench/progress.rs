//! What is being done, on one line that is written over.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Progress(bar)
    }

    /// What is done now.
    pub(crate) fn say(&mut self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// What is done, to stay.
    pub(crate) fn done(&mut self, what: &str) {
        self.0.suspend(|| println!("{what}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
