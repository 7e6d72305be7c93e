//! Bars on standard error for long work.

use std::time::Duration;

use hirag::import::ImportProgress;
use hirag::manager::EmbeddingProgress;
use hirag::store::sqlite::BackupProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use crate::commands::counted;

/// How often a bar is drawn, so that drawing takes nothing from the work.
const DRAWS_A_SECOND: u8 = 5;

const COUNTED: &str = "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec}, {eta} left";
const BYTES: &str = "{prefix} [{bar:30}] {bytes}/{total_bytes}, {eta} left; {msg}";
const OPEN: &str = "{msg} {human_pos} {per_sec}";

/// One bar; nothing at all where standard error is no terminal.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    fn new(output: Output, template: &str) -> Self {
        if !output.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let bar =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_secs(1));
        Self(bar)
    }

    /// For an import, by bytes; the rate is in contexts.
    pub(super) fn import(output: Output) -> Self {
        Self::bytes(output, "importing")
    }

    /// For work that is told by its bytes.
    pub(super) fn bytes(output: Output, what: &'static str) -> Self {
        let bar = Self::new(output, BYTES);
        bar.0.set_prefix(what);
        bar
    }

    /// For work whose items are counted.
    pub(super) fn counted(output: Output, what: &'static str) -> Self {
        let bar = Self::new(output, COUNTED);
        bar.0.set_message(what);
        bar
    }

    /// For work whose end is not known.
    pub(super) fn open_ended(output: Output, what: &'static str) -> Self {
        let bar = Self::new(output, OPEN);
        bar.0.set_message(what);
        bar
    }

    pub(super) fn imported(&self, progress: ImportProgress) {
        self.0.set_length(progress.bytes_total);
        self.0.set_position(progress.bytes_done);
        let seconds = self.0.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 {
            progress.contexts as f64 / seconds
        } else {
            0.0
        };
        self.0.set_message(format!(
            "{} ({rate:.0}/s), {}/{}",
            counted(progress.contexts, "context"),
            progress.files_done,
            counted(progress.files_total, "file")
        ));
    }

    pub(super) fn copied(&self, progress: BackupProgress) {
        self.at(progress.bytes_done, progress.bytes_total);
        let now = if progress.checking {
            "checking the copy"
        } else {
            "writing"
        };
        self.0.set_message(now);
    }

    pub(super) fn embedded(&self, progress: EmbeddingProgress) {
        self.at(progress.done, progress.total);
    }

    pub(super) fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    pub(super) fn count(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
