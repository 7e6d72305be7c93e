//! From a query to contexts with reasons.

mod answer;
mod answers;
mod query;
mod recall;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub(super) use self::answers::Answers;
pub use self::recall::SearchRecall;

use self::answer::Answered;
use self::answers::Kept;
use super::afterwards::Place;
use super::{HiragManager, off_the_async_threads};
use crate::config::Config;
use crate::context::{
    ContextError, ContextId, ContextRequest, ContextResponse, RetrievalMetadata, RetrievedContext,
};
use crate::error::Result;
use crate::levels;
use crate::metrics::Before;
use crate::retrieval::{
    Candidates, Explanation, Ranking, Rerankable, RetrievalError, RetrievalSettings, SearchFacts,
    Selection, SelectionRequest, Trace, TraceId, WhyNot, why_not,
};
use crate::store::sqlite::{KeptTrace, TraceBounds};

/// How long a trace is usually on its way to the disk, and some more.
const ON_ITS_WAY: Duration = Duration::from_millis(250);

impl HiragManager {
    /// The best contexts for a query inside its budget, with the reasons. Who asks what was asked
    /// before gets the same answer, trace and all, as long as nothing has changed that could make it
    /// another one.
    ///
    /// # Errors
    /// [`RetrievalError`] for a request that is not allowed; the store's errors. A model that
    /// cannot be had is none: words alone decide then, and the answer says so.
    pub async fn retrieve(&self, request: ContextRequest) -> Result<ContextResponse> {
        let start = Instant::now();
        let now_ms = self.inner.clock.now().as_millisecond();
        let Some(key) = self.key(&request, now_ms) else {
            let answered = self.answer(&request).await?;
            return Ok(self.given(request, answered));
        };
        let mut own = None;
        let search = async {
            let answered = self.answer(&request).await;
            let kept = answered.as_ref().ok().and_then(Kept::of);
            own = Some(answered);
            kept
        };
        let kept = self.inner.answers.find(key, now_ms, search).await;
        let answered = match (own, kept) {
            (Some(own), _) => own?,
            (None, Some(kept)) => return Ok(self.given_again(&kept, start)),
            // Whoever searched has come to nothing that can be kept.
            (None, None) => self.answer(&request).await?,
        };
        Ok(self.given(request, answered))
    }

    /// The same, and the candidates to rank by other settings.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn retrieve_kept(
        &self,
        request: ContextRequest,
    ) -> Result<(ContextResponse, Rerankable)> {
        let answered = self.answer(&request).await?;
        let kept = Rerankable::of(&answered.selection, self.config().hirag.max_tokens_limit);
        Ok((self.given(request, answered), kept))
    }

    /// Counts the accesses of an answer, and has its trace written.
    fn given(&self, request: ContextRequest, answered: Answered) -> ContextResponse {
        let Answered {
            outcome,
            response,
            selection,
            ..
        } = answered;
        let returned: Vec<ContextId> = response.contexts.iter().map(|c| c.context.id).collect();
        self.touch(&returned);
        // Accesses and trace are a help for later: they are written outside of the caller's time. Where
        // more is asked than can be told of, the last ones are as good as those left out.
        let listed = self.config().traces.max_candidates;
        match self.inner.afterwards.place_now() {
            Some(place) => self.record_at(place, request, selection, outcome, returned, listed),
            None => {
                tracing::info!("a trace was left out: there are too many searches at once");
                self.inner.store.record_retrieval(&returned, None);
            }
        }
        response
    }

    /// An answer that is given once more. Its trace is that of the first time.
    fn given_again(&self, kept: &Kept, start: Instant) -> ContextResponse {
        self.touch(kept.returned());
        self.inner.store.record_retrieval(kept.returned(), None);
        let took = start.elapsed();
        let timings = [("repeat", took)];
        let profiler = &self.inner.profiler;
        profiler.record_parts("retrieve", took, &timings, Before::default());
        kept.again(&timings, took)
    }

    fn touch(&self, returned: &[ContextId]) {
        let working_set = &self.inner.working_set;
        working_set.touch(returned, self.inner.clock.now());
    }

    /// The same with what became of every candidate, those outside of levels and filter too. It
    /// is no use of the contexts: no access is counted.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn explain(&self, request: ContextRequest) -> Result<(ContextResponse, Trace)> {
        let request = ContextRequest {
            explain: true,
            ..request
        };
        let Answered {
            outcome,
            response,
            selection,
            ..
        } = self.answer(&request).await?;
        let manager = self.clone();
        let trace = off_the_async_threads(move || {
            let trace = outcome.trace(request, &selection, selection.explain_best(usize::MAX));
            manager.record(&[], &trace);
            trace
        });
        Ok((response, trace.await?))
    }

    /// The same for who does not wait for all the reasons: the trace comes without candidates, and
    /// what became of them can be asked of what is kept, as can the order by other settings. The
    /// trace that is written has the best `listed`.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn explain_kept(
        &self,
        request: ContextRequest,
        listed: usize,
    ) -> Result<(ContextResponse, Trace, Rerankable)> {
        let request = ContextRequest {
            explain: true,
            ..request
        };
        let Answered {
            outcome,
            response,
            selection,
            ..
        } = self.answer(&request).await?;
        let kept = Rerankable::of(&selection, self.config().hirag.max_tokens_limit);
        let trace = outcome
            .clone()
            .trace(request.clone(), &selection, Vec::new());
        if let Some(place) = self.inner.afterwards.place().await {
            self.record_at(place, request, selection, outcome, Vec::new(), listed);
        }
        Ok((response, trace, kept))
    }

    /// The contexts of the same answer, and nothing is kept of it: no access is counted, and there
    /// is no trace. For looking something up, which is no use of what is found.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn look_up(&self, mut request: ContextRequest) -> Result<Vec<RetrievedContext>> {
        request.explain = false;
        Ok(self.answer(&request).await?.response.contexts)
    }

    /// Why a context was not returned for a query, and the smallest changes that let it in.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`], [`ContextError::Deleted`] or [`ContextError::Expired`];
    /// otherwise as [`Self::retrieve`].
    pub async fn why_not(&self, mut request: ContextRequest, id: ContextId) -> Result<WhyNot> {
        request.explain = true;
        let context = self.get(id).await?;
        if context.deleted_at.is_some() {
            return Err(ContextError::Deleted(id).into());
        }
        let now = self.inner.clock.now();
        if context.expires_at.is_some_and(|at| at <= now) {
            return Err(ContextError::Expired(id).into());
        }
        let config = self.config();
        let facts = SearchFacts {
            levels: query::searched_levels(&config, &request)?,
            failed_condition: self.failed_condition(&request.filter, &context).await?,
            max_tokens_limit: config.hirag.max_tokens_limit,
        };
        let settings = retrieval_settings(&config);
        let named = [id];
        let compared = self.compare(&request, &named, |candidates, _| (candidates, Vec::new()));
        let compared = compared.await?;
        let selection = compared.asked.selection;
        let why = off_the_async_threads(move || {
            why_not(&compared.result, &settings, &selection, id, &facts)
        });
        match why.await? {
            Err(RetrievalError::NotCompared(id)) => Err(ContextError::UnknownId(id).into()),
            other => Ok(other?),
        }
    }

    /// The trace of an earlier retrieval.
    ///
    /// # Errors
    /// [`RetrievalError::UnknownTrace`] when it is not kept, or not any more.
    pub async fn trace(&self, id: TraceId) -> Result<Trace> {
        let mut body = self.inner.store.trace(*id.as_bytes()).await?;
        if body.is_none() {
            // It may be on its way to the disk.
            self.settle_soon().await;
            body = self.inner.store.trace(*id.as_bytes()).await?;
        }
        body.and_then(|body| serde_json::from_slice(&body).ok())
            .ok_or_else(|| RetrievalError::UnknownTrace(id.to_string()).into())
    }

    /// The last traces, newest first.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn recent_traces(&self, limit: usize) -> Result<Vec<Trace>> {
        self.settle_soon().await;
        let bodies = self.inner.store.recent_traces(limit).await?;
        Ok(readable(&bodies))
    }

    /// Of the last `limit` traces, those in which a context is a candidate, newest first; and how
    /// many there were to look through.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn recent_traces_of(&self, id: ContextId, limit: usize) -> Result<(Vec<Trace>, u64)> {
        self.settle_soon().await;
        let (bodies, looked_through) = self.inner.store.recent_traces_of(id, limit).await?;
        Ok((readable(&bodies), looked_through))
    }

    /// Ranks contexts for a query as a retrieval does, before equal texts are folded and before
    /// the budget; the `k` best. For evaluation.
    pub(super) async fn rank(&self, request: &ContextRequest, k: usize) -> Result<Vec<ContextId>> {
        let settings = retrieval_settings(&self.config());
        let rank = move |candidates: Arc<Candidates>, selection: &SelectionRequest| {
            let ranking = Ranking::new(&candidates, &settings, selection);
            (ranking.top(k), Vec::new())
        };
        Ok(self.compare(request, &[], rank).await?.result)
    }

    /// Waits for traces on their way, but not for long work before them: the history is no reason to
    /// wait until a large database is tidied.
    async fn settle_soon(&self) {
        let _ = tokio::time::timeout(ON_ITS_WAY, self.settle()).await;
    }

    fn record_at(
        &self,
        place: Place,
        request: ContextRequest,
        selection: Selection,
        outcome: Outcome,
        returned: Vec<ContextId>,
        listed: usize,
    ) {
        let manager = self.clone();
        let record = move || {
            let trace = outcome.trace(request, &selection, selection.explain_best(listed));
            drop(selection);
            manager.record(&returned, &trace);
        };
        place.leave(record);
    }

    /// Writes that contexts were returned, and the trace if traces are kept.
    fn record(&self, returned: &[ContextId], trace: &Trace) {
        let traces = &self.config().traces;
        let oldest = traces.max_age.duration().map_or(i64::MIN, |age| {
            levels::before(trace.time, age).as_millisecond()
        });
        let kept = (traces.keep > 0).then(|| serde_json::to_vec(trace));
        let kept = kept.transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "a trace could not be written");
            None
        });
        let trace = kept.map(|body| KeptTrace {
            id: *trace.id.as_bytes(),
            body,
            bounds: TraceBounds {
                count: traces.keep as u64,
                bytes: traces.max_mb.saturating_mul(1_000_000),
                oldest_ms: oldest,
            },
        });
        self.inner.store.record_retrieval(returned, trace);
    }
}

/// What a trace takes from the answer.
#[derive(Clone)]
struct Outcome {
    time: Timestamp,
    metadata: RetrievalMetadata,
    total_tokens: u32,
    retrieval_time_ms: f64,
}

impl Outcome {
    fn of(time: Timestamp, response: &ContextResponse) -> Self {
        Self {
            time,
            metadata: response.metadata.clone(),
            total_tokens: response.total_tokens,
            retrieval_time_ms: response.retrieval_time_ms,
        }
    }

    fn trace(
        self,
        request: ContextRequest,
        selection: &Selection,
        candidates: Vec<Explanation>,
    ) -> Trace {
        let facts = self.metadata;
        Trace {
            id: facts.trace_id,
            time: self.time,
            complete: request.explain
                && selection.distant() == 0
                && candidates.len() == selection.compared(),
            mode: selection.mode(),
            request,
            settings: *selection.settings(),
            degraded: facts.degraded,
            total_tokens: self.total_tokens,
            retrieval_time_ms: self.retrieval_time_ms,
            timings: facts.timings,
            counts: selection.counts(),
            ledger: facts.ledger,
            candidates,
        }
    }
}

/// The traces among some bodies that this version can read.
fn readable(bodies: &[Vec<u8>]) -> Vec<Trace> {
    let traces = bodies.iter().map(|body| serde_json::from_slice(body).ok());
    traces.flatten().collect()
}

/// The settings that retrieval works with.
fn retrieval_settings(config: &Config) -> RetrievalSettings {
    RetrievalSettings {
        relevance_threshold: config.hirag.relevance_threshold,
        strategy: config.hirag.retrieval_strategy,
        weights: config.hirag.ranking_weights,
    }
}
