//! `hirag token`: the same entries of the keyring that the window uses.

use std::io::{IsTerminal, Read};

use secrecy::SecretString;

use super::args::TokenCommand;
use super::output::{Output, Style};
use super::places::Places;
use super::{DONE, open, telling};
use crate::commands::Result;
use crate::running;
use crate::secrets::{
    Keep, KeyringState, MAX_TOKEN_BYTES, Secrets, TokenKind, TokenSource, TokenStatus,
};

pub(super) async fn run(command: TokenCommand, places: &Places, output: Output) -> Result<u8> {
    let changed = match &command {
        TokenCommand::Set { kind } | TokenCommand::Clear { kind } => Some(*kind),
        TokenCommand::Status { .. } => None,
    };
    let server = match changed {
        Some(_) => running::find(&places.data_dir).await,
        None => None,
    };
    let secrets = open::secrets();
    let serves = server.is_some();
    let work = move || -> Result<(Vec<TokenStatus>, Vec<SecretString>)> {
        // What a server lets in is of no use here where none runs, and no keyring is opened for it.
        let key = || serves.then(|| secrets.get(TokenKind::Server)).flatten();
        let before = key();
        let told = change(&secrets, command)?;
        let keys = [before, key()].into_iter().flatten();
        Ok((told, keys.map(|(key, _)| key).collect()))
    };
    let (told, keys) = tokio::task::spawn_blocking(work).await??;
    match told.as_slice() {
        [one] => output.answer(one, render)?,
        all => output.answer(&all, |all, style| {
            let lines: Vec<String> = all.iter().map(|one| render(one, style)).collect();
            lines.join("\n")
        })?,
    }
    if let (Some(server), Some(kind)) = (server, changed) {
        telling::tell(&server, kind, keys, output).await;
    }
    Ok(DONE)
}

/// Does what was asked for, and tells how the tokens are then.
fn change(secrets: &Secrets, command: TokenCommand) -> Result<Vec<TokenStatus>> {
    Ok(match command {
        TokenCommand::Set { kind } => {
            secrets.set(kind, read(kind)?, Keep::Keyring)?;
            vec![secrets.status(kind)]
        }
        TokenCommand::Clear { kind } => {
            secrets.clear(kind)?;
            vec![secrets.status(kind)]
        }
        TokenCommand::Status { kind: Some(kind) } => vec![secrets.status(kind)],
        TokenCommand::Status { kind: None } => {
            let all = [TokenKind::Embedding, TokenKind::Chat, TokenKind::Server];
            all.map(|kind| secrets.status(kind)).into()
        }
    })
}

/// Asks at the terminal without showing what is typed, or reads standard input; the end of its
/// last line is no part of the token.
pub(super) fn read(kind: TokenKind) -> Result<SecretString> {
    let mut typed = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Token of the {} endpoint: ", kind.as_str()))?
    } else {
        let mut text = String::new();
        // More than this is refused anyway, however much there is.
        let most = MAX_TOKEN_BYTES as u64 + 3;
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_string(&mut text)?;
        text
    };
    for end in ['\n', '\r'] {
        if typed.ends_with(end) {
            typed.pop();
        }
    }
    Ok(SecretString::from(typed))
}

fn render(status: &TokenStatus, style: Style) -> String {
    let kind = style.bold(status.kind.as_str());
    let ends = match &status.last_four {
        Some(end) => format!(", ends with {end}"),
        None => String::new(),
    };
    let mut line = match status.source {
        Some(TokenSource::Keyring) => format!("{kind}: kept in the keyring{ends}"),
        Some(TokenSource::Environment) => {
            format!("{kind}: from {}{ends}", status.kind.variable())
        }
        Some(TokenSource::ThisRun) => format!("{kind}: for this run{ends}"),
        None => format!("{kind}: none"),
    };
    if status.keyring == KeyringState::Absent {
        let why = status
            .why_absent
            .as_deref()
            .unwrap_or("no keyring runs here");
        line += &format!(
            "\n  {why}; {} gives the token instead",
            status.kind.variable()
        );
    }
    line
}
