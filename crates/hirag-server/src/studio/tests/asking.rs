//! Answers as a window waits for them, with an endpoint that says what it is told to.

use hirag::answering::{AnswerKind, AskRequest};
use hirag::context::ContextLevel;
use hirag::resilience::BreakerState;
use secrecy::SecretString;

use super::chat::Chat;
use super::*;
use crate::commands::ConversationRequest;
use crate::commands::studio::{AnswerEvent, AskName, AskStart};

type Events = tokio::sync::broadcast::Receiver<StudioEvent>;

fn start(name: &str, question: &str) -> AskStart {
    AskStart {
        name: name.to_owned(),
        request: AskRequest::new(question),
    }
}

/// The next part of the answer `name`.
async fn part(events: &mut Events, name: &str) -> AnswerEvent {
    let part = next(events, |event| match event {
        StudioEvent::Answer(part) => (part.name == name).then_some(part.event),
        _ => None,
    });
    part.await
}

/// Waits for the first words of the answer `name`.
async fn words(events: &mut Events, name: &str) -> String {
    loop {
        if let AnswerEvent::Text(words) = part(events, name).await {
            return words;
        }
    }
}

/// Waits until the answer `name` is told as stopped.
async fn stopped(events: &mut Events, name: &str) {
    while part(events, name).await != AnswerEvent::Stopped {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_stopped_while_its_sources_are_still_looked_for() {
    let mut place = Place::new();
    let provider = Held::free();
    place.provider = Some(provider.clone());
    let studio = place.start();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    provider.hold();
    let mut events = studio.events();
    let asking = tokio::spawn({
        let studio = studio.clone();
        async move { ask::ask_start(&studio, start("q", "who keeps the key?")).await }
    });
    provider.is_asked().await;
    let name = "q".to_owned();
    ask::ask_stop(&studio, AskName { name }).await.unwrap();
    assert_eq!(part(&mut events, "q").await, AnswerEvent::Stopped);
    asking.await.unwrap().unwrap();
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_refused_is_told_to_whoever_asked_and_not_as_an_event() {
    let place = Place::new();
    let studio = place.start();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    let mut events = studio.events();
    let error = ask::ask_start(&studio, start("q", " ")).await.unwrap_err();
    assert_eq!(error.code(), "invalid_query");
    ask::ask_start(&studio, start("q", "who keeps the key?"))
        .await
        .unwrap();
    let first = part(&mut events, "q").await;
    assert!(matches!(first, AnswerEvent::Found(_)), "{first:?}");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_answers_are_worded_at_once_than_there_are_places() {
    let mut chat = Chat::start().await;
    let place = Place::with(&chat.settings());
    let studio = place.start();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    for name in 0..8 {
        let start = start(&name.to_string(), &format!("who keeps the key {name}?"));
        ask::ask_start(&studio, start).await.unwrap();
    }
    let error = ask::ask_start(&studio, start("9", "who?")).await;
    assert_eq!(error.unwrap_err().code(), "busy");
    let passages = AskRequest {
        extractive: true,
        ..AskRequest::new("who keeps the key?")
    };
    let answer = ask::ask(&studio, passages).await.unwrap();
    assert_eq!(answer.kind, AnswerKind::Extractive, "nobody words these");
    chat.asked(8).await;
    let name = "0".to_owned();
    ask::ask_stop(&studio, AskName { name }).await.unwrap();
    chat.gone().await;
    ask::ask_start(&studio, start("9", "who?")).await.unwrap();
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_conversation_is_not_made_again_by_the_answer_on_its_way_to_it() {
    let mut chat = Chat::start().await;
    let place = Place::with(&chat.settings());
    let studio = place.start();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    let talk = || AskRequest {
        session: Some("talk".to_owned()),
        ..AskRequest::new("who keeps the key?")
    };
    let passages = AskRequest {
        extractive: true,
        ..talk()
    };
    ask::ask(&studio, passages).await.unwrap();
    let mut events = studio.events();
    let again = AskStart {
        name: "q".to_owned(),
        request: talk(),
    };
    ask::ask_start(&studio, again).await.unwrap();
    chat.asked(1).await;
    chat.say("Jonas does [1]");
    assert!(words(&mut events, "q").await.starts_with("Jonas"));
    let session = "talk".to_owned();
    ask::conversation_delete(&studio, ConversationRequest { session })
        .await
        .unwrap();
    stopped(&mut events, "q").await;
    chat.gone().await;
    let left = ask::conversations(&studio, hirag::answering::ConversationsRequest::default());
    assert_eq!(left.await.unwrap().conversations, []);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_question_has_the_token_and_a_restore_keeps_it_and_tells_the_end_of_answers() {
    let mut chat = Chat::start().await;
    let place = Place::with(&chat.settings());
    let token = SecretString::from("sk-for-the-chat");
    place.vault.set("chat", &token).unwrap();
    let studio = place.start();
    let mut events = studio.events();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    ask::ask_start(&studio, start("before", "who keeps the key?"))
        .await
        .unwrap();
    chat.asked(1).await;
    chat.say("Jonas does");
    words(&mut events, "before").await;

    let backup = ask::FileRequest {
        file: place.path("backup.db").display().to_string(),
    };
    ask::backup_file(&studio, backup.clone()).await.unwrap();
    ask::restore(&studio, backup).await.unwrap();
    stopped(&mut events, "before").await;
    chat.gone().await;

    ask::ask_start(&studio, start("after", "who keeps the key?"))
        .await
        .unwrap();
    chat.asked(1).await;
    chat.say("Jonas [1].");
    chat.end();
    let answer = loop {
        if let AnswerEvent::Done(answer) = part(&mut events, "after").await {
            break answer;
        }
    };
    assert_eq!(answer.text, "Jonas [1].");
    assert_eq!(chat.tokens(), ["Bearer sk-for-the-chat"; 2]);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_of_chat_is_seen_told_and_closed_by_hand() {
    // A port that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", nobody.local_addr().unwrap());
    drop(nobody);
    let place = Place::with(&format!(
        "{SETTINGS}[chat]\nprovider = \"openai-compatible\"\napi_url = \"{url}\"\nmodel = \"tiny\"\n\
         max_retries = 0\n[chat.circuit_breaker]\nfailure_threshold = 1\n"
    ));
    let studio = place.start();
    store(&studio, "Jonas keeps the key", ContextLevel::LongTerm).await;
    let mut events = studio.events();
    let answer = ask::ask(&studio, AskRequest::new("who keeps the key?"));
    assert_eq!(answer.await.unwrap().kind, AnswerKind::Extractive);
    let opened = next(&mut events, |event| match event {
        StudioEvent::ChatBreaker(change) => Some(change.to),
        _ => None,
    });
    assert_eq!(opened.await, BreakerState::Open);
    let state = async || {
        let now = ask::resilience(&studio, ask::Nothing {}).await.unwrap();
        assert_eq!(now.breaker.state, BreakerState::Closed, "it has its own");
        now.chat.unwrap().breaker.state
    };
    assert_eq!(state().await, BreakerState::Open);
    let health = ask::health(&studio, ask::Nothing {}).await.unwrap();
    let chat = health.components.iter().find(|one| one.name == "chat");
    assert!(chat.unwrap().detail.contains("open"), "{health:?}");
    let of = ask::BreakerOf::Chat;
    ask::breaker_reset(&studio, ask::BreakerReset { of })
        .await
        .unwrap();
    assert_eq!(state().await, BreakerState::Closed);
    studio.shut_down().await.unwrap();
}
