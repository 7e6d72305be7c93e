//! Keeps each client to its share of requests.
//!
//! Built on governor's generic cell rate algorithm: a client's whole state is the one moment at
//! which its allowance will be full again.

mod buckets;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use governor::middleware::StateInformationMiddleware;
use parking_lot::RwLock;
use serde::Serialize;

use super::RateLimitSettings;
use crate::clock::SharedClock;
use crate::config::ConfigError;
use buckets::{Buckets, Ticks};

/// Bytes of a client's name that tell it from others; bounds what a name can take of the memory.
const NAME_BYTES: usize = 256;

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a limited request must not be served"]
pub enum Decision {
    /// Serve it.
    Allowed {
        /// Requests that the client may still make at once.
        remaining: u32,
    },
    /// Refuse it.
    Limited {
        /// Until the client's next request is allowed; over 0.
        retry_after: Duration,
    },
}

/// What a limiter has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimiterSnapshot {
    /// Whether clients are limited at all.
    pub enabled: bool,
    /// Requests allowed, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub allowed: u64,
    /// Requests limited, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limited: u64,
    /// Clients counted one by one now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub clients: usize,
    /// Requests, ever, of clients beyond `max_clients`, which share one allowance.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub shared: u64,
}

/// What a limiter has counted of one client since it was first seen, or came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ClientSnapshot {
    /// Its name.
    pub client: String,
    /// Requests allowed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub allowed: u64,
    /// Requests limited.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limited: u64,
    /// Requests that it may make at once now.
    pub remaining: u32,
}

type Governor = governor::RateLimiter<Arc<str>, Buckets, Ticks, StateInformationMiddleware>;

/// A rate limiter for many clients; share it by reference or `Arc`.
///
/// A client may make `requests_per_window` requests at once (or `burst_size`, if that is more),
/// and then goes on at the window's rate. At `max_clients` newcomers share one allowance: a flood
/// of new names pushes nobody out, cannot grow the memory, and gives way to others once its names
/// have been quiet for `cleanup_interval_secs`.
#[derive(Debug)]
pub struct RateLimiter {
    clock: SharedClock,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    settings: RateLimitSettings,
    governor: Governor,
    buckets: Buckets,
}

impl RateLimiter {
    /// A limiter that has seen no client.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range.
    pub fn new(settings: RateLimitSettings, clock: SharedClock) -> Result<Self, ConfigError> {
        settings.validate()?;
        let quota = quota(&settings);
        let buckets = Buckets::new(Arc::clone(&clock), &settings, quota);
        Ok(Self {
            current: RwLock::new(Current {
                governor: governor(quota, &buckets, &clock),
                buckets,
                settings,
            }),
            clock,
        })
    }

    /// Whether `client` may make a request now; if so, it is counted. Of a long name only the
    /// first 256 bytes tell.
    pub fn check(&self, client: &str) -> Decision {
        let current = self.current.read();
        if !current.settings.enabled {
            return current.buckets.pass(current.settings.at_once());
        }
        let client = &client[..client.floor_char_boundary(NAME_BYTES)];
        match current.governor.check_key(&Arc::from(client)) {
            Ok(state) => Decision::Allowed {
                remaining: state.remaining_burst_capacity(),
            },
            Err(until) => {
                let wait = until.wait_time_from(self.clock.elapsed().into());
                Decision::Limited {
                    // Another thread's later clock may have eaten the wait up.
                    retry_after: wait.max(Duration::from_nanos(1)),
                }
            }
        }
    }

    /// Goes on with other settings. What a client has used of its allowance stays used.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range; the old ones stay in force.
    pub fn update(&self, settings: RateLimitSettings) -> Result<(), ConfigError> {
        settings.validate()?;
        let quota = quota(&settings);
        let mut current = self.current.write();
        current.buckets = current.buckets.with_quota(&settings, quota);
        current.governor = governor(quota, &current.buckets, &self.clock);
        current.settings = settings;
        Ok(())
    }

    /// Forgets the clients that have been quiet for `cleanup_interval_secs`. Requests do it by
    /// themselves; this is for when none come.
    pub fn cleanup(&self) {
        self.current.read().buckets.cleanup();
    }

    /// What it has counted.
    #[must_use]
    pub fn snapshot(&self) -> LimiterSnapshot {
        let current = self.current.read();
        current.buckets.snapshot(current.settings.enabled)
    }

    /// The `most` clients with the most requests, those first.
    #[must_use]
    pub fn clients(&self, most: usize) -> Vec<ClientSnapshot> {
        self.current.read().buckets.clients(most)
    }
}

fn governor(quota: Quota, buckets: &Buckets, clock: &SharedClock) -> Governor {
    Governor::new(quota, buckets.clone(), Ticks(Arc::clone(clock)))
}

fn quota(settings: &RateLimitSettings) -> Quota {
    let whole = NonZeroU32::new(settings.requests_per_window).unwrap_or(NonZeroU32::MIN);
    let one = Duration::from_secs(settings.window_secs) / whole.get();
    // The settings are valid, so one request takes at least a microsecond.
    Quota::with_period(one)
        .unwrap_or(Quota::per_second(whole))
        .allow_burst(NonZeroU32::new(settings.at_once()).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests;
