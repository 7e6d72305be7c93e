//! How much, how fast, how well, and by which settings.

use std::path::Path;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::manager::{
    ComponentHealth, DATABASE_FILE, EmbeddingProgress, Health, HealthState, Stats,
};
use hirag::store::sqlite::Finding;
use serde::Serialize;

use super::{Error, Host, Result};

/// Everything that is counted, and where it is kept.
#[derive(Debug, Clone, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct StatsResponse {
    /// Counts, sizes, latencies.
    #[serde(flatten)]
    pub stats: Stats,
    /// The database's file.
    pub database_file: String,
    /// Where the settings file is, or would be.
    pub config_file: String,
}

/// What the doctor found and did.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Doctor {
    /// Whether everything agrees.
    pub ok: bool,
    /// One entry a check.
    pub findings: Vec<Finding>,
    /// The components, as they are after the repairs.
    pub health: Health,
    /// Contexts that got the vector they waited for.
    #[ts(type = "number")]
    pub embedded: u64,
    /// Whether free space was given back to the disk.
    pub optimised: bool,
    /// Whether this process could repair at all; if not, another one writes or the disk forbids it.
    pub writable: bool,
    /// The database's file.
    pub database_file: String,
    /// Where the settings file is, or would be.
    pub config_file: String,
}

/// The settings in force.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Settings {
    /// Where the settings file is, or would be.
    pub config_file: String,
    /// Whether it is there.
    pub config_file_exists: bool,
    /// The folder of the database and the cache.
    pub data_dir: String,
    /// Every setting. Secrets are none of them.
    pub settings: Config,
}

/// Counts, sizes, rates and latencies.
///
/// # Errors
/// As [`hirag::HiragManager::stats`].
pub async fn stats(host: &Host) -> Result<StatsResponse> {
    Ok(StatsResponse {
        stats: host.manager().stats().await?,
        database_file: host.database().display().to_string(),
        config_file: host.config_file().display().to_string(),
    })
}

/// Asks every component whether it works.
pub async fn health(host: &Host) -> Health {
    host.manager().health().await
}

/// Checks that everything agrees, embeds what waits where the provider works, and gives free space
/// back. A database that does not agree is left as it is.
///
/// # Errors
/// The store's, when the checks cannot be made or the disk refuses the tidying.
pub async fn doctor(host: &Host, progress: impl FnMut(EmbeddingProgress) + Send) -> Result<Doctor> {
    let manager = host.manager();
    let inspection = manager.inspect().await?;
    let writable = manager.is_writable();
    let repair = writable && inspection.is_ok();
    let embedded = match repair {
        true => super::catch_up(host, progress).await,
        false => 0,
    };
    if repair {
        manager.optimise().await?;
    }
    // Files that are whole may still hold no model; the health then says so.
    let _ = manager.load_model().await;
    let health = manager.health().await;
    Ok(Doctor {
        ok: inspection.is_ok() && health.state != HealthState::Unhealthy,
        findings: inspection.findings,
        health,
        embedded,
        optimised: repair,
        writable,
        database_file: host.database().display().to_string(),
        config_file: host.config_file().display().to_string(),
    })
}

/// The same for a memory that cannot be opened, because its database is damaged: how far that goes.
///
/// # Errors
/// The store's, when the checks cannot be made.
pub async fn doctor_of_closed(
    config: &Config,
    config_file: &Path,
    data_dir: &Path,
    why: &Error,
) -> Result<Doctor> {
    let inspection = HiragManager::inspect_closed(config, data_dir).await?;
    let database = ComponentHealth {
        name: "store".to_owned(),
        state: HealthState::Unhealthy,
        detail: why.to_string(),
        latency_ms: 0.0,
    };
    Ok(Doctor {
        ok: false,
        findings: inspection.findings,
        health: Health {
            state: HealthState::Unhealthy,
            components: vec![database],
        },
        embedded: 0,
        optimised: false,
        writable: false,
        database_file: data_dir.join(DATABASE_FILE).display().to_string(),
        config_file: config_file.display().to_string(),
    })
}

/// The settings in force, for a memory that need not be open.
#[must_use]
pub fn settings(settings: Config, config_file: &Path, data_dir: &Path) -> Settings {
    Settings {
        config_file: config_file.display().to_string(),
        config_file_exists: config_file.is_file(),
        data_dir: data_dir.display().to_string(),
        settings,
    }
}
