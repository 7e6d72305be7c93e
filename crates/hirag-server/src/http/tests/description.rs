//! What the server says of itself.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::Served;

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_whole() {
    let served = Served::new().await;
    let (status, api) = served.get("/openapi.json").await;
    assert_eq!(
        (status, &api["openapi"]),
        (StatusCode::OK, &Value::from("3.1.0"))
    );
    let mut found = BTreeSet::new();
    references(&api, &mut found);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(api.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut names = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(answer["content"].is_object(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_for_people_names_every_path_and_fetches_nothing() {
    let served = Served::new().await;
    let (_, api) = served.get("/openapi.json").await;
    let page = served.ask(Method::GET, "/docs").send().await.unwrap();
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let page = page.text().await.unwrap();
    for path in api["paths"].as_object().unwrap().keys() {
        assert!(page.contains(path), "{path}");
    }
    for elsewhere in ["=\"http", "=\"//", "<script", "<style", "style=", "<img"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_counted_is_told_in_prometheus_text() {
    let served = Served::new().await;
    served.store("counted").await;
    served.get("/nothing").await;
    let answer = served.ask(Method::GET, "/metrics").send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let page = answer.text().await.unwrap();
    for line in [
        "hirag_http_requests_total{method=\"POST\",route=\"/api/v1/contexts\",status=\"201\"} 1",
        "hirag_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "# TYPE hirag_http_request_duration_seconds histogram",
        "# TYPE hirag_operation_duration_seconds histogram",
        "hirag_operation_duration_seconds_count{operation=\"store\"} 1",
        "hirag_contexts{level=\"Immediate\"} 1",
        "hirag_breaker_state{state=\"closed\"} 1",
        "hirag_chat_breaker_state{state=\"closed\"} 1",
        "hirag_answer_cache_misses_total 0",
        "hirag_worded_cache_misses_total 0",
        "hirag_ready 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_files_are_kept_for_a_year_and_the_page_is_not() {
    let served = Served::new().await;
    let page = served.ask(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    // Where the interface was not built there are no files.
    for name in page
        .split('"')
        .filter_map(|part| part.strip_prefix("./assets/"))
    {
        let file = served
            .ask(Method::GET, &format!("/assets/{name}"))
            .send()
            .await
            .unwrap();
        assert_eq!(file.status(), StatusCode::OK, "{name}");
        assert_eq!(
            file.headers()["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let kind = file.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/") || kind == "font/woff2", "{kind}");
        packed_where_wanted(&served, name, file).await;
    }
}

/// The same file, packed when the program was built for who takes it so.
async fn packed_where_wanted(served: &Served, name: &str, plain: reqwest::Response) {
    assert!(!plain.headers().contains_key("content-encoding"), "{name}");
    let plain = plain.bytes().await.unwrap();
    for (wanted, given) in [("br, gzip;q=0.8", true), ("gzip;q=0, br", false)] {
        let asked = served.ask(Method::GET, &format!("/assets/{name}"));
        let file = asked
            .header("accept-encoding", wanted)
            .send()
            .await
            .unwrap();
        let packed = file.headers().contains_key("content-encoding");
        assert_eq!(
            packed,
            given && !name.ends_with(".woff2"),
            "{name} {wanted}"
        );
        let bytes = file.bytes().await.unwrap();
        match packed {
            true => assert!(bytes.len() < plain.len(), "{name}"),
            false => assert_eq!(bytes, plain, "{name}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_brings_along_what_it_begins_with_and_no_token() {
    let served = Served::new().await;
    served.store("<b>counted</b>").await;
    let page = served.ask(Method::GET, "/").send().await.unwrap();
    let page = page.text().await.unwrap();
    let Some((_, told)) = page.split_once("<script type=\"application/json\" id=\"start\">") else {
        assert!(page.contains("The interface is not there"), "{page}");
        return;
    };
    let (told, _) = told.split_once("</script>").unwrap();
    assert!(
        !told.contains('<') && !told.contains(super::TOKEN),
        "{told}"
    );
    let told: Value = serde_json::from_str(told).unwrap();
    assert_eq!(told["startup"]["state"], "ready");
    assert_eq!(
        told["settings"]["settings"]["appearance"]["theme"],
        "system"
    );
    // Where counting takes longer than a person sees, the page asks for it.
    if let Some(stats) = told.get("stats") {
        assert_eq!(stats["total_contexts"], 1);
    }
}
