//! Breaker, limiter, queue, and drills.

use std::time::Duration;

use hirag::config::Config;
use hirag::embedding::{Drill, DrillFault};
use hirag::resilience::{
    BreakerSnapshot, CircuitBreakerSettings, ClientSnapshot, LimiterSnapshot, RateLimitSettings,
};
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::commands::{Error, Result};
use crate::studio::{Studio, StudioEvent};

/// Clients that are listed.
const CLIENTS: usize = 100;
/// Seconds that a drill may last.
const DRILL_SECONDS: std::ops::RangeInclusive<u64> = 5..=300;

/// The settings to go back to.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ResilienceDefaults {
    /// Of the breaker.
    pub breaker: CircuitBreakerSettings,
    /// Of the limiter.
    pub limiter: RateLimitSettings,
}

/// What stands between the memory and the endpoint that words answers.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ChatResilience {
    /// The breaker.
    pub breaker: BreakerSnapshot,
    /// The settings `[chat.circuit_breaker]` in force.
    pub settings: CircuitBreakerSettings,
    /// The limiter.
    pub limiter: LimiterSnapshot,
}

/// Whose breaker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum BreakerOf {
    /// That of the provider of vectors.
    #[default]
    Embedding,
    /// That of the endpoint that words answers.
    Chat,
}

/// A breaker to close.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerReset {
    /// Which.
    #[ts(as = "Option<BreakerOf>", optional)]
    pub of: BreakerOf,
}

/// What stands between the memory and its provider.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Resilience {
    /// The breaker.
    pub breaker: BreakerSnapshot,
    /// The same before the endpoint that words answers; `None` where nobody does.
    pub chat: Option<ChatResilience>,
    /// The limiter.
    pub limiter: LimiterSnapshot,
    /// Its clients with the most requests, a hundred at most.
    pub clients: Vec<ClientSnapshot>,
    /// Contexts that wait for their vector.
    #[ts(type = "number")]
    pub pending: u64,
    /// Whether the queue rests.
    pub paused: bool,
    /// The drill that is under way.
    pub drill: Option<Drill>,
    /// The settings `[circuit_breaker]` in force.
    pub breaker_settings: CircuitBreakerSettings,
    /// The settings `[rate_limit]` in force.
    pub limiter_settings: RateLimitSettings,
    /// Their defaults.
    pub defaults: ResilienceDefaults,
}

/// A drill to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct DrillStart {
    /// What the provider seems to do.
    pub fault: DrillFault,
    /// For how many seconds, 5 to 300.
    #[ts(type = "number")]
    pub seconds: u64,
}

/// Whether the queue is to rest, or rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// It is.
    pub paused: bool,
}

/// How everything stands between the memory and its provider.
///
/// # Errors
/// As [`hirag::HiragManager::stats`].
pub async fn resilience(studio: &Studio, _request: Nothing) -> Result<Resilience> {
    let host = studio.host().await?;
    let manager = host.manager();
    let config = manager.config();
    let defaults = Config::default();
    let words = config.chat.words_answers();
    Ok(Resilience {
        breaker: manager.circuit_breaker().snapshot(),
        chat: words.then(|| ChatResilience {
            breaker: manager.chat_breaker().snapshot(),
            settings: config.chat.circuit_breaker.clone(),
            limiter: manager.chat_limiter().snapshot(),
        }),
        limiter: manager.rate_limiter().snapshot(),
        clients: manager.rate_limiter().clients(CLIENTS),
        pending: manager.pending().await?,
        paused: manager.is_embedding_paused(),
        drill: manager.drills().current(),
        breaker_settings: config.circuit_breaker.clone(),
        limiter_settings: config.rate_limit.clone(),
        defaults: ResilienceDefaults {
            breaker: defaults.circuit_breaker,
            limiter: defaults.rate_limit,
        },
    })
}

/// Lets the provider seem to fail for a while.
///
/// # Errors
/// [`Error::BadRequest`] for a length that is not allowed.
pub async fn drill_start(studio: &Studio, request: DrillStart) -> Result<Drill> {
    let DrillStart { fault, seconds } = request;
    if !DRILL_SECONDS.contains(&seconds) {
        return Err(Error::BadRequest {
            key: "seconds",
            value: seconds.to_string(),
            rule: "must be between 5 and 300",
        });
    }
    let host = studio.host().await?;
    let drills = host.manager().drills();
    Ok(drills.start(fault, Duration::from_secs(seconds)))
}

/// Ends the drill, if there is one.
///
/// # Errors
/// [`Error::NotOpen`].
pub async fn drill_stop(studio: &Studio, _request: Nothing) -> Result<Nothing> {
    studio.host().await?.manager().drills().stop();
    Ok(Nothing {})
}

/// Lets the embedding queue rest, or work again.
///
/// # Errors
/// [`Error::NotOpen`].
pub async fn pause_embedding(studio: &Studio, request: PauseRequest) -> Result<Nothing> {
    let host = studio.host().await?;
    host.manager().pause_embedding(request.paused);
    studio.tell(StudioEvent::Embedding(request));
    Ok(Nothing {})
}

/// Closes a breaker and forgets the failures.
///
/// # Errors
/// [`Error::NotOpen`].
pub async fn breaker_reset(studio: &Studio, request: BreakerReset) -> Result<Nothing> {
    let host = studio.host().await?;
    match request.of {
        BreakerOf::Embedding => host.manager().circuit_breaker().reset(),
        BreakerOf::Chat => host.manager().chat_breaker().reset(),
    }
    Ok(Nothing {})
}
