//! From a query to contexts with reasons.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::HiragManager;
use crate::config::Config;
use crate::context::{
    Context, ContextError, ContextId, ContextRequest, ContextResponse, Degradation, Filter,
    LevelCounts, RetrievalMetadata, RetrievedContext, SearchMode,
};
use crate::embedding::{CacheOutcome, EmbeddingError};
use crate::error::{Error, Result};
use crate::levels;
use crate::retrieval::{
    Candidates, Chosen, RetrievalError, RetrievalSettings, SearchFacts, SelectionRequest,
    StageTiming, TokenLedger, Trace, TraceId, WhyNot, select, why_not,
};
use crate::store::sqlite::{CandidateQuery, TraceBounds};
use crate::store::{StoreError, VectorStore};

/// A query that has been compared with everything.
struct Compared {
    time: Timestamp,
    candidates: Candidates,
    request: SelectionRequest,
    degraded: Vec<Degradation>,
    cache_hits: u64,
    timings: Vec<(&'static str, Duration)>,
}

impl HiragManager {
    /// The best contexts for a query inside its budget, with the reasons.
    ///
    /// # Errors
    /// [`RetrievalError`] for a request that is not allowed; the store's errors. A model that
    /// cannot be had is none: words alone decide then, and the answer says so.
    pub async fn retrieve(&self, request: ContextRequest) -> Result<ContextResponse> {
        let (response, compared) = self.answer(&request).await?;
        self.count_access(&response);
        // The trace is a help for later: it is made and written outside of the caller's time.
        let (manager, facts) = (self.clone(), response.metadata.clone());
        let (total_tokens, took) = (response.total_tokens, response.retrieval_time_ms);
        let mut background = self.inner.background.lock();
        while background.try_join_next().is_some() {}
        background.spawn_blocking(move || {
            let trace = manager.trace_of(request, &compared, facts, total_tokens, took);
            manager.keep(&trace);
        });
        drop(background);
        Ok(response)
    }

    /// The same with what became of every candidate, those outside of levels and filter too. It
    /// is no use of the contexts: no access is counted.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn explain(&self, mut request: ContextRequest) -> Result<(ContextResponse, Trace)> {
        request.explain = true;
        let (response, compared) = self.answer(&request).await?;
        let (manager, facts) = (self.clone(), response.metadata.clone());
        let (total_tokens, took) = (response.total_tokens, response.retrieval_time_ms);
        let trace = tokio::task::spawn_blocking(move || {
            let trace = manager.trace_of(request, &compared, facts, total_tokens, took);
            manager.keep(&trace);
            trace
        })
        .await
        .map_err(|e| Error::Internal(e.to_string()))?;
        Ok((response, trace))
    }

    /// Why a context was not returned for a query, and the smallest changes that let it in.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`]; otherwise as [`Self::retrieve`].
    pub async fn why_not(&self, mut request: ContextRequest, id: ContextId) -> Result<WhyNot> {
        request.explain = true;
        let context = self.get(id).await?;
        let config = self.config();
        let facts = SearchFacts {
            levels: searched_levels(&config, &request),
            failed_condition: self.failed_condition(&request.filter, &context).await?,
            max_tokens_limit: config.hirag.max_tokens_limit,
        };
        let compared = self.compare(&request).await?;
        let settings = retrieval_settings(&config);
        match why_not(
            &compared.candidates,
            &settings,
            &compared.request,
            id,
            &facts,
        ) {
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

    /// Ranks contexts for a query as a retrieval does, before equal texts are folded and before
    /// the budget; the `k` best. For evaluation.
    pub(super) async fn rank(&self, request: &ContextRequest, k: usize) -> Result<Vec<ContextId>> {
        let compared = self.compare(request).await?;
        let settings = retrieval_settings(&self.config());
        let ranking =
            crate::retrieval::Ranking::new(&compared.candidates, &settings, &compared.request);
        Ok(ranking.top(k))
    }

    async fn answer(&self, request: &ContextRequest) -> Result<(ContextResponse, Compared)> {
        let start = Instant::now();
        let time = self.inner.clock.now();
        let mut compared = self.compare(request).await?;
        let settings = retrieval_settings(&self.config());
        let mut stage = Instant::now();
        let selection = select(&compared.candidates, &settings, &compared.request);
        let (chosen, ledger) = (selection.chosen().to_vec(), selection.ledger());
        drop(selection);
        compared.timings.push(("rank", stage.elapsed()));
        stage = Instant::now();
        let contexts = self.fetch(&chosen).await?;
        compared.timings.push(("fetch", stage.elapsed()));
        let took = start.elapsed();
        self.inner
            .profiler
            .record_parts("retrieve", took, &compared.timings);
        let response = respond(time, request, &compared, &chosen, ledger, contexts, took);
        Ok((response, compared))
    }

    fn trace_of(
        &self,
        request: ContextRequest,
        compared: &Compared,
        facts: RetrievalMetadata,
        total_tokens: u32,
        retrieval_time_ms: f64,
    ) -> Trace {
        let config = self.config();
        let settings = retrieval_settings(&config);
        let selection = select(&compared.candidates, &settings, &compared.request);
        let candidates = if request.explain {
            selection.explain_all()
        } else {
            selection.explain_best(config.traces.max_candidates)
        };
        Trace {
            id: facts.trace_id,
            time: compared.time,
            complete: request.explain,
            mode: compared.request.mode,
            request,
            settings,
            degraded: facts.degraded,
            total_tokens,
            retrieval_time_ms,
            timings: facts.timings,
            counts: selection.counts(),
            ledger: facts.ledger,
            candidates,
        }
    }

    /// Validates a request, embeds its query and compares it with everything.
    async fn compare(&self, request: &ContextRequest) -> Result<Compared> {
        match self.compare_once(request).await {
            // The model was switched after the query was embedded: once more, by the new one.
            Err(Error::Store(StoreError::BadVector { .. })) => self.compare_once(request).await,
            other => other,
        }
    }

    async fn compare_once(&self, request: &ContextRequest) -> Result<Compared> {
        let config = self.config();
        let time = self.inner.clock.now();
        let max_tokens = validate(request, &config)?;
        let mut degraded = Vec::new();
        let mut cache_hits = 0;
        let mut timings = Vec::new();
        let (mut vector, mut model) = (None, None);
        let stage = Instant::now();
        if request.mode != SearchMode::Text {
            match self.embed_query(request).await? {
                Ok((found, of, from_cache)) => {
                    (vector, model) = (Some(found), Some(of));
                    cache_hits += u64::from(from_cache);
                }
                Err(e) => {
                    tracing::info!(error = %e, "the query was not embedded");
                    degraded.push(match e {
                        EmbeddingError::OtherModel { .. } => Degradation::Model,
                        _ => Degradation::Embedding,
                    });
                }
            }
            timings.push(("embed", stage.elapsed()));
        }
        let mode = match (request.mode, &vector) {
            (SearchMode::Text, _) | (_, None) => SearchMode::Text,
            (mode, Some(_)) => mode,
        };
        let stage = Instant::now();
        let query = CandidateQuery {
            vector,
            model,
            text: (mode != SearchMode::Vector).then(|| request.query.clone()),
            levels: searched_levels(&config, request),
            filter: request.filter.clone(),
            everything: request.explain,
        };
        let store = &self.inner.store;
        let candidates = store.candidates(&self.inner.collection, query).await?;
        timings.push(("search", stage.elapsed()));
        Ok(Compared {
            time,
            candidates,
            request: SelectionRequest {
                mode,
                max_tokens,
                limit: request.limit,
                now_ms: time.as_millisecond(),
            },
            degraded,
            cache_hits,
            timings,
        })
    }

    async fn embed_query(
        &self,
        request: &ContextRequest,
    ) -> Result<Result<(Vec<f32>, String, bool), EmbeddingError>> {
        let stored = self.inner.store.vector_spec(&self.inner.collection).await?;
        let embedder = match self.serving(&stored).await {
            Ok(embedder) => embedder,
            Err(e) => return Ok(Err(e)),
        };
        let embedded = embedder.embed_query(&request.query, request.priority).await;
        match embedded {
            Ok(embedded) if self.fits(&embedder, embedded.vector.len()).await? => {
                let from_cache = embedded.cache != CacheOutcome::Miss;
                let model = embedder.model_id().to_owned();
                Ok(Ok((embedded.vector, model, from_cache)))
            }
            Ok(_) => Ok(Err(EmbeddingError::OtherModel {
                stored: stored.to_string(),
                configured: embedder.model_id().to_owned(),
            })),
            Err(e) => Ok(Err(e)),
        }
    }

    async fn fetch(&self, chosen: &[Chosen]) -> Result<HashMap<ContextId, Context>> {
        let mut found = HashMap::with_capacity(chosen.len());
        let mut missing = Vec::new();
        for one in chosen {
            match self.inner.working_set.get(one.id) {
                Some(context) => {
                    found.insert(one.id, (*context).clone());
                }
                None => missing.push(one.id),
            }
        }
        let stored = self
            .inner
            .store
            .get(&self.inner.collection, &missing)
            .await?;
        found.extend(stored.into_iter().map(|context| (context.id, context)));
        Ok(found)
    }

    fn count_access(&self, response: &ContextResponse) {
        let ids: Vec<ContextId> = response.contexts.iter().map(|c| c.context.id).collect();
        if !ids.is_empty() {
            self.inner.working_set.touch(&ids, self.inner.clock.now());
            self.inner.store.touch(ids);
        }
    }

    fn keep(&self, trace: &Trace) {
        let traces = &self.config().traces;
        if traces.keep == 0 {
            return;
        }
        let oldest = traces.max_age.duration().map_or(i64::MIN, |age| {
            levels::before(trace.time, age).as_millisecond()
        });
        let bounds = TraceBounds {
            count: traces.keep as u64,
            bytes: traces.max_mb.saturating_mul(1_000_000),
            oldest_ms: oldest,
        };
        match serde_json::to_vec(trace) {
            Ok(body) => {
                let id = *trace.id.as_bytes();
                self.inner.store.keep_trace(id, body, bounds);
            }
            Err(error) => tracing::warn!(%error, "a trace could not be written"),
        }
    }

    /// The first condition of the filter that does not hold for a context, in words.
    async fn failed_condition(&self, filter: &Filter, context: &Context) -> Result<Option<String>> {
        let must = filter.must.iter().map(|c| Filter {
            must: vec![c.clone()],
            ..Filter::default()
        });
        let should = (!filter.should.is_empty()).then(|| Filter {
            should: filter.should.clone(),
            ..Filter::default()
        });
        let must_not = filter.must_not.iter().map(|c| Filter {
            must_not: vec![c.clone()],
            ..Filter::default()
        });
        for part in must.chain(should).chain(must_not) {
            let passes = self
                .inner
                .store
                .passes(&self.inner.collection, part.clone(), context.id);
            if !passes.await? {
                let words = serde_json::to_string(&part);
                return Ok(words.ok());
            }
        }
        Ok(None)
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

/// The levels of a request; L3 is none of them where it is switched off.
fn searched_levels(config: &Config, request: &ContextRequest) -> Vec<crate::context::ContextLevel> {
    use crate::context::ContextLevel;
    if config.hirag.l3_enabled {
        return request.levels.clone();
    }
    let asked = if request.levels.is_empty() {
        &ContextLevel::ALL[..]
    } else {
        &request.levels
    };
    let mut levels: Vec<ContextLevel> = asked
        .iter()
        .copied()
        .filter(|level| *level != ContextLevel::LongTerm)
        .collect();
    if levels.is_empty() {
        // Nothing is left to search; an empty list would mean everything.
        levels.push(ContextLevel::Immediate);
    }
    levels
}

fn validate(request: &ContextRequest, config: &Config) -> Result<u32, RetrievalError> {
    let bytes = request.query.len();
    if bytes > config.limits.max_query_bytes {
        return Err(RetrievalError::LongQuery {
            bytes,
            limit: config.limits.max_query_bytes,
        });
    }
    if request
        .query
        .chars()
        .all(|c| c.is_whitespace() || c.is_control())
    {
        return Err(RetrievalError::BlankQuery);
    }
    if request.limit == Some(0) {
        return Err(RetrievalError::ZeroLimit);
    }
    let given = request
        .max_tokens
        .unwrap_or(config.hirag.max_context_tokens);
    let limit = config.hirag.max_tokens_limit;
    if given == 0 || given > limit {
        return Err(RetrievalError::Budget { given, limit });
    }
    Ok(given)
}

fn respond(
    time: Timestamp,
    request: &ContextRequest,
    compared: &Compared,
    chosen: &[Chosen],
    ledger: TokenLedger,
    mut contexts: HashMap<ContextId, Context>,
    took: Duration,
) -> ContextResponse {
    let mut distribution = LevelCounts::default();
    let mut total_tokens = 0;
    let mut similarity = 0.0;
    let mut returned = Vec::with_capacity(contexts.len());
    for one in chosen {
        // A context that was deleted while this ran is not returned.
        let Some(context) = contexts.remove(&one.id) else {
            continue;
        };
        *distribution.get_mut(context.level) += 1;
        total_tokens += context.token_count;
        similarity += one.parts.similarity;
        returned.push(RetrievedContext {
            rank: returned.len() + 1,
            score: one.score,
            parts: one.parts,
            same_text: one.same_text.clone(),
            context,
        });
    }
    let items = &compared.candidates.items;
    ContextResponse {
        total_tokens,
        retrieval_time_ms: milliseconds(took),
        metadata: RetrievalMetadata {
            trace_id: TraceId::new(time),
            mode: request.mode,
            degraded: compared.degraded.clone(),
            level_distribution: distribution,
            average_relevance: similarity / returned.len().max(1) as f32,
            cache_hits: compared.cache_hits,
            total_searched: items.iter().filter(|c| c.excluded.is_none()).count() as u64,
            ledger,
            timings: compared
                .timings
                .iter()
                .map(|(stage, took)| StageTiming {
                    stage: (*stage).to_owned(),
                    ms: milliseconds(*took),
                })
                .collect(),
        },
        contexts: returned,
    }
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
