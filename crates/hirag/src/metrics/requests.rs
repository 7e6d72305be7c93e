//! What was asked over the last hour, by the name of what answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use serde::Serialize;

use super::histogram::{LatencySummary, Window};
use crate::clock::SharedClock;

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// Names of one front that are told apart. The program has some hundred; the rest, if a client could
/// make up any, would share one.
const NAMES: usize = 256;
/// What they share.
const OTHERS: &str = "others";

/// Where a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Front {
    /// An endpoint over HTTP.
    Http,
    /// A tool of an agent.
    Mcp,
    /// A command of the window, in whatever way it is called.
    Command,
}

impl Front {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::Mcp, Self::Command];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Mcp => "mcp",
            Self::Command => "command",
        }
    }
}

/// The requests of one name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestMetrics {
    /// Where they came in.
    pub front: Front,
    /// Method and path of the endpoint with names for its variables, the tool, or the command.
    pub name: String,
    /// Requests a minute: the mean over the last hour, or over the time since the start if that is
    /// shorter.
    pub per_minute: f64,
    /// How long they took.
    pub last_hour: LatencySummary,
}

/// Counts requests by front and name; a handle that is cheap to clone, all clones being one.
///
/// The memory is bounded: at most 256 names a front, each with at most ten histograms, one of six
/// minutes. A histogram takes 8 KB where requests are answered within a second and 14 KB where some
/// take an hour, so a name that is in use the whole hour takes about 80 KB, and one that is not, none.
#[derive(Debug, Clone)]
pub struct RequestTally {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    began: Duration,
    /// In the order of [`Front::ALL`].
    fronts: [RwLock<BTreeMap<String, Arc<Mutex<Window>>>>; 3],
}

impl RequestTally {
    /// A tally that has counted nothing.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            shared: Arc::new(Shared {
                began: clock.elapsed(),
                clock,
                fronts: Default::default(),
            }),
        }
    }

    /// Counts a request that has just been answered.
    pub fn record(&self, front: Front, name: &str, took: Duration) {
        let now = self.shared.clock.elapsed();
        self.window(front, name).lock().record(now, took);
    }

    /// The requests of the last hour, by front and name.
    #[must_use]
    pub fn last_hour(&self) -> Vec<RequestMetrics> {
        let now = self.shared.clock.elapsed();
        let lived = now.saturating_sub(self.shared.began);
        let mut all = Vec::new();
        for front in Front::ALL {
            let windows: Vec<_> = self.shared.fronts[front as usize]
                .read()
                .iter()
                .map(|(name, window)| (name.clone(), Arc::clone(window)))
                .collect();
            for (name, window) in windows {
                let mut window = window.lock();
                let last_hour = window.summary(now);
                if last_hour.count == 0 {
                    continue;
                }
                let over = window.reach(now).min(lived).max(MINUTE);
                all.push(RequestMetrics {
                    front,
                    name,
                    per_minute: last_hour.count as f64 / (over.as_secs_f64() / 60.0),
                    last_hour,
                });
            }
        }
        all
    }

    fn window(&self, front: Front, name: &str) -> Arc<Mutex<Window>> {
        let windows = &self.shared.fronts[front as usize];
        if let Some(window) = windows.read().get(name) {
            return Arc::clone(window);
        }
        let mut windows = windows.write();
        let name = match windows.len() < NAMES || windows.contains_key(name) {
            true => name,
            false => OTHERS,
        };
        let window = windows.entry(name.to_owned());
        let window = window.or_insert_with(|| Arc::new(Mutex::new(Window::over(HOUR))));
        Arc::clone(window)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::FakeClock;

    fn tally() -> (RequestTally, Arc<FakeClock>) {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        (RequestTally::new(clock.clone()), clock)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn each_name_of_each_front_has_its_own_figures() {
        let (tally, _clock) = tally();
        for millis in [2, 4, 9] {
            tally.record(Front::Command, "search", ms(millis));
        }
        tally.record(Front::Mcp, "search", ms(1));
        let all = tally.last_hour();
        let named: Vec<_> = all
            .iter()
            .map(|one| (one.front, one.name.as_str()))
            .collect();
        assert_eq!(named, [(Front::Mcp, "search"), (Front::Command, "search")]);
        let LatencySummary {
            count,
            mean_ms,
            min_ms,
            p95_ms,
            max_ms,
            ..
        } = all[1].last_hour;
        assert_eq!((count, mean_ms, min_ms, max_ms), (3, 5.0, 2.0, 9.0));
        assert!((p95_ms - 9.0).abs() < 0.1, "{p95_ms}");
    }

    #[test]
    fn the_rate_is_over_the_time_that_was_counted_and_over_a_minute_at_least() {
        let (tally, clock) = tally();
        let rate = || tally.last_hour()[0].per_minute;
        tally.record(Front::Http, "GET /health", ms(1));
        assert_eq!(rate(), 1.0);
        clock.advance(Duration::from_secs(600));
        for _ in 0..9 {
            tally.record(Front::Http, "GET /health", ms(1));
        }
        assert_eq!(rate(), 1.0);
        clock.advance(Duration::from_secs(2_990));
        assert!((rate() - 10.0 / (3_590.0 / 60.0)).abs() < 1e-9);
    }

    #[test]
    fn after_an_hour_a_request_is_forgotten() {
        let (tally, clock) = tally();
        tally.record(Front::Http, "GET /health", ms(1));
        clock.advance(HOUR);
        assert!(tally.last_hour().is_empty());
    }

    #[test]
    fn names_beyond_those_of_the_program_share_one() {
        let (tally, _clock) = tally();
        for nth in 0..1_000 {
            tally.record(Front::Http, &format!("GET /{nth}"), ms(1));
        }
        let all = tally.last_hour();
        let others = all.iter().find(|one| one.name == OTHERS).unwrap();
        assert_eq!((all.len(), others.last_hour.count), (NAMES + 1, 744));
    }
}
