use proptest::prelude::*;

use super::*;

fn checked(text: &str, sources: usize) -> (String, Vec<usize>, Vec<String>) {
    let mut citations = Citations::of(sources);
    let mut out = citations.push(text);
    out.push_str(&citations.finish());
    let cited = citations.cited().iter().copied().collect();
    (out, cited, citations.removed().to_vec())
}

#[test]
fn a_number_that_names_no_source_leaves_a_mark_in_its_place_and_is_told() {
    for (text, expected, cited, removed) in [
        ("It is so [1].", "It is so [1].", vec![1], vec![]),
        ("It is so [4].", "It is so [?].", vec![], vec!["4"]),
        ("so[1][9][2]", "so[1][?][2]", vec![1, 2], vec!["9"]),
        ("both [1, 7; 3]", "both [1, 3][?]", vec![1, 3], vec!["7"]),
        ("none [0] here", "none [?] here", vec![], vec!["0"]),
        ("[8] starts", "[?] starts", vec![], vec!["8"]),
        ("open [1", "open [1", vec![], vec![]),
        ("[[9]]", "[[?]]", vec![], vec!["9"]),
        ("[9] twice [9]", "[?] twice [?]", vec![], vec!["9"]),
        ("so [9, 8]", "so [?]", vec![], vec!["9", "8"]),
        (
            "mid ``` line [9]\nx [9]",
            "mid ``` line [9]\nx [?]",
            vec![],
            vec!["9"],
        ),
    ] {
        let (text, found, gone) = checked(text, 3);
        assert_eq!((text.as_str(), found), (expected, cited));
        assert_eq!(gone, removed);
    }
}

#[test]
fn numbers_are_known_in_whatever_form_models_write_them() {
    for (text, expected, removed) in [
        ("[1, 2 and 9]", "[1, 2][?]", vec!["9"]),
        ("[1 und 3]", "[1, 3]", vec![]),
        ("[1, 2, & 3]", "[1, 2, 3]", vec![]),
        ("[1-3]", "[1, 2, 3]", vec![]),
        ("[2 – 9]", "[2, 3][?]", vec!["4-9"]),
        ("[3-7, 5-6]", "[3][?]", vec!["4-7", "5-6"]),
        ("[Source 2]", "[2]", vec![]),
        ("[source 9]", "[?]", vec!["9"]),
        ("[sources: 1, source #3]", "[1, 3]", vec![]),
        ("[Quelle 9]", "[?]", vec!["9"]),
        ("(source 9)", "[?]", vec!["9"]),
        ("(see sources 1 and 2)", "[1, 2]", vec![]),
        ("【1】 and 【9】", "[1] and [?]", vec!["9"]),
        ("【2†L5-L9】", "[2]", vec![]),
        ("【9:0†source】", "[?]", vec!["9"]),
        ("【2:0†the_notes.md】 【source: 1】", "[2] [1]", vec![]),
        ("[1\u{2011}9]", "[1, 2, 3][?]", vec!["4-9"]),
        ("[1,\u{a0}9] [\u{202f}8]", "[1][?] [?]", vec!["9", "8"]),
        ("(fontes 1 e 9)", "[1][?]", vec!["9"]),
    ] {
        let (out, _, gone) = checked(text, 3);
        assert_eq!(
            (out.as_str(), gone),
            (expected, removed.iter().map(ToString::to_string).collect())
        );
    }
}

#[test]
fn other_brackets_years_and_code_are_left_alone() {
    for text in [
        "[x] done, [ ] open, [^9], [] and [, ]",
        "in [2024] and [12 34] and (9) and (9, 8)",
        "`a[9]` and ``b[9] ` ``",
        "```\nlet c = a[9];\n\nb[8]\n```\n",
        "[[wiki]] [link](http://x)",
        "[0, 1] and [0-9] and [9-1] and [2024-01]",
        "~~~\na[9]\n```\nb[9]\n~~~\n",
        "````\n```\na[9]\n````\n",
        "a[9] = my_list[9] and a[i][9]",
        "a[1] = my_list[1-2] and x[1][2]",
        "[9](http://x/9) and [the page][9]\n[9]: http://x/9\n",
        "[9](/9) [9](./x) [9](#x) [9](<a b>) [9](mailto:a@b) [9](notes.md#x) [9](x.org \"9\")",
        "[^9]: a note",
        "(source code) [source] [sources and 2] (see 9)",
        "[9th] [Table 9] [page 9, line 8]",
    ] {
        assert_eq!(checked(text, 3), (text.to_owned(), vec![], vec![]));
    }
    let (text, _, removed) = checked("a stray ` tick [9]\nand [9]", 3);
    assert_eq!(
        (text.as_str(), removed.len()),
        ("a stray ` tick [9]\nand [?]", 1)
    );
}

#[test]
fn behind_words_and_before_words_a_number_is_a_source() {
    for (text, expected) in [
        (
            "it's[9] Ada's[9] x-y[9] plan[9]",
            "it's[?] Ada's[?] x-y[?] plan[?]",
        ),
        ("这是[9]。", "这是[?]。"),
        ("as in [9]: yes", "as in [?]: yes"),
        ("[9]: the key", "[?]: the key"),
        ("(as told)[9]", "(as told)[?]"),
        ("_deploy key_[9] __Note__[9]", "_deploy key_[?] __Note__[?]"),
        ("_key[9]_ and a _[9]", "_key[?]_ and a _[?]"),
        ("[9](source 9)", "[?][?]"),
        ("[9](see above) [9]()", "[?](see above) [?]()"),
        (
            "[9](e.g., this) [9](3.2) [9](…so.)",
            "[?](e.g., this) [?](3.2) [?](…so.)",
        ),
        (
            "[9](上の節に書いてあるとおりに鍵はそこにあります)",
            "[?](上の節に書いてあるとおりに鍵はそこにあります)",
        ),
        ("a(source 1) a[2](source 1)", "a [1] a[2] [1]"),
    ] {
        assert_eq!(checked(text, 3).0, expected);
    }
}

#[test]
fn a_link_stays_a_link_and_cites_the_sources_that_it_names() {
    for (text, expected, cited) in [
        ("[1-2](http://x)", "[1, 2](http://x)", vec![1, 2]),
        ("[Source 3](notes.md)", "[3](notes.md)", vec![3]),
        ("[1, 9](http://x)", "[1, 9](http://x)", vec![]),
        ("[the page][1-2]", "[the page][1, 2]", vec![1, 2]),
        ("[2]: http://x", "[2]: http://x", vec![2]),
    ] {
        assert_eq!(checked(text, 3), (expected.to_owned(), cited, vec![]));
    }
}

/// A case that the window's tests read as well: what is told, and the numbers that it shows as sources.
#[derive(serde::Deserialize)]
struct Case {
    text: String,
    told: String,
    cited: Vec<usize>,
}

#[test]
fn the_window_is_told_what_it_shows_as_sources() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("cases.json")).unwrap();
    for Case { text, told, cited } in cases {
        let mut shown = cited;
        shown.sort_unstable();
        shown.dedup();
        // What was told is told again as it is: all that it names stands in the form that the window knows.
        for text in [text, told.clone()] {
            let (out, found, _) = checked(&text, 3);
            assert_eq!((&out, &found), (&told, &shown), "{text}");
        }
    }
}

#[test]
fn it_is_told_which_number_stood_where() {
    let mut citations = Citations::of(2);
    let mut out = String::new();
    for piece in ["é [1, 2 a", "nd 9] x [", "8] (sour", "ce 4-6)", "."] {
        out += &citations.push(piece);
    }
    out += &citations.finish();
    assert_eq!(out, "é [1, 2][?] x [?] [?].");
    let told: Vec<(usize, &str)> = citations
        .marks()
        .iter()
        .map(|mark| (mark.at, mark.numbers.as_str()))
        .collect();
    assert_eq!(told, [(8, "9"), (14, "8"), (18, "4-6")]);
}

#[test]
fn words_are_told_as_soon_as_they_can_be_no_source() {
    let mut citations = Citations::of(2);
    assert_eq!(citations.push("So [1"), "So ");
    assert_eq!(citations.push("]"), "");
    assert_eq!(citations.push(" is"), "[1] is");
    assert_eq!(citations.push(" (ä"), " (ä");
    let long = format!("[{}", "a".repeat(60));
    assert_eq!(citations.push(&long), long);
    for words in [" (so", " (sources", " (see", " (see sou", " (9"] {
        assert_eq!(Citations::of(2).push(words), " ", "{words}");
    }
    for words in [" (a", " (so that", " (see a", " (sourced", " [T", " (–"] {
        assert_eq!(Citations::of(2).push(words), words);
    }
    let mut citations = Citations::of(2);
    assert_eq!(citations.push("[9](see"), "");
    assert_eq!(citations.push(" a"), "[?](see a");
}

#[test]
fn an_answer_without_its_citations_is_its_text() {
    assert_eq!(
        without("So it is [1, 2]. Yes [3]! No (source 2)."),
        "So it is. Yes! No."
    );
    assert_eq!(without("So [1][?] or `[?]` [?]."), "So or `[?]`.");
}

#[test]
fn an_answer_from_before_keeps_what_was_never_a_number_of_a_source() {
    for (text, expected) in [
        (
            "see [the page][1] or [1](http://x)",
            "see [the page] or (http://x)",
        ),
        ("a[1] and my_list[1-2]", "a[1] and my_list[1-2]"),
        ("[see [9]2] so [9]it", "[see …2] so it"),
        ("see [?][?]a[9]", "see a[9]"),
    ] {
        assert_eq!(without(text), expected);
    }
}

#[test]
fn a_passage_loses_its_numbers_in_square_brackets_and_nothing_else() {
    for (text, expected) in [
        ("[the page][1], [1](http://x)", "[the page], (http://x)"),
        ("a[1] and my_list[2] [Source 3]", "a and my_list"),
        ("born 1850 [?]", "born 1850 [?]"),
        ("so (source 2) and 【2】", "so (source 2) and 【2】"),
        ("`a[1]`, [x] and [2024]", "`a[1]`, [x] and [2024]"),
    ] {
        assert_eq!(passage(text), expected);
    }
}

/// Texts full of what may be numbers of sources, and of what makes other things of them.
const TEXTS: &str = "([a-c `~\\n\\[\\],:()_'–【】†?./#\u{2011}\u{a0}-]|[0-9]|é|a\\[9\\]|my_b|_key_|http| and |see |source |fontes |\\[source 9\\]|\\(source 2\\)|\\]\\(x\\.a|9:0†source|\\[[0-9]{1,2}((, |-|\u{2011}|,\u{a0}| and )[0-9])?\\]){0,60}";

proptest! {
    #[test]
    fn it_does_not_matter_how_the_pieces_come(
        text in TEXTS,
        mut cuts in prop::collection::vec(0usize..120, 0..8),
    ) {
        cuts.sort_unstable();
        let (mut citations, mut out, mut from) = (Citations::of(3), String::new(), 0);
        for cut in cuts {
            let at = text.floor_char_boundary(cut).max(from);
            out.push_str(&citations.push(&text[from..at]));
            from = at;
        }
        out.push_str(&citations.push(&text[from..]));
        out.push_str(&citations.finish());
        let mut whole = Citations::of(3);
        let mut at_once = whole.push(&text);
        at_once.push_str(&whole.finish());
        prop_assert_eq!(out, at_once);
        prop_assert_eq!(citations.marks(), whole.marks());
        prop_assert_eq!(citations.cited(), whole.cited());
    }

    #[test]
    fn no_number_that_was_taken_out_is_left(text in TEXTS) {
        let (once, cited, _) = checked(&text, 3);
        prop_assert!(cited.iter().all(|number| (1..=3).contains(number)));
        let (again, cited_again, removed) = checked(&once, 3);
        prop_assert!(removed.is_empty(), "{:?} {:?}", once, removed);
        prop_assert_eq!(&again, &once);
        prop_assert_eq!(cited_again, cited);
    }

    #[test]
    fn words_and_numbers_in_brackets_leave_no_number_without_a_source(
        parts in prop::collection::vec(("(_[a-z]{2,9}_?|[a-z]{2,9})", 1usize..30, 1usize..30, 0usize..9), 0..9),
    ) {
        let text: String = parts
            .iter()
            .map(|(word, one, other, form)| match form {
                0 => format!("{word} [{one}] "),
                1 => format!("{word}[{one}, {other}] "),
                2 => format!("{word} (source {one} and {other}) "),
                3 => format!("{word} [source {one}]. "),
                4 => format!("{word}[{one}](source {other}) "),
                5 => format!("{word} [{one}](see above) "),
                6 => format!("{word}【{one}:0†source】 "),
                7 => format!("{word} (fontes {one}\u{a0}e\u{a0}{other}) "),
                _ => format!("{word} [{one}\u{2011}{}]", one + other),
            })
            .collect();
        let (out, _, _) = checked(&text, 3);
        let numbers = out.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        for number in numbers {
            prop_assert!((1..=3).contains(&number.parse::<usize>().unwrap()), "{}", out);
        }
    }

    #[test]
    fn every_mark_stands_where_it_is_told(text in TEXTS) {
        let mut citations = Citations::of(3);
        let mut out = citations.push(&text);
        out.push_str(&citations.finish());
        for mark in citations.marks() {
            let from: String = out.chars().skip(mark.at).take(3).collect();
            prop_assert_eq!(from, REMOVED_MARK);
        }
    }

    #[test]
    fn nothing_is_left_to_take_out_of_a_text_without_its_citations(
        text in "([a-c é ,–_():-]|\\[|\\]|【|】|[0-9]|see |source |\\[\\?\\]|\\(source 2\\)|my_b|\\[[0-9]{1,2}((, |-)[0-9])?\\]){0,60}",
    ) {
        for of in [Text::Former, Text::Passage] {
            let once = taken_out(of, &text);
            prop_assert_eq!(taken_out(of, &once), once);
        }
    }

    #[test]
    fn a_text_without_brackets_is_not_changed(text in "[^\\[\\]【】(]{0,80}") {
        prop_assert_eq!(checked(&text, 2).0, text);
    }
}
