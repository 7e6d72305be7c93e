use std::os::unix::process::parent_id;

use secrecy::SecretString;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Claims, Place};
use crate::running::FILE;
use crate::studio::giving::CLAIM;

const TOKEN: &str = "the-token-of-these-tests-0123456789";

/// A memory whose `server.json` names another process, and what that is asked for.
async fn named(settings: &str, gives_way: bool) -> (Place, MockServer) {
    let place = Place::with(settings);
    place
        .vault
        .set("server", &SecretString::from(TOKEN))
        .unwrap();
    let other = MockServer::start().await;
    let live = Mock::given(path("/health/live")).respond_with(ResponseTemplate::new(200));
    live.mount(&other).await;
    std::fs::create_dir(place.path("data")).unwrap();
    // Its process must be one that lives, and not this one.
    let word = json!({ "url": other.uri(), "pid": parent_id(), "gives_way": gives_way });
    std::fs::write(place.path("data").join(FILE), word.to_string()).unwrap();
    (place, other)
}

#[tokio::test]
async fn a_process_that_would_give_way_is_asked_once_with_the_token() {
    let (place, other) = named("[server]\nenabled = true\n", true).await;
    let claim = Mock::given(method("POST"))
        .and(path(CLAIM))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(body_json(json!({ "pid": std::process::id() })));
    let refused = claim.respond_with(ResponseTemplate::new(403)).expect(1);
    refused.mount(&other).await;
    let studio = place.start_as(Claims::IfListening);
    // Whatever it says, the store is opened: here nobody writes it.
    assert!(studio.host().await.unwrap().manager().is_writable());
    studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn nobody_is_asked_by_who_would_not_listen_or_where_the_store_is_kept() {
    for (settings, gives_way, claims) in [
        ("[server]\nenabled = false\n", true, Claims::IfListening),
        ("", false, Claims::Always),
        ("", true, Claims::Never),
    ] {
        let (place, other) = named(settings, gives_way).await;
        let studio = place.start_as(claims);
        assert!(studio.host().await.unwrap().manager().is_writable());
        let asked = other.received_requests().await.unwrap();
        assert!(asked.iter().all(|request| request.url.path() != CLAIM));
        studio.shut_down().await.unwrap();
    }
}
