//! Where the limiter keeps its clients, and the clock it asks.

use std::collections::HashMap;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, Reference};
use governor::nanos::Nanos;
use governor::state::StateStore;
use parking_lot::Mutex;

use super::{ClientSnapshot, Decision, LimiterSnapshot};
use crate::clock::SharedClock;
use crate::resilience::RateLimitSettings;

/// While it is full, a flood of new names may not make every request search all clients.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

/// Our clock, as governor wants one.
#[derive(Debug, Clone)]
pub(super) struct Ticks(pub(super) SharedClock);

/// A moment: nanoseconds since the clock's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(Duration);

impl From<Duration> for Tick {
    fn from(since_start: Duration) -> Self {
        Self(since_start)
    }
}

impl Add<Nanos> for Tick {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        Self(self.0.saturating_add(other.into()))
    }
}

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.into()))
    }
}

impl Clock for Ticks {
    type Instant = Tick;

    fn now(&self) -> Tick {
        Tick(self.0.elapsed())
    }
}

/// The clients; a handle, all clones being one store.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    clock: SharedClock,
    /// When the governor that uses this handle was made: it counts from then, the store from the
    /// clock's start, so that a new governor finds the old clients.
    base: Duration,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    max_clients: usize,
    quiet: Duration,
    quota: Quota,
    clients: HashMap<Arc<str>, Bucket>,
    /// For all who come while `clients` is full.
    overflow: Bucket,
    allowed: u64,
    limited: u64,
    through_overflow: u64,
    searched: Duration,
}

#[derive(Debug, Default)]
struct Bucket {
    /// When the allowance is full again.
    full_at: Duration,
    seen: Duration,
    allowed: u64,
    limited: u64,
}

impl Bucket {
    /// Requests that it lets through at once at `now`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of requests, at most the burst's million"
    )]
    fn remaining(&self, now: Duration, quota: Quota) -> u32 {
        let until_full = self.full_at.saturating_sub(now).as_secs_f64();
        let used = (until_full / quota.replenish_interval().as_secs_f64()).ceil();
        quota.burst_size().get().saturating_sub(used as u32)
    }
}

impl Buckets {
    pub(super) fn new(clock: SharedClock, settings: &RateLimitSettings, quota: Quota) -> Self {
        let now = clock.elapsed();
        let shared = Shared {
            max_clients: settings.max_clients,
            quiet: Duration::from_secs(settings.cleanup_interval_secs),
            quota,
            clients: HashMap::new(),
            overflow: Bucket::default(),
            allowed: 0,
            limited: 0,
            through_overflow: 0,
            searched: now,
        };
        Self {
            clock,
            base: now,
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// The same clients under another quota: who has used half of the old allowance has used as
    /// many requests of the new one.
    pub(super) fn with_quota(&self, settings: &RateLimitSettings, quota: Quota) -> Self {
        let now = self.clock.elapsed();
        let mut shared = self.shared.lock();
        let (old, new) = (
            shared.quota.replenish_interval().as_secs_f64(),
            quota.replenish_interval().as_secs_f64(),
        );
        let whole = new * f64::from(quota.burst_size().get());
        let rescale = |bucket: &mut Bucket| {
            let used = bucket.full_at.saturating_sub(now).as_secs_f64() / old;
            bucket.full_at = now + Duration::from_secs_f64((used * new).min(whole));
        };
        let Shared {
            clients, overflow, ..
        } = &mut *shared;
        clients.values_mut().chain([overflow]).for_each(rescale);
        shared.quota = quota;
        shared.max_clients = settings.max_clients;
        shared.quiet = Duration::from_secs(settings.cleanup_interval_secs);
        Self {
            clock: Arc::clone(&self.clock),
            base: now,
            shared: Arc::clone(&self.shared),
        }
    }

    /// A request that nobody limits.
    pub(super) fn pass(&self, remaining: u32) -> Decision {
        self.shared.lock().allowed += 1;
        Decision::Allowed { remaining }
    }

    pub(super) fn cleanup(&self) {
        self.shared.lock().forget_quiet(self.clock.elapsed());
    }

    pub(super) fn snapshot(&self, enabled: bool) -> LimiterSnapshot {
        let shared = self.shared.lock();
        LimiterSnapshot {
            enabled,
            allowed: shared.allowed,
            limited: shared.limited,
            clients: shared.clients.len(),
            shared: shared.through_overflow,
        }
    }

    pub(super) fn clients(&self, most: usize) -> Vec<ClientSnapshot> {
        let now = self.clock.elapsed();
        let shared = self.shared.lock();
        let mut clients: Vec<_> = shared
            .clients
            .iter()
            .map(|(client, bucket)| ClientSnapshot {
                client: client.to_string(),
                allowed: bucket.allowed,
                limited: bucket.limited,
                remaining: bucket.remaining(now, shared.quota),
            })
            .collect();
        drop(shared);
        clients.sort_by(|a, b| {
            let requests = |client: &ClientSnapshot| client.allowed + client.limited;
            (requests(b), &a.client).cmp(&(requests(a), &b.client))
        });
        clients.truncate(most);
        clients
    }
}

impl StateStore for Buckets {
    type Key = Arc<str>;

    fn measure_and_replace<T, F, E>(&self, client: &Arc<str>, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let now = self.clock.elapsed();
        let mut guard = self.shared.lock();
        let shared = &mut *guard;
        if !shared.clients.contains_key(client) {
            shared.make_room(now);
            if shared.clients.len() < shared.max_clients {
                shared.clients.insert(Arc::clone(client), Bucket::default());
            }
        }
        let bucket = match shared.clients.get_mut(client) {
            Some(bucket) => bucket,
            None => {
                shared.through_overflow += 1;
                &mut shared.overflow
            }
        };
        bucket.seen = now;
        match decide(Some(bucket.full_at.saturating_sub(self.base).into())) {
            Ok((state, full_at)) => {
                bucket.full_at = self.base + Duration::from(full_at);
                bucket.allowed += 1;
                shared.allowed += 1;
                Ok(state)
            }
            Err(refusal) => {
                bucket.limited += 1;
                shared.limited += 1;
                Err(refusal)
            }
        }
    }
}

impl Shared {
    /// Searches for quiet clients when that is due: now and then, or when it is full.
    fn make_room(&mut self, now: Duration) {
        let full = self.clients.len() >= self.max_clients;
        let pause = if full {
            SEARCH_PAUSE.min(self.quiet)
        } else {
            self.quiet
        };
        if now.saturating_sub(self.searched) >= pause {
            self.forget_quiet(now);
        }
    }

    /// Forgets who has not been seen for a while, and only who has all of its allowance: nobody
    /// gains by being forgotten.
    fn forget_quiet(&mut self, now: Duration) {
        self.searched = now;
        let quiet = self.quiet;
        self.clients
            .retain(|_, bucket| now.saturating_sub(bucket.seen) < quiet || bucket.full_at > now);
        // After a flood the table would keep its size for ever.
        if self.clients.capacity() > 4 * self.clients.len().max(64) {
            self.clients.shrink_to_fit();
        }
    }
}
