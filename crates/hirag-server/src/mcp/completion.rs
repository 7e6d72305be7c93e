//! What an argument that is being typed may become.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use serde::Deserialize;
use serde_json::json;

use super::door::Door;
use super::handler::protocol_error;
use super::resources::{CONTEXTS, TRACES};
use super::tools::Page;

/// The latest contexts that are looked through.
const LOOKED_THROUGH: usize = 500;

#[derive(Debug, Deserialize)]
struct Traces {
    traces: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

/// Values that begin with what was typed, the latest first. An argument that is free has none.
///
/// # Errors
/// What the memory says.
pub(super) async fn complete(
    door: &Door,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let argument = request.argument.name.as_str();
    let known = match &request.r#ref {
        Reference::Prompt(prompt)
            if prompt.name == "summarise_session" && argument == "session" =>
        {
            let page = latest(door).await?;
            page.contexts
                .into_iter()
                .filter_map(|c| c.session)
                .collect()
        }
        Reference::Resource(resource) if argument == "id" && resource.uri.starts_with(CONTEXTS) => {
            latest(door)
                .await?
                .contexts
                .into_iter()
                .map(|c| c.id)
                .collect()
        }
        Reference::Resource(resource) if argument == "id" && resource.uri.starts_with(TRACES) => {
            let traces = door.ask("traces", json!({ "limit": 100 })).await;
            let traces: Traces = traces.map_err(protocol_error)?;
            traces.traces.into_iter().map(|trace| trace.id).collect()
        }
        _ => Vec::new(),
    };
    Ok(CompleteResult::new(matching(
        known,
        &request.argument.value,
    )))
}

async fn latest(door: &Door) -> Result<Page, ErrorData> {
    let page = door.ask("list", json!({ "limit": LOOKED_THROUGH })).await;
    page.map_err(protocol_error)
}

fn matching(known: Vec<String>, typed: &str) -> CompletionInfo {
    let mut values: Vec<String> = Vec::new();
    for value in known {
        if value.starts_with(typed) && !values.contains(&value) {
            values.push(value);
        }
    }
    let mut info = CompletionInfo::default();
    info.total = u32::try_from(values.len()).ok();
    info.has_more = Some(values.len() > CompletionInfo::MAX_VALUES);
    values.truncate(CompletionInfo::MAX_VALUES);
    info.values = values;
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_begin_with_what_was_typed_and_come_once() {
        let known = ["b1", "a1", "b2", "b1"].map(str::to_owned).to_vec();
        let info = matching(known, "b");
        assert_eq!(info.values, ["b1", "b2"]);
        assert_eq!((info.total, info.has_more), (Some(2), Some(false)));
    }

    #[test]
    fn no_more_than_the_protocol_allows_are_told() {
        let known = (0..150).map(|n| n.to_string()).collect();
        let info = matching(known, "");
        assert_eq!(info.values.len(), 100);
        assert_eq!((info.total, info.has_more), (Some(150), Some(true)));
    }
}
