//! The model that runs in this process: no network, no server.
//!
//! A model is a folder:
//!
//! | File | What it holds |
//! | --- | --- |
//! | `model.onnx` | inputs `input_ids`, `attention_mask` and `token_type_ids` (the last two where the model has them), first output one vector a token. 8-bit weights are fine; quantised activations are not: they make a text's vector depend on its batch |
//! | `tokenizer.json` | of the `tokenizers` library; its own truncation and padding are not used |
//! | `1_Pooling/config.json`, `sentence_bert_config.json`, `config_sentence_transformers.json`, `config.json` | the facts of sentence-transformers: pooling (mean or first token), `max_seq_length`, prompts as prefixes, positions |
//! | `hirag-model.json` | our own facts, above the others: `id`, `pooling` (`mean` or `cls`), `max_tokens`, `query_prefix`, `passage_prefix`, and `model_bytes`, the size of `model.onnx` |
//!
//! Pooling and the number of tokens must be said by one of these files: a guess would give worse
//! vectors without a word. Vectors of different ids are never compared. The `id` is that of
//! `hirag-model.json`, so that two forms of the same weights can share one; without it the
//! folder's name and a fingerprint of its content.

mod batches;
mod facts;
mod places;
mod pooling;
mod session;
mod singles;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use async_trait::async_trait;
use rten::ThreadPool;
use tokio::sync::Semaphore;

use self::facts::Facts;
use self::session::Session;
pub(crate) use self::singles::AT_ONCE as SINGLES_AT_ONCE;
use self::singles::Singles;
use self::tokens::{Tokens, Words};
use super::{EmbeddingError, EmbeddingProvider, Vector};
use crate::tasks::broken_off;

type Outcome = Result<Vector, EmbeddingError>;

/// A model in this process; the built-in one is all-MiniLM-L6-v2.
///
/// Two lanes share the processor: single texts, which someone waits for, and batches, whose runs are
/// divided among the threads. Each lane does one call at a time, so any number of callers keep at most
/// two calls running, and a query does not wait for an import. Single texts that wait together share
/// a call.
pub struct LocalModel {
    engine: Arc<Engine>,
    singles: Singles,
    batches: Arc<Semaphore>,
}

/// What can be said of a model before it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDescription {
    /// See [`EmbeddingProvider::model_id`].
    pub id: String,
    /// Components of each vector, where a file says so.
    pub dimension: Option<usize>,
    /// What stands before a query.
    pub query_prefix: String,
    /// What stands before a passage.
    pub passage_prefix: String,
}

struct Engine {
    facts: Facts,
    dimension: usize,
    words: Words,
    session: Session,
    /// All threads on one run.
    together: Arc<ThreadPool>,
    /// One thread a run.
    apart: Vec<Arc<ThreadPool>>,
}

impl LocalModel {
    /// The folder of the model.
    ///
    /// With a setting that folder and no other. Without: `hirag/models/all-MiniLM-L6-v2` in the
    /// data folder (`$XDG_DATA_HOME`, else the platform's own), where `scripts/fetch-model` puts
    /// it; then, for installed programs, `models/`, `../share/hirag/models/` and
    /// `../lib/hirag/models/` from the program's folder.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::ModelFiles`] when no place holds a `model.onnx`.
    pub fn find(setting: Option<&Path>) -> Result<PathBuf, EmbeddingError> {
        places::find(setting)
    }

    /// Reads the model of a folder and embeds a word, to see that all its parts fit.
    ///
    /// `threads` is how many threads embed at once; 0 means one a core. It takes a fraction of a
    /// second, for which it blocks.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::ModelFiles`] when a file is absent, damaged, or of another model than
    /// the rest.
    pub fn load(folder: &Path, threads: usize) -> Result<Self, EmbeddingError> {
        let engine = Engine::load(folder, threads).map_err(of_folder(folder))?;
        Ok(Self {
            engine: Arc::new(engine),
            singles: Singles::default(),
            batches: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether the files of a model are in the folder, as long as they have to be. Says nothing of
    /// what is in them, and costs next to nothing: for health pages.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::ModelFiles`] when a file is absent, empty or cut short.
    pub fn check_files(folder: &Path) -> Result<(), EmbeddingError> {
        facts::check_files(folder).map_err(of_folder(folder))
    }

    /// What the folder says of its model, which is not loaded for it. Blocks; where no file names
    /// an id, the weights are read for the fingerprint.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::ModelFiles`] when the folder does not say what has to be known.
    pub fn describe(folder: &Path) -> Result<ModelDescription, EmbeddingError> {
        let facts = Facts::read(folder).map_err(of_folder(folder))?;
        Ok(ModelDescription {
            id: facts.id,
            dimension: facts.dimension,
            query_prefix: facts.query_prefix,
            passage_prefix: facts.passage_prefix,
        })
    }

    /// Embeds a batch off the async threads, one at a time.
    async fn batch(&self, texts: Vec<String>) -> Result<Vec<Outcome>, EmbeddingError> {
        let turn = Arc::clone(&self.batches)
            .acquire_owned()
            .await
            .map_err(|error| EmbeddingError::Model(error.to_string()))?;
        let engine = Arc::clone(&self.engine);
        tokio::task::spawn_blocking(move || {
            // The work outlives a caller that goes away, and keeps its turn until it is done.
            let _turn = turn;
            engine.embed_all(&texts)
        })
        .await
        .map_err(|error| EmbeddingError::Model(broken_off(&error)))
    }
}

/// A reason, as the error of a folder.
fn of_folder(folder: &Path) -> impl FnOnce(String) -> EmbeddingError {
    let path = folder.display().to_string();
    |reason| EmbeddingError::ModelFiles { path, reason }
}

impl fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalModel")
            .field("facts", &self.engine.facts)
            .field("dimension", &self.engine.dimension)
            .field("threads", &self.engine.apart.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EmbeddingProvider for LocalModel {
    fn model_id(&self) -> &str {
        &self.engine.facts.id
    }

    fn dimension(&self) -> usize {
        self.engine.dimension
    }

    fn max_input_tokens(&self) -> usize {
        self.engine.facts.max_tokens
    }

    fn query_prefix(&self) -> &str {
        &self.engine.facts.query_prefix
    }

    fn passage_prefix(&self) -> &str {
        &self.engine.facts.passage_prefix
    }

    fn ignores_case(&self) -> bool {
        self.engine.words.ignores_case()
    }

    async fn embed_single(&self, text: &str) -> Outcome {
        let engine = Arc::clone(&self.engine);
        let run = move |texts: &[String]| engine.embed_all(texts);
        self.singles.embed(text.to_owned(), run).await
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Outcome> {
        if let [text] = texts {
            return vec![self.embed_single(text).await];
        }
        let count = texts.len();
        self.batch(texts.to_vec())
            .await
            .unwrap_or_else(|error| vec![Err(error); count])
    }

    /// A model that was loaded answers.
    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

impl Engine {
    fn load(folder: &Path, threads: usize) -> Result<Self, String> {
        facts::check_files(folder)?;
        let facts = Facts::read(folder)?;
        let words = Words::load(&folder.join("tokenizer.json"), facts.max_tokens)?;
        let session = Session::load(&folder.join("model.onnx"), facts.pooling, words.padding())?;
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let together = Arc::new(ThreadPool::with_num_threads(threads));
        let probe = words.probe().map_err(|error| error.to_string())?;
        let dimension = session
            .run(&[&probe], &together)
            .map_err(|reason| format!("model.onnx fails on a probe: {reason}"))?
            .first()
            .map_or(0, Vec::len);
        if let Some(told) = facts.dimension.filter(|&told| told != dimension) {
            return Err(format!(
                "model.onnx gives vectors of {dimension} components, but 1_Pooling/config.json says {told}"
            ));
        }
        Ok(Self {
            facts,
            dimension,
            words,
            session,
            together,
            apart: (0..threads)
                .map(|_| Arc::new(ThreadPool::with_num_threads(1)))
                .collect(),
        })
    }

    fn embed_all(&self, texts: &[String]) -> Vec<Outcome> {
        let encoded: Vec<_> = texts.iter().map(|text| self.words.encode(text)).collect();
        let readable: Vec<(usize, &Tokens)> = encoded
            .iter()
            .enumerate()
            .filter_map(|(position, tokens)| Some((position, tokens.as_ref().ok()?)))
            .collect();
        let lengths: Vec<usize> = readable.iter().map(|(_, text)| text.ids.len()).collect();
        let runs: Vec<Vec<(usize, &Tokens)>> = batches::plan(&lengths)
            .into_iter()
            .map(|run| run.into_iter().map(|text| readable[text]).collect())
            .collect();

        let mut outcomes: Vec<Option<Outcome>> = vec![None; texts.len()];
        for (position, outcome) in self.run_all(&runs) {
            outcomes[position] = Some(outcome);
        }
        let lost = || EmbeddingError::Model("a thread of the model stopped".to_owned());
        outcomes
            .into_iter()
            .zip(encoded)
            .map(|(outcome, tokens)| tokens.and_then(|_| outcome.unwrap_or_else(|| Err(lost()))))
            .collect()
    }

    /// The outcome of each text with its position, in any order.
    fn run_all(&self, runs: &[Vec<(usize, &Tokens)>]) -> Vec<(usize, Outcome)> {
        let do_run = |run: &[(usize, &Tokens)], threads| {
            let tokens: Vec<&Tokens> = run.iter().map(|&(_, tokens)| tokens).collect();
            let positions = run.iter().map(|&(position, _)| position);
            positions
                .zip(self.run(&tokens, threads))
                .collect::<Vec<_>>()
        };
        if runs.len() < self.apart.len() {
            // Too few to occupy every thread.
            return runs
                .iter()
                .flat_map(|run| do_run(run, &self.together))
                .collect();
        }
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let workers: Vec<_> = self
                .apart
                .iter()
                .map(|threads| {
                    scope.spawn(|| {
                        let mut done = Vec::new();
                        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                            done.extend(do_run(run, threads));
                        }
                        done
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        })
    }

    /// The outcome of each text. When the run fails, each text is tried alone, so that one does
    /// not fail for another.
    fn run(&self, texts: &[&Tokens], threads: &Arc<ThreadPool>) -> Vec<Outcome> {
        match self.session.run(texts, threads) {
            Ok(vectors) => vectors.into_iter().map(Ok).collect(),
            Err(reason) if texts.len() == 1 => vec![Err(EmbeddingError::Model(reason))],
            Err(_) => texts
                .iter()
                .flat_map(|text| self.run(&[text], threads))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
