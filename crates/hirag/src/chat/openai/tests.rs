use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::*;
use crate::chat::scripted::{Scripted, Step, done, head, raw, refusing, saying, words};
use crate::chat::{ChatMessage, CutBy, Ending, GuardedChat, Role};
use crate::clock::FakeClock;
use crate::config::Config;
use crate::resilience::{BreakerState, CircuitBreaker, RateLimiter, Retry};

const TOKEN: &str = "sk-very-secret-0123456789";
const EVENTS: &str = "text/event-stream";

fn settings(url: &str) -> OpenAiChatSettings {
    OpenAiChatSettings {
        api_url: url.to_owned(),
        model: "tiny".to_owned(),
        token: Some(SecretString::from(TOKEN)),
        stream: true,
        temperature: 0.25,
        connect: Duration::from_secs(20),
        first: Duration::from_secs(20),
        between: Duration::from_secs(20),
        whole: Duration::from_secs(60),
        tls_verify: true,
    }
}

fn provider(settings: OpenAiChatSettings) -> OpenAiChat {
    OpenAiChat::new(settings, FakeClock::at(Timestamp::UNIX_EPOCH)).unwrap()
}

fn question() -> ChatRequest {
    ChatRequest {
        messages: vec![ChatMessage {
            role: Role::User,
            content: "why?".to_owned(),
        }],
        max_tokens: 50,
        asked_at: Instant::now(),
    }
}

/// The text of an answer, and how it ended.
async fn told(answer: Result<ChatStream, ChatError>) -> (String, Result<Ending, ChatError>) {
    let mut pieces = match answer {
        Ok(pieces) => pieces,
        Err(error) => return (String::new(), Err(error)),
    };
    let mut text = String::new();
    loop {
        match pieces.next().await.unwrap() {
            Ok(ChatPiece::Text(piece)) => {
                assert!(!piece.is_empty());
                text.push_str(&piece);
            }
            Ok(ChatPiece::End(ending)) => {
                assert!(pieces.next().await.is_none(), "something after the end");
                return (text, Ok(ending));
            }
            Err(error) => {
                assert!(pieces.next().await.is_none(), "something after the error");
                return (text, Err(error));
            }
        }
    }
}

/// Asks, and asks again where that may help.
async fn ask(server: &Scripted) -> (String, Result<Ending, ChatError>) {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let (chat, _) = guard(provider(settings(&server.url)), 3, &clock);
    told(chat.answer(&question()).await).await
}

/// A guard with a breaker that opens at the second failure, and a limiter of 5 requests.
fn guard(
    provider: OpenAiChat,
    retries: u32,
    clock: &Arc<FakeClock>,
) -> (GuardedChat, CircuitBreaker) {
    let mut chat = Config::default().chat;
    chat.circuit_breaker.failure_threshold = 2;
    chat.requests_per_minute = 5;
    let breaker = CircuitBreaker::new(chat.circuit_breaker.clone(), clock.clone()).unwrap();
    let limiter = Arc::new(RateLimiter::new(chat.rate_limit(), clock.clone()).unwrap());
    let retry = Retry {
        min_delay: Duration::from_millis(1),
        ..Retry::new(retries)
    };
    let guarded = GuardedChat::new(Arc::new(provider), retry, breaker.clone(), limiter);
    (guarded, breaker)
}

/// The same, and nothing is asked again.
fn guarded(server: &Scripted, clock: &Arc<FakeClock>) -> (GuardedChat, CircuitBreaker) {
    guard(provider(settings(&server.url)), 0, clock)
}

fn streamed(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut script = vec![head(200, EVENTS)];
    script.extend(steps);
    script
}

#[tokio::test]
async fn an_answer_comes_piece_by_piece_and_the_request_says_what_was_set() {
    let server = Scripted::start(vec![saying(&["Be", "cause", " é."])]).await;
    let (text, ending) = ask(&server).await;
    assert_eq!(
        (text.as_str(), ending),
        ("Because é.", Ok(Ending::Complete))
    );
    let request = &server.requests()[0];
    assert_eq!(request["authorization"], format!("bearer {TOKEN}"));
    assert_eq!(
        request["body"],
        json!({
            "model": "tiny", "max_tokens": 50, "temperature": 0.25, "stream": true,
            "messages": [{"role": "user", "content": "why?"}],
        })
    );
}

#[tokio::test]
async fn the_first_words_are_there_before_the_rest_is_sent() {
    let gate = Arc::new(Notify::new());
    let mut script = streamed([words("So "), Step::Wait(Arc::clone(&gate)), words("it is.")]);
    script.extend(done("stop"));
    let server = Scripted::start(vec![script]).await;
    let mut pieces = provider(settings(&server.url))
        .answer(&question())
        .await
        .unwrap();
    assert_eq!(
        pieces.next().await,
        Some(Ok(ChatPiece::Text("So ".to_owned())))
    );
    gate.notify_one();
    let (rest, ending) = told(Ok(pieces)).await;
    assert_eq!((rest.as_str(), ending), ("it is.", Ok(Ending::Complete)));
}

#[tokio::test]
async fn who_drops_an_answer_ends_the_request() {
    let script = streamed([words("So "), Step::Hang]);
    let mut server = Scripted::start(vec![script]).await;
    let pieces = provider(settings(&server.url))
        .answer(&question())
        .await
        .unwrap();
    drop(pieces);
    server.client_gone().await;
}

#[tokio::test]
async fn who_gives_up_waiting_for_the_first_words_ends_the_request() {
    let mut server = Scripted::start(vec![streamed([Step::Hang])]).await;
    let provider = provider(settings(&server.url));
    let asking = tokio::spawn(async move { provider.answer(&question()).await.map(drop) });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    asking.abort();
    server.client_gone().await;
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_as_long_as_no_word_has_come() {
    let server = Scripted::start(vec![
        refusing(429, "retry-after: 0\r\n", ""),
        refusing(503, "", "loading"),
        saying(&["Here."]),
    ])
    .await;
    let (text, ending) = ask(&server).await;
    assert_eq!((text.as_str(), ending), ("Here.", Ok(Ending::Complete)));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_long_wait_that_the_endpoint_asks_for_is_told_not_waited() {
    let script = refusing(429, "retry-after: 3600\r\n", "");
    let server = Scripted::start(vec![script]).await;
    let (_, ending) = ask(&server).await;
    let error = ending.unwrap_err();
    assert_eq!(error.code(), "provider_busy");
    assert!(error.to_string().contains("3600s"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_breaks_off_in_the_middle_is_told_and_not_asked_for_again() {
    // The connection ends without the last chunk.
    let server = Scripted::start(vec![streamed([words("It is beca")])]).await;
    let (text, ending) = ask(&server).await;
    assert_eq!(text, "It is beca");
    assert_eq!(ending.unwrap_err().code(), "provider_broken_off");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_end_without_its_last_event_is_an_end_if_the_model_was_done() {
    let mut script = streamed([words("Yes."), done("stop")[0].clone()]);
    let Step::Send(end) = &mut script[2] else {
        panic!("no bytes");
    };
    *end = match raw("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n") {
        Step::Send(bytes) => bytes,
        _ => panic!("no bytes"),
    };
    script.push(done("stop")[1].clone());
    let server = Scripted::start(vec![script]).await;
    let (text, ending) = ask(&server).await;
    assert_eq!(
        (text.as_str(), ending),
        ("Yes.", Ok(Ending::Cut(CutBy::Tokens)))
    );
}

#[tokio::test]
async fn garbage_is_told_as_such_and_not_asked_for_again() {
    for script in [
        streamed([raw("data: <html>\n\n")]),
        streamed([raw("data: [DONE]\n\n")]),
        streamed([raw("data: {\"choices\": 7}\n\n")]),
        vec![
            head(200, "application/json"),
            raw("{\"choices\":[{}]}"),
            done("")[1].clone(),
        ],
    ] {
        let server = Scripted::start(vec![script]).await;
        let (text, ending) = ask(&server).await;
        assert_eq!(text, "");
        assert_eq!(ending.unwrap_err().code(), "provider_bad_answer");
        assert_eq!(server.requests().len(), 1);
    }
    let script = streamed([
        words("So"),
        raw("data: {\"error\":{\"message\":\"no memory\"}}\n\n"),
    ]);
    let server = Scripted::start(vec![script]).await;
    let (text, ending) = ask(&server).await;
    assert_eq!(text, "So");
    assert!(ending.unwrap_err().to_string().contains("no memory"));
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_and_said_to_be() {
    let Step::Send(short) = words("a ") else {
        panic!("no bytes");
    };
    let Step::Send(long) = words(&"é".repeat(150)) else {
        panic!("no bytes");
    };
    let Step::Send(comment) = raw(": still here\n\n") else {
        panic!("no bytes");
    };
    // This one leaves no byte for the next.
    let Step::Send(exact) = words(&"a".repeat(399)) else {
        panic!("no bytes");
    };
    for (forever, cut, bytes) in [
        (exact, CutBy::Bytes, 800),
        (short, CutBy::Tokens, 202),
        (long, CutBy::Bytes, 800),
        (comment, CutBy::Bytes, 2),
    ] {
        let script = streamed([words("a "), Step::Forever(forever)]);
        let server = Scripted::start(vec![script]).await;
        let (text, ending) = ask(&server).await;
        assert_eq!((text.len(), ending), (bytes, Ok(Ending::Cut(cut))));
    }
}

#[tokio::test]
async fn each_wait_has_its_time_limit() {
    let short = Duration::from_millis(30);
    let server = Scripted::start(vec![streamed([Step::Hang])]).await;
    let slow = provider(OpenAiChatSettings {
        first: short,
        ..settings(&server.url)
    });
    let (_, ending) = told(slow.answer(&question()).await).await;
    let sentence = ending.unwrap_err().to_string();
    assert!(sentence.contains("did not begin"), "{sentence}");
    assert!(sentence.contains("chat.first_token_timeout"), "{sentence}");

    let server = Scripted::start(vec![streamed([words("So"), Step::Hang])]).await;
    let stalled = provider(OpenAiChatSettings {
        between: short,
        ..settings(&server.url)
    });
    let (text, ending) = told(stalled.answer(&question()).await).await;
    assert_eq!(text, "So");
    let sentence = ending.unwrap_err().to_string();
    assert!(sentence.contains("did not go on"), "{sentence}");

    let endless = provider(OpenAiChatSettings {
        whole: Duration::from_secs(1),
        ..settings(&server.url)
    });
    let (text, ending) = told(endless.answer(&question()).await).await;
    assert_eq!(
        (text.as_str(), ending),
        ("So", Ok(Ending::Cut(CutBy::Time)))
    );
}

#[tokio::test]
async fn an_answer_in_one_piece_is_taken_whether_it_was_asked_for_or_not() {
    let body = json!({"choices": [{"message": {"content": "All."}, "finish_reason": "stop"}]});
    let script = vec![
        head(200, "application/json"),
        raw(&body.to_string()),
        done("")[1].clone(),
    ];
    let server = Scripted::start(vec![script]).await;
    for stream in [true, false] {
        let provider = provider(OpenAiChatSettings {
            stream,
            ..settings(&server.url)
        });
        let (text, ending) = told(provider.answer(&question()).await).await;
        assert_eq!((text.as_str(), ending), ("All.", Ok(Ending::Complete)));
    }
    assert_eq!(server.requests()[1]["body"]["stream"], false);
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_without_it() {
    let body = format!("{{\"error\": {{\"message\": \"bad key {TOKEN}\"}}}}");
    for (status, code) in [
        (401, "provider_unauthorized"),
        (400, "provider_refused"),
        (404, "provider_misconfigured"),
        (307, "provider_misconfigured"),
    ] {
        let server = Scripted::start(vec![refusing(status, "", &body)]).await;
        let (_, ending) = ask(&server).await;
        let error = ending.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.to_string().contains(TOKEN), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
    let shown = format!("{:?}", provider(settings("http://127.0.0.1:9")));
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn failures_open_the_breaker_and_a_whole_answer_closes_it() {
    let server = Scripted::start(vec![
        refusing(500, "", ""),
        streamed([words("half")]),
        saying(&["Back."]),
    ])
    .await;
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let (chat, breaker) = guarded(&server, &clock);
    let (_, ending) = told(chat.answer(&question()).await).await;
    assert_eq!(ending.unwrap_err().code(), "provider_busy");
    assert_eq!(breaker.state(), BreakerState::Closed);
    let (text, ending) = told(chat.answer(&question()).await).await;
    assert_eq!(text, "half");
    assert_eq!(ending.unwrap_err().code(), "provider_broken_off");
    assert_eq!(breaker.state(), BreakerState::Open);
    let (_, ending) = told(chat.answer(&question()).await).await;
    assert_eq!(ending.unwrap_err().code(), "breaker_open");
    assert_eq!(server.requests().len(), 2);
    clock.advance(Duration::from_secs(30));
    let (text, _) = told(chat.answer(&question()).await).await;
    assert_eq!(text, "Back.");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test]
async fn questions_beyond_the_limit_are_held_back_and_answers_nobody_waits_for_are_no_failures() {
    let server = Scripted::start(vec![streamed([words("So"), Step::Hang])]).await;
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let (chat, breaker) = guarded(&server, &clock);
    for _ in 0..5 {
        drop(chat.answer(&question()).await.unwrap());
    }
    let (_, ending) = told(chat.answer(&question()).await).await;
    assert_eq!(ending.unwrap_err().code(), "rate_limited");
    let counted = breaker.snapshot();
    // The one that was held back is not about the endpoint either.
    assert_eq!((counted.failed, counted.abandoned), (0, 6));
}

#[tokio::test]
async fn each_attempt_takes_its_place_of_the_limiter_and_none_does_while_the_breaker_is_open() {
    let server = Scripted::start(vec![refusing(500, "", "")]).await;
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let (chat, breaker) = guard(provider(settings(&server.url)), 1, &clock);
    for _ in 0..2 {
        let (_, ending) = told(chat.answer(&question()).await).await;
        assert_eq!(ending.unwrap_err().code(), "provider_busy");
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    for _ in 0..3 {
        let (_, ending) = told(chat.answer(&question()).await).await;
        assert_eq!(ending.unwrap_err().code(), "breaker_open");
    }
    breaker.reset();
    // Four of five places are taken.
    let (_, ending) = told(chat.answer(&question()).await).await;
    assert_eq!(ending.unwrap_err().code(), "rate_limited");
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn the_time_for_a_whole_answer_counts_from_the_first_attempt() {
    let server = Scripted::start(vec![streamed([Step::Hang])]).await;
    let long_ago = Instant::now() - Duration::from_secs(61);
    let asked = ChatRequest {
        asked_at: long_ago,
        ..question()
    };
    let answer = provider(settings(&server.url)).answer(&asked).await;
    let sentence = told(answer).await.1.unwrap_err().to_string();
    assert!(sentence.contains("chat.answer_timeout"), "{sentence}");
}

#[tokio::test]
async fn a_probe_has_done_with_its_first_words_and_the_next_question_is_let_through() {
    let server = Scripted::start(vec![
        refusing(500, "", ""),
        refusing(500, "", ""),
        streamed([words("So"), Step::Hang]),
        saying(&["Here."]),
    ])
    .await;
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let (chat, breaker) = guarded(&server, &clock);
    for _ in 0..2 {
        assert!(chat.answer(&question()).await.is_err());
    }
    clock.advance(Duration::from_secs(30));
    let probe = chat.answer(&question()).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let (text, _) = told(chat.answer(&question()).await).await;
    assert_eq!(text, "Here.");
    drop(probe);
    let counted = breaker.snapshot();
    assert_eq!((counted.succeeded, counted.failed), (2, 2));
}

#[tokio::test]
async fn a_model_that_says_no_word_within_its_tokens_is_told_so_and_opens_no_breaker() {
    let whole = |reason: &str| {
        let body = json!({"choices": [{"message": {"content": ""}, "finish_reason": reason}]});
        let mut script = vec![head(200, "application/json"), raw(&body.to_string())];
        script.push(done("")[1].clone());
        script
    };
    let thinking = raw("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n");
    let mut streamed_one = streamed([thinking]);
    streamed_one.extend(done("length"));
    for (script, said) in [
        (streamed_one, "`chat.max_answer_tokens`"),
        (whole("length"), "50 tokens"),
        (
            streamed(done("content_filter")),
            "holds the whole answer back",
        ),
    ] {
        let server = Scripted::start(vec![script]).await;
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let (chat, breaker) = guard(provider(settings(&server.url)), 3, &clock);
        for _ in 0..2 {
            let (_, ending) = told(chat.answer(&question()).await).await;
            let error = ending.unwrap_err();
            assert_eq!(error.code(), "provider_no_words");
            assert!(error.to_string().contains(said), "{error}");
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(server.requests().len(), 2, "it is not asked again");
    }
}

#[tokio::test]
async fn a_window_that_is_too_small_is_told_with_its_setting_and_opens_no_breaker() {
    let error = |sentence: &str| json!({"error": {"message": sentence}}).to_string();
    let llama = error("request (900 tokens) exceeds the available context size (512 tokens)");
    let openai = error("This model's maximum context length is 512 tokens.");
    let studio = error("The model is loaded with a context length of only 512 tokens.");
    for script in [
        refusing(400, "", &llama),
        refusing(400, "", &openai),
        streamed([raw(&format!("data: {studio}\n\n"))]),
    ] {
        let server = Scripted::start(vec![script]).await;
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let (chat, breaker) = guard(provider(settings(&server.url)), 3, &clock);
        for _ in 0..2 {
            let (_, ending) = told(chat.answer(&question()).await).await;
            let error = ending.unwrap_err();
            assert_eq!(error.code(), "provider_window");
            for part in ["512 tokens", "`chat.window_tokens`"] {
                assert!(error.to_string().contains(part), "{error}");
            }
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(server.requests().len(), 2, "it is not asked again");
    }
}

#[tokio::test]
async fn an_answer_that_has_said_how_it_ends_is_whole_whatever_the_connection_does_then() {
    let [end, _] = done("stop");
    let Step::Send(end) = end else {
        panic!("no bytes");
    };
    // Without its last event and chunk.
    let end = end.replace("data: [DONE]\n\n", "");
    let (_, end) = end.split_once("\r\n").unwrap();
    let end = raw(end.trim_end_matches("\r\n"));
    for after in [
        vec![],
        vec![Step::Hang],
        vec![raw("data: <html>\n\n")],
        vec![
            raw("data: {\"usage\":{\"total_tokens\":9}}\n\n"),
            raw("data: [DONE] \n\n"),
        ],
    ] {
        let mut script = streamed([words("So."), end.clone()]);
        script.extend(after);
        let server = Scripted::start(vec![script]).await;
        let (text, ending) = ask(&server).await;
        assert_eq!((text.as_str(), ending), ("So.", Ok(Ending::Complete)));
    }
}

#[tokio::test]
async fn an_endpoint_that_wants_other_parameters_is_asked_once_more_with_them_from_then_on() {
    let refusal = |sentence: &str| {
        refusing(
            400,
            "",
            &json!({"error": {"message": sentence}}).to_string(),
        )
    };
    let server = Scripted::start(vec![
        refusal(
            "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
        refusal("'temperature' does not support 0.25 with this model."),
        saying(&["Here."]),
        saying(&["There."]),
        refusal("temperature again"),
    ])
    .await;
    let provider = provider(settings(&server.url));
    for text in ["Here.", "There."] {
        assert_eq!(told(provider.answer(&question()).await).await.0, text);
    }
    let (_, ending) = told(provider.answer(&question()).await).await;
    assert_eq!(ending.unwrap_err().code(), "provider_refused");
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[1]["body"]["max_completion_tokens"], 50);
    for request in &requests[2..] {
        let body = request["body"].as_object().unwrap();
        assert_eq!(body["max_completion_tokens"], 50);
        assert!(!body.contains_key("max_tokens") && !body.contains_key("temperature"));
    }
}

#[tokio::test]
async fn a_page_in_the_place_of_an_answer_is_told_as_that_and_not_asked_for_again() {
    let script = vec![
        head(200, "text/html"),
        raw("<html>Log in</html>"),
        done("")[1].clone(),
    ];
    let server = Scripted::start(vec![script]).await;
    let (_, ending) = ask(&server).await;
    let error = ending.unwrap_err();
    assert_eq!(error.code(), "provider_bad_answer");
    assert!(error.to_string().contains("text/html"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_check_asks_where_answers_are_worded_and_is_well_only_if_it_is_understood() {
    for (status, code, says) in [
        (200, None, ""),
        (400, None, ""),
        (422, None, ""),
        (401, Some("provider_unauthorized"), "401"),
        (
            307,
            Some("provider_misconfigured"),
            "set `chat.api_url` to the final address",
        ),
        (
            404,
            Some("provider_misconfigured"),
            "check `chat.api_url` and `chat.model`",
        ),
        (405, Some("provider_misconfigured"), "HTTP 405"),
        (503, Some("provider_busy"), "503"),
    ] {
        let server = Scripted::start(vec![refusing(status, "", "no")]).await;
        let checked = provider(settings(&server.url)).check().await.err();
        assert_eq!(checked.as_ref().map(ChatError::code), code, "{status}");
        let sentence = checked.map_or_else(String::new, |error| error.to_string());
        assert!(sentence.contains(says), "{sentence}");
        let asked = &server.requests()[0]["body"];
        assert_eq!(
            asked,
            &json!({"model": "tiny", "messages": [], "max_tokens": 1})
        );
    }
}

#[tokio::test]
async fn an_answer_in_one_piece_is_read_as_far_as_its_text_can_be_long() {
    let body = json!({"choices": [{"message": {"content": "All."}}], "x": "y".repeat(80_000)});
    let script = vec![
        head(200, "application/json"),
        raw(&body.to_string()),
        done("")[1].clone(),
    ];
    let server = Scripted::start(vec![script]).await;
    let (_, ending) = ask(&server).await;
    let sentence = ending.unwrap_err().to_string();
    assert!(sentence.contains("more than 70336 bytes"), "{sentence}");
}
