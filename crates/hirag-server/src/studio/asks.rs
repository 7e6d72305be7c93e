//! Questions whose answers are waited for.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::commands::{Error, Result};

/// Answers that are worded at once, whoever asked for them: a window shows one, a browser may have
/// some open, and no endpoint words many at a time.
const AT_ONCE: usize = 8;
/// Questions with a name at once; most of them are still looking for their sources, or want none worded.
const NAMED: usize = 64;

/// What is being answered. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Asks {
    /// By the names that those who asked gave.
    named: Arc<Mutex<HashMap<String, Ask>>>,
    places: Arc<Semaphore>,
}

#[derive(Debug)]
struct Ask {
    /// The conversation that it goes on with.
    session: Option<String>,
    work: JoinHandle<()>,
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            named: Arc::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Asks {
    /// A place among the answers that are worded, until it is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when none is free.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| Error::Busy(format!("{AT_ONCE} questions are being answered")))
    }

    /// Answers in the background until it is done or stopped. What is refused is not even made.
    ///
    /// # Errors
    /// [`Error::Busy`] when something of this name is under way, or too much is.
    pub(crate) fn begin<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: String,
        session: Option<String>,
        work: impl FnOnce() -> F,
    ) -> Result<()> {
        let mut named = self.named.lock();
        // None signs out when it is done.
        named.retain(|_, ask| !ask.work.is_finished());
        if named.contains_key(&name) {
            return Err(Error::Busy(format!(
                "the question `{name}` is being answered"
            )));
        }
        if named.len() >= NAMED {
            return Err(Error::Busy(format!("{NAMED} questions are being answered")));
        }
        let work = tokio::spawn(work());
        named.insert(name, Ask { session, work });
        Ok(())
    }

    /// Whether something of this name is under way.
    pub(crate) fn is_running(&self, name: &str) -> bool {
        let named = self.named.lock();
        named.get(name).is_some_and(|ask| !ask.work.is_finished())
    }

    /// Stops an answer, and with it the request to the model; nothing if it is done already.
    pub(crate) fn stop(&self, name: &str) {
        if let Some(ask) = self.named.lock().remove(name) {
            ask.work.abort();
        }
    }

    /// Stops the answers of a conversation, and waits until they keep nothing more.
    pub(crate) async fn stop_in(&self, session: &str) {
        let of_it = |ask: &Ask| ask.session.as_deref() == Some(session);
        let stopped: Vec<Ask> = {
            let mut named = self.named.lock();
            let all = std::mem::take(&mut *named);
            let (stopped, others) = all.into_iter().partition(|(_, ask)| of_it(ask));
            *named = others;
            HashMap::into_values(stopped).collect()
        };
        for ask in stopped {
            ask.work.abort();
            // What is broken off says so, which is what was wanted.
            let _ = ask.work.await;
        }
    }

    /// Stops all.
    pub(crate) fn stop_all(&self) {
        for (_, ask) in self.named.lock().drain() {
            ask.work.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_name_is_answered_once_at_a_time_and_what_is_stopped_makes_room() {
        let asks = Asks::default();
        let begin = |name: &str| asks.begin(name.to_owned(), None, pending);
        for name in 0..NAMED {
            begin(&name.to_string()).unwrap();
        }
        assert_eq!(begin("0").unwrap_err().code(), "busy");
        assert_eq!(begin("new").unwrap_err().code(), "busy");
        asks.stop("0");
        begin("new").unwrap();
        asks.stop_all();
        begin("0").unwrap();
    }

    #[tokio::test]
    async fn the_answers_of_one_conversation_are_stopped_and_no_others() {
        let asks = Asks::default();
        for (name, session) in [("1", Some("mine")), ("2", Some("other")), ("3", None)] {
            let session = session.map(str::to_owned);
            asks.begin(name.to_owned(), session, pending).unwrap();
        }
        asks.stop_in("mine").await;
        let begin = |name: &str| asks.begin(name.to_owned(), None, pending);
        begin("1").unwrap();
        for name in ["2", "3"] {
            assert_eq!(begin(name).unwrap_err().code(), "busy");
        }
    }

    #[test]
    fn an_answer_that_is_over_gives_its_place_to_the_next() {
        let asks = Asks::default();
        let mut places: Vec<_> = (0..AT_ONCE).map(|_| asks.place().unwrap()).collect();
        assert_eq!(asks.place().unwrap_err().code(), "busy");
        places.pop();
        assert!(asks.place().is_ok());
    }
}
