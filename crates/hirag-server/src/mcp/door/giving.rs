//! The store goes to a window or a server that comes later; this process joins that.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::shared::{Shared, Standing, close};
use crate::running;
use crate::studio::Claim;

/// How long calls under way may take to end before the other process is told to come again: a search
/// while the model is being loaded takes a few seconds.
const CALLS: Duration = Duration::from_secs(3);
/// How long the other process may take to listen. Calls wait for it; later the store is looked for
/// as ever.
const NEWCOMER: Duration = Duration::from_secs(15);

impl Shared {
    /// Answers the `claims` to the store while this process writes it. Calls that were begun end
    /// before, and those that come meanwhile wait: none is lost.
    ///
    /// In a box, as what it does at the end may call it again.
    pub(super) fn give_way(
        self,
        mut claims: mpsc::Receiver<Claim>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            while let Some(claim) = claims.recv().await {
                if self.gave_way(claim).await {
                    // So that the next call need not.
                    return self.look().await;
                }
            }
        })
    }

    /// Whether the store was given up for this claim.
    async fn gave_way(&self, claim: Claim) -> bool {
        let Ok(ended) = timeout(CALLS, self.inner.ended.write()).await else {
            claim.answer(false);
            return false;
        };
        let mut known = self.inner.standing.lock().await;
        let writes = |standing: &mut Arc<Standing>| matches!(**standing, Standing::Writing(_));
        let standing = match *ended {
            true => None,
            false => known.take_if(writes),
        };
        let Some(standing) = standing else {
            claim.answer(false);
            return false;
        };
        let by = claim.by();
        tracing::info!(by, "the memory is given to another process");
        if !claim.answer(true) {
            *known = Some(standing);
            return false;
        }
        if let Err(error) = close(&standing).await {
            tracing::warn!(%error, "the memory was not closed well");
        }
        running::wait_for(&self.inner.places.data_dir, by, NEWCOMER).await;
        true
    }
}
