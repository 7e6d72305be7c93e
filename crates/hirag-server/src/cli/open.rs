//! Settings, log and memory of one run.

use std::io::IsTerminal;

use hirag::HiragManager;
use hirag::config::{Config, LogFormat, LogLevel, LoggingSettings, ProviderKind, environment};
use hirag::manager::{OpenOptions, StoreAccess};
use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::args::Global;
use super::places::Places;
use crate::commands::{Host, Result};
use crate::profile::Recorder;
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

/// Sends the log to standard error, and what is told of the work to who listens.
pub(super) fn start_logging(
    settings: &LoggingSettings,
    global: &Global,
    listens: Option<Recorder>,
) {
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
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match settings.format {
        LogFormat::Json => log.json().boxed(),
        LogFormat::Text => log
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .boxed(),
    };
    // The program's own spans, and not those of others, in which anything may stand.
    let own = Targets::new()
        .with_target("hirag", LevelFilter::TRACE)
        .with_target("hirag_server", LevelFilter::TRACE);
    // A second run in one process keeps the first one's log.
    let _ = tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(listens.map(|recorder| recorder.with_filter(own)))
        .try_init();
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
