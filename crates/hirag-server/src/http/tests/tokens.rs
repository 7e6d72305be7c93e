//! The server's token, changed by another program while the server runs.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{Served, TOKEN, told};

const NEW: &str = "a-newer-token-of-these-tests-012";
const CHANGES: &str = "/api/v1/token-changes";

impl Served {
    /// As another program does: the server is not asked.
    fn keep(&self, token: &str) {
        let token = SecretString::from(token);
        self.place.vault.set("server", &token).unwrap();
    }

    async fn status_with(&self, token: &str) -> StatusCode {
        let request = self.bare(Method::GET, "/api/v1/stats");
        told(request.bearer_auth(token)).await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_another_program_kept_is_let_in_and_the_one_before_is_not() {
    let served = Served::new().await;
    served.keep(NEW);
    assert_eq!(served.status_with(NEW).await, StatusCode::OK);
    assert_eq!(served.status_with(TOKEN).await, StatusCode::UNAUTHORIZED);
    assert_eq!(served.status_with(NEW).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_have_the_keyring_looked_into_once_a_second() {
    let served = Served::new().await;
    assert_eq!(served.status_with("wrong").await, StatusCode::UNAUTHORIZED);
    served.keep(NEW);
    assert_eq!(served.status_with(NEW).await, StatusCode::UNAUTHORIZED);
    served.place.clock.advance(Duration::from_secs(1));
    assert_eq!(served.status_with(NEW).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_only_removed_stays_until_that_is_said() {
    let served = Served::new().await;
    served.place.vault.remove("server").unwrap();
    assert_eq!(served.status_with("wrong").await, StatusCode::UNAUTHORIZED);
    served.serves_on().await;
    let (status, told) = served.post(CHANGES, json!({ "kind": "server" })).await;
    assert_eq!(
        (status, told),
        (StatusCode::OK, json!({ "kind": "server" }))
    );
    assert_eq!(served.status_with(TOKEN).await, StatusCode::UNAUTHORIZED);
    // Nobody else could come in for ever, so there is a new one.
    let made = served.place.vault.get("server").unwrap().unwrap();
    let made = made.expose_secret();
    assert_eq!(served.status_with(made).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_said_is_in_force_at_once() {
    let served = Served::new().await;
    served.keep(NEW);
    let (status, _) = served.post(CHANGES, json!({ "kind": "server" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(served.status_with(TOKEN).await, StatusCode::UNAUTHORIZED);
    assert_eq!(served.status_with(NEW).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_said_with_the_token_and_of_a_token_that_there_is() {
    let served = Served::new().await;
    let stranger = served.bare(Method::POST, CHANGES).bearer_auth("wrong");
    let (status, _) = told(stranger.json(&json!({ "kind": "server" }))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for body in [
        json!({}),
        json!({ "kind": "door" }),
        json!({ "kind": "chat", "token": "x" }),
    ] {
        let (status, problem) = served.post(CHANGES, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    served.serves_on().await;
}
