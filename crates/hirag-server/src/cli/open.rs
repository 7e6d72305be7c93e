//! Settings, log and memory of one run.

use std::io::IsTerminal;

use hirag::HiragManager;
use hirag::config::{Config, LogFormat, LogLevel, LoggingSettings, ProviderKind, environment};
use hirag::manager::{OpenOptions, StoreAccess};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use super::args::Global;
use super::places::Places;
use crate::commands::{Host, Result};
use crate::secrets::{Secrets, TokenKind, system_vault};

/// Reads the settings.
pub(super) fn load(places: &Places) -> Result<Config> {
    let config = if places.config_named {
        Config::load(Some(&places.config_file), environment())
    } else {
        Config::load_if_there(&places.config_file, environment())
    };
    Ok(config?)
}

/// Sends the log to standard error.
pub(super) fn start_logging(settings: &LoggingSettings, global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LogLevel::Error,
        (_, 0) => settings.level,
        (_, 1) => LogLevel::Debug,
        (_, _) => LogLevel::Trace,
    };
    // Other crates' faults are told, their chatter is not.
    let others = if level == LogLevel::Off {
        "off"
    } else {
        "error"
    };
    let level = level.as_str();
    let filter = EnvFilter::new(format!("{others},hirag={level},hirag_server={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second run in one process keeps the first one's log.
    let _ = match settings.format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .try_init(),
    };
}

/// Opens the memory.
pub(super) async fn open(config: Config, places: &Places, access: StoreAccess) -> Result<Host> {
    let mut options = OpenOptions::new(config, &places.data_dir);
    options.access = access;
    options.token = embedding_token(&options.config).await;
    let manager = HiragManager::open(options).await?;
    Ok(Host::new(manager, places.config_file.clone()))
}

/// The tokens of this machine and this run.
pub(super) fn secrets() -> Secrets {
    Secrets::new(system_vault(), environment())
}

/// The token of the embedding endpoint; no keyring is unlocked for a model on this machine.
async fn embedding_token(config: &Config) -> Option<SecretString> {
    if config.embedding.provider != ProviderKind::Http {
        return None;
    }
    let found = tokio::task::spawn_blocking(|| secrets().get(TokenKind::Embedding));
    let (token, _) = found.await.ok().flatten()?;
    Some(token)
}

/// Lets the program have as many open files, and so connections, as the system gives it.
pub(super) fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit of open files stays");
    }
}
