/// The beginning of `text` that has `limit` tokens at most.
///
/// The endpoint's own vocabulary is not known, so they are counted by `cl100k_base`, that of
/// OpenAI's embedding models.
pub(super) fn to_tokens(text: &str, limit: usize) -> &str {
    // A token has a byte at least, so nearly all texts need no counting.
    if text.len() <= limit {
        return text;
    }
    let vocabulary = tiktoken_rs::cl100k_base_singleton();
    let tokens = vocabulary.encode_ordinary(text);
    let Some(first) = tokens.get(..limit) else {
        return text;
    };
    // What was just encoded decodes; if it did not, the endpoint has the last word.
    let bytes = vocabulary
        .decode_bytes(first)
        .map_or(text.len(), |b| b.len());
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_and_a_short_one_is_not() {
        let text = "one two three four five six";
        assert_eq!(to_tokens(text, 6), text);
        assert_eq!(to_tokens(text, 4), "one two three four");
        assert_eq!(to_tokens(text, usize::MAX), text);
        assert_eq!(to_tokens("", 0), "");
    }

    proptest! {
        #[test]
        fn what_is_left_is_a_beginning(text in ".{0,40}", limit in 0usize..20) {
            let cut = to_tokens(&text, limit);
            prop_assert!(text.starts_with(cut));
        }
    }
}
