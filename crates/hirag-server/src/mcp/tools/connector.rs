//! `search` and `fetch`, in the shape that connectors of chat programs expect.

use serde_json::{Value, json};

use super::super::answers::{Context, Document, PlainResult, PlainResults};
use super::super::arguments;
use super::super::budget::line;
use super::super::marking::NOTICE;
use super::super::resources::CONTEXTS;
use super::looking::gather;
use super::telling::{cut_to, id};
use super::{Answer, Call, Failure};

/// Characters of a title.
const TITLE: usize = 80;
/// Results of a search.
const RESULTS: u32 = 10;
/// Tokens of a document.
const DOCUMENT: u32 = 8_000;

pub(super) async fn search(
    call: &Call<'_>,
    arguments: arguments::PlainSearch,
) -> Result<Answer, Failure> {
    let arguments = arguments::Search {
        limit: RESULTS,
        ..arguments::Search::new(arguments.query)
    };
    let response = gather(call.door, &arguments).await?;
    let results = response.contexts.iter().map(|context| PlainResult {
        id: context.id.clone(),
        title: title(context),
        url: format!("{CONTEXTS}{}", context.id),
    });
    Answer::plain(&PlainResults {
        results: results.collect(),
    })
}

pub(super) async fn fetch(call: &Call<'_>, arguments: arguments::Fetch) -> Result<Answer, Failure> {
    let request = json!({ "id": id(&arguments.id)? });
    let mut context: Context = call.door.ask("get", request).await?;
    let title = title(&context);
    cut_to(&mut context, 0, DOCUMENT);
    let mut metadata = context.metadata;
    let facts = [
        ("level", Some(context.level)),
        ("session", context.session),
        ("agent", context.agent),
        ("source", context.source),
        ("created_at", Some(context.created_at)),
        ("notice", Some(NOTICE.to_owned())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), Value::String(value));
        }
    }
    let mut text = context.text;
    if let Some(cut) = context.cut {
        text += &format!(
            "\n(cut: characters {} to {} of {}; memory_get with offset {} reads on)",
            cut.from, cut.to, cut.of, cut.to
        );
    }
    Answer::plain(&Document {
        url: format!("{CONTEXTS}{}", context.id),
        id: context.id,
        title,
        text,
        metadata,
    })
}

/// The heading or title that a context brings along, or its first words.
pub(in crate::mcp) fn title(context: &Context) -> String {
    let named = ["title", "heading"]
        .into_iter()
        .find_map(|key| context.metadata.get(key)?.as_str())
        .filter(|title| !title.trim().is_empty());
    line(named.unwrap_or(&context.text), TITLE)
}
