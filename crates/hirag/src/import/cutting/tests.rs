use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::import::formats::markdown::outline;
use crate::import::tests::{LIMITS, SETTINGS, estimator};
use crate::tokens::TokenEstimatorKind;

#[derive(Debug, Clone, Copy)]
enum Marks {
    Plain,
    Markdown,
    Code(Language),
}

/// Every chunk's own part, put together, is the note; what it repeats stands before.
fn check(text: &str, shape: Marks, settings: &ImportSettings, tokens: &TokenEstimator) {
    let mut piece = Piece::new("text", "x", text.to_owned());
    match shape {
        Marks::Plain => {}
        Marks::Markdown => piece.shape = Shape::Blocks(outline(text)),
        Marks::Code(language) => piece.shape = Shape::Code(language),
    }
    let cutter = Cutter::new("/x", settings, &LIMITS, *tokens);
    let chunks = cutter.chunks(&mut piece);
    let whole: String = chunks
        .iter()
        .map(|chunk| &text[chunk.range.start + chunk.overlap..chunk.range.end])
        .collect();
    assert_eq!(whole, text);
    for chunk in &chunks {
        let own = trim_lines(&text[chunk.range.clone()]);
        match cutter.text_and_metadata(&piece, chunk) {
            None => assert!(own.trim().is_empty()),
            Some((stored, metadata)) => {
                let prefix = metadata.get("prefix").and_then(Json::as_str);
                let expected = prefix.map_or(own.to_owned(), |line| format!("{line}\n\n{own}"));
                assert_eq!(stored, expected);
            }
        }
    }
}

fn markdown_piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("```\n".to_owned()),
        Just("    ".to_owned()),
        Just("---\n".to_owned()),
        "#{1,6} [a-z]{1,8}\n",
        "([-*>]|1\\.) [a-z ]{1,20}\n",
        "\\| [a-z] \\| [a-z] \\|\n",
        "\\[\\[[a-z|]{1,5}\\]\\] ",
        "#[a-z0-9]{1,4} ",
        "[A-Za-zé漢👍 ]{1,30}[.!?。] ",
        "\\PC{0,8}",
    ]
}

proptest! {
    #[test]
    fn every_cutting_keeps_all_of_the_text(
        pieces in prop::collection::vec(markdown_piece(), 0..80),
        chunk_tokens in 16_usize..60,
        overlap in 0_usize..8,
        marks in prop_oneof![Just(Marks::Plain), Just(Marks::Markdown), Just(Marks::Code(Language::Rust)), Just(Marks::Code(Language::Other("x")))],
        kind in prop_oneof![Just(TokenEstimatorKind::Tiktoken), Just(TokenEstimatorKind::Chars), Just(TokenEstimatorKind::Words)],
    ) {
        let settings = ImportSettings { chunk_tokens, chunk_overlap: overlap, ..SETTINGS };
        check(&pieces.concat(), marks, &settings, &estimator(kind));
    }
}

fn chunks_of(code: &str, language: Language) -> Vec<NewContext> {
    let piece = Piece::new("code", "shapes.x", code.to_owned()).shaped(Shape::Code(language));
    let settings = ImportSettings {
        chunk_tokens: 40,
        chunk_overlap: 10,
        ..SETTINGS
    };
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    Cutter::new("/x", &settings, &LIMITS, tokens).cut(piece)
}

#[test]
fn code_is_cut_between_items_and_says_what_it_stands_in() {
    let method = |name: &str| {
        format!(
            "    fn {name}(&self) -> f64 {{\n        let side = self.width * self.height;\n        side + side.sqrt()\n    }}\n\n"
        )
    };
    let code = format!(
        "use std::fmt;\n\nimpl Square {{\n{}{}{}}}\n",
        method("area"),
        method("border"),
        method("volume")
    );
    let chunks = chunks_of(&code, Language::Rust);
    let volume = chunks
        .iter()
        .find(|new| new.text.contains("fn volume"))
        .unwrap();
    assert!(
        volume
            .text
            .starts_with("shapes.x > Square\n\n    fn volume"),
        "{}",
        volume.text
    );
    assert!(volume.text.contains("side.sqrt()"), "{}", volume.text);
    assert_eq!(volume.metadata["heading"], "shapes.x > Square");
}

#[test]
fn every_language_has_a_grammar_that_works() {
    for (language, code, name) in [
        (Language::Rust, "mod a { fn b() { X } }", "a > b"),
        (
            Language::Python,
            "class A:\n    def b(self):\n        X\n",
            "A > b",
        ),
        (Language::JavaScript, "class A { b() { X } }", "A > b"),
        (
            Language::TypeScript,
            "class A { b(): number { X } }",
            "A > b",
        ),
        (Language::Tsx, "class A { b(): number { X } }", "A > b"),
        (Language::Go, "package a\nfunc b() { X }", "b"),
        (Language::Java, "class A { void b() { X } }", "A > b"),
        (Language::C, "int b(int c) { X }", "b"),
        (Language::Cpp, "namespace a { int b(int c) { X } }", "a > b"),
    ] {
        let long = (0..40).map(|n| format!("call({n}); ")).collect::<String>();
        let chunks = chunks_of(&code.replace('X', &long), language);
        let last = chunks
            .iter()
            .rfind(|new| new.text.contains("call(30)"))
            .unwrap();
        assert_eq!(
            last.metadata["heading"],
            format!("shapes.x > {name}"),
            "{language:?}"
        );
    }
}

#[test]
fn a_piece_under_headings_of_the_one_before_says_so() {
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    let mut cutter = Cutter::new("/x", &SETTINGS, &LIMITS, tokens);
    let mut script = Script::default();
    script.prose("Text.");
    script.heading(2, "Next");
    let above = vec![(1, "One".to_owned()), (2, "Old".to_owned())];
    let piece = script.piece("pdf", "Book").below(above.clone());
    let new = cutter.cut(piece).remove(0);
    assert_eq!(new.text, "Book > One > Old\n\nText.\n\n## Next");
    let mut script = Script::default();
    script.heading(2, "Next");
    let new = cutter
        .cut(script.piece("pdf", "Book").below(above))
        .remove(0);
    assert_eq!(new.metadata["heading"], "Book > One > Next");
    assert_eq!(
        (new.text.as_str(), new.position),
        ("Book > One\n\n## Next", Some(1))
    );
}
