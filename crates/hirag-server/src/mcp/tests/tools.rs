use serde_json::json;

use super::{Memory, words};

#[tokio::test]
async fn what_is_stored_is_found_read_and_listed() {
    let memory = Memory::new();
    let stored = memory
        .done(
            "memory_store",
            json!({
                "text": "The customer wants the export as CSV.",
                "level": "L3",
                "session": "billing",
                "metadata": { "kind": "decision" },
            }),
        )
        .await;
    assert_eq!(stored["level"], "LongTerm");
    memory.store("The office is closed on Friday.").await;
    let found = memory
        .done(
            "memory_search",
            json!({ "query": "export for the customer", "limit": 1 }),
        )
        .await;
    let context = &found["contexts"][0];
    assert_eq!(context["id"], stored["id"]);
    assert_eq!(context["agent"], "tester");
    assert_eq!(context["rank"], 1);
    let got = memory
        .done("memory_get", json!({ "id": stored["id"] }))
        .await;
    assert_eq!(got["context"]["metadata"]["kind"], "decision");
    assert!(got["context"].get("cut").is_none());
    let listed = memory
        .done("memory_list", json!({ "metadata": { "kind": "decision" } }))
        .await;
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["contexts"][0]["id"], stored["id"]);
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn filters_are_part_of_the_search() {
    let memory = Memory::new();
    for session in ["a", "b"] {
        let text = format!("a note of {session}");
        memory
            .done("memory_store", json!({ "text": text, "session": session }))
            .await;
    }
    let request = json!({ "query": "note", "session": "b", "levels": ["Immediate"] });
    let found = memory.done("memory_search", request).await;
    assert_eq!(found["contexts"].as_array().unwrap().len(), 1);
    assert_eq!(found["contexts"][0]["session"], "b");
    let other = json!({ "query": "note", "levels": ["LongTerm"] });
    let found = memory.done("memory_search", other).await;
    assert!(found["contexts"].as_array().unwrap().is_empty());
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn texts_keep_the_budget_and_say_how_to_read_on() {
    let memory = Memory::new();
    let long = "The long report on the harbour goes on and on. ".repeat(200);
    let id = memory.store(&long).await;
    memory.store("A short note on the harbour.").await;
    let request = json!({ "query": "harbour", "max_tokens": 100 });
    let result = memory.call("memory_search", request).await;
    let found = result.structured_content.clone().unwrap();
    assert!(found["tokens"].as_u64().unwrap() <= 100);
    let contexts = found["contexts"].as_array().unwrap();
    assert_eq!(contexts.len(), 2);
    let cut = contexts.iter().find(|c| c["id"] == id.as_str()).unwrap();
    let to = cut["cut"]["to"].as_u64().unwrap();
    assert!(words(&result).contains(&format!("offset {to}")));

    let mut read = String::new();
    let mut offset = 0;
    loop {
        let request = json!({ "id": id, "offset": offset, "max_tokens": 500 });
        let got = memory.done("memory_get", request).await;
        let context = &got["context"];
        read += context["text"].as_str().unwrap();
        offset = context["cut"]["to"].as_u64().unwrap();
        if context["cut"]["to"] == context["cut"]["of"] {
            break;
        }
    }
    assert_eq!(read, long);
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_page_leads_to_the_next() {
    let memory = Memory::new();
    for number in 0..5 {
        memory.store(&format!("note {number}")).await;
    }
    let first = json!({ "limit": 3, "order": "oldest_first" });
    let first = memory.done("memory_list", first).await;
    assert_eq!(first["contexts"].as_array().unwrap().len(), 3);
    let request = json!({ "limit": 3, "order": "oldest_first", "cursor": first["next_cursor"] });
    let second = memory.done("memory_list", request).await;
    assert_eq!(second["contexts"][1]["text"], "note 4");
    assert!(second.get("next_cursor").is_none());
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_change_keeps_the_rest_and_a_deletion_can_be_undone() {
    let memory = Memory::new();
    let id = memory.store("before").await;
    let request = json!({
        "id": format!("hirag://contexts/{id}"),
        "text": "after",
        "metadata": { "a": 1 },
        "level": "ShortTerm",
        "expires_at": "never",
    });
    let changed = memory.done("memory_update", request).await;
    assert_eq!(changed["context"]["text"], "after");
    assert_eq!(changed["context"]["level"], "ShortTerm");
    assert!(changed["context"].get("expires_at").is_none());

    let result = memory.call("memory_delete", json!({ "ids": [id] })).await;
    assert!(words(&result).contains("restore"), "{}", words(&result));
    let found = memory
        .done("memory_search", json!({ "query": "after" }))
        .await;
    assert!(found["contexts"].as_array().unwrap().is_empty());
    let again = memory.done("memory_delete", json!({ "ids": [id] })).await;
    assert_eq!(again["ids"], json!([id]));
    let unknown = "019a2b3c-4d5e-7f60-8123-456789abcdef";
    let request = json!({ "ids": [id, unknown] });
    let refused = memory.refused("memory_delete", request).await;
    assert!(refused.starts_with("error[not_found]"), "{refused}");
    let listed = memory.done("memory_list", json!({ "deleted": true })).await;
    assert_eq!(listed["contexts"][0]["id"], id);

    let back = json!({ "id": id, "restore": true, "metadata": { "a": null } });
    let back = memory.done("memory_update", back).await;
    assert!(back["context"].get("deleted_at").is_none());
    assert!(back["context"].get("metadata").is_none());
    let again = memory
        .done("memory_update", json!({ "id": id, "restore": true }))
        .await;
    assert_eq!(again["context"]["text"], "after");
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_search_is_explained_as_a_whole_and_for_one_context() {
    let memory = Memory::new();
    let near = memory.store("the red boat in the harbour").await;
    let far = memory.store("an unrelated line about tax forms").await;
    let request = json!({ "query": "red boat", "limit": 1 });
    let explained = memory.done("memory_explain", request.clone()).await;
    let candidates = explained["candidates"].as_array().unwrap();
    assert_eq!(candidates[0]["id"], near);
    assert_eq!(candidates[0]["returned"], true);
    assert!(
        candidates[0]["begins"]
            .as_str()
            .unwrap()
            .contains("red boat")
    );
    assert!(explained["stages"].as_str().unwrap().contains("1 returned"));

    let trace = json!({ "trace_id": explained["trace_id"] });
    let earlier = memory.done("memory_explain", trace).await;
    assert_eq!(earlier["query"], "red boat");
    assert_eq!(earlier["candidates"][0]["id"], near);

    let mut why = request;
    why["id"] = far.clone().into();
    let why = memory.done("memory_explain", why).await;
    assert_eq!(why["candidates"][0]["id"], far);
    assert_eq!(why["candidates"][0]["returned"], false);

    let got = memory.done("memory_get", json!({ "id": near })).await;
    assert!(got["context"].get("access_count").is_none());
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn connectors_get_json_as_their_one_text() {
    let memory = Memory::new();
    let text = format!("The heading of it\n{}", "long ".repeat(20_000));
    let id = memory.store(&text).await;
    let result = memory.call("search", json!({ "query": "heading" })).await;
    assert_eq!(result.content.len(), 1);
    let results: serde_json::Value = serde_json::from_str(&words(&result)).unwrap();
    assert_eq!(Some(&results), result.structured_content.as_ref());
    assert_eq!(results["results"][0]["id"], id);
    assert_eq!(
        results["results"][0]["url"],
        format!("hirag://contexts/{id}")
    );
    assert!(
        results["results"][0]["title"]
            .as_str()
            .unwrap()
            .starts_with("The heading")
    );

    let result = memory.call("fetch", json!({ "id": id })).await;
    let document: serde_json::Value = serde_json::from_str(&words(&result)).unwrap();
    assert_eq!(document["id"], id);
    assert!(
        document["text"]
            .as_str()
            .unwrap()
            .contains("memory_get with offset")
    );
    assert!(
        document["metadata"]["notice"]
            .as_str()
            .unwrap()
            .contains("data")
    );
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn what_was_stored_and_not_answered_is_known_by_its_id() {
    let memory = Memory::new();
    let request = json!({ "id": "019a2b3c-4d5e-7f60-8123-456789abcdef", "text": "once" });
    let stored: Result<serde_json::Value, _> = memory.door.ask("store", request.clone()).await;
    stored.unwrap();
    let again: Result<serde_json::Value, _> = memory.door.ask("store", request).await;
    // What `memory_store` takes for a sign to look.
    assert_eq!(again.unwrap_err().code, "id_taken");
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn calls_are_counted_by_tool() {
    let memory = Memory::new();
    memory.store("a note").await;
    memory.refused("memory_get", json!({ "id": "none" })).await;
    let counted = memory.studio.requests().last_hour();
    let tools = counted
        .iter()
        .filter(|one| one.front == hirag::metrics::Front::Mcp);
    let named: Vec<_> = tools
        .map(|one| (one.name.as_str(), one.last_hour.count))
        .collect();
    assert_eq!(named, [("memory_get", 1), ("memory_store", 1)]);
    memory.studio.shut_down().await.unwrap();
}
