//! Single texts on their way to the model. Those that come while it works share its next run, which
//! takes half as long a text as if each had one of its own.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Outcome;
use crate::embedding::EmbeddingError;

/// Texts of one run at most.
pub(crate) const AT_ONCE: usize = 8;
/// Bytes of them, so that nobody waits long for others' texts; a longer text runs alone.
const BYTES_AT_ONCE: usize = 2_000;

/// Texts that wait, and the turn to run the model, of which there is one.
#[derive(Debug)]
pub(super) struct Singles {
    waiting: Mutex<Vec<Waiting>>,
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Waiting {
    text: String,
    answer: oneshot::Sender<Outcome>,
}

impl Default for Singles {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Singles {
    /// The vector of one text, by `run`, which blocks and gives an outcome for each text.
    pub(super) async fn embed(
        &self,
        text: String,
        run: impl FnOnce(&[String]) -> Vec<Outcome> + Clone + Send + 'static,
    ) -> Outcome {
        let (answer, mut outcome) = oneshot::channel();
        self.waiting.lock().push(Waiting { text, answer });
        loop {
            tokio::select! {
                biased;
                // Whoever had the turn took this text along.
                outcome = &mut outcome => return outcome.unwrap_or_else(|_| lost()),
                // With the turn the first texts are run, of which this one need not be.
                turn = Arc::clone(&self.turn).acquire_owned() => match turn {
                    Ok(turn) => self.run(turn, run.clone()),
                    // The semaphore is never closed.
                    Err(_) => return lost(),
                },
            }
        }
    }

    /// Embeds those that wait, and hands on the turn. The work outlives a caller that goes away.
    fn run(
        &self,
        turn: OwnedSemaphorePermit,
        run: impl FnOnce(&[String]) -> Vec<Outcome> + Send + 'static,
    ) {
        let (texts, answers): (Vec<_>, Vec<_>) = self.take().into_iter().unzip();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            for (answer, outcome) in answers.into_iter().zip(run(&texts)) {
                // Nobody listens where the caller went away.
                let _ = answer.send(outcome);
            }
        });
    }

    /// The first of those that wait, as many as share a run.
    fn take(&self) -> Vec<(String, oneshot::Sender<Outcome>)> {
        let mut waiting = self.waiting.lock();
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut bytes = 0;
        let fits = waiting.iter().take(AT_ONCE).take_while(|waiting| {
            bytes += waiting.text.len();
            bytes <= BYTES_AT_ONCE
        });
        let count = fits.count().max(1).min(waiting.len());
        let taken = waiting.drain(..count);
        taken
            .map(|waiting| (waiting.text, waiting.answer))
            .collect()
    }
}

fn lost() -> Outcome {
    Err(EmbeddingError::Model(
        "the run of the model broke off".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use futures::future::join_all;

    use super::*;

    /// A run that tells how many texts it has, once it may.
    fn run(
        told: &Sender<usize>,
        may: Receiver<()>,
    ) -> impl FnOnce(&[String]) -> Vec<Outcome> + Clone + Send + 'static {
        let (told, may) = (told.clone(), Arc::new(Mutex::new(may)));
        move |texts| {
            if !texts.is_empty() {
                told.send(texts.len()).unwrap();
            }
            let _ = may.lock().recv();
            let length = |text: &String| Ok(vec![text.len() as f32]);
            texts.iter().map(length).collect()
        }
    }

    /// Those may go at once.
    fn free() -> Receiver<()> {
        channel().1
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_comes_while_the_model_works_shares_its_next_run() {
        let singles = Singles::default();
        let (told, runs) = channel();
        let (go, may) = channel();
        let first = singles.embed("a".to_owned(), run(&told, may));
        let others = (2..=AT_ONCE + 3).map(|length| {
            let text = "b".repeat(length);
            singles.embed(text, run(&told, free()))
        });
        let goes = async {
            // The others wait by now.
            assert_eq!(tokio::task::block_in_place(|| runs.recv()), Ok(1));
            go.send(()).unwrap();
        };
        let (first, others, ()) = tokio::join!(first, join_all(others), goes);
        assert_eq!(first, Ok(vec![1.0]));
        for (outcome, length) in others.into_iter().zip(2..) {
            assert_eq!(outcome, Ok(vec![length as f32]));
        }
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [AT_ONCE, 2]);
    }

    #[tokio::test]
    async fn who_runs_others_texts_with_his_turn_has_his_own_run_next() {
        let singles = Singles::default();
        let (told, runs) = channel();
        // It has come first, and is not yet in line for a turn.
        let (answer, others) = oneshot::channel();
        let text = "a".repeat(BYTES_AT_ONCE);
        singles.waiting.lock().push(Waiting { text, answer });
        let own = singles.embed("b".to_owned(), run(&told, free())).await;
        assert_eq!(own, Ok(vec![1.0]));
        assert_eq!(others.await.unwrap(), Ok(vec![BYTES_AT_ONCE as f32]));
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1, 1]);
    }
}
