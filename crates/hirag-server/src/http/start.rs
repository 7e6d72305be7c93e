//! What the page of the interface begins with: a few answers that stand in it, so that its first
//! content waits for no further request.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::commands::studio::call;
use crate::studio::Studio;

/// The commands that every page begins with; each is asked with nothing.
const ASKED: [&str; 3] = ["startup", "stats", "settings"];
/// How long the page waits for an answer, before it comes without it and asks by itself: less than a
/// person sees. A memory that is still being opened answers later.
const PATIENCE: Duration = Duration::from_millis(40);

/// The page with the answers in it, as data that no browser runs.
pub(super) async fn with_answers(page: &str, studio: &Studio) -> String {
    let asked = ASKED.map(|name| timeout(PATIENCE, call(studio, name, Value::Object(Map::new()))));
    let answers = ASKED.iter().zip(join_all(asked).await);
    let told = answers.filter_map(|(name, answer)| Some((*name, answer.ok()?.ok()?)));
    with(page, told)
}

fn with<'a>(page: &str, answers: impl Iterator<Item = (&'a str, String)>) -> String {
    let Some(end) = page.rfind("</body>") else {
        return page.to_owned();
    };
    let fields: Vec<String> = answers
        .map(|(name, answer)| format!("\"{name}\":{answer}"))
        .collect();
    // In JSON it stands in strings only, and there it can be written so that it begins no tag.
    let data = fields.join(",").replace('<', "\\u003c");
    let (before, after) = page.split_at(end);
    format!("{before}<script type=\"application/json\" id=\"start\">{{{data}}}</script>{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_answer_ends_no_tag() {
        let page = "<html><body><p>…</p></body></html>";
        let answers = [("stats", r#"{"a":"</script><!--<script>"}"#.to_owned())];
        let page = with(page, answers.into_iter());
        let data = r#"{"stats":{"a":"\u003c/script>\u003c!--\u003cscript>"}}"#;
        assert_eq!(
            page,
            format!(
                "<html><body><p>…</p><script type=\"application/json\" id=\"start\">{data}</script></body></html>"
            )
        );
        let read: Value = serde_json::from_str(data).unwrap();
        assert_eq!(read["stats"]["a"], "</script><!--<script>");
    }

    #[test]
    fn a_page_that_is_none_stays_as_it_is() {
        assert_eq!(with("nothing", [].into_iter()), "nothing");
    }
}
