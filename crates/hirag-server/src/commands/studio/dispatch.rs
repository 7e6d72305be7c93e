//! Commands as transports see them: a name and JSON in, JSON or a [`Failure`] out.

use std::time::Instant;

use hirag::metrics::Front;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::commands::{Error, Failure, Result};
use crate::studio::Studio;

macro_rules! by_name {
    ($($name:ident: $request:ident => $answer:ident,)*) => {
        /// The names of the commands that [`call`] knows.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Runs the command of this name, counts it, and gives its answer as JSON.
        ///
        /// # Errors
        /// What the command says; `unknown_command` when there is none of this name, and
        /// `invalid_request` for a request that is not the command's.
        pub async fn call(studio: &Studio, name: &str, request: Value) -> Result<String, Failure> {
            let begin = Instant::now();
            let running = studio.clone();
            let outcome = match name {
                $(
                    stringify!($name) => {
                        answer(request, |request| async move { super::$name(&running, request).await }).await
                    }
                )*
                _ => return Err(Failure {
                    code: "unknown_command".to_owned(),
                    message: format!("there is no command {name:?}"),
                }),
            };
            studio.requests().record(Front::Command, name, begin.elapsed());
            outcome
        }
    };
}
crate::window_commands!(by_name);

/// Reads a request, runs a body on a task of its own, and writes its answer down once. So a body
/// that panics is a failed command, and not one that never ends. A body that is left before its end is
/// broken off, as a model would go on wording for nobody; who changes something does not leave.
///
/// # Errors
/// What the body says; `invalid_request` for a request that is not of its type, and `internal` when
/// the body panics.
pub async fn answer<Q, A, F>(request: Value, body: impl FnOnce(Q) -> F) -> Result<String, Failure>
where
    Q: DeserializeOwned,
    A: Serialize + Send + 'static,
    F: Future<Output = Result<A>> + Send + 'static,
{
    let request = serde_json::from_value(request).map_err(|error| Failure {
        code: "invalid_request".to_owned(),
        message: format!("the request is not understood: {error}"),
    })?;
    let mut running = Running(tokio::spawn(body(request)));
    let answer = match (&mut running.0).await {
        Ok(answer) => answer?,
        Err(_) => return Err(fault("the command broke off; the report says where")),
    };
    serde_json::to_string(&answer).map_err(|error| fault(&error.to_string()))
}

struct Running<T>(JoinHandle<T>);

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn fault(sentence: &str) -> Failure {
    Failure::from(Error::Internal(sentence.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::studio::{GetRequest, Nothing};

    #[tokio::test]
    async fn a_request_that_is_not_understood_is_a_failure_with_a_code() {
        let body = |_: GetRequest| async { Ok(Nothing {}) };
        let failure = answer(json!({ "id": 7 }), body).await.err().unwrap();
        assert_eq!(failure.code, "invalid_request");
    }

    #[tokio::test]
    async fn a_body_that_is_left_is_broken_off() {
        let (held, mut left) = tokio::sync::mpsc::channel::<()>(1);
        let body = |_: Nothing| async move {
            let _held = held;
            std::future::pending::<Result<Nothing>>().await
        };
        let mut asked = Box::pin(answer(json!({}), body));
        assert!(futures::poll!(&mut asked).is_pending());
        drop(asked);
        assert_eq!(left.recv().await, None);
    }

    #[tokio::test]
    async fn a_body_that_panics_is_a_failure_and_does_not_tell_what_it_said() {
        async fn body(_: Nothing) -> Result<Nothing> {
            panic!("over the note about Jonas")
        }
        let failed = answer(json!({}), body).await;
        let failure = failed.err().unwrap();
        assert_eq!(failure.code, "internal");
        assert!(!failure.message.contains("Jonas"), "{}", failure.message);
    }
}
