//! `hirag mcp`: the memory for an agent, and how programs are told of it.

use std::fmt::Write;

use hirag::config::Config;

use super::DONE;
use super::args::McpCommand;
use super::output::{Output, Style};
use super::places::Places;
use crate::commands::Result;
use crate::commands::studio::{McpConfig, config_for};
use crate::mcp;

pub(super) async fn run(
    command: Option<McpCommand>,
    config: &Config,
    places: Places,
    output: Output,
) -> Result<u8> {
    match command {
        None => {
            mcp::serve(places.config_file, places.data_dir, asked_to_end()).await?;
        }
        Some(McpCommand::Install { client }) => {
            let mut told = config_for(&places.config_file, &places.data_dir, &config.server).await;
            if let Some(name) = client {
                told.clients.retain(|client| client.name == name);
            }
            output.answer(&told, render)?;
        }
    }
    Ok(DONE)
}

/// Returns when the system asks this process to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut end) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = end.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask; the end of standard input is left.
        std::future::pending::<()>().await;
    }
}

fn render(config: &McpConfig, style: Style) -> String {
    let mut out = String::new();
    for client in &config.clients {
        let _ = writeln!(
            out,
            "{}\n{}\n\n{}\n",
            style.bold(&client.title),
            style.dim(&format!("into {}", client.place)),
            client.text.trim_end()
        );
    }
    let _ = writeln!(
        out,
        "Over HTTP the token stands in the variable {}; `hirag token status server` tells whether \
         there is one.",
        config.token_variable
    );
    if !config.listens {
        let _ = writeln!(out, "No server listens now; `hirag mcp` needs none.");
    }
    out
}
