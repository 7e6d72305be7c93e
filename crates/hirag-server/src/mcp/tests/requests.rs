use rmcp::model::{ArgumentInfo, CompleteRequestParams, ErrorCode, Reference, ResourceContents};
use serde_json::json;

use super::Memory;
use crate::mcp::{completion, prompts, resources};

#[tokio::test]
async fn contexts_and_searches_are_resources() {
    let memory = Memory::new();
    let id = memory.store("A text to read as a resource.").await;
    let found = memory
        .done("memory_search", json!({ "query": "resource" }))
        .await;
    let trace = found["trace_id"].as_str().unwrap();
    let listed = resources::list(&memory.door, None).await.unwrap();
    let uris: Vec<&str> = listed
        .resources
        .iter()
        .map(|one| one.uri.as_str())
        .collect();
    assert!(
        uris.contains(&format!("hirag://contexts/{id}").as_str()),
        "{uris:?}"
    );
    assert!(
        uris.contains(&format!("hirag://traces/{trace}").as_str()),
        "{uris:?}"
    );
    for uri in uris {
        let read = resources::read(&memory.door, uri).await.unwrap();
        let ResourceContents::TextResourceContents { text, .. } = &read.contents[0] else {
            panic!("{read:?}");
        };
        assert!(text.contains("resource"), "{text}");
    }
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn resources_are_listed_page_by_page() {
    let memory = Memory::new();
    for number in 0..60 {
        memory.store(&format!("note {number}")).await;
    }
    let first = resources::list(&memory.door, None).await.unwrap();
    assert_eq!(first.resources.len(), 50);
    let second = resources::list(&memory.door, first.next_cursor.as_deref())
        .await
        .unwrap();
    assert_eq!(second.resources.len(), 10);
    assert_eq!(second.next_cursor, None);
    assert_eq!(second.resources[9].title.as_deref(), Some("note 0"));
    for cursor in ["", "x", "eyJzZWVuIjoxfQ"] {
        let error = resources::list(&memory.door, Some(cursor))
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
    }
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn an_address_of_nothing_is_not_found() {
    let memory = Memory::new();
    for uri in [
        "",
        "file:///etc/passwd",
        "hirag://contexts/",
        "hirag://contexts/../traces",
        "hirag://contexts/019a2b3c-4d5e-7f60-8123-456789abcdef",
        "hirag://traces/019a2b3c-4d5e-7f60-8123-456789abcdef",
    ] {
        let error = resources::read(&memory.door, uri).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND, "{uri}");
    }
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn prompts_bring_what_the_memory_has() {
    let memory = Memory::new();
    for text in ["First we chose CSV.", "Then we chose JSON."] {
        memory
            .done("memory_store", json!({ "text": text, "session": "export" }))
            .await;
    }
    let text = async |name: &str, arguments: serde_json::Value| {
        let arguments = serde_json::from_value(arguments).unwrap();
        let prompt = prompts::get(&memory.door, name, &arguments).await?;
        let message = serde_json::to_value(&prompt.messages[0]).unwrap();
        Ok::<_, rmcp::ErrorData>(message["content"]["text"].as_str().unwrap().to_owned())
    };
    let recalled = text("recall", json!({ "query": "CSV", "budget": "500" }))
        .await
        .unwrap();
    assert!(recalled.contains("[memory ") && recalled.contains("First we chose CSV."));
    let summary = text("summarise_session", json!({ "session": "export" }))
        .await
        .unwrap();
    let places = ["First", "Then"].map(|word| summary.find(&format!("{word} we chose")).unwrap());
    assert!(places[0] < places[1]);
    for (name, arguments) in [
        ("nothing", json!({})),
        ("recall", json!({})),
        ("recall", json!({ "query": 1 })),
        ("recall", json!({ "query": "q", "budget": "lots" })),
        ("recall", json!({ "query": "q", "budget": "1" })),
        ("summarise_session", json!({ "session": " " })),
    ] {
        let error = text(name, arguments).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS, "{name}");
    }
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn sessions_and_ids_are_completed() {
    let memory = Memory::new();
    memory
        .done("memory_store", json!({ "text": "x", "session": "export" }))
        .await;
    let complete = async |of: Reference, name: &str, typed: &str| {
        let request = CompleteRequestParams::new(of, ArgumentInfo::new(name, typed));
        let completed = completion::complete(&memory.door, &request).await.unwrap();
        completed.completion.values
    };
    let session = Reference::for_prompt("summarise_session");
    assert_eq!(complete(session.clone(), "session", "ex").await, ["export"]);
    assert!(complete(session, "session", "y").await.is_empty());
    assert!(
        complete(Reference::for_prompt("recall"), "query", "")
            .await
            .is_empty()
    );
    let context = Reference::for_resource("hirag://contexts/{id}");
    assert_eq!(complete(context, "id", "").await.len(), 1);
    memory.studio.shut_down().await.unwrap();
}
