//! Bad requests: the right status and code each, and the next one is served.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt;

use super::{Served, TOKEN, told};
use crate::http::Api;
use crate::http::guard::Names;
use crate::http::intake::{self, Ends};

/// A body of this type; its status and code.
async fn sent(served: &Served, kind: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let request = served
        .ask(Method::POST, "/api/v1/contexts")
        .header("content-type", kind);
    let (status, problem) = told(request.body(body)).await;
    (
        status.as_u16(),
        problem["code"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_not_what_was_asked_for_are_refused() {
    let served = Served::new().await;
    let deep = format!(
        "{{\"text\":\"x\",\"metadata\":{}1{}}}",
        "{\"a\":".repeat(5_000),
        "}".repeat(5_000)
    );
    let cases: [(&str, String, u16, &str); 14] = [
        ("application/json", "{".into(), 400, "malformed_json"),
        ("application/json", String::new(), 400, "malformed_json"),
        (
            "application/json",
            "{\"text\":\"x\"} trailing".into(),
            400,
            "malformed_json",
        ),
        ("application/json", deep, 400, "malformed_json"),
        ("application/json", "[]".into(), 422, "invalid_request"),
        (
            "application/json",
            "[\"a text\"]".into(),
            422,
            "invalid_request",
        ),
        ("application/json", "null".into(), 422, "invalid_request"),
        (
            "application/json",
            "{\"text\":7}".into(),
            422,
            "invalid_request",
        ),
        (
            "application/json",
            "{\"text\":\"x\",\"txt\":1}".into(),
            422,
            "invalid_request",
        ),
        (
            "application/json",
            "{\"text\":\"x\",\"level\":\"L9\"}".into(),
            422,
            "invalid_request",
        ),
        (
            "application/json",
            "{\"text\":\" \"}".into(),
            422,
            "invalid_text",
        ),
        (
            "application/json",
            "{\"text\":\"x\",\"session\":\"\"}".into(),
            422,
            "invalid_name",
        ),
        (
            "text/plain",
            "{\"text\":\"x\"}".into(),
            415,
            "unsupported_media_type",
        ),
        ("", "{\"text\":\"x\"}".into(), 415, "unsupported_media_type"),
    ];
    for (kind, body, status, code) in cases {
        let start: String = body.chars().take(40).collect();
        assert_eq!(
            sent(&served, kind, body).await,
            (status, code.to_owned()),
            "{kind} {start}"
        );
    }
    assert_eq!(
        sent(&served, "application/json", vec![b'"', 0xff, b'"'])
            .await
            .0,
        400
    );
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 0);
    let kind = "Application/vnd.x+JSON; charset=utf-8";
    assert_eq!(sent(&served, kind, "{\"text\":\"x\"}").await.0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_is_refused_as_such() {
    let served = Served::new().await;
    for (encoding, status, code) in [
        ("gzip", 415, "unsupported_encoding"),
        ("identity, br", 415, "unsupported_encoding"),
        ("Identity", 201, ""),
    ] {
        let request = served
            .ask(Method::POST, "/api/v1/contexts")
            .header("content-type", "application/json")
            .header("content-encoding", encoding)
            .body("{\"text\":\"x\"}");
        let (told_status, problem) = told(request).await;
        assert_eq!(told_status.as_u16(), status, "{encoding}: {problem}");
        assert_eq!(problem["code"].as_str().unwrap_or_default(), code);
    }
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_whether_it_says_so_or_not() {
    let served = Served::new().await;
    let large = vec![b'x'; 11_000_000];
    let expected = (413, "body_too_large".to_owned());
    assert_eq!(
        sent(&served, "application/json", large.clone()).await,
        expected
    );
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = large
        .chunks(65_536)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let body = axum::body::Body::from_stream(futures::stream::iter(chunks));
    let request = axum::http::Request::post("/").body(body).unwrap();
    let bytes = axum::body::to_bytes(request.into_body(), usize::MAX)
        .await
        .unwrap();
    // Without a length, in the pieces that HTTP/1.1 knows.
    use tokio::io::AsyncWriteExt;
    let mut stream = served.connect().await;
    let head = format!(
        "POST /api/v1/contexts HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        served.address()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for chunk in bytes.chunks(65_536) {
        let size = format!("{:x}\r\n", chunk.len());
        stream.write_all(size.as_bytes()).await.unwrap();
        stream.write_all(chunk).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = super::rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_methods_and_parameters_that_do_not_exist_are_named() {
    let served = Served::new().await;
    let cases = [
        (Method::GET, "/nothing", 404, "unknown_path"),
        (Method::GET, "/api/v1/contexts/nonsense", 400, "invalid_id"),
        (
            Method::GET,
            "/api/v1/contexts/019a2b3c-4d5e-7f60-8123-456789abcdef",
            404,
            "not_found",
        ),
        (Method::PUT, "/api/v1/contexts", 405, "method_not_allowed"),
        (
            Method::GET,
            "/api/v1/contexts?limit=0",
            400,
            "invalid_limit",
        ),
        (
            Method::GET,
            "/api/v1/contexts?limit=1001",
            400,
            "invalid_limit",
        ),
        (
            Method::GET,
            "/api/v1/contexts?limit=x",
            400,
            "invalid_parameter",
        ),
        (
            Method::GET,
            "/api/v1/contexts?nothing=1",
            400,
            "invalid_parameter",
        ),
        (
            Method::GET,
            "/api/v1/contexts?cursor=x",
            422,
            "invalid_cursor",
        ),
        (Method::DELETE, "/api/v1/levels/L9", 400, "unknown_level"),
    ];
    for (method, path, status, code) in cases {
        let answer = served.ask(method, path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers().contains_key("allow"), status == 405);
        let id = answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(status)),
            "{path}"
        );
        assert_eq!(problem["request_id"], id);
        assert_eq!(problem["type"], "about:blank");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_the_name_that_its_client_gave() {
    let served = Served::new().await;
    let named = |name: &str| {
        served
            .bare(Method::GET, "/health/live")
            .header("x-request-id", name)
            .send()
    };
    assert_eq!(
        named("mine-1").await.unwrap().headers()["x-request-id"],
        "mine-1"
    );
    for bad in ["a b", "", &"x".repeat(200)] {
        let id = named(bad).await.unwrap().headers()["x-request-id"].clone();
        assert_eq!(id.len(), 36, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_a_fault_with_a_code_and_tells_nothing() {
    let served = Served::new().await;
    let names = Names {
        public_name: String::new(),
        port: 80,
        tls: false,
    };
    let (_stop, stopping) = watch::channel(false);
    let api = Api::new(served.studio.clone(), names, stopping).unwrap();
    async fn broken() {
        panic!("over the note about Jonas")
    }
    let routes = Router::new()
        .route("/broken", get(broken).post(broken))
        .layer(from_fn_with_state(api.clone(), intake::serve))
        .with_state(api);
    for method in ["GET", "POST"] {
        let here = [127, 0, 0, 1].into();
        let request = Request::builder()
            .method(method)
            .uri("/broken")
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {TOKEN}"))
            .extension(Ends {
                peer: here,
                local: here,
            })
            .body(Body::empty())
            .unwrap();
        let answer = routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(answer.into_body(), 10_000)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains("\"internal\"") && !text.contains("Jonas"),
            "{text}"
        );
    }
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outside_of_the_interface_are_not_to_be_had() {
    let served = Served::new().await;
    for path in [
        "/assets/../index.html",
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2Fetc%2Fpasswd",
        "/assets//etc/passwd",
        "/assets/..\\..\\Cargo.toml",
        "/assets/",
        "/../../etc/passwd",
        "/assets/%00",
    ] {
        let answer = served
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
                 Connection: close\r\n\r\n",
                served.address()
            ))
            .await;
        let refused = ["HTTP/1.1 404", "HTTP/1.1 400"]
            .iter()
            .any(|start| answer.starts_with(start));
        assert!(refused, "{path}: {answer}");
    }
}
