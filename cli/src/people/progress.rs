//! How far the reading of people is, on a terminal.

use std::fs::File;

use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

/// A bar on the standard error; nothing where that is no terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn of_bytes(bytes: u64) -> Self {
        let template = "{bar:30} {bytes} of {total_bytes} of people, {eta} left";
        Progress(ProgressBar::new(bytes).with_style(style(template)))
    }

    pub(super) fn of_people() -> Self {
        Progress(ProgressBar::no_length().with_style(style("{spinner} {human_pos} people")))
    }

    pub(super) fn wrap(&self, file: File) -> ProgressBarIter<File> {
        self.0.wrap_read(file)
    }

    pub(super) fn step(&self) {
        self.0.inc(1);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
