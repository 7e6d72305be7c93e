//! How other programs use the memory.

use serde::Serialize;

use super::Nothing;
use crate::commands::Result;
use crate::mcp::clients::{self, McpClient, Reach};
use crate::running;
use crate::studio::{Studio, places};

/// Ready configuration for the programs that speak the Model Context Protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct McpConfig {
    /// One entry a program.
    pub clients: Vec<McpClient>,
    /// The environment variable that holds the token over HTTP.
    pub token_variable: String,
    /// Where the server listens, or would.
    pub server: String,
    /// Whether it listens now.
    pub listens: bool,
}

/// Configuration for the programs that use the memory; there is no secret in it.
///
/// # Errors
/// None.
pub async fn mcp_config(studio: &Studio, _request: Nothing) -> Result<McpConfig> {
    Ok(config_for(
        studio.settings_file().path(),
        studio.data_dir(),
        &studio.config().server,
    )
    .await)
}

/// The same for a memory that need not be open.
pub async fn config_for(
    config_file: &std::path::Path,
    data_dir: &std::path::Path,
    settings: &hirag::config::ServerSettings,
) -> McpConfig {
    let usual = places(None, None).ok();
    let unusual = |path: &std::path::Path, usual: Option<&std::path::PathBuf>| {
        let is_usual = usual.is_some_and(|usual| usual == path);
        (!is_usual).then(|| std::path::absolute(path).unwrap_or(path.to_owned()))
    };
    let running = running::find(data_dir).await;
    let listens = running.is_some();
    let server = running.map_or_else(
        || {
            let host = match settings.host.parse::<std::net::IpAddr>() {
                Ok(std::net::IpAddr::V6(address)) => format!("[{address}]"),
                _ => settings.host.clone(),
            };
            format!("http://{host}:{}", settings.port)
        },
        |running| running.url,
    );
    let reach = Reach {
        program: clients::program(),
        config_file: unusual(config_file, usual.as_ref().map(|(config, _)| config)),
        data_dir: unusual(data_dir, usual.as_ref().map(|(_, data)| data)),
        server: server.clone(),
    };
    McpConfig {
        clients: clients::all(&reach),
        token_variable: crate::secrets::TokenKind::Server.variable().to_owned(),
        server,
        listens,
    }
}
