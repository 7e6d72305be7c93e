use std::os::unix::process::parent_id;
use std::time::Instant;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::ContextLevel;
use hirag::manager::OpenOptions;
use secrecy::SecretString;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Claims, Place, StudioEvent, next, store};
use crate::http::Instead;
use crate::running::{self, FILE};
use crate::studio::StartupPhase;
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

/// Another process that has the memory open, as far as the lock can tell.
async fn writer(place: &Place) -> HiragManager {
    let mut options = OpenOptions::new(Config::default(), place.path("data"));
    options.provider.clone_from(&place.provider);
    HiragManager::open(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_writes_and_is_found_once_the_other_has_ended() {
    let place = Place::new();
    let other = writer(&place).await;
    let studio = place.start_as(Claims::Always);
    let before = studio.host().await.unwrap();
    assert!(!before.manager().is_writable());
    let url = studio
        .open_door_at(Instead {
            port: Some(0),
            always: true,
            ..Instead::default()
        })
        .await
        .unwrap();
    assert_eq!(running::find(&place.path("data")).await, None);
    let mut events = studio.events();
    other.shut_down().await.unwrap();
    let ready = |event| match event {
        StudioEvent::Startup(startup) => (startup.state == StartupPhase::Ready).then_some(()),
        _ => None,
    };
    while !studio.host().await.unwrap().manager().is_writable() {
        next(&mut events, ready).await;
    }
    store(&studio, "a harbour", ContextLevel::LongTerm).await;
    // Who has begun with what was open before comes to the end.
    assert_eq!(
        before
            .manager()
            .stats()
            .await
            .unwrap()
            .counts
            .total_contexts,
        1
    );
    let begin = Instant::now();
    let found = loop {
        match running::find(&place.path("data")).await {
            Some(found) => break found,
            None => assert!(begin.elapsed().as_secs() < 20, "it is not announced"),
        }
    };
    assert_eq!(found.url, url);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_nothing_goes_on_reading() {
    let place = Place::new();
    let other = writer(&place).await;
    let studio = place.start();
    let host = studio.host().await.unwrap();
    other.shut_down().await.unwrap();
    studio.write_when_free().await;
    assert!(!host.manager().is_writable());
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
