use serde_json::Value as Json;

use super::ContextError;

/// Free metadata: a JSON object.
pub type Metadata = serde_json::Map<String, Json>;

/// Bytes of a metadata key at most.
const MAX_KEY_BYTES: usize = 256;
/// Levels of nesting at most; the metadata object itself is the first.
const MAX_DEPTH: usize = 16;

/// What metadata may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataLimits {
    /// Bytes of all metadata as JSON.
    pub max_bytes: usize,
}

/// Refuses metadata with empty or long keys, too deep, or too large.
///
/// # Errors
/// [`ContextError`] with the code `invalid_metadata`, naming the offending key or path.
pub fn validate_metadata(metadata: &Metadata, limits: MetadataLimits) -> Result<(), ContextError> {
    check_object(metadata, "", 1)?;
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if bytes > limits.max_bytes {
        return Err(ContextError::LargeMetadata {
            bytes,
            limit: limits.max_bytes,
        });
    }
    Ok(())
}

fn check_object(object: &Metadata, path: &str, depth: usize) -> Result<(), ContextError> {
    check_depth(path, depth)?;
    for (key, value) in object {
        if key.trim().is_empty() {
            return Err(ContextError::EmptyKey {
                path: path.to_owned(),
            });
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(ContextError::LongKey {
                start: key.chars().take(24).collect(),
                bytes: key.len(),
                limit: MAX_KEY_BYTES,
            });
        }
        if let Some(offset) = key.find('\0') {
            return Err(ContextError::NulByte {
                what: "a metadata key".to_owned(),
                offset,
            });
        }
        check_value(value, &join(path, key), depth)?;
    }
    Ok(())
}

fn check_value(value: &Json, path: &str, depth: usize) -> Result<(), ContextError> {
    match value {
        Json::Object(inner) => check_object(inner, path, depth + 1),
        Json::Array(items) => {
            check_depth(path, depth + 1)?;
            items
                .iter()
                .try_for_each(|item| check_value(item, path, depth + 1))
        }
        _ => Ok(()),
    }
}

fn check_depth(path: &str, depth: usize) -> Result<(), ContextError> {
    if depth > MAX_DEPTH {
        return Err(ContextError::DeepMetadata {
            path: path.to_owned(),
            limit: MAX_DEPTH,
        });
    }
    Ok(())
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: MetadataLimits = MetadataLimits { max_bytes: 65_536 };

    fn check(value: Json) -> Result<(), ContextError> {
        validate_metadata(value.as_object().unwrap(), LIMITS)
    }

    fn nested(levels: usize) -> Json {
        (1..levels).fold(json!({"leaf": 1}), |inner, _| json!({ "k": inner }))
    }

    #[test]
    fn ordinary_metadata_passes() {
        check(json!({"topic": "rust", "tags": ["a", "b"], "deep": {"er": {"still": 1}}})).unwrap();
        check(nested(16)).unwrap();
        check(json!({"k".repeat(256): 1})).unwrap();
    }

    #[test]
    fn bad_keys_and_depth_are_refused() {
        assert!(matches!(
            check(json!({"": 1})),
            Err(ContextError::EmptyKey { .. })
        ));
        assert!(matches!(
            check(json!({"a": [{" ": 1}]})),
            Err(ContextError::EmptyKey { .. })
        ));
        assert!(matches!(
            check(json!({"k".repeat(257): 1})),
            Err(ContextError::LongKey { bytes: 257, .. })
        ));
        assert!(matches!(
            check(nested(17)),
            Err(ContextError::DeepMetadata { .. })
        ));
        assert!(matches!(
            check(json!({"big": "x".repeat(70_000)})),
            Err(ContextError::LargeMetadata { .. })
        ));
    }
}
