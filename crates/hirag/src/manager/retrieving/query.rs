//! A request checked, embedded and compared with everything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{Instrument, trace_span};

use super::retrieval_settings;
use crate::config::Config;
use crate::context::{
    Context, ContextError, ContextId, ContextLevel, ContextRequest, Degradation, Filter, SearchMode,
};
use crate::embedding::{CacheOutcome, EmbeddingError};
use crate::error::{Error, Result};
use crate::manager::HiragManager;
use crate::manager::models::UNKNOWN_DIMENSION;
use crate::retrieval::{Candidates, RetrievalError, SelectionRequest, Shortlisting};
use crate::store::StoreError;
use crate::store::sqlite::CandidateQuery;

/// A query that can be compared.
pub(super) struct Asked {
    pub(super) time: Timestamp,
    pub(super) selection: SelectionRequest,
    pub(super) degraded: Vec<Degradation>,
    pub(super) cache_hits: u64,
    /// How long the embedding took; `None` where none was asked for.
    pub(super) embedding: Option<Duration>,
    query: CandidateQuery,
}

/// What came of comparing it.
pub(super) struct Compared<T> {
    pub(super) asked: Asked,
    pub(super) result: T,
    /// The contexts that were asked for on the way.
    pub(super) contexts: Vec<Context>,
}

impl HiragManager {
    /// Validates a request, embeds its query, compares it with everything and gives the
    /// candidates to `work`, which returns what it makes of them and which contexts it wants. Those
    /// that are `named` are compared exactly in any case.
    pub(super) async fn compare<T, W>(
        &self,
        request: &ContextRequest,
        named: &[ContextId],
        work: W,
    ) -> Result<Compared<T>>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Candidates>, &SelectionRequest) -> (T, Vec<ContextId>)
            + Clone
            + Send
            + 'static,
    {
        match self.compare_once(request, named, work.clone()).await {
            // The model was switched after the query was embedded: once more, by the new one.
            Err(Error::Store(StoreError::BadVector { .. })) => {
                self.compare_once(request, named, work).await
            }
            other => other,
        }
    }

    async fn compare_once<T, W>(
        &self,
        request: &ContextRequest,
        named: &[ContextId],
        work: W,
    ) -> Result<Compared<T>>
    where
        T: Send + 'static,
        W: FnOnce(Arc<Candidates>, &SelectionRequest) -> (T, Vec<ContextId>) + Send + 'static,
    {
        let mut asked = self.asked(request).await?;
        let query = CandidateQuery {
            named: named.to_vec(),
            ..std::mem::take(&mut asked.query)
        };
        let selection = asked.selection;
        let (result, contexts) = self
            .inner
            .store
            .retrieve(&self.inner.collection, query, move |candidates| {
                work(Arc::new(candidates), &selection)
            })
            .await?;
        Ok(Compared {
            asked,
            result,
            contexts,
        })
    }

    async fn asked(&self, request: &ContextRequest) -> Result<Asked> {
        let config = self.config();
        let time = self.inner.clock.now();
        let max_tokens = validate(request, &config)?;
        request.filter.check_size()?;
        let levels = searched_levels(&config, request)?;
        let mut degraded = Vec::new();
        let mut cache_hits = 0;
        let mut embedding_took = None;
        let (mut vector, mut model) = (None, None);
        if request.mode != SearchMode::Text {
            let stage = Instant::now();
            let embedding = self.embed_query(request);
            match embedding.instrument(trace_span!("embed")).await? {
                Ok((found, of, from_cache)) => {
                    (vector, model) = (Some(found), Some(of));
                    cache_hits += u64::from(from_cache);
                }
                Err(e) => {
                    tracing::info!(error = %e, "the query was not embedded");
                    degraded.extend(match e {
                        // Nothing was missed: there is no vector yet, and who only reads leaves
                        // it to the writer to say of which model they will be.
                        EmbeddingError::OtherModel { .. } if self.has_no_vectors().await? => None,
                        EmbeddingError::OtherModel { .. } => Some(Degradation::Model),
                        _ => Some(Degradation::Embedding),
                    });
                }
            }
            embedding_took = Some(stage.elapsed());
        }
        let mode = match (request.mode, &vector) {
            (SearchMode::Text, _) | (_, None) => SearchMode::Text,
            (mode, Some(_)) => mode,
        };
        let selection = SelectionRequest {
            mode,
            max_tokens,
            limit: request.limit,
            now_ms: time.as_millisecond(),
        };
        Ok(Asked {
            time,
            selection,
            degraded,
            cache_hits,
            embedding: embedding_took,
            query: CandidateQuery {
                vector,
                model,
                text: (mode != SearchMode::Vector).then(|| request.query.clone()),
                levels,
                filter: request.filter.clone(),
                everything: request.explain,
                exact: request.exact,
                named: Vec::new(),
                shortlist: Some(Shortlisting {
                    settings: retrieval_settings(&config),
                    request: selection,
                }),
            },
        })
    }

    async fn has_no_vectors(&self) -> Result<bool> {
        let stored = self.inner.store.vector_spec(&self.inner.collection);
        Ok(stored.await?.dimension <= UNKNOWN_DIMENSION)
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

    /// The first condition of the filter that does not hold for a context, in words.
    pub(super) async fn failed_condition(
        &self,
        filter: &Filter,
        context: &Context,
    ) -> Result<Option<String>> {
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

/// The levels of a request; L3 is none of them where it is switched off.
pub(super) fn searched_levels(
    config: &Config,
    request: &ContextRequest,
) -> Result<Vec<ContextLevel>, ContextError> {
    if config.hirag.l3_enabled {
        return Ok(request.levels.clone());
    }
    let asked = match request.levels.is_empty() {
        true => &ContextLevel::ALL[..],
        false => &request.levels,
    };
    let mut levels = asked.to_vec();
    levels.retain(|level| *level != ContextLevel::LongTerm);
    if levels.is_empty() {
        // An empty list would mean everything.
        let level = ContextLevel::LongTerm;
        return Err(ContextError::LevelDisabled { level });
    }
    Ok(levels)
}

pub(super) fn validate(request: &ContextRequest, config: &Config) -> Result<u32, RetrievalError> {
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
    if let Some(offset) = request.query.find('\0') {
        return Err(RetrievalError::NulByte { offset });
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
