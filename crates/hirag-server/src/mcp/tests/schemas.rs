use serde_json::{Value, json};

use super::Memory;
use crate::mcp::tools::{NAMES, list};

/// A value over the limits of a property's schema, if it has any, and what the name is.
fn over(schema: &Value) -> Option<Value> {
    if let Some(most) = schema["maximum"].as_u64() {
        return Some(json!(most + 1));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        return Some(json!("x".repeat(usize::try_from(most).unwrap() + 1)));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        let item = schema["items"]["enum"][0].as_str().unwrap_or("x");
        return Some(json!(vec![item; usize::try_from(most).unwrap() + 1]));
    }
    if let Some(most) = schema["maxProperties"].as_u64() {
        let keys = (0..=most).map(|key| (key.to_string(), json!(1)));
        return Some(Value::Object(keys.collect()));
    }
    None
}

fn under(schema: &Value) -> Option<Value> {
    if let Some(least) = schema["minimum"].as_u64().filter(|least| *least > 0) {
        return Some(json!(least - 1));
    }
    if schema["minLength"].as_u64() == Some(1) {
        return Some(json!(""));
    }
    if schema["minItems"].as_u64() == Some(1) {
        return Some(json!([]));
    }
    None
}

/// Arguments that a tool takes, as far as their form goes.
fn good(tool: &str) -> Value {
    let id = "019a2b3c-4d5e-7f60-8123-456789abcdef";
    match tool {
        "memory_ask" => json!({ "question": "q" }),
        "memory_store" => json!({ "text": "t" }),
        "memory_get" | "fetch" => json!({ "id": id }),
        "memory_update" => json!({ "id": id, "text": "t" }),
        "memory_delete" => json!({ "ids": [id] }),
        "memory_list" | "memory_sources" | "memory_source_run" => json!({}),
        _ => json!({ "query": "q" }),
    }
}

#[tokio::test]
async fn every_limit_that_a_schema_says_is_held() {
    let memory = Memory::new();
    let mut tried = 0;
    for tool in list() {
        let schema = serde_json::to_value(&*tool.input_schema).unwrap();
        for (name, property) in schema["properties"].as_object().unwrap() {
            for bad in [over(property), under(property)].into_iter().flatten() {
                let mut arguments = good(&tool.name);
                arguments[name] = bad;
                let refused = memory.refused(&tool.name, arguments).await;
                assert!(
                    refused.starts_with("error[invalid_arguments]"),
                    "{}: {refused}",
                    tool.name
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn unknown_and_missing_arguments_are_named() {
    let memory = Memory::new();
    for tool in NAMES {
        let mut arguments = good(tool);
        arguments["surprise"] = json!(1);
        let refused = memory.refused(tool, arguments).await;
        assert!(refused.contains("surprise"), "{tool}: {refused}");
    }
    let refused = memory.refused("memory_search", json!({})).await;
    assert!(refused.contains("query"), "{refused}");
    memory.studio.shut_down().await.unwrap();
}

#[test]
fn schemas_are_in_one_piece_and_plain() {
    for tool in list() {
        let whole = serde_json::to_string(tool).unwrap();
        for unwanted in ["$ref", "$defs", "\"null\"", "uint32", "\"float\""] {
            assert!(!whole.contains(unwanted), "{}: {unwanted}", tool.name);
        }
        let input = serde_json::to_value(&*tool.input_schema).unwrap();
        assert_eq!(input["type"], "object");
        assert_eq!(input["additionalProperties"], false, "{}", tool.name);
        let output = serde_json::to_value(tool.output_schema.as_deref()).unwrap();
        assert_eq!(output["type"], "object");
        for (name, property) in input["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{}.{name}", tool.name);
        }
    }
}

#[test]
fn hints_say_what_tools_do() {
    for tool in list() {
        let hints = tool.annotations.as_ref().unwrap();
        let looks = matches!(
            tool.name.as_ref(),
            "memory_search"
                | "memory_get"
                | "memory_list"
                | "memory_explain"
                | "memory_sources"
                | "search"
                | "fetch"
        );
        assert_eq!(hints.read_only_hint, Some(looks), "{}", tool.name);
        let destroys = matches!(
            tool.name.as_ref(),
            "memory_update" | "memory_delete" | "memory_source_run"
        );
        assert_eq!(hints.destructive_hint, Some(destroys), "{}", tool.name);
        let idempotent = !matches!(tool.name.as_ref(), "memory_store" | "memory_ask");
        assert_eq!(hints.idempotent_hint, Some(idempotent), "{}", tool.name);
        assert_eq!(hints.open_world_hint, Some(false), "{}", tool.name);
    }
}
