//! What Obsidian and Logseq add to Markdown.

use super::front_matter::{self, FrontMatter};
use crate::context::Limits;
use crate::import::cutting::Outline;

/// The page properties of Logseq, `key:: value` on the first lines, and the text behind them.
/// They mean what the same keys in front matter mean.
pub(super) fn properties<'a>(text: &'a str, limits: &Limits) -> Option<(FrontMatter, &'a str)> {
    let mut yaml = String::new();
    let mut body = text;
    for line in text.split_inclusive('\n') {
        let Some((key, value)) = property(line) else {
            break;
        };
        let value = value.replace("[[", "").replace("]]", "");
        // As text in JSON, which is YAML, whatever it has in it.
        yaml.push_str(&format!(
            "{key}: {}\n",
            serde_json::Value::from(value.trim())
        ));
        body = &body[line.len()..];
    }
    if yaml.is_empty() {
        return None;
    }
    let (front, _) = front_matter::split(&format!("---\n{yaml}---\n"), limits).ok()?;
    Some((front, body))
}

fn property(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once("::")?;
    let named = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    (named && (value.is_empty() || value.starts_with(' '))).then_some((key, value))
}

/// Finds embeds among the links, and `((block references))`.
pub(super) fn references(text: &str, outline: &mut Outline) {
    for (at, target) in &outline.links {
        if text[*at..].starts_with('!') {
            outline.embeds.push((*at, target.clone()));
        }
    }
    for (at, _) in text.match_indices("((") {
        let rest = &text[at + 2..];
        if let Some(id) = rest.get(..36)
            && rest[36..].starts_with("))")
            && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        {
            outline.block_refs.push((at, id.to_owned()));
        }
    }
}

/// The name of a page by that of its file: Logseq writes the folders of a page in it.
pub(super) fn page_name(stem: &str) -> String {
    stem.replace("___", "/").replace("%2F", "/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::import::tests::LIMITS;

    #[test]
    fn page_properties_are_front_matter() {
        let text = "title:: A: page\ntags:: [[one]], two\ntype:: note\n\n- block\n  id:: x\n";
        let (front, body) = properties(text, &LIMITS).unwrap();
        assert_eq!(body, "\n- block\n  id:: x\n");
        assert_eq!(front.title.as_deref(), Some("A: page"));
        assert_eq!(front.tags, ["one", "two"]);
        assert_eq!(
            serde_json::Value::from(front.metadata),
            json!({"type": "note"})
        );
        for none in ["std::vec is\n", "a b:: c\n", "text\nkey:: value\n"] {
            assert!(properties(none, &LIMITS).is_none(), "{none}");
        }
    }

    #[test]
    fn embeds_and_block_references_are_found() {
        let id = "64a1b2c3-0000-4000-8000-123456789abc";
        let text = format!("See (({id})) and ((no)) ![[pic.png]] [[Note]]");
        let mut outline = super::super::blocks::markdown(&text);
        references(&text, &mut outline);
        assert_eq!(outline.block_refs, [(4, id.to_owned())]);
        assert_eq!(outline.embeds.len(), 1);
        assert_eq!(outline.embeds[0].1, "pic.png");
        assert_eq!(outline.links.len(), 2);
    }
}
