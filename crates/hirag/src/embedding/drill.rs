//! Faults on purpose: what a failing provider looks like, without one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{EmbeddingError, EmbeddingProvider, Vector};
use crate::clock::SharedClock;

/// What stands for the address in an injected error.
const PLACE: &str = "(drill)";
/// An injected time-out says that it waited this long…
const PRETENDED: Duration = Duration::from_secs(30);
/// …and waits this long: enough to see that calls take time, and nobody hangs.
const WAITED: Duration = Duration::from_millis(150);

/// What the provider seems to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DrillFault {
    /// It does not answer in time.
    Timeout,
    /// It answers 429.
    TooManyRequests,
    /// It answers 500.
    ServerError,
}

impl DrillFault {
    fn error(self) -> EmbeddingError {
        let url = PLACE.to_owned();
        let busy = |status| EmbeddingError::Busy {
            url: url.clone(),
            status,
            retry_after: None,
        };
        match self {
            Self::Timeout => EmbeddingError::Timeout {
                url,
                after: PRETENDED,
            },
            Self::TooManyRequests => busy(429),
            Self::ServerError => busy(500),
        }
    }
}

/// Faults that are being injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Drill {
    /// The fault.
    pub fault: DrillFault,
    /// When it ends by itself.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub until: Timestamp,
}

/// Starts and ends drills; a handle, all clones being one.
#[derive(Debug, Clone)]
pub struct Drills {
    clock: SharedClock,
    /// The drill, and its end as time elapsed: a clock that is set back must not prolong it.
    current: Arc<Mutex<Option<(Drill, Duration)>>>,
}

impl Drills {
    /// Without a drill.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            current: Arc::default(),
        }
    }

    /// Lets every call of the provider fail for a while; replaces the drill before.
    pub fn start(&self, fault: DrillFault, length: Duration) -> Drill {
        let now = self.clock.now();
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let drill = Drill { fault, until };
        let end = self.clock.elapsed().saturating_add(length);
        *self.current.lock() = Some((drill, end));
        tracing::warn!(?fault, seconds = length.as_secs(), "a drill begins");
        drill
    }

    /// Ends it, if there is one.
    pub fn stop(&self) {
        self.current.lock().take();
    }

    /// The drill that is under way.
    #[must_use]
    pub fn current(&self) -> Option<Drill> {
        let mut current = self.current.lock();
        let now = self.clock.elapsed();
        current.take_if(|(_, end)| *end <= now);
        current.map(|(drill, _)| drill)
    }

    /// The fault that a call meets now.
    pub(crate) async fn strike(&self) -> Result<(), EmbeddingError> {
        let Some(Drill { fault, .. }) = self.current() else {
            return Ok(());
        };
        if fault == DrillFault::Timeout {
            tokio::time::sleep(WAITED).await;
        }
        Err(fault.error())
    }
}

/// A provider that fails while there is a drill.
#[derive(Debug)]
pub struct Drilled {
    provider: Arc<dyn EmbeddingProvider>,
    drills: Drills,
}

impl Drilled {
    /// `provider`, with the faults of `drills`.
    #[must_use]
    pub fn new(provider: Arc<dyn EmbeddingProvider>, drills: Drills) -> Self {
        Self { provider, drills }
    }
}

#[async_trait]
impl EmbeddingProvider for Drilled {
    fn model_id(&self) -> &str {
        self.provider.model_id()
    }

    fn dimension(&self) -> usize {
        self.provider.dimension()
    }

    fn max_input_tokens(&self) -> usize {
        self.provider.max_input_tokens()
    }

    fn query_prefix(&self) -> &str {
        self.provider.query_prefix()
    }

    fn passage_prefix(&self) -> &str {
        self.provider.passage_prefix()
    }

    fn ignores_case(&self) -> bool {
        self.provider.ignores_case()
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        self.drills.strike().await?;
        self.provider.embed_single(text).await
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        match self.drills.strike().await {
            Ok(()) => self.provider.embed_batch(texts).await,
            Err(error) => vec![Err(error); texts.len()],
        }
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        self.drills.strike().await?;
        self.provider.check().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, FakeClock};

    #[derive(Debug)]
    struct Willing;

    #[async_trait]
    impl EmbeddingProvider for Willing {
        fn model_id(&self) -> &str {
            "willing"
        }

        fn dimension(&self) -> usize {
            1
        }

        fn max_input_tokens(&self) -> usize {
            9
        }

        async fn embed_single(&self, _: &str) -> Result<Vector, EmbeddingError> {
            Ok(vec![1.0])
        }

        async fn check(&self) -> Result<(), EmbeddingError> {
            Ok(())
        }
    }

    fn drilled() -> (Drilled, Drills, Arc<FakeClock>) {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let drills = Drills::new(clock.clone());
        (
            Drilled::new(Arc::new(Willing), drills.clone()),
            drills,
            clock,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn every_call_fails_like_the_real_thing_until_the_drill_is_over() {
        let (provider, drills, clock) = drilled();
        for (fault, code) in [
            (DrillFault::Timeout, "provider_timeout"),
            (DrillFault::TooManyRequests, "provider_busy"),
            (DrillFault::ServerError, "provider_busy"),
        ] {
            let drill = drills.start(fault, Duration::from_secs(10));
            assert_eq!(drill.until.as_second() - clock.now().as_second(), 10);
            assert_eq!(
                provider.embed_single("a").await.unwrap_err().code(),
                code,
                "{fault:?}"
            );
            let batch = provider
                .embed_batch(&["a".to_owned(), "b".to_owned()])
                .await;
            assert!(batch.iter().all(Result::is_err) && batch.len() == 2);
            assert!(provider.check().await.is_err());
            clock.advance(Duration::from_secs(10));
            assert_eq!(drills.current(), None);
            assert!(provider.embed_single("a").await.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_does_not_take_its_time() {
        let (provider, drills, _) = drilled();
        drills.start(DrillFault::Timeout, Duration::from_secs(10));
        let begin = tokio::time::Instant::now();
        assert!(provider.embed_single("a").await.is_err());
        assert!(begin.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_drill_can_be_ended_before_its_time() {
        let (provider, drills, _) = drilled();
        drills.start(DrillFault::ServerError, Duration::from_secs(300));
        drills.stop();
        assert!(provider.check().await.is_ok());
    }
}
