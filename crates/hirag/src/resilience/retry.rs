//! Tries again after growing, jittered pauses.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::config::EmbeddingSettings;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Trying again cannot help.
    Fail,
    /// Try again after the policy's pause, or after the wait that the server asked for, if that
    /// is longer.
    Retry {
        /// The wait that the server asked for.
        after: Option<Duration>,
    },
}

/// When to try again: the pauses double from `min_delay` to `max_delay`, each lengthened by a
/// random part of itself so that clients that failed together do not come back together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first.
    pub max_retries: u32,
    /// The first pause, before jitter.
    pub min_delay: Duration,
    /// The longest pause, before jitter.
    pub max_delay: Duration,
    /// The longest wait that a server may ask for. If it asks for more, the failure is returned
    /// at once: coming earlier than asked would be rude, and the caller knows better how to wait.
    pub max_wait: Duration,
    /// Fixes the jitter, for tests.
    pub seed: Option<u64>,
}

impl Retry {
    /// A policy for calls over the network: pauses from 0.25 s (a short hiccup) to 10 s, and at
    /// most a minute for a server that asks to wait.
    #[must_use]
    pub const fn new(max_retries: u32) -> Self {
        Self {
            max_retries,
            min_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(10),
            max_wait: Duration::from_secs(60),
            seed: None,
        }
    }

    /// The pauses of one call, jitter included.
    pub fn pauses(&self) -> impl Iterator<Item = Duration> + Send + Sync + Unpin + use<> {
        let builder = ExponentialBuilder::new()
            .with_factor(2.0)
            .with_min_delay(self.min_delay)
            .with_max_delay(self.max_delay)
            .with_max_times(self.max_retries as usize)
            .with_jitter();
        match self.seed {
            Some(seed) => builder.with_jitter_seed(seed).build(),
            None => builder.build(),
        }
    }

    /// Calls `work` until it succeeds, `judge` gives up, or the attempts are used up; then the
    /// last failure is returned. Sleeps by tokio's clock.
    ///
    /// # Errors
    /// The last failure of `work`.
    pub async fn run<T, E, Fut>(
        &self,
        work: impl FnMut() -> Fut,
        mut judge: impl FnMut(&E) -> Verdict,
    ) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        work.retry(self.pauses())
            .sleep(tokio::time::sleep)
            .adjust(|error, pause| self.wait(judge(error), pause?))
            .await
    }

    /// How long to wait, if it makes sense.
    fn wait(&self, verdict: Verdict, pause: Duration) -> Option<Duration> {
        match verdict {
            Verdict::Fail => None,
            Verdict::Retry { after: None } => Some(pause),
            Verdict::Retry { after: Some(asked) } => {
                (asked <= self.max_wait).then(|| asked.max(pause))
            }
        }
    }
}

impl From<&EmbeddingSettings> for Retry {
    fn from(settings: &EmbeddingSettings) -> Self {
        Self::new(settings.max_retries)
    }
}

/// The wait of a `Retry-After` header (RFC 9110, section 10.2.3): seconds or a date. A date in
/// the past is no wait; `None` if it is neither.
#[must_use]
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is a wait for ever.
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let at = DateTimeParser::new().parse_timestamp(header).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::*;

    /// Runs work that fails `failures` times with the wait that a server asks for; says how often
    /// it was called, how long that took, and what came of it.
    async fn course(
        retry: &Retry,
        failures: u32,
        verdict: Verdict,
    ) -> (u32, Duration, Result<(), u32>) {
        let calls = Cell::new(0);
        let start = Instant::now();
        let work = async || {
            calls.set(calls.get() + 1);
            if calls.get() > failures {
                Ok(())
            } else {
                Err(calls.get())
            }
        };
        let result = retry.run(work, |_| verdict).await;
        (calls.get(), start.elapsed(), result)
    }

    const RETRY: Verdict = Verdict::Retry { after: None };

    fn asking(secs: u64) -> Verdict {
        Verdict::Retry {
            after: Some(Duration::from_secs(secs)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_tries_until_it_succeeds() {
        let (calls, took, result) = course(&Retry::new(3), 2, RETRY).await;
        assert_eq!((calls, result), (3, Ok(())));
        // 0.25 s and 0.5 s, each up to doubled by jitter.
        assert!(took >= Duration::from_millis(750) && took <= Duration::from_millis(1_510));
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_last_attempt_the_last_failure_is_returned() {
        let (calls, _, result) = course(&Retry::new(3), 9, RETRY).await;
        assert_eq!((calls, result), (4, Err(4)));
        let (calls, took, result) = course(&Retry::new(0), 9, RETRY).await;
        assert_eq!((calls, took, result), (1, Duration::ZERO, Err(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_helped_is_not_tried_again() {
        let (calls, took, result) = course(&Retry::new(3), 9, Verdict::Fail).await;
        assert_eq!((calls, took, result), (1, Duration::ZERO, Err(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_servers_wait_is_honoured_and_bounded() {
        let (calls, took, _) = course(&Retry::new(3), 1, asking(7)).await;
        assert_eq!(calls, 2);
        assert!(took >= Duration::from_secs(7) && took < Duration::from_millis(7_010));
        // No wait at all does not mean hammering.
        let (_, took, _) = course(&Retry::new(3), 1, asking(0)).await;
        assert!(took >= Duration::from_millis(250));
        let (calls, took, result) = course(&Retry::new(3), 1, asking(61)).await;
        assert_eq!((calls, took, result), (1, Duration::ZERO, Err(1)));
    }

    #[test]
    fn jitter_differs_by_seed_and_repeats_by_it() {
        let pauses = |seed| -> Vec<_> {
            let retry = Retry {
                seed: Some(seed),
                ..Retry::new(5)
            };
            retry.pauses().collect()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        let read = |header| parse_retry_after(header, now);
        assert_eq!(read(" 120 "), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(read(date), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(
            read("99999999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        for header in ["", "soon", "-1", "1.5"] {
            assert_eq!(read(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn pauses_stay_between_their_bounds(
            retries in 0..20_u32,
            min in 1..1_000_u64,
            factor in 1..50_u64,
            seed in any::<u64>(),
        ) {
            let retry = Retry {
                min_delay: Duration::from_millis(min),
                max_delay: Duration::from_millis(min * factor),
                seed: Some(seed),
                ..Retry::new(retries)
            };
            let pauses: Vec<_> = retry.pauses().collect();
            prop_assert_eq!(pauses.len(), retries as usize);
            for pause in pauses {
                prop_assert!(pause >= retry.min_delay);
                prop_assert!(pause <= retry.max_delay * 2 + Duration::from_millis(1));
            }
        }

        #[test]
        fn no_header_panics(header in ".*") {
            let _ = parse_retry_after(&header, Timestamp::UNIX_EPOCH);
        }
    }
}
