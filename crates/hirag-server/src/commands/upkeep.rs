//! Keeping the memory in order.

use std::time::Duration;

use hirag::manager::{EmbeddingProgress, Purge, Reembedded};
use hirag::store::sqlite::CleanUp;
use serde::Serialize;

use super::{Host, Result};

/// What the clean-up did or, as a dry run, would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Collected {
    /// What the levels' rules marked and moved.
    #[serde(flatten)]
    pub clean_up: CleanUp,
    /// Contexts removed for good, whose mark was old enough.
    #[ts(type = "number")]
    pub purged: u64,
}

/// Applies the levels' rules and removes what was marked long enough ago.
///
/// # Errors
/// As [`hirag::HiragManager::clean_up`] and [`hirag::HiragManager::purge`].
pub async fn collect(host: &Host, dry_run: bool) -> Result<Collected> {
    let clean_up = host.manager().clean_up(dry_run).await?;
    let purged = match dry_run {
        true => 0,
        false => host.manager().purge(None).await?.purged,
    };
    Ok(Collected { clean_up, purged })
}

/// Removes for good what was marked as deleted longer ago than `older_than`; by default, than the
/// setting `levels.purge_after`.
///
/// # Errors
/// As [`hirag::HiragManager::purge`].
pub async fn purge(host: &Host, older_than: Option<Duration>) -> Result<Purge> {
    Ok(host.manager().purge(older_than).await?)
}

/// Builds the vectors of the configured model beside the old ones, and switches to them.
///
/// # Errors
/// As [`hirag::HiragManager::reembed`].
pub async fn reembed(
    host: &Host,
    progress: impl FnMut(EmbeddingProgress) + Send,
) -> Result<Reembedded> {
    Ok(host.manager().reembed(progress).await?)
}

/// Embeds what waits for its vector, as far as the provider allows; returns how many got one.
/// It never fails: what still waits is found by its words meanwhile.
pub async fn catch_up(host: &Host, progress: impl FnMut(EmbeddingProgress) + Send) -> u64 {
    let waiting = |stats: hirag::manager::Stats| stats.counts.pending;
    let manager = host.manager();
    let Ok(before) = manager.stats().await.map(waiting) else {
        return 0;
    };
    if before == 0 || !manager.is_writable() {
        return 0;
    }
    match manager.embed_pending(progress).await {
        Ok(embedded) => embedded,
        Err(error) => {
            tracing::debug!(%error, "the embedding queue goes on waiting");
            let after = manager.stats().await.map_or(before, waiting);
            before.saturating_sub(after)
        }
    }
}
