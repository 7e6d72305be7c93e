//! Ready configuration for the programs that use the memory. It names the variable that holds a
//! token, and never a token.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use crate::secrets::TokenKind;

/// How this memory is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The program `hirag`.
    pub program: PathBuf,
    /// The settings file, where it is not in its usual place.
    pub config_file: Option<PathBuf>,
    /// The folder of the memory, where it is not in its usual place.
    pub data_dir: Option<PathBuf>,
    /// Where its server listens, without a path.
    pub server: String,
}

/// The configuration for one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct McpClient {
    /// Its name on the command line, e.g. `claude-desktop`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Where the text goes: a file, or the terminal.
    pub place: String,
    /// What the text is.
    pub form: McpForm,
    /// The text.
    pub text: String,
}

/// What a configuration is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum McpForm {
    /// JSON, to be put into what the file has already.
    Json,
    /// TOML, to be added to the file.
    Toml,
    /// A command line.
    Command,
}

/// The name of the memory in every configuration.
const NAME: &str = "hirag";

/// A program: its name, its title, where its configuration goes, and how that is made.
type Recipe = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Reach) -> (McpForm, String),
);

const RECIPES: &[Recipe] = &[
    (
        "claude-desktop",
        "Claude Desktop",
        "claude_desktop_config.json (Settings, Developer, Edit Config)",
        |reach| json_of(json!({ "mcpServers": { NAME: start(reach) } })),
    ),
    ("claude-code", "Claude Code", "the terminal", |reach| {
        command(
            &["claude", "mcp", "add", "--scope", "user", NAME, "--"],
            reach,
        )
    }),
    ("cursor", "Cursor", "~/.cursor/mcp.json", |reach| {
        json_of(json!({ "mcpServers": { NAME: start(reach) } }))
    }),
    (
        "vscode",
        "VS Code",
        ".vscode/mcp.json in the workspace, or the user's mcp.json",
        |reach| {
            let mut server = start(reach);
            server["type"] = "stdio".into();
            json_of(json!({ "servers": { NAME: server } }))
        },
    ),
    (
        "windsurf",
        "Windsurf",
        "~/.codeium/windsurf/mcp_config.json",
        |reach| json_of(json!({ "mcpServers": { NAME: start(reach) } })),
    ),
    ("zed", "Zed", "Zed's settings.json", |reach| {
        json_of(json!({ "context_servers": { NAME: start(reach) } }))
    }),
    ("codex", "Codex CLI", "~/.codex/config.toml", |reach| {
        (McpForm::Toml, codex(reach))
    }),
    (
        "stdio",
        "Any program that starts a server",
        "where the program takes a command",
        |reach| command(&[], reach),
    ),
    (
        "http",
        "Any program that connects over HTTP",
        "where the program takes an address",
        |reach| json_of(json!({ "mcpServers": { NAME: address(reach) } })),
    ),
];

/// The names of the programs.
pub fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, ..)| *name)
}

/// The configurations for all programs.
#[must_use]
pub fn all(reach: &Reach) -> Vec<McpClient> {
    let made = RECIPES.iter().map(|(name, title, place, make)| {
        let (form, text) = make(reach);
        McpClient {
            name: (*name).to_owned(),
            title: (*title).to_owned(),
            place: (*place).to_owned(),
            form,
            text,
        }
    });
    made.collect()
}

/// The program `hirag`: this one, or the one beside it; by its name alone where neither is.
#[must_use]
pub fn program() -> PathBuf {
    let name = format!("hirag{}", std::env::consts::EXE_SUFFIX);
    let this = std::env::current_exe().ok();
    let beside = this.and_then(|this| Some(this.parent()?.join(&name)));
    beside.filter(|path| path.is_file()).unwrap_or(name.into())
}

fn arguments(reach: &Reach) -> Vec<String> {
    let mut arguments = vec!["mcp".to_owned()];
    let mut add = |option: &str, path: &Option<PathBuf>| {
        if let Some(path) = path {
            arguments.extend([option.to_owned(), told(path)]);
        }
    };
    add("--config", &reach.config_file);
    add("--data-dir", &reach.data_dir);
    arguments
}

fn told(path: &Path) -> String {
    path.display().to_string()
}

fn start(reach: &Reach) -> Value {
    json!({ "command": told(&reach.program), "args": arguments(reach) })
}

fn address(reach: &Reach) -> Value {
    let variable = TokenKind::Server.variable();
    json!({
        "type": "http",
        "url": format!("{}/mcp", reach.server),
        "headers": { "Authorization": format!("Bearer ${{{variable}}}") },
    })
}

fn json_of(value: Value) -> (McpForm, String) {
    (McpForm::Json, format!("{value:#}"))
}

fn command(begin: &[&str], reach: &Reach) -> (McpForm, String) {
    let program = told(&reach.program);
    let arguments = arguments(reach);
    let words = begin.iter().copied();
    let words = words.chain([program.as_str()]);
    let words = words.chain(arguments.iter().map(String::as_str));
    let words: Vec<String> = words.map(quoted).collect();
    (McpForm::Command, words.join(" "))
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=\\".contains(c);
    if !word.is_empty() && word.chars().all(plain) && (cfg!(windows) || !word.contains('\\')) {
        return word.to_owned();
    }
    match cfg!(windows) {
        true => format!("\"{word}\""),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn codex(reach: &Reach) -> String {
    let document = json!({ "mcp_servers": { NAME: start(reach) } });
    toml::to_string(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach() -> Reach {
        Reach {
            program: "/opt/my tools/hirag".into(),
            config_file: None,
            data_dir: Some("/data/it's".into()),
            server: "http://127.0.0.1:8080".to_owned(),
        }
    }

    fn of(name: &str) -> McpClient {
        let all = all(&reach()).into_iter();
        let mut named = all.filter(|client| client.name == name);
        named.next().unwrap()
    }

    #[test]
    fn every_program_is_told_how_to_start_the_memory_in_its_place() {
        for client in all(&reach()) {
            assert!(!client.text.is_empty(), "{}", client.name);
            if client.name != "http" {
                assert!(
                    client.text.contains("/opt/my tools/hirag"),
                    "{}",
                    client.text
                );
                assert!(client.text.contains("--data-dir"), "{}", client.text);
            }
            match client.form {
                McpForm::Json => drop(serde_json::from_str::<Value>(&client.text).unwrap()),
                McpForm::Toml => drop(client.text.parse::<toml::Table>().unwrap()),
                McpForm::Command => {}
            }
        }
        assert_eq!(names().count(), all(&reach()).len());
    }

    #[test]
    fn a_shell_reads_the_words_as_they_are() {
        if cfg!(unix) {
            assert_eq!(
                of("stdio").text,
                r"'/opt/my tools/hirag' mcp --data-dir '/data/it'\''s'"
            );
        }
    }

    #[test]
    fn over_http_a_variable_is_named_and_no_token() {
        let text = of("http").text;
        assert!(text.contains("${HIRAG_SERVER_TOKEN}"), "{text}");
        assert!(text.contains("http://127.0.0.1:8080/mcp"), "{text}");
    }

    #[test]
    fn usual_places_are_not_named() {
        let usual = Reach {
            program: "hirag".into(),
            data_dir: None,
            ..reach()
        };
        let all = all(&usual).into_iter();
        let mut stdio = all.filter(|client| client.name == "stdio");
        assert_eq!(stdio.next().unwrap().text, "hirag mcp");
    }
}
