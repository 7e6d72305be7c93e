//! `hirag serve`: the memory over HTTP, without a window.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::args::ServeArgs;
use super::output::{Output, Style};
use super::places::Places;
use super::{DONE, open};
use crate::commands::studio::{self as ask, Nothing};
use crate::commands::{Error, Result};
use crate::http::Instead;
use crate::secrets::{TokenKind, TokenSource};
use crate::studio::{Claims, Studio, StudioOptions};

/// Where it listens, and how to get in.
#[derive(Serialize)]
struct Serving {
    url: String,
    /// Opens the interface in a browser, once.
    link: String,
    token: TokenSource,
    /// The token, where nothing else could tell it: made for this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_for_this_run: Option<String>,
    remote: bool,
}

pub(super) async fn run(args: ServeArgs, places: &Places, output: Output) -> Result<u8> {
    // A thousand clients and the database are more than most systems allow at first. Where it
    // cannot be raised, later ones wait.
    open::raise_file_limit();
    let studio = Studio::start(StudioOptions {
        claims: Claims::Always,
        ..StudioOptions::at(places.config_file.clone(), places.data_dir.clone())
    });
    let outcome = serve(&studio, args, output).await;
    let closed = studio.shut_down().await;
    outcome?;
    closed?;
    Ok(DONE)
}

/// Whoever looks at a terminal for longer than this wants to know what it waits for.
const SLOW: Duration = Duration::from_secs(3);

async fn serve(studio: &Studio, args: ServeArgs, output: Output) -> Result<()> {
    // Before anything is promised: a signal from here on is heard.
    let mut end = Signals::listen()?;
    let ready = async {
        studio.host().await?;
        studio
            .open_door_at(Instead {
                host: args.host,
                port: args.port,
                always: true,
            })
            .await
    };
    let slow = async {
        tokio::time::sleep(SLOW).await;
        output.note("Still waiting for the memory to open, or for the keyring to answer.");
        std::future::pending::<()>().await;
    };
    let url = tokio::select! {
        url = ready => url?,
        () = slow => return Ok(()),
        () = end.heard() => return Ok(()),
    };
    let status = studio.server_status();
    let source = status.token.unwrap_or(TokenSource::ThisRun);
    let for_this_run = match source {
        TokenSource::ThisRun => studio.secrets().at_hand(TokenKind::Server),
        _ => None,
    };
    let serving = Serving {
        link: ask::server_link(studio, Nothing {}).await?.url,
        url,
        token: source,
        token_for_this_run: for_this_run.map(|token| token.expose_secret().to_owned()),
        remote: status.remote,
    };
    if let Some(why) = studio.host().await?.manager().only_reads_because() {
        output.note(match why.code() {
            "store_locked" => {
                "Another process writes this memory: until it has ended, this server only reads."
            }
            _ => "The folder of this memory can only be read, and so can the memory.",
        });
    }
    output.answer(&serving, render)?;
    end.heard().await;
    output.note("Finishing what was begun.");
    Ok(())
}

fn render(serving: &Serving, style: Style) -> String {
    let mut lines = vec![
        format!("Listening on {}", style.bold(&serving.url)),
        format!("In a browser: {} (once, within five minutes)", serving.link),
    ];
    lines.push(match (&serving.token_for_this_run, serving.token) {
        (Some(token), _) => format!(
            "No keyring runs here. Token for this run: {token}\n{} gives a lasting one.",
            TokenKind::Server.variable()
        ),
        (None, TokenSource::Environment) => {
            format!("Token: as {} says", TokenKind::Server.variable())
        }
        (None, _) => "Token: in the keyring (`hirag token status server`)".to_owned(),
    });
    if serving.remote {
        lines.push("Every machine that reaches this address can try tokens here.".to_owned());
    }
    lines.push("Ctrl-C ends it.".to_owned());
    lines.join("\n")
}

/// What asks a program to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// The terminal has gone; nothing where that is to be ignored.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn listen() -> Result<Self> {
        #[cfg(unix)]
        use {
            crate::hang_up,
            tokio::signal::unix::{SignalKind, signal},
        };

        Ok(Self {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).map_err(Error::Output)?,
            #[cfg(unix)]
            hang_up: hang_up::listen(),
        })
    }

    async fn heard(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
            () = crate::hang_up::heard(&mut self.hang_up) => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
