//! Answers that are given again while nothing has changed that could make them others.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moka::future::Cache;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::answer::{Answered, milliseconds, told};
use super::query;
use crate::context::{ContextId, ContextRequest, ContextResponse, RetrievedContext, SearchMode};
use crate::embedding::{MAX_NORMALISED_BYTES, normalise};
use crate::manager::HiragManager;
use crate::metrics::{CacheCounters, CacheLayerStats};
use crate::used::{Used, Uses, less_used_half};

/// Bytes of all answers at most.
const ROOM: u64 = 16_000_000;
/// Bytes of an answer beside its contexts, and of a context beside its text and metadata, about.
const BESIDE_TEXT: usize = 700;
/// How long an answer that nobody asks for is kept.
const IDLE: Duration = Duration::from_secs(60);
/// Ages are as old as an answer: those of contexts grow by this at most until it is made anew, which
/// is little against the days after which recency fades.
const AGE_MS: i64 = 60_000;

/// What an answer follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::manager) struct Key {
    /// SHA-256 of the request, whose query is in the form in which all that compares it sees it.
    request: [u8; 32],
    standing: Standing,
    /// The time, so that ages are about right.
    period: i64,
}

/// What all answers follow from; each counts its changes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Standing {
    store: u64,
    working_set: u64,
    settings: u64,
}

/// An answer that can be given again.
#[derive(Debug)]
pub(super) struct Kept {
    response: ContextResponse,
    returned: Vec<ContextId>,
    until_ms: Option<i64>,
}

impl Kept {
    /// Nothing is kept that was found without what may soon be there.
    pub(super) fn of(answered: &Answered) -> Option<Arc<Self>> {
        let response = &answered.response;
        response.metadata.degraded.is_empty().then(|| {
            Arc::new(Self {
                returned: response.contexts.iter().map(|c| c.context.id).collect(),
                response: response.clone(),
                until_ms: answered.until_ms,
            })
        })
    }

    /// The contexts of the answer.
    pub(super) fn returned(&self) -> &[ContextId] {
        &self.returned
    }

    /// The answer, with the time that it took now.
    pub(super) fn again(
        &self,
        timings: &[(&'static str, Duration)],
        took: Duration,
    ) -> ContextResponse {
        let mut response = self.response.clone();
        response.retrieval_time_ms = milliseconds(took);
        response.metadata.cache_hits += 1;
        response.metadata.timings = told(timings);
        response
    }

    fn is_over(&self, now_ms: i64) -> bool {
        self.until_ms.is_some_and(|until_ms| now_ms >= until_ms)
    }

    /// About what it takes.
    fn bytes(&self) -> u32 {
        let of = |found: &RetrievedContext| {
            let metadata = &found.context.metadata;
            let metadata = match metadata.is_empty() {
                true => 0,
                false => serde_json::to_vec(metadata).map_or(0, |json| json.len()),
            };
            BESIDE_TEXT + found.context.text.len() + metadata + size_of_val(&*found.same_text)
        };
        let contexts: usize = self.response.contexts.iter().map(of).sum();
        u32::try_from(BESIDE_TEXT + contexts).unwrap_or(u32::MAX)
    }
}

/// The answers that are kept.
#[derive(Debug)]
pub(in crate::manager) struct Answers {
    kept: Cache<Key, Used<Arc<Kept>>>,
    uses: Uses,
    /// What the last question was asked of.
    standing: Mutex<Standing>,
    counters: CacheCounters,
}

impl Default for Answers {
    fn default() -> Self {
        let kept = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|_, kept: &Used<Arc<Kept>>| kept.bytes())
            .time_to_idle(IDLE)
            .build();
        Self {
            kept,
            uses: Uses::default(),
            standing: Mutex::default(),
            counters: CacheCounters::default(),
        }
    }
}

impl Answers {
    /// The answer that is kept. Otherwise `search` is asked for one, and whoever asks meanwhile waits
    /// for the same; `None` where that has none to keep.
    pub(super) async fn find(
        &self,
        key: Key,
        now_ms: i64,
        search: impl Future<Output = Option<Arc<Kept>>>,
    ) -> Option<Arc<Kept>> {
        self.keep_only(key.standing).await;
        let kept = self.kept.get(&key).await;
        let is_over = kept.as_ref().is_some_and(|kept| kept.is_over(now_ms));
        if is_over {
            self.kept.invalidate(&key).await;
            self.counters.count_invalidations(1);
        }
        let kept = kept.filter(|_| !is_over);
        self.counters.count(kept.is_some());
        match kept {
            Some(kept) => {
                self.uses.again(&kept);
                Some(kept.into_inner())
            }
            None => {
                let search = async { Some(self.uses.begin(search.await?)) };
                let found = self.kept.optionally_get_with(key, search).await?;
                (!found.is_over(now_ms)).then(|| found.into_inner())
            }
        }
    }

    /// Drops the less used half; how many that were.
    pub(in crate::manager) async fn shrink(&self) -> u64 {
        let dropped = less_used_half(self.kept.iter().map(|(key, kept)| (*key, kept)));
        for key in &dropped {
            self.kept.invalidate(key).await;
        }
        dropped.len() as u64
    }

    /// Lets go of the answers that follow from something else: nobody asks for them any more.
    async fn keep_only(&self, standing: Standing) {
        let is_newer = {
            let mut last = self.standing.lock();
            let is_newer = standing > *last;
            *last = standing.max(*last);
            is_newer
        };
        if is_newer {
            self.kept.run_pending_tasks().await;
            self.counters.count_invalidations(self.kept.entry_count());
            self.kept.invalidate_all();
        }
    }

    pub(in crate::manager) async fn stats(&self) -> CacheLayerStats {
        self.kept.run_pending_tasks().await;
        let (entries, bytes) = (self.kept.entry_count(), self.kept.weighted_size());
        self.counters.stats(entries, bytes)
    }
}

/// The form that queries share which mean the same to all that compares them. White space never
/// matters; words are compared without regard to case, vectors by some models only.
fn same_query(query: &str, ignores_case: bool) -> String {
    let matters = |c: char| c.is_control() && !c.is_whitespace();
    // Between words such a character parts them, and a model never sees it.
    let mut same = match query.len() > MAX_NORMALISED_BYTES || query.contains(matters) {
        true => query.to_owned(),
        false => normalise(query).into_owned(),
    };
    if ignores_case {
        same.make_ascii_lowercase();
    }
    same
}

impl HiragManager {
    /// What the answer to a request follows from now; `None` where it cannot be kept.
    pub(super) fn key(&self, request: &ContextRequest, now_ms: i64) -> Option<Key> {
        if request.explain || query::validate(request, &self.config()).is_err() {
            return None;
        }
        let ignores_case =
            request.mode == SearchMode::Text || self.inner.models.ignores_case() == Some(true);
        let request = ContextRequest {
            query: same_query(&request.query, ignores_case),
            ..request.clone()
        };
        // Each of these is noted before what it counts is looked at.
        Some(Key {
            standing: Standing {
                store: self.inner.store.generation()?,
                working_set: self.inner.working_set.version(),
                settings: self.inner.settings_version.load(Ordering::Acquire),
            },
            period: now_ms.div_euclid(AGE_MS),
            request: Sha256::digest(serde_json::to_vec(&request).ok()?).into(),
        })
    }
}
