use std::time::Duration;

use hirag::context::{ContextLevel, ContextRequest, Degradation};
use hirag::embedding::DrillFault;
use hirag::resilience::BreakerState;
use secrecy::SecretString;
use serde_json::json;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::startup::Hanging;
use super::*;
use crate::commands::studio::Nothing;
use crate::secrets::{Keep, TokenKind, TokenSource};
use crate::settings_file::SettingChange;

const TOKEN: &str = "sk-very-secret-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn in_a_drill_the_breaker_opens_texts_wait_and_afterwards_get_their_vectors() {
    let place = Place::with(&format!(
        "{SETTINGS}[circuit_breaker]\nfailure_threshold = 2\ntimeout = \"10s\"\n"
    ));
    let studio = place.start();
    store(&studio, "before the drill", ContextLevel::LongTerm).await;
    let mut events = studio.events();
    let start = |seconds| ask::DrillStart {
        fault: DrillFault::ServerError,
        seconds,
    };
    for seconds in [4, 301] {
        let error = ask::drill_start(&studio, start(seconds)).await.unwrap_err();
        assert_eq!(error.code(), "invalid_request");
    }
    ask::pause_embedding(&studio, ask::PauseRequest { paused: true })
        .await
        .unwrap();
    ask::drill_start(&studio, start(60)).await.unwrap();
    for text in ["one", "two", "three"] {
        store(&studio, text, ContextLevel::LongTerm).await;
    }
    let now = ask::resilience(&studio, Nothing {}).await.unwrap();
    assert_eq!(now.breaker.state, BreakerState::Open);
    assert_eq!(now.pending, 3);
    assert!(now.paused && now.drill.is_some());
    let opened = next(&mut events, |event| match event {
        StudioEvent::Breaker(change) => Some(change.to),
        _ => None,
    });
    assert_eq!(opened.await, BreakerState::Open);
    let search = ask::search(&studio, ContextRequest::new("before"))
        .await
        .unwrap();
    assert_eq!(search.response.metadata.degraded, [Degradation::Embedding]);
    assert_eq!(search.response.contexts.len(), 1, "words still find it");

    place.clock.advance(Duration::from_secs(60));
    let now = ask::resilience(&studio, Nothing {}).await.unwrap();
    assert_eq!(now.drill, None, "it ends by itself");
    ask::breaker_reset(&studio, ask::BreakerReset::default())
        .await
        .unwrap();
    ask::pause_embedding(&studio, ask::PauseRequest { paused: false })
        .await
        .unwrap();
    let begin = std::time::Instant::now();
    while ask::resilience(&studio, Nothing {}).await.unwrap().pending > 0 {
        assert!(begin.elapsed().as_secs() < 20, "the queue does not drain");
        tokio::task::yield_now().await;
    }
    studio.shut_down().await.unwrap();
}

/// An endpoint that gives vectors only to the token.
async fn endpoint() -> MockServer {
    let server = MockServer::start().await;
    let vector = json!({"data": [{"index": 0, "embedding": [0.6, 0.8]}]});
    Mock::given(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_json(vector))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401))
        .mount(&server)
        .await;
    server
}

fn set(token: &str, keep: Keep) -> ask::TokenSetRequest {
    ask::TokenSetRequest {
        kind: TokenKind::Embedding,
        token: SecretString::from(token),
        keep,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_from_the_next_request_on_and_found_nowhere() {
    let server = endpoint().await;
    let mut place = Place::with(&format!(
        "[embedding]\nprovider = \"http\"\napi_url = \"{}/v1\"\nmodel = \"m\"\nmax_retries = 0\n\
         batch_window_ms = 1\n",
        server.uri()
    ));
    place.provider = None;
    let studio = place.start();
    let mut events = studio.events();
    let kind = ask::TokenRequest {
        kind: TokenKind::Embedding,
    };
    let test = ask::token_test(&studio, kind).await.unwrap();
    assert_eq!(test.problem.unwrap().code, "provider_unauthorized");
    let stored = ask::store(&studio, NewContext::new("without"))
        .await
        .unwrap();
    assert!(stored.pending_because.is_some());

    let error = ask::token_set(&studio, set(&format!("{TOKEN}\n"), Keep::Keyring)).await;
    assert_eq!(error.unwrap_err().code(), "bad_token");
    let status = ask::token_set(&studio, set(TOKEN, Keep::Keyring))
        .await
        .unwrap();
    assert_eq!(status.source, Some(TokenSource::Keyring));
    assert_eq!(status.last_four.as_deref(), Some("6789"));
    let test = ask::token_test(&studio, kind).await.unwrap();
    assert!(test.ok, "{test:?}");
    assert_eq!(test.dimension, Some(2));
    let stored = ask::store(&studio, NewContext::new("with")).await.unwrap();
    assert_eq!(stored.pending_because, None);

    let cleared = ask::token_clear(&studio, kind).await.unwrap();
    assert!(!cleared.set);
    let stored = ask::store(&studio, NewContext::new("without again"))
        .await
        .unwrap();
    assert!(stored.pending_because.is_some());
    studio.shut_down().await.unwrap();

    let mut told = format!("{status:?}{test:?}{stored:?}{studio:?}");
    while let Ok(event) = events.try_recv() {
        told += &serde_json::to_string(&event).unwrap();
    }
    assert!(!told.contains(TOKEN));
    let data = place.path("data");
    for entry in std::fs::read_dir(&data)
        .unwrap()
        .chain(std::fs::read_dir(place.folder.path()).unwrap())
    {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(TOKEN.len())
                .any(|window| window == TOKEN.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_can_be_tried_before_it_is_in_the_settings() {
    let server = endpoint().await;
    let place = Place::new();
    let studio = place.start();
    ask::token_set(&studio, set(TOKEN, Keep::ThisRun))
        .await
        .unwrap();
    let request = ask::TestProviderRequest {
        api_url: Some(format!("{}/v1", server.uri())),
        model: Some("m".to_owned()),
    };
    let test = ask::test_provider(&studio, request).await.unwrap();
    assert_eq!((test.ok, test.model.as_deref()), (true, Some("m")));
    let request = ask::TestProviderRequest {
        api_url: Some("nonsense".to_owned()),
        model: Some("m".to_owned()),
    };
    let test = ask::test_provider(&studio, request).await.unwrap();
    assert_eq!(test.problem.unwrap().code, "invalid_settings");
    let own = ask::test_provider(&studio, ask::TestProviderRequest::default())
        .await
        .unwrap();
    assert_eq!((own.ok, own.dimension), (true, Some(32)));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_names_keyring_and_disk_beside_the_memory() {
    let place = Place::new();
    let studio = place.start();
    let health = ask::health(&studio, Nothing {}).await.unwrap();
    let names: Vec<&str> = health
        .components
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert!(
        names.contains(&"keyring") && names.contains(&"disk"),
        "{names:?}"
    );
    assert!(names.contains(&"store"));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_keyring_gives_late_is_used_from_then_on() {
    let server = endpoint().await;
    let mut place = Place::with(&format!(
        "[embedding]\nprovider = \"http\"\napi_url = \"{}/v1\"\nmodel = \"m\"\nmax_retries = 0\n\
         cache_enabled = false\nbatch_window_ms = 1\n",
        server.uri()
    ));
    place.provider = None;
    let vault = Arc::new(Hanging::default());
    vault.set("embedding", &SecretString::from(TOKEN)).unwrap();
    place.vault = vault.clone();
    let studio = place.start();
    let store = || ask::store(&studio, NewContext::new("a text"));
    assert!(store().await.unwrap().pending_because.is_some());
    vault.answer();
    let begin = std::time::Instant::now();
    while store().await.unwrap().pending_because.is_some() {
        assert!(begin.elapsed().as_secs() < 20, "the token does not come");
        ask::breaker_reset(&studio, ask::BreakerReset::default())
            .await
            .unwrap();
        tokio::task::yield_now().await;
    }
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_shown_to_another_host_than_that_of_the_settings() {
    let (own, other) = (endpoint().await, endpoint().await);
    let place = Place::new();
    let studio = place.start();
    ask::token_set(&studio, set(TOKEN, Keep::ThisRun))
        .await
        .unwrap();
    let changes = vec![SettingChange {
        key: "embedding.api_url".to_owned(),
        value: format!("{}/v1", own.uri()).into(),
    }];
    ask::change_settings(&studio, ask::ChangeSettingsRequest { changes })
        .await
        .unwrap();
    for (server, ok) in [(&own, true), (&other, false)] {
        let request = ask::TestProviderRequest {
            api_url: Some(format!("{}/v1", server.uri())),
            model: Some("m".to_owned()),
        };
        assert_eq!(ask::test_provider(&studio, request).await.unwrap().ok, ok);
    }
    for request in other.received_requests().await.unwrap() {
        assert!(!request.headers.contains_key("authorization"));
    }
    studio.shut_down().await.unwrap();
}
