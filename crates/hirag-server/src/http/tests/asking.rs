//! Asking over HTTP, with an endpoint that says what it is told to.

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Served, place, told};

/// An endpoint that streams these words.
async fn chat(words: &[&str]) -> MockServer {
    let mut body = String::new();
    for word in words {
        let part = json!({"choices": [{"delta": {"content": word}}]});
        body.push_str(&format!("data: {part}\n\n"));
    }
    body.push_str(
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    );
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(header("authorization", "Bearer sk-for-the-chat"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream"))
        .mount(&server)
        .await;
    server
}

/// A served memory whose answers the endpoint words, with its token in the keyring.
async fn asking(chat: &MockServer) -> Served {
    let place = place(&format!(
        "[chat]\nprovider = \"openai-compatible\"\napi_url = \"{}\"\nmodel = \"tiny\"\nmax_retries = 0\n",
        chat.uri()
    ));
    let token = SecretString::from("sk-for-the-chat");
    place.vault.set("chat", &token).unwrap();
    Served::at(place).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_endpoint_an_answer_is_passages_and_says_so() {
    let served = Served::new().await;
    let id = served.store("Jonas keeps the deploy key").await;
    let question = json!({"question": "who keeps the deploy key?"});
    let (status, answer) = served.post("/api/v1/ask", question).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["kind"], "extractive");
    assert_eq!(answer["end"], json!({"how": "complete"}));
    assert_eq!(answer["sources"][0]["id"], Value::from(id));
    assert!(answer["text"].as_str().unwrap().ends_with("[1]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_as_events_and_is_kept_as_a_conversation() {
    let chat = chat(&["Jonas [1", "] and nobody [9].\n"]).await;
    let served = asking(&chat).await;
    served.store("Jonas keeps the deploy key").await;
    let request = served
        .ask(Method::POST, "/api/v1/ask")
        .header("accept", "text/event-stream")
        .json(&json!({"question": "who keeps the key?", "session": "a talk/1"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let events: Vec<(&str, Value)> = text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("event: ")?.split_once("\ndata: "))
        .map(|(name, data)| (name, serde_json::from_str(data).unwrap()))
        .collect();
    let names: Vec<&str> = events.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        (names[0], names[1], *names.last().unwrap()),
        ("found", "begun", "done")
    );
    let words: String = events
        .iter()
        .filter(|(name, _)| *name == "text")
        .map(|(_, data)| data.as_str().unwrap())
        .collect();
    let answer = &events.last().unwrap().1;
    assert_eq!(answer["text"], Value::from(words));
    assert_eq!(answer["text"], "Jonas [1] and nobody [?].\n");
    assert_eq!(
        (&answer["kind"], &answer["removed"]),
        (&json!("worded"), &json!(["9"]))
    );
    assert_eq!(answer["marks"], json!([{"at": 21, "numbers": "9"}]));

    let (status, kept) = served.get("/api/v1/conversations/a%20talk%2F1").await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    assert_eq!(kept["turns"][0]["question"], "who keeps the key?");
    let markdown = served
        .ask(Method::GET, "/api/v1/conversations/a%20talk%2F1")
        .header("accept", "text/markdown");
    let (_, markdown) = told(markdown).await;
    assert!(
        markdown.as_str().unwrap().contains("## who keeps the key?"),
        "{markdown}"
    );

    let answer_id = answer["id"].as_str().unwrap();
    let judged = format!("/api/v1/answers/{answer_id}/feedback");
    let (status, _) = served
        .post(&judged, json!({"useful": false, "note": "no"}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (_, kept) = served.get("/api/v1/conversations/a%20talk%2F1").await;
    assert_eq!(kept["turns"][0]["feedback"]["note"], "no");
    let (_, listed) = served.get("/api/v1/conversations?query=jonas").await;
    assert_eq!(listed["conversations"][0]["answers"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_stored_deleted_and_brought_back() {
    let chat = chat(&["Jonas [1].\n"]).await;
    let served = asking(&chat).await;
    served.store("Jonas keeps the deploy key").await;
    let question = json!({"question": "who keeps the deploy key?", "session": "talk"});
    served.post("/api/v1/ask", question).await;
    let (status, stored) = served
        .post("/api/v1/conversations/talk/store", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{stored}");
    assert_eq!(stored["contexts"][0]["level"], "ShortTerm");
    let path = "/api/v1/conversations/talk";
    let (status, _) = told(served.ask(Method::DELETE, path)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = served.get(path).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("unknown_conversation"))
    );
    let (status, _) = served
        .post("/api/v1/conversations/talk/restore", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = served.get(path).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_is_refused_before_anything_is_asked() {
    let served = Served::new().await;
    for (request, code) in [
        (json!({"question": " "}), "invalid_query"),
        (json!({"question": "who\u{0}?"}), "invalid_query"),
        (json!({"question": "x", "max_tokens": 0}), "invalid_budget"),
        (
            json!({"question": "x", "session": "a\nb"}),
            "invalid_session",
        ),
    ] {
        let (status, problem) = served.post("/api/v1/ask", request.clone()).await;
        assert!(status.is_client_error(), "{request}: {problem}");
        assert_eq!(problem["code"], code, "{request}");
    }
    let unknown = "/api/v1/answers/nothing/feedback";
    let (status, problem) = served.post(unknown, json!({"useful": true})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("unknown_answer"))
    );
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_too_many_answers_are_being_worded_it_says_when_to_ask_again() {
    let chat = chat(&["Jonas [1].\n"]).await;
    let served = asking(&chat).await;
    served.store("Jonas keeps the deploy key").await;
    let mut places = Vec::new();
    while let Ok(place) = served.studio.asks().place() {
        places.push(place);
    }
    let question = json!({"question": "who keeps the deploy key?"});
    let request = served.ask(Method::POST, "/api/v1/ask").json(&question);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], "busy");
    drop(places);
    let (status, answer) = served.post("/api/v1/ask", question).await;
    assert_eq!(
        (status, &answer["kind"]),
        (StatusCode::OK, &json!("worded"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_told_an_answer_by_events_and_can_stop_it() {
    use crate::commands::studio::{self as window, AnswerEvent, AskName, AskStart};
    use crate::studio::StudioEvent;
    use hirag::answering::AskRequest;

    let chat = MockServer::start().await;
    let never = ResponseTemplate::new(200).set_delay(super::PATIENCE * 10);
    Mock::given(method("POST"))
        .respond_with(never.set_body_raw("", "text/event-stream"))
        .mount(&chat)
        .await;
    let served = asking(&chat).await;
    served.store("Jonas keeps the deploy key").await;
    let mut events = served.studio.events();
    let start = AskStart {
        name: "q1".to_owned(),
        request: AskRequest::new("who keeps the key?"),
    };
    window::ask_start(&served.studio, start.clone())
        .await
        .unwrap();
    loop {
        if let StudioEvent::Answer(part) = events.recv().await.unwrap() {
            assert_eq!(part.name, "q1");
            assert!(matches!(part.event, AnswerEvent::Found(_)));
            break;
        }
    }
    let error = window::ask_start(&served.studio, start.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "busy");
    let stop = AskName {
        name: "q1".to_owned(),
    };
    window::ask_stop(&served.studio, stop).await.unwrap();
    let again = AskStart {
        request: AskRequest {
            extractive: true,
            ..start.request
        },
        ..start
    };
    window::ask_start(&served.studio, again).await.unwrap();
    loop {
        if let StudioEvent::Answer(part) = events.recv().await.unwrap()
            && let AnswerEvent::Done(answer) = part.event
        {
            assert_eq!(answer.sources.len(), 1);
            break;
        }
    }
}
