//! From a query to contexts with reasons.

mod answer;
mod query;

use std::sync::Arc;

use futures::future::OptionFuture;
use jiff::Timestamp;

use self::answer::Answered;
use super::{HiragManager, off_the_async_threads};
use crate::config::Config;
use crate::context::{
    ContextError, ContextId, ContextRequest, ContextResponse, RetrievalMetadata, RetrievedContext,
};
use crate::error::Result;
use crate::levels;
use crate::retrieval::{
    Candidates, Ranking, Rerankable, RetrievalError, RetrievalSettings, SearchFacts, Selection,
    Trace, TraceId, WhyNot, why_not,
};
use crate::store::StoreError;
use crate::store::sqlite::{KeptTrace, TraceBounds};

/// Traces that may wait to be written. Each holds its candidates; with more of them, whoever asks
/// the next question waits for its trace too.
const TRACES_IN_BACKGROUND: usize = 4;

impl HiragManager {
    /// The best contexts for a query inside its budget, with the reasons.
    ///
    /// # Errors
    /// [`RetrievalError`] for a request that is not allowed; the store's errors. A model that
    /// cannot be had is none: words alone decide then, and the answer says so.
    pub async fn retrieve(&self, request: ContextRequest) -> Result<ContextResponse> {
        Ok(self.retrieve_kept(request).await?.0)
    }

    /// The same, and the candidates to rank by other settings.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn retrieve_kept(
        &self,
        request: ContextRequest,
    ) -> Result<(ContextResponse, Rerankable)> {
        let Answered {
            time,
            response,
            selection,
        } = self.answer(&request).await?;
        let returned: Vec<ContextId> = response.contexts.iter().map(|c| c.context.id).collect();
        self.inner
            .working_set
            .touch(&returned, self.inner.clock.now());
        let kept = Rerankable::of(&selection, self.config().hirag.max_tokens_limit);
        // Accesses and trace are a help for later: they are written outside of the caller's time.
        let (manager, outcome) = (self.clone(), Outcome::of(time, &response));
        let record = move || {
            let listed = manager.config().traces.max_candidates;
            let trace = manager.trace_of(request, &selection, outcome, listed);
            drop(selection);
            drop(manager.record(returned, &trace));
        };
        let rest = {
            let mut background = self.inner.background.lock();
            while background.try_join_next().is_some() {}
            if background.len() < TRACES_IN_BACKGROUND {
                background.spawn_blocking(record);
                None
            } else {
                Some(record)
            }
        };
        if let Some(record) = rest {
            off_the_async_threads(record).await?;
        }
        Ok((response, kept))
    }

    /// The same with what became of every candidate, those outside of levels and filter too. It
    /// is no use of the contexts: no access is counted.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn explain(&self, request: ContextRequest) -> Result<(ContextResponse, Trace)> {
        let (response, trace, _) = self.explain_kept(request, usize::MAX).await?;
        Ok((response, trace))
    }

    /// The same with the best `listed` candidates and all that were chosen, and the candidates to
    /// rank by other settings.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn explain_kept(
        &self,
        mut request: ContextRequest,
        listed: usize,
    ) -> Result<(ContextResponse, Trace, Rerankable)> {
        request.explain = true;
        let Answered {
            time,
            response,
            selection,
        } = self.answer(&request).await?;
        let kept = Rerankable::of(&selection, self.config().hirag.max_tokens_limit);
        let (manager, outcome) = (self.clone(), Outcome::of(time, &response));
        let (trace, written) = off_the_async_threads(move || {
            let trace = manager.trace_of(request, &selection, outcome, listed);
            let written = manager.record(Vec::new(), &trace);
            (trace, written)
        })
        .await?;
        // Who asks for reasons will ask for the trace again.
        if let Some(Ok(Err(error))) = OptionFuture::from(written).await {
            tracing::warn!(%error, "a trace could not be kept");
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
        let compared = self.compare(&request, |candidates, _| (candidates, Vec::new()));
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
        let body = self.inner.store.trace(*id.as_bytes()).await?;
        body.and_then(|body| serde_json::from_slice(&body).ok())
            .ok_or_else(|| RetrievalError::UnknownTrace(id.to_string()).into())
    }

    /// The last traces, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn recent_traces(&self, limit: usize) -> Result<Vec<Trace>> {
        let bodies = self.inner.store.recent_traces(limit).await?;
        Ok(bodies
            .iter()
            .filter_map(|body| serde_json::from_slice(body).ok())
            .collect())
    }

    /// Of the last `limit` traces, those in which a context is a candidate, newest first; and how
    /// many there were to look through.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn recent_traces_of(&self, id: ContextId, limit: usize) -> Result<(Vec<Trace>, u64)> {
        let (bodies, looked_through) = self.inner.store.recent_traces_of(id, limit).await?;
        let traces = bodies
            .iter()
            .filter_map(|body| serde_json::from_slice(body).ok())
            .collect();
        Ok((traces, looked_through))
    }

    /// Ranks contexts for a query as a retrieval does, before equal texts are folded and before
    /// the budget; the `k` best. For evaluation.
    pub(super) async fn rank(&self, request: &ContextRequest, k: usize) -> Result<Vec<ContextId>> {
        let settings = retrieval_settings(&self.config());
        let compared = self.compare(request, move |candidates: Arc<Candidates>, selection| {
            let ranking = Ranking::new(&candidates, &settings, selection);
            (ranking.top(k), Vec::new())
        });
        Ok(compared.await?.result)
    }

    fn trace_of(
        &self,
        request: ContextRequest,
        selection: &Selection,
        outcome: Outcome,
        listed: usize,
    ) -> Trace {
        let candidates = selection.explain_best(listed);
        let facts = outcome.metadata;
        Trace {
            id: facts.trace_id,
            time: outcome.time,
            complete: request.explain && candidates.len() < listed,
            mode: selection.mode(),
            request,
            settings: *selection.settings(),
            degraded: facts.degraded,
            total_tokens: outcome.total_tokens,
            retrieval_time_ms: outcome.retrieval_time_ms,
            timings: facts.timings,
            counts: selection.counts(),
            ledger: facts.ledger,
            candidates,
        }
    }

    /// Writes that contexts were returned, and the trace if traces are kept.
    fn record(&self, returned: Vec<ContextId>, trace: &Trace) -> Option<Recorded> {
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
        self.inner.store.record_retrieval(returned, trace)
    }
}

/// Where it comes when something was written.
type Recorded = tokio::sync::oneshot::Receiver<std::result::Result<(), StoreError>>;

/// What a trace takes from the answer.
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
}

/// The settings that retrieval works with.
fn retrieval_settings(config: &Config) -> RetrievalSettings {
    RetrievalSettings {
        relevance_threshold: config.hirag.relevance_threshold,
        strategy: config.hirag.retrieval_strategy,
        weights: config.hirag.ranking_weights,
    }
}
