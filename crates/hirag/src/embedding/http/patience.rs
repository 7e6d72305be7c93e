//! When a request is worth a further attempt, and after which wait.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::embedding::EmbeddingError;

const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Further attempts, at doubling waits with jitter.
#[derive(Debug)]
pub(super) struct Patience {
    backoff: ExponentialBuilder,
}

impl Patience {
    pub(super) fn new(max_retries: u32, delay: Duration) -> Self {
        Self {
            backoff: ExponentialBuilder::default()
                .with_min_delay(delay)
                .with_max_delay(LONGEST_WAIT)
                .with_max_times(max_retries as usize)
                .with_jitter(),
        }
    }

    /// Runs `attempt` until it succeeds, fails for good, or was tried often enough.
    ///
    /// A wait that the endpoint asks for is kept; one that is longer than a caller should stand
    /// ends the attempts, and the error tells it.
    pub(super) async fn run<T, F>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, EmbeddingError>
    where
        F: Future<Output = Result<T, EmbeddingError>>,
    {
        let mut waits = self.backoff.build();
        loop {
            let error = match attempt().await {
                Err(error) if is_passing(&error) => error,
                outcome => return outcome,
            };
            let Some(wait) = waits.next() else {
                return Err(error);
            };
            let wait = wait.max(asked_wait(&error).unwrap_or_default());
            if wait > LONGEST_WAIT {
                return Err(error);
            }
            tracing::debug!(%error, ?wait, "asking the embedding endpoint again");
            tokio::time::sleep(wait).await;
        }
    }
}

fn is_passing(error: &EmbeddingError) -> bool {
    matches!(
        error,
        EmbeddingError::Busy { .. }
            | EmbeddingError::Timeout { .. }
            | EmbeddingError::Unreachable { .. }
    )
}

fn asked_wait(error: &EmbeddingError) -> Option<Duration> {
    match error {
        EmbeddingError::Busy { retry_after, .. } => *retry_after,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    fn busy(retry_after: Option<Duration>) -> EmbeddingError {
        EmbeddingError::Busy {
            url: "u".to_owned(),
            status: 429,
            retry_after,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_the_last_further_attempt() {
        let attempts = Cell::new(0);
        let outcome: Result<(), _> = Patience::new(3, Duration::from_millis(500))
            .run(|| async {
                attempts.set(attempts.get() + 1);
                Err(busy(None))
            })
            .await;
        assert_eq!(outcome, Err(busy(None)));
        assert_eq!(attempts.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_was_asked_for_is_kept() {
        let start = Instant::now();
        let attempts = Cell::new(0);
        let outcome = Patience::new(3, Duration::from_millis(1))
            .run(|| async {
                attempts.set(attempts.get() + 1);
                if attempts.get() == 1 {
                    Err(busy(Some(Duration::from_secs(7))))
                } else {
                    Ok(start.elapsed())
                }
            })
            .await
            .unwrap();
        assert!(outcome >= Duration::from_secs(7), "{outcome:?}");
        assert!(outcome < Duration::from_secs(8), "{outcome:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_minute() {
        let start = Instant::now();
        let error = busy(Some(Duration::from_secs(60)));
        let outcome: Result<(), _> = Patience::new(3, Duration::from_millis(1))
            .run(|| async { Err(error.clone()) })
            .await;
        assert_eq!(outcome, Err(error.clone()));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_good_is_tried_once() {
        let attempts = Cell::new(0);
        let error = EmbeddingError::Unauthorized {
            url: "u".to_owned(),
            status: 401,
        };
        let outcome: Result<(), _> = Patience::new(3, Duration::from_millis(1))
            .run(|| async {
                attempts.set(attempts.get() + 1);
                Err(error.clone())
            })
            .await;
        assert_eq!(outcome, Err(error.clone()));
        assert_eq!(attempts.get(), 1);
    }
}
