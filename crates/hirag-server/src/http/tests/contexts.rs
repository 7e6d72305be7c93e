//! Storing, reading, changing and searching.

use reqwest::header::{ETAG, IF_MATCH, LOCATION};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Served, told};

#[tokio::test(flavor = "multi_thread")]
async fn a_context_is_stored_read_changed_and_deleted() {
    let served = Served::new().await;
    let new = json!({ "text": "git rebase", "level": "L3", "agent": "a", "metadata": { "k": 1 } });
    let answer = served
        .ask(Method::POST, "/api/v1/contexts")
        .json(&new)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    let stored: Value = answer.json().await.unwrap();
    assert!(place.ends_with(stored["id"].as_str().unwrap()));

    let answer = served.ask(Method::GET, &place).send().await.unwrap();
    let tag = answer.headers()[ETAG].clone();
    let context: Value = answer.json().await.unwrap();
    assert_eq!(
        (&context["text"], &context["level"]),
        (&json!("git rebase"), &json!("LongTerm"))
    );

    let change = |tag: &str, text: &str| {
        let request = served.ask(Method::PATCH, &place).header(IF_MATCH, tag);
        told(request.json(&json!({ "text": text })))
    };
    let (status, changed) = change(tag.to_str().unwrap(), "git merge").await;
    assert_eq!(
        (status, &changed["text"]),
        (StatusCode::OK, &json!("git merge"))
    );
    let (status, problem) = change(tag.to_str().unwrap(), "lost").await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(problem["code"], "changed_meanwhile");
    assert_eq!(change("*", "git bisect").await.0, StatusCode::OK);
    assert_eq!(served.get(&place).await.1["text"], "git bisect");

    let (status, deletion) = told(served.ask(Method::DELETE, &place)).await;
    assert_eq!(
        (status, deletion["ids"].as_array().unwrap().len()),
        (StatusCode::OK, 1)
    );
    assert_eq!(served.get(&place).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        told(served.ask(Method::DELETE, &place)).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_or_a_part_of_a_source_that_is_taken_is_a_conflict() {
    let served = Served::new().await;
    let id = served.store("one").await;
    let new = json!({ "text": "two", "id": id });
    let (status, problem) = served.post("/api/v1/contexts", new).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("id_taken"))
    );
    assert_eq!(
        served.get(&format!("/contexts/{id}")).await.1["text"],
        "one"
    );
    let part = json!({ "text": "a part", "source": "notes.md", "source_key": "1" });
    let (status, _) = served.post("/api/v1/contexts", part.clone()).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, problem) = served.post("/api/v1/contexts", part).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "source_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_the_same_state_one_is_made() {
    let served = Served::new().await;
    let place = format!("/api/v1/contexts/{}", served.store("one").await);
    let answer = served.ask(Method::GET, &place).send().await.unwrap();
    let tag = answer.headers()[ETAG].clone();
    let change = |number: usize| {
        let request = served.ask(Method::PATCH, &place).header(IF_MATCH, &tag);
        told(request.json(&json!({ "metadata": { "by": number } })))
    };
    let outcomes = futures::future::join_all((0..8).map(change)).await;
    let made = outcomes
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .count();
    assert_eq!(made, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_clients_get_what_they_expect() {
    let served = Served::new().await;
    let new = json!({ "content": "the sky is blue", "level": "short_term" });
    let (status, stored) = served.post("/contexts", new).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = stored["id"].as_str().unwrap();
    let (_, context) = served.get(&format!("/contexts/{id}")).await;
    assert_eq!(
        (&context["text"], &context["level"]),
        (&json!("the sky is blue"), &json!("ShortTerm"))
    );
    let (status, found) = served
        .post("/contexts/search", json!({ "query": "blue sky" }))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(found["contexts"][0]["id"], id);
    assert!(found["total_tokens"].is_u64() && found["retrieval_time_ms"].is_f64());
    assert!(found["metadata"]["trace_id"].is_string());
    assert_eq!(served.get("/ready").await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_their_cursors_and_filters_hold() {
    let served = Served::new().await;
    for number in 0..5 {
        let agent = if number == 2 { "b" } else { "a" };
        let new = json!({ "text": format!("number {number}"), "agent": agent, "level": "L2" });
        served.post("/api/v1/contexts", new).await;
    }
    let (_, first) = served
        .get("/api/v1/contexts?limit=3&agent=a&level=L2")
        .await;
    assert_eq!(
        (first["contexts"].as_array().unwrap().len(), &first["total"]),
        (3, &json!(4))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, last) = served
        .get(&format!(
            "/api/v1/contexts?limit=3&agent=a&level=L2&cursor={cursor}"
        ))
        .await;
    assert_eq!(last["contexts"].as_array().unwrap().len(), 1);
    assert_eq!(last["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_stores_what_it_can_and_says_what_became_of_each() {
    let served = Served::new().await;
    let batch = json!({ "contexts": [{ "text": "one" }, { "text": " " }, { "text": "three" }] });
    let (status, answer) = served.post("/api/v1/contexts/batch", batch).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&answer["stored"], &answer["refused"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(answer["results"][1]["problem"]["code"], "invalid_text");
    assert_eq!(answer["results"][1]["index"], 1);
    assert!(answer["results"][2]["id"].is_string());
    for contexts in [json!([]), json!([{ "txt": "x" }]), json!([7])] {
        let (status, _) = served
            .post("/api/v1/contexts/batch", json!({ "contexts": contexts }))
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 2);

    // What the database refuses takes nothing with it, either.
    let taken = answer["results"][0]["id"].clone();
    let batch = json!({ "contexts": [{ "text": "four" }, { "text": "again", "id": taken },
        { "text": "five", "source": "s", "source_key": "k" },
        { "text": "six", "source": "s", "source_key": "k" }] });
    let (status, answer) = served.post("/api/v1/contexts/batch", batch).await;
    assert_eq!((status, &answer["stored"]), (StatusCode::OK, &json!(2)));
    assert_eq!(answer["results"][1]["problem"]["code"], "id_taken");
    assert_eq!(answer["results"][3]["problem"]["code"], "source_taken");
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 4);
    let hirag = served.studio.host().await.unwrap();
    let sound = hirag.manager().inspect().await.unwrap();
    assert!(sound.findings.iter().all(|finding| finding.ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reasons_of_a_search_come_along_and_its_trace_is_kept() {
    let served = Served::new().await;
    served.store("rust borrow checker").await;
    let (status, found) = served
        .post("/api/v1/contexts/explain", json!({ "query": "rust" }))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        found["trace"]["candidates"][0]["outcome"]["stage"],
        "chosen"
    );
    let id = found["metadata"]["trace_id"].as_str().unwrap();
    assert_eq!(
        served.get(&format!("/api/v1/traces/{id}")).await.0,
        StatusCode::OK
    );
    assert_eq!(
        served.get("/api/v1/traces/nonsense").await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_again_is_not_done_again() {
    let served = Served::new().await;
    let store = |key: &str, text: &str| {
        let request = served
            .ask(Method::POST, "/api/v1/contexts")
            .header("idempotency-key", key);
        request.json(&json!({ "text": text })).send()
    };
    let first: Value = store("k", "one").await.unwrap().json().await.unwrap();
    let again = store("k", "one").await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(
        store("k", "two").await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        store("k k", "one").await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_by_their_names() {
    let served = Served::new().await;
    served.store("one").await;
    let (status, count) = served.post("/api/v1/commands/count", json!({})).await;
    assert_eq!((status, count), (StatusCode::OK, json!({ "count": 1 })));
    let bodyless = served.ask(Method::POST, "/api/v1/commands/startup");
    assert_eq!(told(bodyless).await.0, StatusCode::OK);
    let (status, problem) = served.post("/api/v1/commands/nothing", json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("unknown_command"))
    );
    let (status, problem) = served
        .post("/api/v1/commands/get", json!({ "id": 7 }))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["code"], "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn openai_clients_get_vectors_and_errors_in_their_form() {
    let served = Served::new().await;
    let ask = |body| served.post("/v1/embeddings", body);
    let (status, one) = ask(json!({ "input": "a word", "model": "any" })).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(one["data"][0]["embedding"].as_array().unwrap().len(), 32);
    assert!(one["usage"]["prompt_tokens"].as_u64().unwrap() > 0);
    let (_, two) = ask(json!({ "input": ["a word", "b"], "encoding_format": "base64" })).await;
    assert_eq!(two["data"][1]["index"], 1);
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(two["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let first = f64::from(f32::from_le_bytes(bytes[..4].try_into().unwrap()));
    assert!((first - one["data"][0]["embedding"][0].as_f64().unwrap()).abs() < 1e-6);
    for bad in [
        json!({ "input": [] }),
        json!({ "input": "" }),
        json!({ "input": 7 }),
        json!({ "input": "a", "dimensions": 5 }),
    ] {
        let (status, error) = ask(bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(error["error"]["type"], "invalid_request_error");
        assert!(error["error"]["message"].is_string());
    }
    let (_, error) = told(served.bare(Method::POST, "/v1/embeddings")).await;
    assert_eq!(error["error"]["type"], "authentication_error");
}
