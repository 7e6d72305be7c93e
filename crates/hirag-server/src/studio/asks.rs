//! Questions whose answers a window waits for.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

use crate::commands::{Error, Result};

/// Answers under way at once: a window shows one, and a browser may have some open.
const AT_ONCE: usize = 8;

/// What is being answered, by the names that those who asked gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks(Arc<Mutex<HashMap<String, AbortHandle>>>);

impl Asks {
    /// Answers in the background until it is done or stopped.
    ///
    /// # Errors
    /// [`Error::Busy`] when something of this name is under way, or too much is.
    pub(crate) fn begin(
        &self,
        name: String,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let mut asks = self.0.lock();
        // One that broke off did not sign out.
        asks.retain(|_, ask| !ask.is_finished());
        if asks.contains_key(&name) {
            return Err(Error::Busy(format!(
                "the question `{name}` is being answered"
            )));
        }
        if asks.len() >= AT_ONCE {
            return Err(Error::Busy(format!(
                "{AT_ONCE} questions are being answered"
            )));
        }
        let ask = tokio::spawn(work);
        asks.insert(name, ask.abort_handle());
        Ok(())
    }

    /// Stops an answer, and with it the request to the model; nothing if it is done already.
    pub(crate) fn stop(&self, name: &str) {
        if let Some(ask) = self.0.lock().remove(name) {
            ask.abort();
        }
    }

    /// Stops all.
    pub(crate) fn stop_all(&self) {
        for (_, ask) in self.0.lock().drain() {
            ask.abort();
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
        let begin = |name: &str| asks.begin(name.to_owned(), pending());
        for name in 0..AT_ONCE {
            begin(&name.to_string()).unwrap();
        }
        assert_eq!(begin("0").unwrap_err().code(), "busy");
        assert_eq!(begin("new").unwrap_err().code(), "busy");
        asks.stop("0");
        begin("new").unwrap();
        asks.stop_all();
        begin("0").unwrap();
    }
}
