//! Source code to chunks, by its syntax.

use std::ops::Range;

use text_splitter::{ChunkConfig, CodeSplitter, TextSplitter};
use tree_sitter::{Node, Parser, Tree};

use super::chunks::Chunk;
use super::names::clip;
use super::outline::line_start;
use super::units::Sizer;

/// Bytes that are parsed at once; the splitter's time grows faster than its text. More is cut
/// between blank lines before.
const PARSED_BYTES: usize = 256 * 1024;
/// How deep in each other the items are that are looked at.
const MAX_DEPTH: usize = 1_000;
/// Characters of a name in a path.
const NAME_CHARS: usize = 80;

/// A programming language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Language {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    Tsx,
    Go,
    Java,
    C,
    Cpp,
    /// One without a grammar here, by its name.
    Other(&'static str),
}

impl Language {
    /// Its name, as metadata has it.
    pub(in crate::import) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::TypeScript | Self::Tsx => "typescript",
            Self::Go => "go",
            Self::Java => "java",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Other(name) => name,
        }
    }

    fn grammar(self) -> Option<tree_sitter::Language> {
        Some(match self {
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::C => tree_sitter_c::LANGUAGE.into(),
            Self::Cpp => tree_sitter_cpp::LANGUAGE.into(),
            Self::Other(_) => return None,
        })
    }
}

/// Chunks of at most `most` tokens. Each knows the items that it stands in, outermost first.
pub(super) fn chunks(text: &str, language: Language, most: usize, sizer: Sizer) -> Vec<Chunk> {
    let config = || ChunkConfig::new(most).with_sizer(sizer).with_trim(false);
    let grammar = language.grammar();
    let by_syntax = grammar
        .as_ref()
        .and_then(|grammar| CodeSplitter::new(grammar.clone(), config()).ok());
    let by_lines = TextSplitter::new(config());
    let mut chunks = Vec::new();
    for part in parts(text) {
        let code = &text[part.clone()];
        let mut starts: Vec<usize> = match &by_syntax {
            Some(splitter) => splitter.chunk_indices(code).map(|(at, _)| at).collect(),
            None => by_lines.chunk_indices(code).map(|(at, _)| at).collect(),
        };
        // Untrimmed, the chunks cover the text.
        for at in &mut starts {
            // The indentation belongs to the code behind it.
            let line = line_start(code, *at);
            if code[line..*at].trim().is_empty() {
                *at = line;
            }
        }
        starts.dedup();
        starts.retain(|&at| at > 0 && at < code.len());
        starts.insert(0, 0);
        starts.push(code.len());
        let tree = grammar.as_ref().and_then(|grammar| parse(grammar, code));
        for ends in starts.windows(2) {
            let above = match &tree {
                Some(tree) => enclosing(tree, code, ends[0]..ends[1]),
                None => Vec::new(),
            };
            chunks.push(Chunk {
                range: part.start + ends[0]..part.start + ends[1],
                overlap: 0,
                path: above.clone(),
                above,
            });
        }
    }
    chunks
}

/// The text in parts of at most [`PARSED_BYTES`], cut between lines, at best blank ones.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while text.len() - start > PARSED_BYTES {
        let most = text.floor_char_boundary(start + PARSED_BYTES);
        let late = |at: &usize| *at > PARSED_BYTES / 2;
        let part = &text[start..most];
        let end = part
            .rfind("\n\n")
            .filter(late)
            .map(|at| at + 2)
            .or_else(|| part.rfind('\n').map(|at| at + 1))
            .unwrap_or(part.len());
        parts.push(start..start + end);
        start += end;
    }
    parts.push(start..text.len());
    parts
}

fn parse(grammar: &tree_sitter::Language, code: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(grammar).ok()?;
    parser.parse(code, None)
}

/// The names of the items around a chunk that begin before it.
fn enclosing(tree: &Tree, code: &str, range: Range<usize>) -> Vec<String> {
    let own = &code[range.clone()];
    let first = range.start + (own.len() - own.trim_start().len());
    let mut names = Vec::new();
    // Down from the root once: a way up begins at the root again at every step.
    let mut at = tree.walk();
    for _ in 0..MAX_DEPTH {
        if at.node().start_byte() < range.start
            && let Some(name) = name(at.node(), code)
        {
            names.push(name);
        }
        if at.goto_first_child_for_byte(first).is_none() || at.node().start_byte() > first {
            break;
        }
    }
    names
}

/// What an item is called, if it is one that others stand in.
fn name(node: Node<'_>, code: &str) -> Option<String> {
    const ITEMS: [&str; 10] = [
        "function",
        "method",
        "class",
        "impl",
        "mod",
        "interface",
        "struct",
        "trait",
        "namespace",
        "enum",
    ];
    let kind = node.kind();
    if !ITEMS.iter().any(|item| kind.starts_with(item)) {
        return None;
    }
    let mut name = ["name", "declarator", "type"]
        .iter()
        .find_map(|field| node.child_by_field_name(field))?;
    // A declarator of C has the name in itself, beside the arguments.
    while let Some(inner) = name.child_by_field_name("declarator") {
        name = inner;
    }
    let name = clip(code.get(name.byte_range())?, NAME_CHARS);
    (!name.is_empty()).then_some(name)
}
