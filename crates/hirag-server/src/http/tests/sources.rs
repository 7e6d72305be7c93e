//! Folders that are kept up to date.

use std::fs;

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{PATIENCE, Served, told};

/// Asks again until it is so.
async fn until(served: &Served, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let ask = async {
        loop {
            let (_, answer) = served.get(path).await;
            if so(&answer) {
                return answer;
            }
        }
    };
    timeout(PATIENCE, ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_added_kept_up_to_date_changed_and_removed() {
    let served = Served::with("[sources]\nsettle_ms = 10\n").await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.md"), "the first note").unwrap();
    let new = json!({
        "path": folder.path(), "name": "notes",
        "rules": { "exclude": ["drafts/"], "doc_type": "note" },
    });
    let request = served.ask(Method::POST, "/api/v1/sources").json(&new);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    // It is watched, so it is read without being asked to, and what comes is read as well.
    until(&served, &place, |source| source["contexts"] == 1).await;
    fs::write(folder.path().join("two.md"), "the second note").unwrap();
    let source = until(&served, &place, |source| source["files"] == 2).await;
    assert_eq!(source["watching"]["how"], "told");
    assert_eq!(source["rules"]["doc_type"], "note");
    let (_, all) = served.get("/api/v1/sources").await;
    assert_eq!(all["sources"][0]["name"], "notes");

    let (status, started) = told(served.ask(Method::POST, &format!("{place}/run"))).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    assert!(started["job"].is_string());
    let patch = served.ask(Method::PATCH, &place);
    let (status, changed) = told(patch.json(&json!({ "name": "mine", "watch": false }))).await;
    assert_eq!((status, &changed["name"]), (StatusCode::OK, &json!("mine")));

    let remove = served.ask(Method::DELETE, &format!("{place}?leave=nothing"));
    let (status, removed) = told(remove).await;
    assert_eq!(status, StatusCode::OK, "{removed}");
    assert_eq!(removed["deletion"]["ids"].as_array().unwrap().len(), 2);
    assert_eq!(served.get(&place).await.0, StatusCode::NOT_FOUND);
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_source_can_be_is_refused_with_a_code() {
    let served = Served::new().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |path: Value| json!({ "path": path });
    let add = async |new: Value| {
        let (status, problem) = served.post("/api/v1/sources", new).await;
        (status.as_u16(), problem["code"].as_str().map(str::to_owned))
    };
    let told = |status, code: &str| (status, Some(code.to_owned()));
    assert_eq!(add(at(json!("notes"))).await, told(422, "invalid_source"));
    assert_eq!(add(at(json!("/no/such"))).await, told(422, "source_gone"));
    assert_eq!(add(at(json!(folder.path()))).await, (201, None));
    let again = at(json!(folder.path()));
    assert_eq!(add(again).await, told(409, "source_overlaps"));
    for path in ["/api/v1/sources/99", "/api/v1/sources/notes"] {
        let (status, problem) = served.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(problem["code"], "unknown_source");
    }
}
