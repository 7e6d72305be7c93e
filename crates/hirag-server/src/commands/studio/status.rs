//! How everything is.

use std::path::Path;
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::manager::{ComponentHealth, Health, HealthState};
use hirag::resilience::BreakerState;
use serde::{Deserialize, Serialize};
use sysinfo::Disks;

use super::Nothing;
use crate::commands::{self, Result, StatsResponse};
use crate::studio::{Activity, StartupState, Studio};

/// Bytes below which a disk is nearly full.
const LITTLE_SPACE: u64 = 500_000_000;

/// How much of the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ActivityRequest {
    /// The latest so many.
    #[ts(type = "number")]
    pub limit: usize,
}

/// What happened in this run.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ActivityResponse {
    /// Newest first.
    pub items: Vec<Activity>,
}

/// How far the start has come; never waits.
///
/// # Errors
/// None.
pub async fn startup(studio: &Studio, _request: Nothing) -> Result<StartupState> {
    Ok(studio.startup())
}

/// Counts, sizes, rates and latencies.
///
/// # Errors
/// As [`commands::stats`].
pub async fn stats(studio: &Studio, _request: Nothing) -> Result<StatsResponse> {
    commands::stats(&studio.host().await?).await
}

/// What happened in this run.
///
/// # Errors
/// None.
pub async fn activity(studio: &Studio, request: ActivityRequest) -> Result<ActivityResponse> {
    let items = studio.activity().latest(request.limit);
    Ok(ActivityResponse { items })
}

/// Asks every component whether it works, keyring and disk too.
///
/// # Errors
/// [`commands::Error::NotOpen`].
pub async fn health(studio: &Studio, _request: Nothing) -> Result<Health> {
    let host = studio.host().await?;
    let mut health = commands::health(&host).await;
    health.components.extend(chat(host.manager()));
    let keyring = keyring(studio).await;
    let folder = studio.data_dir().to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        let (state, detail) = disk(&folder);
        component("disk", state, detail, begin.elapsed())
    });
    if let Ok(disk) = asked.await {
        let components = [keyring, disk];
        // Without a keyring everything works but the keeping of tokens.
        let worst = |state: HealthState, one: &ComponentHealth| match one.name.as_str() {
            "disk" if one.state as u8 > state as u8 => one.state,
            _ => state,
        };
        health.state = components.iter().fold(health.state, worst);
        health.components.extend(components);
    }
    Ok(health)
}

/// The same for who asks all the time, as a monitor does: at once, and ten seconds old at most.
///
/// # Errors
/// [`commands::Error::NotOpen`].
pub async fn recent_health(studio: &Studio, _request: Nothing) -> Result<Health> {
    studio.recent_health().await
}

fn component(name: &str, state: HealthState, detail: String, took: Duration) -> ComponentHealth {
    ComponentHealth {
        name: name.to_owned(),
        state,
        detail,
        latency_ms: took.as_secs_f64() * 1_000.0,
    }
}

/// Who words answers, as far as its breaker knows; passages take the place of answers meanwhile, so
/// that the rest is as well as it is.
fn chat(manager: &HiragManager) -> Option<ComponentHealth> {
    if !manager.config().chat.words_answers() {
        return None;
    }
    let begin = Instant::now();
    let (state, detail) = match manager.chat_breaker().state() {
        BreakerState::Closed => (HealthState::Healthy, "the breaker is closed"),
        BreakerState::HalfOpen => (HealthState::Degraded, "the breaker lets probes through"),
        BreakerState::Open => (
            HealthState::Degraded,
            "the breaker is open: answers are passages",
        ),
    };
    Some(component("chat", state, detail.to_owned(), begin.elapsed()))
}

/// Not waited for if it hangs: the rest of the health is to be seen.
async fn keyring(studio: &Studio) -> ComponentHealth {
    let (state, detail, took) = match studio.keyring().await {
        Some(answer) => match answer.outcome {
            Ok(()) => (HealthState::Healthy, "it answers".to_owned(), answer.took),
            Err(error) => (
                HealthState::Degraded,
                format!("{error}; tokens last for this run only"),
                answer.took,
            ),
        },
        None => (
            HealthState::Degraded,
            "it has not answered yet".to_owned(),
            Duration::ZERO,
        ),
    };
    component("keyring", state, detail, took)
}

/// The space on the disk that holds `folder`.
fn disk(folder: &Path) -> (HealthState, String) {
    let folder = folder.canonicalize().unwrap_or(folder.to_owned());
    let disks = Disks::new_with_refreshed_list();
    let holding = disks
        .iter()
        .flat_map(|disks| disks.iter())
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len());
    let Some(disk) = holding else {
        return (HealthState::Healthy, "its space is not known".to_owned());
    };
    let free = disk.available_space();
    let told = format!(
        "{:.1} GB free of {:.1} GB",
        free as f64 / 1e9,
        disk.total_space() as f64 / 1e9
    );
    if free < LITTLE_SPACE {
        let detail = format!("{told}; make room before more is stored");
        return (HealthState::Degraded, detail);
    }
    (HealthState::Healthy, told)
}
