//! The YAML between `---` lines at the head of a note.

use jiff::Timestamp;
use serde_json::Value as Json;
use serde_norway::Value as Yaml;

use crate::context::{Limits, Metadata, MetadataLimits, parse_time, validate_metadata};

/// Bytes of front matter at most; more is a note that happens to begin with a rule.
const MAX_BYTES: usize = 64 * 1024;
/// Nesting kept as it is; what lies deeper is kept as text. The metadata's own limit is 16.
const MAX_DEPTH: usize = 12;

/// What the front matter of a note says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    /// All its keys that may be metadata, but `title`, `tags` and `tag`.
    pub(super) metadata: Metadata,
    pub(super) title: Option<String>,
    /// Tags without `#`, in order.
    pub(super) tags: Vec<String>,
    /// From `created`, `created_at` or `date`.
    pub(super) created_at: Option<Timestamp>,
    /// What had to be left out, as sentences.
    pub(super) left_out: Vec<String>,
}

/// The front matter of `text` and the text behind it.
///
/// # Errors
/// What the YAML parser says, when there are `---` lines but what stands between is no YAML; the
/// whole text is then the note's body, so that nothing is lost.
pub(super) fn split<'a>(text: &'a str, limits: &Limits) -> Result<(FrontMatter, &'a str), String> {
    let none = Ok((FrontMatter::default(), text));
    let Some((yaml, body)) = between_lines(text) else {
        return none;
    };
    match serde_norway::from_str::<Yaml>(yaml) {
        Ok(Yaml::Mapping(mapping)) => Ok((collect(mapping, limits), body)),
        Ok(Yaml::Null) => Ok((FrontMatter::default(), body)),
        // Prose between two rules parses as YAML, too.
        Ok(_) => none,
        Err(error) => Err(error.to_string()),
    }
}

fn between_lines(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let mut offset = 0;
    for line in rest.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((&rest[..offset], &rest[offset + line.len()..]));
        }
        offset += line.len();
        if offset > MAX_BYTES {
            return None;
        }
    }
    None
}

fn collect(mapping: serde_norway::Mapping, limits: &Limits) -> FrontMatter {
    let mut front = FrontMatter::default();
    let mut room = limits.max_metadata_bytes / 2;
    for (key, value) in mapping {
        let Some(key) = scalar(&key) else {
            let sentence = "a front matter key that is a list or a mapping was left out";
            front.left_out.push(sentence.to_owned());
            continue;
        };
        let key = key.trim().to_owned();
        let value = json(value, 2);
        match key.as_str() {
            "title" => match &value {
                Json::String(title) if !title.trim().is_empty() => {
                    front.title = Some(title.trim().to_owned());
                }
                Json::Number(number) => front.title = Some(number.to_string()),
                _ => {}
            },
            "tags" | "tag" => tags(&value, &mut front.tags),
            _ => {
                if matches!(key.as_str(), "created" | "created_at" | "date") {
                    let at = value.as_str().and_then(time);
                    front.created_at = front.created_at.or(at);
                }
                match fits(&key, value, &mut room) {
                    Ok(value) => drop(front.metadata.insert(key, value)),
                    Err(reason) => front.left_out.push(format!(
                        "the front matter key `{}` was left out: {reason}",
                        key.chars().take(40).collect::<String>()
                    )),
                }
            }
        }
    }
    front
}

/// The value, if it may stand under `key` in metadata with `room` bytes left.
fn fits(key: &str, value: Json, room: &mut usize) -> Result<Json, String> {
    let mut pair = Metadata::new();
    pair.insert(key.to_owned(), value);
    let limit = MetadataLimits { max_bytes: *room };
    validate_metadata(&pair, limit).map_err(|error| error.to_string())?;
    *room = room.saturating_sub(serde_json::to_vec(&pair).map_or(0, |json| json.len()));
    Ok(pair.remove(key).unwrap_or_default())
}

fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(truth) => Some(truth.to_string()),
        Yaml::Null => Some("null".to_owned()),
        Yaml::Tagged(tagged) => scalar(&tagged.value),
        Yaml::Sequence(_) | Yaml::Mapping(_) => None,
    }
}

fn json(value: Yaml, depth: usize) -> Json {
    match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(truth) => truth.into(),
        Yaml::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => whole.into(),
            (_, Some(whole), _) => whole.into(),
            (_, _, Some(float)) if float.is_finite() => float.into(),
            _ => number.to_string().into(),
        },
        Yaml::String(text) => text.into(),
        Yaml::Tagged(tagged) => json(tagged.value, depth),
        deep @ (Yaml::Sequence(_) | Yaml::Mapping(_)) if depth > MAX_DEPTH => {
            serde_norway::to_string(&deep).unwrap_or_default().into()
        }
        Yaml::Sequence(items) => items
            .into_iter()
            .map(|item| json(item, depth + 1))
            .collect::<Vec<_>>()
            .into(),
        Yaml::Mapping(pairs) => pairs
            .into_iter()
            .filter_map(|(key, value)| Some((scalar(&key)?, json(value, depth + 1))))
            .collect::<Metadata>()
            .into(),
    }
}

/// Tags from a list, or from text that separates them by commas or spaces.
fn tags(value: &Json, tags: &mut Vec<String>) {
    let mut add = |tag: &str| {
        let tag = tag.trim().trim_start_matches('#');
        if !tag.is_empty() && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    };
    match value {
        Json::String(text) if text.contains(',') => text.split(',').for_each(add),
        Json::String(text) => text.split_whitespace().for_each(add),
        Json::Array(items) => {
            for item in items {
                match item {
                    Json::String(tag) => add(tag),
                    Json::Number(tag) => add(&tag.to_string()),
                    _ => {}
                }
            }
        }
        Json::Number(tag) => add(&tag.to_string()),
        _ => {}
    }
}

/// As [`parse_time`], and in the form with spaces that some generators of sites write.
fn time(text: &str) -> Option<Timestamp> {
    parse_time(text)
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text.trim()).ok())
        .or_else(|| parse_time(&text.trim().replace('/', "-")).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::import::tests::LIMITS;

    #[test]
    fn keys_become_metadata_and_the_known_ones_their_own() {
        let text = "---\ntitle: My note\ntags: [rust, '#db', rust, 2024]\ndate: 2024-01-31\nrating: 4.5\n5: five\nnested:\n  a: [1, .nan]\n---\nBody\n---\nmore";
        let (front, body) = split(text, &LIMITS).unwrap();
        assert_eq!(body, "Body\n---\nmore");
        assert_eq!(front.title.as_deref(), Some("My note"));
        assert_eq!(front.tags, ["rust", "db", "2024"]);
        assert_eq!(
            front.created_at.unwrap().to_string(),
            "2024-01-31T00:00:00Z"
        );
        assert_eq!(
            Json::from(front.metadata),
            json!({"date": "2024-01-31", "rating": 4.5, "5": "five", "nested": {"a": [1, ".nan"]}})
        );
        assert!(front.left_out.is_empty());
    }

    #[test]
    fn tags_and_dates_are_read_in_their_usual_forms() {
        for (yaml, tags) in [
            ("tags: a, b c", vec!["a", "b c"]),
            ("tags: '#a b'", vec!["a", "b"]),
            ("tag: one", vec!["one"]),
            ("tags:", vec![]),
        ] {
            let text = format!("---\n{yaml}\n---\n");
            assert_eq!(split(&text, &LIMITS).unwrap().0.tags, tags, "{yaml}");
        }
        for date in ["2024-01-31 10:00:00 +0900", "2024-01-31T10:00:00+09:00"] {
            let text = format!("---\ndate: {date}\n---\n");
            let created = split(&text, &LIMITS).unwrap().0.created_at;
            assert_eq!(created.unwrap().to_string(), "2024-01-31T01:00:00Z");
        }
    }

    #[test]
    fn what_is_no_front_matter_stays_text() {
        for text in [
            "no rule",
            "---\nnever closed: yes\n",
            "---\nJust prose\n---\nmore",
            "----\na: b\n----\n",
            "\n---\na: b\n---\n",
        ] {
            assert_eq!(split(text, &LIMITS), Ok((FrontMatter::default(), text)));
        }
        assert!(split("---\na: b: c\n---\nBody", &LIMITS).is_err());
        let (front, body) = split("---\n---\nBody", &LIMITS).unwrap();
        assert_eq!((front, body), (FrontMatter::default(), "Body"));
    }

    #[test]
    fn keys_that_metadata_may_not_have_are_left_out_by_name() {
        let long = "k".repeat(300);
        let big = "v".repeat(5_000);
        let text = format!("---\n{long}: 1\nbig: {big}\n'': 2\n[1]: 3\ngood: yes\n---\nBody");
        let (front, _) = split(&text, &LIMITS).unwrap();
        assert_eq!(Json::from(front.metadata), json!({"good": "yes"}));
        assert_eq!(front.left_out.len(), 4, "{:?}", front.left_out);
    }

    #[test]
    fn an_alias_bomb_and_deep_nesting_are_survived() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let list = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        assert!(split(&format!("---\n{bomb}---\nBody"), &LIMITS).is_err());
        let deep = format!("---\na: {}{}\n---\nBody", "[".repeat(40), "]".repeat(40));
        let (front, _) = split(&deep, &LIMITS).unwrap();
        assert!(front.metadata.contains_key("a"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(---\n)?([a-z:#\\[\\]{}&*!|>'\" \n-]{0,80})(\n---\n)?.{0,20}") {
            if let Ok((front, body)) = split(&text, &LIMITS) {
                prop_assert!(text.ends_with(body));
                let limit = MetadataLimits { max_bytes: LIMITS.max_metadata_bytes };
                prop_assert!(validate_metadata(&front.metadata, limit).is_ok());
            }
        }
    }
}
