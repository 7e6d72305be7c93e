//! What files hold, and how that is told by their names.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::cutting::Language;

/// What the paths of an import hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Each file by its name, and where that does not tell, by its content; folders with a
    /// `corpus.jsonl` are BEIR sets.
    #[default]
    Auto,
    /// Notes in Markdown (or plain text, for `.txt`).
    Markdown,
    /// Plain text.
    Text,
    /// Source code.
    Code,
    /// Web pages.
    Html,
    /// PDF.
    Pdf,
    /// Documents of Word and other programs, as DOCX.
    Docx,
    /// Books as EPUB.
    Epub,
    /// Tables with one row a context.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// The `corpus.jsonl` of a BEIR set.
    Beir,
    /// The export of ChatGPT: its archive, or `conversations.json`.
    Chatgpt,
    /// The export of Claude: its archive, or `conversations.json`.
    Claude,
    /// Memories of mem0, as JSON.
    Mem0,
    /// The `memory.jsonl` of the MCP memory server.
    McpMemory,
}

/// How one file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Markdown.
    Markdown,
    /// Plain text: paragraphs, and no marks.
    Text,
    /// Source code.
    Code,
    /// A web page.
    Html,
    /// PDF.
    Pdf,
    /// DOCX.
    Docx,
    /// EPUB.
    Epub,
    /// A table.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// The corpus of a BEIR set.
    Beir,
    /// Conversations of ChatGPT.
    Chatgpt,
    /// Conversations of Claude.
    Claude,
    /// Memories of mem0.
    Mem0,
    /// Entities and relations of the MCP memory server.
    McpMemory,
}

/// The formats with their names on the command line, in the order in which they are told.
const NAMES: [(&str, Format, Option<FileKind>); 15] = [
    ("auto", Format::Auto, None),
    ("markdown", Format::Markdown, Some(FileKind::Markdown)),
    ("text", Format::Text, Some(FileKind::Text)),
    ("code", Format::Code, Some(FileKind::Code)),
    ("html", Format::Html, Some(FileKind::Html)),
    ("pdf", Format::Pdf, Some(FileKind::Pdf)),
    ("docx", Format::Docx, Some(FileKind::Docx)),
    ("epub", Format::Epub, Some(FileKind::Epub)),
    ("csv", Format::Csv, Some(FileKind::Csv)),
    ("jsonl", Format::Jsonl, Some(FileKind::Jsonl)),
    ("beir", Format::Beir, Some(FileKind::Beir)),
    ("chatgpt", Format::Chatgpt, Some(FileKind::Chatgpt)),
    ("claude", Format::Claude, Some(FileKind::Claude)),
    ("mem0", Format::Mem0, Some(FileKind::Mem0)),
    ("mcp-memory", Format::McpMemory, Some(FileKind::McpMemory)),
];

impl Format {
    /// The names of all formats, as [`FromStr`] takes them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, ..)| *name)
    }

    /// The kind that every file is read as; `None` for [`Format::Auto`].
    pub(super) fn kind(self) -> Option<FileKind> {
        let known = NAMES.iter().find(|(_, format, _)| *format == self);
        known.and_then(|(.., kind)| *kind)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let wanted = match name.trim().to_lowercase().as_str() {
            "md" => "markdown".to_owned(),
            "txt" => "text".to_owned(),
            "ndjson" => "jsonl".to_owned(),
            other => other.replace('_', "-"),
        };
        let known = NAMES.iter().find(|(name, ..)| *name == wanted);
        known.map(|(_, format, _)| *format).ok_or_else(|| {
            let names: Vec<_> = Self::names().collect();
            format!("unknown format `{name}`; use one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = NAMES.iter().find(|(_, format, _)| format == self);
        f.pad(known.map_or("auto", |(name, ..)| name))
    }
}

impl FileKind {
    /// Whether a file of any size is read piece by piece; others are read whole, and limited.
    pub(crate) fn is_streamed(self) -> bool {
        matches!(
            self,
            Self::Csv
                | Self::Jsonl
                | Self::Beir
                | Self::Chatgpt
                | Self::Claude
                | Self::Mem0
                | Self::McpMemory
        )
    }
}

/// What the name of a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByName {
    Kind(FileKind),
    /// One of several: the content tells.
    Look,
    /// Nothing that is read.
    Unknown,
}

/// Text files that have no ending.
const TEXTS: [&str; 9] = [
    "readme",
    "license",
    "copying",
    "notice",
    "authors",
    "contributors",
    "changelog",
    "install",
    "todo",
];

/// What is at the path, by its name.
pub(super) fn by_name(path: &Path) -> ByName {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    let Some((_, ending)) = name.rsplit_once('.') else {
        return match name.as_str() {
            name if TEXTS.contains(&name) => ByName::Kind(FileKind::Text),
            _ if language(path).is_some() => ByName::Kind(FileKind::Code),
            _ => ByName::Look,
        };
    };
    ByName::Kind(match ending {
        "md" | "markdown" => FileKind::Markdown,
        "txt" | "text" | "rst" | "adoc" | "org" => FileKind::Text,
        "html" | "htm" | "xhtml" => FileKind::Html,
        "pdf" => FileKind::Pdf,
        "docx" => FileKind::Docx,
        "epub" => FileKind::Epub,
        "csv" | "tsv" => FileKind::Csv,
        "jsonl" | "ndjson" if name == super::discover::CORPUS => FileKind::Beir,
        "jsonl" | "ndjson" | "json" | "zip" => return ByName::Look,
        _ if language(path).is_some() => FileKind::Code,
        _ => return ByName::Unknown,
    })
}

/// The language of a file of code, by its name.
pub(super) fn language(path: &Path) -> Option<Language> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let Some((_, ending)) = name.rsplit_once('.') else {
        return Some(Language::Other(match name.as_str() {
            "makefile" | "gnumakefile" => "make",
            "dockerfile" | "containerfile" => "dockerfile",
            "justfile" => "just",
            "rakefile" | "gemfile" => "ruby",
            _ => return None,
        }));
    };
    Some(match ending {
        "rs" => Language::Rust,
        "py" | "pyi" => Language::Python,
        "js" | "mjs" | "cjs" | "jsx" => Language::JavaScript,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "tsx" => Language::Tsx,
        "go" => Language::Go,
        "java" => Language::Java,
        "c" | "h" => Language::C,
        "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "c++" => Language::Cpp,
        other => Language::Other(match other {
            "sh" | "bash" | "zsh" | "fish" => "shell",
            "ps1" => "powershell",
            "rb" => "ruby",
            "php" => "php",
            "cs" => "csharp",
            "swift" => "swift",
            "kt" | "kts" => "kotlin",
            "scala" => "scala",
            "lua" => "lua",
            "pl" | "pm" => "perl",
            "r" => "r",
            "jl" => "julia",
            "hs" => "haskell",
            "ml" | "mli" => "ocaml",
            "ex" | "exs" => "elixir",
            "erl" => "erlang",
            "clj" | "cljs" => "clojure",
            "dart" => "dart",
            "zig" => "zig",
            "nim" => "nim",
            "sql" => "sql",
            "proto" => "protobuf",
            "graphql" | "gql" => "graphql",
            "css" | "scss" | "less" => "css",
            "vue" => "vue",
            "svelte" => "svelte",
            "tf" => "terraform",
            "nix" => "nix",
            "yaml" | "yml" => "yaml",
            "toml" => "toml",
            "tex" => "latex",
            _ => return None,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_the_name_that_it_is_told_by() {
        for name in Format::names() {
            let format: Format = name.parse().unwrap();
            assert_eq!(format.to_string(), name);
            assert_eq!(format.kind().is_none(), format == Format::Auto);
        }
        assert_eq!("md".parse(), Ok(Format::Markdown));
        assert_eq!("MCP_memory".parse(), Ok(Format::McpMemory));
        let error = "word".parse::<Format>().unwrap_err();
        assert!(
            error.contains("`word`") && error.contains("docx"),
            "{error}"
        );
    }
}
