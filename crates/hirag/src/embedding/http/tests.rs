use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;
use crate::clock::FakeClock;

const TOKEN: &str = "sk-very-secret-0123456789";

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        api_url: url.to_owned(),
        model: "tiny".to_owned(),
        token: Some(SecretString::from(TOKEN)),
        batch_size: 32,
        timeout: Duration::from_secs(20),
        retry: retries(3),
        tls_verify: true,
        dimension: 2,
        max_input_tokens: 512,
        query_prefix: String::new(),
        passage_prefix: String::new(),
    }
}

fn retries(max_retries: u32) -> Retry {
    Retry {
        min_delay: Duration::from_millis(1),
        ..Retry::new(max_retries)
    }
}

async fn connect(settings: HttpSettings) -> HttpProvider {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    HttpProvider::connect(settings, None, clock).await.unwrap()
}

/// A server that answers by `respond`, and a provider that asks it.
async fn provider(respond: impl Respond + 'static) -> (MockServer, HttpProvider) {
    let server = server(respond).await;
    let provider = connect(settings(&server.uri())).await;
    (server, provider)
}

async fn server(respond: impl Respond + 'static) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/embeddings"))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .respond_with(respond)
        .mount(&server)
        .await;
    server
}

fn inputs(request: &Request) -> Vec<String> {
    let body: Value = request.body_json().unwrap();
    assert_eq!(body["model"], "tiny");
    assert_eq!(body["encoding_format"], "float");
    serde_json::from_value(body["input"].clone()).unwrap()
}

/// The vector that the scripted server has for a text: its angle is the text's number.
fn vector(text: &str) -> Vec<f32> {
    let angle: f32 = text.trim_start_matches('t').parse().unwrap_or(0.5);
    vec![angle.cos(), angle.sin()]
}

fn good(request: &Request) -> ResponseTemplate {
    let data: Vec<Value> = inputs(request)
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
        .collect();
    ResponseTemplate::new(200).set_body_json(json!({"data": data}))
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("t{i}")).collect()
}

#[track_caller]
fn assert_vector(outcome: &Result<Vector, EmbeddingError>, text: &str) {
    let got = outcome.as_ref().unwrap();
    let expected = vector(text);
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-6, "{text}: {got} {expected}");
    }
    assert_eq!(got.len(), expected.len());
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn template(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string(body)
}

#[tokio::test]
async fn a_permuted_answer_reaches_the_right_texts() {
    let (_server, provider) = provider(|request: &Request| {
        let mut data: Vec<Value> = inputs(request)
            .iter()
            .enumerate()
            .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
            .collect();
        data.reverse();
        data.rotate_left(1);
        ResponseTemplate::new(200).set_body_json(json!({"data": data}))
    })
    .await;
    let texts = texts(7);
    let outcomes = provider.embed_batch(&texts).await;
    assert_eq!(outcomes.len(), 7);
    for (outcome, text) in outcomes.iter().zip(&texts) {
        assert_vector(outcome, text);
    }
}

#[tokio::test]
async fn many_texts_go_in_batches_of_the_set_size() {
    let (server, provider) = provider(good).await;
    let texts = texts(70);
    let outcomes = provider.embed_batch(&texts).await;
    for (outcome, text) in outcomes.iter().zip(&texts) {
        assert_vector(outcome, text);
    }
    let sizes: Vec<usize> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| inputs(request).len())
        .collect();
    assert_eq!(sizes, [32, 32, 6]);
    assert!(provider.embed_batch(&[]).await.is_empty());
}

#[tokio::test]
async fn a_text_that_is_refused_fails_alone() {
    let (server, provider) = provider(|request: &Request| {
        if inputs(request).iter().any(|text| text == "t13") {
            return ResponseTemplate::new(400)
                .set_body_json(json!({"error": {"message": "input is too long"}}));
        }
        good(request)
    })
    .await;
    let texts = texts(32);
    let outcomes = provider.embed_batch(&texts).await;
    for (i, (outcome, text)) in outcomes.iter().zip(&texts).enumerate() {
        if i == 13 {
            let error = outcome.as_ref().unwrap_err();
            assert_eq!(error.code(), "provider_refused");
            assert!(error.to_string().contains("input is too long"), "{error}");
        } else {
            assert_vector(outcome, text);
        }
    }
    assert_eq!(requests(&server).await, 11);
}

#[tokio::test]
async fn a_text_whose_vector_is_no_number_fails_alone() {
    for bad in ["[null,1.0]", "[1e999,1.0]", "[1e39,1.0]", "[0,0]", "[1.0]"] {
        let (_server, provider) = provider(move |request: &Request| {
            let data: Vec<String> = inputs(request)
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    let embedding = if text == "t5" {
                        bad.to_owned()
                    } else {
                        json!(vector(text)).to_string()
                    };
                    format!(r#"{{"index":{index},"embedding":{embedding}}}"#)
                })
                .collect();
            template(200, &format!(r#"{{"data":[{}]}}"#, data.join(",")))
        })
        .await;
        let texts = texts(8);
        let outcomes = provider.embed_batch(&texts).await;
        for (i, (outcome, text)) in outcomes.iter().zip(&texts).enumerate() {
            if i == 5 {
                assert_eq!(
                    outcome.as_ref().unwrap_err().code(),
                    "provider_bad_answer",
                    "{bad}"
                );
            } else {
                assert_vector(outcome, text);
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_lacks_a_vector_is_divided_until_it_does_not() {
    let (server, provider) = provider(|request: &Request| {
        let data: Vec<Value> = inputs(request)
            .iter()
            .enumerate()
            .filter(|(_, text)| *text != "t2")
            .map(|(index, text)| json!({"index": index, "embedding": vector(text)}))
            .collect();
        ResponseTemplate::new(200).set_body_json(json!({"data": data}))
    })
    .await;
    let texts = texts(4);
    let outcomes = provider.embed_batch(&texts).await;
    assert_vector(&outcomes[0], "t0");
    assert_vector(&outcomes[1], "t1");
    assert_eq!(
        outcomes[2].as_ref().unwrap_err().code(),
        "provider_bad_answer"
    );
    assert_vector(&outcomes[3], "t3");
    assert_eq!(requests(&server).await, 5);
}

#[tokio::test]
async fn an_endpoint_that_answers_rubbish_is_not_asked_for_every_text() {
    let wrong_dimension = r#"{"data":[]}"#;
    for rubbish in ["<html>Welcome</html>", "", "{}", "[1,2]", wrong_dimension] {
        let body = rubbish.to_owned();
        let (server, provider) = provider(move |_: &Request| template(200, &body)).await;
        let outcomes = provider.embed_batch(&texts(32)).await;
        assert_eq!(outcomes.len(), 32);
        for outcome in outcomes {
            assert_eq!(outcome.unwrap_err().code(), "provider_bad_answer");
        }
        assert_eq!(requests(&server).await, 3, "{rubbish}");
    }
}

#[tokio::test]
async fn vectors_of_another_dimension_are_refused() {
    let server = server(good).await;
    let provider = connect(HttpSettings {
        dimension: 384,
        ..settings(&server.uri())
    })
    .await;
    let error = provider.embed_single("t1").await.unwrap_err();
    assert!(
        error.to_string().contains("dimension 2 instead of 384"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let (server, provider) = provider(|_: &Request| template(200, &" ".repeat(1 << 20))).await;
    let error = provider.embed_single("t1").await.unwrap_err();
    assert!(error.to_string().contains("more than"), "{error}");
    assert_eq!(requests(&server).await, 1);
}

/// Answers `first` so many times, then well.
fn first(
    times: u32,
    first: ResponseTemplate,
) -> (Arc<AtomicU32>, impl Fn(&Request) -> ResponseTemplate) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let respond = move |request: &Request| {
        if counter.fetch_add(1, Ordering::SeqCst) < times {
            first.clone()
        } else {
            good(request)
        }
    };
    (asked, respond)
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    for fault in [
        template(429, "slow down").insert_header("retry-after", "0"),
        template(429, "").insert_header("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"),
        template(408, ""),
        template(500, ""),
        template(502, ""),
        template(503, ""),
    ] {
        let (asked, respond) = first(3, fault);
        let (_server, provider) = provider(respond).await;
        assert_vector(&provider.embed_single("t3").await, "t3");
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }
}

#[tokio::test]
async fn a_long_wait_that_the_endpoint_asks_for_is_told_not_waited() {
    for (value, seconds) in [("3600", 3600), ("Thu, 01 Jan 1970 00:02:00 GMT", 120)] {
        let (asked, respond) = first(1, template(429, "").insert_header("retry-after", value));
        let (_server, provider) = provider(respond).await;
        let error = provider.embed_single("t3").await.unwrap_err();
        assert!(
            matches!(error, EmbeddingError::Busy { status: 429, retry_after: Some(wait), .. }
                if wait == Duration::from_secs(seconds)),
            "{error}"
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_fault_that_stays_ends_all_batches_after_the_set_attempts() {
    let (server, provider) = provider(|_: &Request| template(500, "")).await;
    let outcomes = provider.embed_batch(&texts(100)).await;
    assert_eq!(outcomes.len(), 100);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().code(), "provider_busy");
    }
    assert_eq!(requests(&server).await, 4);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_in_time_is_given_up() {
    let server = server(|request: &Request| good(request).set_delay(Duration::from_secs(60))).await;
    let provider = connect(HttpSettings {
        timeout: Duration::from_millis(40),
        retry: retries(1),
        ..settings(&server.uri())
    })
    .await;
    let error = provider.embed_single("t1").await.unwrap_err();
    assert_eq!(error.code(), "provider_timeout");
    assert!(error.to_string().contains("40ms"), "{error}");
    assert_eq!(requests(&server).await, 2);
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_and_no_reason_not_to_start() {
    let provider = HttpProvider::connect(
        HttpSettings {
            dimension: 0,
            ..settings(&nobody())
        },
        Some(384),
        FakeClock::at(Timestamp::UNIX_EPOCH),
    )
    .await
    .unwrap();
    assert_eq!(provider.dimension(), 384);
    let error = provider.embed_single("t1").await.unwrap_err();
    assert_eq!(error.code(), "provider_unreachable");
    assert_eq!(
        provider.check().await.unwrap_err().code(),
        "provider_unreachable"
    );
}

#[tokio::test]
async fn the_dimension_is_asked_of_the_endpoint_or_taken_from_its_first_answer() {
    let server = server(good).await;
    let open = HttpSettings {
        dimension: 0,
        ..settings(&server.uri())
    };
    assert_eq!(connect(open.clone()).await.dimension(), 2);

    let (asked, respond) = first(1, template(500, ""));
    let late = self::server(respond).await;
    let provider = connect(HttpSettings {
        api_url: late.uri(),
        ..open
    })
    .await;
    assert_eq!(provider.dimension(), 0);
    assert_vector(&provider.embed_single("t1").await, "t1");
    assert_eq!(provider.dimension(), 2);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_token_is_not_tried_again_nor_divided() {
    for status in [401, 403] {
        let (server, provider) = provider(move |_: &Request| template(status, "")).await;
        for outcome in provider.embed_batch(&texts(32)).await {
            assert_eq!(outcome.unwrap_err().code(), "provider_unauthorized");
        }
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn a_wrong_address_or_model_is_a_matter_of_settings() {
    for status in [404, 405, 307] {
        let (server, provider) = provider(move |_: &Request| {
            template(status, r#"{"error":{"message":"no such model"}}"#)
                .insert_header("location", "/elsewhere")
        })
        .await;
        for outcome in provider.embed_batch(&texts(4)).await {
            assert_eq!(outcome.unwrap_err().code(), "provider_misconfigured");
        }
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    for bad in [
        HttpSettings {
            api_url: "nowhere".to_owned(),
            ..settings("")
        },
        HttpSettings {
            model: " ".to_owned(),
            ..settings("http://h")
        },
        HttpSettings {
            batch_size: 0,
            ..settings("http://h")
        },
    ] {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let error = HttpProvider::connect(bad, None, clock).await.unwrap_err();
        assert_eq!(error.code(), "provider_misconfigured");
        assert!(error.to_string().contains("`embedding."), "{error}");
    }
}

#[tokio::test]
async fn an_encrypted_address_gets_a_client_with_and_without_verification() {
    for tls_verify in [true, false] {
        let provider = connect(HttpSettings {
            tls_verify,
            retry: retries(0),
            ..settings(&nobody().replace("http:", "https:"))
        })
        .await;
        let error = provider.embed_single("t1").await.unwrap_err();
        assert_eq!(error.code(), "provider_unreachable");
    }
}

#[tokio::test]
async fn neither_token_nor_password_is_ever_shown() {
    let echo = || template(400, &format!("bad key {TOKEN} of http://u:hunter2@h"));
    let server = MockServer::start().await;
    let address = server.uri().replace("http://", "http://user:hunter3@");
    let faults = [
        echo(),
        template(401, TOKEN),
        template(404, TOKEN),
        template(500, TOKEN),
        template(200, &format!("\"{TOKEN}\"")),
        template(200, &format!(r#"{{"data":"{TOKEN}"}}"#)),
    ];
    let settings = HttpSettings {
        retry: retries(0),
        ..settings(&format!("{address}/v1?key=hunter4"))
    };
    let mut shown = vec![format!("{settings:?}")];
    let provider = connect(settings.clone()).await;
    shown.push(format!("{provider:?}"));
    for fault in faults {
        server.reset().await;
        Mock::given(method("POST"))
            .respond_with(fault)
            .mount(&server)
            .await;
        let error = provider.embed_single("t1").await.unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    drop(server);
    let unreachable = connect(HttpSettings {
        api_url: nobody().replace("http://", "http://user:hunter3@"),
        ..settings
    })
    .await;
    let error = unreachable.embed_single("t1").await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    for text in shown {
        assert!(!text.contains("very-secret"), "{text}");
        assert!(!text.contains("hunter3"), "{text}");
        assert!(!text.contains("hunter4"), "{text}");
    }
}

#[tokio::test]
async fn the_token_goes_in_its_header_even_beside_credentials_in_the_address() {
    let server = server(good).await;
    let address = server.uri().replace("http://", "http://user:pass@");
    let provider = connect(settings(&address)).await;
    assert_vector(&provider.embed_single("t1").await, "t1");
    let seen = &server.received_requests().await.unwrap()[0];
    assert_eq!(seen.headers.get_all("authorization").iter().count(), 1);
}

#[tokio::test]
async fn health_costs_no_embedding() {
    let (server, provider) = provider(good).await;
    provider.check().await.unwrap();
    let seen = server.received_requests().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, wiremock::http::Method::GET);
}

#[tokio::test]
async fn what_the_model_is_and_wants_is_told() {
    let provider = connect(HttpSettings {
        query_prefix: "query: ".to_owned(),
        passage_prefix: "passage: ".to_owned(),
        ..settings("http://127.0.0.1:1")
    })
    .await;
    assert_eq!(provider.model_id(), "http:tiny");
    assert_eq!(provider.max_input_tokens(), 512);
    assert_eq!(provider.query_prefix(), "query: ");
    assert_eq!(provider.passage_prefix(), "passage: ");
}

#[tokio::test]
async fn a_text_over_the_models_limit_is_cut_before_it_is_sent() {
    let server = server(good).await;
    let provider = connect(HttpSettings {
        max_input_tokens: 3,
        ..settings(&server.uri())
    })
    .await;
    let long = "one two three four five".to_owned();
    provider.embed_single(&long).await.unwrap();
    provider.embed_batch(&[long]).await.remove(0).unwrap();
    for request in server.received_requests().await.unwrap() {
        assert_eq!(inputs(&request), ["one two three"]);
    }
}

#[test]
fn the_settings_reach_the_provider() {
    let mut embedding = crate::config::Config::default().embedding;
    embedding.api_url = "http://h/v1".to_owned();
    embedding.model = "tiny".to_owned();
    embedding.timeout_secs = 7;
    embedding.max_retries = 5;
    embedding.tls_verify = false;
    let settings = HttpSettings::new(&embedding, Some(SecretString::from(TOKEN)));
    assert_eq!(settings.api_url, "http://h/v1");
    assert_eq!(settings.timeout, Duration::from_secs(7));
    assert_eq!(settings.retry.max_retries, 5);
    assert!(!settings.tls_verify);
    assert_eq!(settings.batch_size, embedding.batch_size);
    assert_eq!(settings.max_input_tokens, usize::MAX);
    embedding.max_input_tokens = 512;
    assert_eq!(HttpSettings::new(&embedding, None).max_input_tokens, 512);
}
