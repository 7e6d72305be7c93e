use std::borrow::Cow;

/// The longest text that is handed to a model, in bytes.
///
/// Far above what the models read (256 tokens of the local one are about 1 KiB of English), so
/// that only what a model would cut anyway is cut, and a text of a megabyte costs no more than
/// one of a page.
pub const MAX_BYTES: usize = 64 * 1024;

/// The form in which a text is embedded and its vector cached; never the form that is stored.
///
/// Each run of white space becomes one space, the ends are trimmed, control characters go, and
/// the rest is cut to [`MAX_BYTES`] between two characters. Borrows where nothing changes inside.
/// Applying it twice changes nothing more. A text of only white space and control characters
/// gives an empty one.
#[must_use]
pub fn normalise(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if trimmed.len() <= MAX_BYTES && is_normal_inside(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let mut normal = String::with_capacity(trimmed.len().min(MAX_BYTES));
    let mut gap = false;
    for character in trimmed.chars() {
        if character.is_whitespace() {
            gap = true;
            continue;
        }
        if character.is_control() {
            continue;
        }
        let space = gap && !normal.is_empty();
        if normal.len() + usize::from(space) + character.len_utf8() > MAX_BYTES {
            break;
        }
        if space {
            normal.push(' ');
        }
        gap = false;
        normal.push(character);
    }
    Cow::Owned(normal)
}

fn is_normal_inside(text: &str) -> bool {
    let mut after_space = false;
    text.chars().all(|character| {
        let normal = if character == ' ' {
            !after_space
        } else {
            !character.is_whitespace() && !character.is_control()
        };
        after_space = character == ' ';
        normal
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_collapses_and_the_ends_are_trimmed() {
        assert_eq!(
            normalise(" \n one\t\ttwo \u{3000} three\r\n"),
            "one two three"
        );
    }

    #[test]
    fn control_characters_go_without_parting_the_word() {
        assert_eq!(normalise("na\0me \u{7}\u{1b} x"), "name x");
        assert_eq!(normalise("\0 \u{7} \n"), "");
    }

    #[test]
    fn a_normal_text_is_borrowed() {
        for text in ["", "a", "one two", "日本語 テキスト", " trimmed only "] {
            assert!(matches!(normalise(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_a_megabyte_is_cut_between_characters() {
        let normal = normalise(&"é".repeat(500_000)).into_owned();
        assert_eq!(normal.len(), MAX_BYTES);
        let normal = normalise(&"あ".repeat(500_000)).into_owned();
        assert_eq!(normal.len(), MAX_BYTES - MAX_BYTES % 3);
    }

    #[test]
    fn a_gap_of_a_megabyte_does_not_hide_what_follows() {
        let text = format!("before{}after", " ".repeat(1_000_000));
        assert_eq!(normalise(&text), "before after");
    }

    proptest! {
        #[test]
        fn applying_it_twice_changes_nothing_more(text in any::<String>()) {
            let once = normalise(&text).into_owned();
            let twice = normalise(&once);
            prop_assert!(matches!(twice, Cow::Borrowed(_)));
            prop_assert_eq!(twice.as_ref(), once.as_str());
        }

        #[test]
        fn words_are_kept_in_order(text in r"[a-zé日\u{0}\u{1b} \t\n\u{2003}]{0,80}") {
            let visible: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
            let expected: Vec<&str> = visible.split_whitespace().collect();
            prop_assert_eq!(normalise(&text).into_owned(), expected.join(" "));
        }

        #[test]
        fn the_result_has_no_control_characters_and_no_double_spaces(
            text in proptest::collection::vec(any::<char>(), 0..200)
        ) {
            let text: String = text.into_iter().collect();
            let normal = normalise(&text);
            prop_assert!(!normal.contains("  "));
            prop_assert!(!normal.chars().any(char::is_control));
            prop_assert_eq!(normal.trim(), normal.as_ref());
            prop_assert!(normal.len() <= MAX_BYTES);
        }
    }
}
