//! What a program that stays open does beside its callers: embeds what waits, keeps the levels in
//! order, watches the memory.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::HiragManager;
use crate::embedding::EmbeddingCache;

/// How often the queue is looked at. While the breaker is open, a look costs nothing.
const QUEUE_INTERVAL: Duration = Duration::from_secs(2);

impl HiragManager {
    /// Works until `stop` resolves: embeds what waits by priority, cleans up and purges at every
    /// `levels.gc_interval`, and samples the process's memory at every `metrics.watch_interval`.
    /// Nothing here fails the program; faults are logged and tried again.
    pub async fn run_background(&self, stop: impl Future<Output = ()> + Send) {
        if !self.is_writable() {
            return stop.await;
        }
        let config = self.config();
        let mut queue = ticker(QUEUE_INTERVAL);
        let mut clean_up = ticker(config.levels.gc_interval.duration());
        let mut memory = ticker(config.metrics.watch_interval.duration());
        let mut paused = self.inner.paused.subscribe();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = queue.tick(), if !*paused.borrow() => {
                    // The queue is read again from the start each time: what is urgent goes first.
                    tokio::select! {
                        () = &mut stop => return,
                        // What was under way is found in the queue again.
                        _ = paused.wait_for(|paused| *paused) => {}
                        outcome = self.embed_pending(|_| {}) => match outcome {
                            Ok(0) => {}
                            Ok(done) => tracing::info!(done, "embedded what had to wait"),
                            Err(error) => tracing::debug!(%error, "the queue waits"),
                        }
                    }
                }
                _ = clean_up.tick() => {
                    if let Err(error) = self.tidy().await {
                        tracing::warn!(%error, "the clean-up failed and is tried again");
                    }
                }
                _ = memory.tick() => {
                    self.watch_memory().await;
                }
                _ = paused.changed() => {}
            }
        }
    }

    /// Looks at the process's memory. Where that comes near its limit, the caches in memory drop their
    /// less used half, at each look anew, and who listens is told.
    async fn watch_memory(&self) {
        let Some(seen) = self.inner.resources.sample() else {
            return;
        };
        let dropped = match seen.near_limit {
            true => self.shrink_caches().await,
            false => 0,
        };
        self.inner.resources.strained(&seen, dropped);
    }

    async fn shrink_caches(&self) -> u64 {
        let vectors = self.inner.models.cache().map_or(0, EmbeddingCache::shrink);
        let answers = self.inner.answers.shrink().await;
        vectors + answers + self.inner.worded_answers.shrink()
    }

    async fn tidy(&self) -> crate::Result<()> {
        self.clean_up(false).await?;
        self.purge(None).await?;
        Ok(())
    }
}

pub(super) fn ticker(period: Duration) -> tokio::time::Interval {
    let mut ticker = interval(period.max(Duration::from_secs(1)));
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}

#[cfg(test)]
mod tests;
