//! Requests for single texts that arrive close together share one call of the provider.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::{EmbeddingError, EmbeddingProvider, Vector};
use crate::context::Priority;

#[cfg(test)]
mod tests;

/// How requests are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatcherSettings {
    /// How long a request waits for others to join it.
    pub window: Duration,
    /// Requests of one batch at most; so many go without waiting for the window's end.
    pub max_requests: usize,
    /// Batches under way at once at most; while they are, what waits is ordered by priority.
    pub max_in_flight: usize,
}

impl Default for BatcherSettings {
    /// 100 ms and 10 requests are the promise of the settings `[embedding]`; two batches under way
    /// let one be answered while the next is sent.
    fn default() -> Self {
        Self {
            window: Duration::from_millis(100),
            max_requests: 10,
            max_in_flight: 2,
        }
    }
}

/// Puts requests for single texts together. A cheap handle; all clones fill the same batches.
#[derive(Debug, Clone)]
pub struct Batcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: Arc<dyn EmbeddingProvider>,
    settings: BatcherSettings,
    queue: Mutex<Queue>,
    arrived: Notify,
    slots: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BinaryHeap<Waiting>,
    /// Requests ever queued: what came first goes first within a priority.
    arrivals: u64,
    /// Whether a task forms batches. There is one only while something waits, so that a batcher
    /// belongs to no runtime.
    driven: bool,
}

#[derive(Debug)]
struct Waiting {
    text: String,
    priority: Priority,
    arrival: u64,
    since: Instant,
    answer: oneshot::Sender<Result<Vector, EmbeddingError>>,
}

impl Batcher {
    /// A batcher before `provider`. Numbers of 0 are taken as 1.
    #[must_use]
    pub fn new(provider: Arc<dyn EmbeddingProvider>, settings: BatcherSettings) -> Self {
        let settings = BatcherSettings {
            max_requests: settings.max_requests.max(1),
            max_in_flight: settings.max_in_flight.max(1),
            ..settings
        };
        Self {
            shared: Arc::new(Shared {
                provider,
                settings,
                queue: Mutex::default(),
                arrived: Notify::new(),
                slots: Arc::new(Semaphore::new(settings.max_in_flight)),
            }),
        }
    }

    /// The vector of one text, in a batch with what else arrives meanwhile. Dropping the future
    /// gives the place in the queue up and disturbs nobody.
    ///
    /// # Errors
    ///
    /// What the provider says of this text.
    pub async fn embed(&self, text: String, priority: Priority) -> Result<Vector, EmbeddingError> {
        let (answer, outcome) = oneshot::channel();
        let start = {
            let mut queue = self.shared.queue.lock();
            let arrival = queue.arrivals;
            queue.arrivals += 1;
            queue.waiting.push(Waiting {
                text,
                priority,
                arrival,
                since: Instant::now(),
                answer,
            });
            !std::mem::replace(&mut queue.driven, true)
        };
        if start {
            tokio::spawn(drive(Driver {
                shared: self.shared.clone(),
                released: false,
            }));
        } else {
            self.shared.arrived.notify_one();
        }
        outcome.await.unwrap_or_else(|_| {
            Err(EmbeddingError::Model(
                "the batch was given up before it was embedded".to_owned(),
            ))
        })
    }
}

/// The right to form batches; whoever drops it leaves the place free, even when its runtime ends.
struct Driver {
    shared: Arc<Shared>,
    released: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if !self.released {
            self.shared.queue.lock().driven = false;
        }
    }
}

/// Forms batches while anything waits.
async fn drive(mut driver: Driver) {
    let shared = driver.shared.clone();
    while let Ok(slot) = shared.slots.clone().acquire_owned().await {
        let batch = loop {
            let since = {
                let mut queue = shared.queue.lock();
                queue.waiting.retain(|waiting| !waiting.answer.is_closed());
                let oldest = queue.waiting.iter().map(|waiting| waiting.since).min();
                let Some(oldest) = oldest else {
                    // Under the same lock, or a request could arrive between look and leave.
                    queue.driven = false;
                    driver.released = true;
                    return;
                };
                let full = queue.waiting.len() >= shared.settings.max_requests;
                if full || oldest.elapsed() >= shared.settings.window {
                    break queue.take(shared.settings.max_requests);
                }
                oldest
            };
            tokio::select! {
                () = tokio::time::sleep_until(since + shared.settings.window) => {}
                () = shared.arrived.notified() => {}
            }
        };
        tokio::spawn(send(shared.provider.clone(), batch, slot));
    }
}

/// A task of its own, so that no caller who goes away takes the others' batch along.
async fn send(
    provider: Arc<dyn EmbeddingProvider>,
    batch: Vec<Waiting>,
    _slot: OwnedSemaphorePermit,
) {
    let (texts, answers): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|waiting| (waiting.text, waiting.answer))
        .unzip();
    let outcomes = provider.embed_batch(&texts).await;
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // Nobody listens where the caller went away.
        let _ = answer.send(outcome);
    }
}

impl Queue {
    /// The first `count`.
    fn take(&mut self, count: usize) -> Vec<Waiting> {
        std::iter::from_fn(|| self.waiting.pop())
            .take(count)
            .collect()
    }
}

impl Ord for Waiting {
    /// The greatest goes first: the highest priority, and of those what came first.
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority
            .cmp(&other.priority)
            .then_with(|| other.arrival.cmp(&self.arrival))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}
