//! Memories filled with made-up notes.

use std::sync::Arc;

use hirag::clock::{FakeClock, SharedClock};
use hirag::config::Config;
use hirag::context::{ContextLevel, NewContext};
use hirag::embedding::{EmbeddingProvider, LocalModel};
use hirag::{HiragManager, OpenOptions};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{WordVectors, Writer};

/// When it is, for all that is measured: the beginning of 2026, in seconds since the epoch.
pub const NOW_SECONDS: i64 = 1_767_225_600;
/// Notes of one conversation, and contexts stored at once while filling.
const SESSION: usize = 20;
const BATCH: usize = 500;
/// The oldest note's age; the others are spread evenly from there to now.
const OLDEST: SignedDuration = SignedDuration::from_hours(24 * 25);

/// A clock that stands still.
///
/// # Panics
/// Never: the time is in range.
#[must_use]
pub fn clock() -> SharedClock {
    FakeClock::at(Timestamp::from_second(NOW_SECONDS).expect("the time is in range"))
}

/// The built-in model, one thread a core, if it is on this machine; otherwise says what is
/// skipped.
pub fn local_model(skipped: &str) -> Option<Arc<LocalModel>> {
    let model = LocalModel::find(None).and_then(|folder| LocalModel::load(&folder, 0));
    model
        .map(Arc::new)
        .inspect_err(|error| eprintln!("{skipped} is not measured: {error}"))
        .ok()
}

/// A memory in a temporary folder, with its own way to write more notes and questions.
#[derive(Debug)]
pub struct Memory {
    /// The memory.
    pub manager: HiragManager,
    /// The model that takes no time.
    pub model: Arc<WordVectors>,
    /// Writes more notes and questions.
    pub writer: Writer,
    runtime: Arc<Runtime>,
    _folder: TempDir,
}

impl Memory {
    /// A memory with the model that takes no time and with `levels[n]` contexts in each level.
    ///
    /// # Panics
    /// If the folder cannot be made or written.
    #[must_use]
    pub fn filled(runtime: &Arc<Runtime>, levels: [usize; 3]) -> Self {
        let writer = Writer::new(1);
        let model = Arc::new(WordVectors::new(writer.vocabulary()));
        let mut memory = Self::open(runtime, writer, Arc::clone(&model), model);
        memory.fill(levels);
        memory
    }

    /// An empty memory with another model.
    ///
    /// # Panics
    /// If the folder cannot be made or written.
    #[must_use]
    pub fn with_provider(runtime: &Arc<Runtime>, provider: Arc<dyn EmbeddingProvider>) -> Self {
        let writer = Writer::new(1);
        let model = Arc::new(WordVectors::new(writer.vocabulary()));
        Self::open(runtime, writer, model, provider)
    }

    fn open(
        runtime: &Arc<Runtime>,
        writer: Writer,
        model: Arc<WordVectors>,
        provider: Arc<dyn EmbeddingProvider>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut options = OpenOptions::new(Config::default(), folder.path());
        options.clock = clock();
        options.provider = Some(provider);
        let manager = runtime
            .block_on(HiragManager::open(options))
            .expect("a memory opens in an empty folder");
        Self {
            manager,
            model,
            writer,
            runtime: Arc::clone(runtime),
            _folder: folder,
        }
    }

    /// Notes to store, in conversations of twenty, with their vectors, the oldest first.
    pub fn notes(&mut self, count: usize, level: ContextLevel) -> Vec<NewContext> {
        let now = Timestamp::from_second(NOW_SECONDS).expect("the time is in range");
        let mut topic = Vec::new();
        let mut session = String::new();
        (0..count)
            .map(|number| {
                if number % SESSION == 0 {
                    topic = self.writer.topic();
                    session = format!("{level}-{}-{}", topic[0], topic[1]);
                }
                let text = self.writer.note(&topic);
                let age = OLDEST * (count - number) as i32 / count as i32;
                NewContext {
                    vector: Some(self.model.of(&text)),
                    session: Some(session.clone()),
                    created_at: Some(now - age),
                    ..NewContext::new(text).at_level(level)
                }
            })
            .collect()
    }

    fn fill(&mut self, levels: [usize; 3]) {
        for (level, count) in ContextLevel::ALL.into_iter().zip(levels) {
            let notes = self.notes(count, level);
            for batch in notes.chunks(BATCH) {
                self.runtime
                    .block_on(self.manager.store_all(batch.to_vec()))
                    .expect("the disk takes the notes");
            }
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Err(error) = self.runtime.block_on(self.manager.shut_down()) {
            eprintln!("the memory did not shut down: {error}");
        }
    }
}
