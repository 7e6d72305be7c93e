use hirag_server::commands::{Failure, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tauri::ipc::Response;

/// Reads a request, runs a body on a task of its own, and writes its answer down once. So a body
/// that panics is a failed command, and not one that never ends.
pub(super) async fn answer<Q, A, F>(
    request: Value,
    body: impl FnOnce(Q) -> F,
) -> Result<Response, Failure>
where
    Q: DeserializeOwned,
    A: Serialize + Send + 'static,
    F: Future<Output = Result<A>> + Send + 'static,
{
    let request = serde_json::from_value(request).map_err(|error| Failure {
        code: "invalid_request".to_owned(),
        message: format!("the request is not understood: {error}"),
    })?;
    let answer = match tokio::spawn(body(request)).await {
        Ok(answer) => answer?,
        Err(_) => return Err(fault("the command broke off; the report says where")),
    };
    let json = serde_json::to_string(&answer).map_err(|error| fault(&error.to_string()))?;
    Ok(Response::new(json))
}

fn fault(sentence: &str) -> Failure {
    Failure::from(hirag_server::commands::Error::Internal(sentence.to_owned()))
}

#[cfg(test)]
mod tests {
    use hirag_server::commands::studio::{GetRequest, Nothing};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_request_that_is_not_understood_is_a_failure_with_a_code() {
        let body = |_: GetRequest| async { Ok(Nothing {}) };
        let failure = answer(json!({ "id": 7 }), body).await.err().unwrap();
        assert_eq!(failure.code, "invalid_request");
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
