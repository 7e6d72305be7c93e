use std::time::Duration;

use serde_json::{Value, json};

use super::{Memory, words};

/// A memory with a source of two files, of which one cannot be read.
async fn with_notes() -> (Memory, tempfile::TempDir) {
    let memory = Memory::new();
    let notes = tempfile::tempdir().unwrap();
    std::fs::write(notes.path().join("key.md"), "Jonas keeps the key.").unwrap();
    std::fs::write(notes.path().join("bad.jsonl"), "{ no JSON\n").unwrap();
    let new = json!({ "path": notes.path(), "name": "notes", "watch": false });
    let _: Value = memory.door.ask("source_add", new).await.unwrap();
    (memory, notes)
}

/// The source when it was read more often than `before` says.
async fn read(memory: &Memory, before: &Value) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let listed = memory.done("memory_sources", json!({})).await;
        let source = listed["sources"][0].clone();
        if source["running"] == false && source["last_run"]["ended_at"] != *before {
            return source;
        }
        assert!(begin.elapsed().as_secs() < 30, "{source}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_read_when_it_is_asked_for_and_told_with_what_failed() {
    let (memory, notes) = with_notes().await;
    let listed = memory.done("memory_sources", json!({})).await;
    assert_eq!(listed["sources"][0]["name"], "notes");
    assert!(listed["sources"][0].get("last_run").is_none(), "{listed}");
    let begun = memory.done("memory_source_run", json!({})).await;
    assert_eq!(begun["sources"], json!(["notes"]));
    let source = read(&memory, &Value::Null).await;
    let run = &source["last_run"];
    assert_eq!(
        (&run["outcome"], &run["imported"]),
        (&json!("done"), &json!(1))
    );
    assert_eq!(
        (&source["contexts"], &source["watched"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(run["failed"], 1, "{run}");
    assert!(
        run["errors"][0].as_str().unwrap().contains("bad.jsonl"),
        "{run}"
    );
    let result = memory.call("memory_sources", json!({ "errors": 0 })).await;
    let told = words(&result);
    assert!(
        told.starts_with("1 source. What stands between [memory "),
        "{told}"
    );
    assert!(
        told.contains("1 file, 1 context.") && !told.contains("bad.jsonl"),
        "{told}"
    );

    std::fs::write(notes.path().join("key.md"), "Ada keeps the key.").unwrap();
    memory.place.clock.advance(Duration::from_secs(1));
    let by_name = json!({ "source": "notes" });
    memory.done("memory_source_run", by_name).await;
    let source = read(&memory, &run["ended_at"]).await;
    let run = &source["last_run"];
    assert_eq!(
        run["imported"].as_u64().unwrap() + run["updated"].as_u64().unwrap(),
        1
    );
    let found = memory
        .done("memory_search", json!({ "query": "who keeps the key" }))
        .await;
    let text = found["contexts"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("Ada keeps the key."), "{text}");
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_source_that_there_is_not_is_refused_and_an_empty_list_is_told() {
    let memory = Memory::new();
    let result = memory.call("memory_sources", json!({})).await;
    assert_eq!(words(&result), "No folder or file is kept up to date.\n");
    for arguments in [
        json!({}),
        json!({ "source": "diary" }),
        json!({ "source": "7" }),
    ] {
        let refused = memory.refused("memory_source_run", arguments).await;
        assert!(refused.starts_with("error[unknown_source]"), "{refused}");
    }
    memory.studio.shut_down().await.unwrap();
}
