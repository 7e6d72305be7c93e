//! The requests of the last hour, as the server tells them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Served;

/// The figures of one name.
fn of<'a>(requests: &'a Value, front: &str, name: &str) -> Option<&'a Value> {
    let items = requests["items"].as_array().unwrap();
    let mut items = items.iter();
    items.find(|one| one["front"] == front && one["name"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_endpoint_and_command_and_never_by_what_a_client_writes() {
    let served = Served::new().await;
    for _ in 0..2 {
        let id = served.store("a note about the harbour").await;
        served.get(&format!("/api/v1/contexts/{id}")).await;
    }
    served.get("/no/such/path-4711").await;
    served.post("/api/v1/commands/startup", json!({})).await;
    let (status, requests) = served.get("/api/v1/requests").await;
    assert_eq!(status, StatusCode::OK, "{requests}");

    let get = of(&requests, "http", "GET /api/v1/contexts/{id}").unwrap();
    let figures = &get["last_hour"];
    assert_eq!(
        (&figures["count"], &get["per_minute"]),
        (&json!(2), &json!(2.0))
    );
    let at = |name: &str| figures[name].as_f64().unwrap();
    assert!(0.0 < at("min_ms") && at("min_ms") <= at("mean_ms"));
    assert!(at("mean_ms") <= at("max_ms") && at("p95_ms") <= at("max_ms"));
    assert!(of(&requests, "http", "POST /api/v1/contexts").is_some());
    assert!(of(&requests, "http", "GET none").is_some());
    let command = of(&requests, "command", "startup").unwrap();
    assert_eq!(command["last_hour"]["count"], 1);
    assert!(!requests.to_string().contains("4711"));
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_the_same_figures() {
    let served = Served::new().await;
    served.post("/api/v1/commands/startup", json!({})).await;
    let page = served.ask(Method::GET, "/metrics").send().await.unwrap();
    let page = page.text().await.unwrap();
    let labels = "{front=\"command\",name=\"startup\"}";
    for line in [
        format!("hirag_requests_last_hour{labels} 1.0"),
        format!("hirag_requests_per_minute{labels} 1.0"),
        format!("hirag_request_last_hour_p95_seconds{labels} 0.0"),
        "hirag_slow_statements 0.0".to_owned(),
    ] {
        assert!(page.contains(&line), "{line}: {page}");
    }
}
