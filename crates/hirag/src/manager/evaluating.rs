//! Retrieval quality, measured on a golden set.

use std::path::PathBuf;
use std::time::Instant;

use super::{HiragManager, off_the_async_threads};
use crate::context::{
    Condition, ContextId, ContextRequest, Field, Filter, SearchMode, Test, Value,
};
use crate::error::Result;
use crate::eval::{EvalError, EvalReport, EvalRun, GoldenQuery, GoldenSet, score};
use crate::store::VectorStore;

/// What to measure.
#[derive(Debug, Clone)]
pub struct EvalOptions {
    /// `queries.jsonl` of the golden set.
    pub queries: PathBuf,
    /// `qrels.tsv` of the golden set.
    pub qrels: PathBuf,
    /// Each query sees only contexts whose metadata field equals its own field of this name.
    pub filter_field: Option<String>,
    /// The rank to which results count, 1 or more.
    pub k: usize,
    /// By vectors, by words, or both.
    pub mode: SearchMode,
}

impl HiragManager {
    /// Ranks every judged query of a golden set and compares the order with the judgements.
    /// Contexts are known by their metadata `source_id`, or by their id. No access is counted.
    ///
    /// # Errors
    /// [`EvalError`] when the set cannot be read; the errors of retrieval.
    pub async fn evaluate(
        &self,
        options: EvalOptions,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<EvalReport> {
        let (queries, qrels) = (options.queries.clone(), options.qrels.clone());
        let golden = off_the_async_threads(move || GoldenSet::read(&queries, &qrels)).await??;
        let total = golden.queries.len();
        let mut run = EvalRun::new(options.k, golden.unjudged)?;
        for (done, (query, judged)) in golden.queries.iter().enumerate() {
            let request = ContextRequest {
                mode: options.mode,
                filter: filter_of(query, options.filter_field.as_deref())?,
                ..ContextRequest::new(query.text.clone())
            };
            let start = Instant::now();
            // Several chunks may be of one document: it counts once, where its best chunk stands.
            let ids = self.rank(&request, options.k.saturating_mul(4)).await?;
            let took = start.elapsed();
            let ranking = self.document_names(&ids).await?;
            if let Some(scores) = score(&ranking, judged, options.k) {
                run.add(scores, took);
            }
            progress(done + 1, total);
        }
        Ok(run.report())
    }

    /// What documents are called that contexts are of: their metadata `source_id`, or their id.
    pub(super) async fn document_names(&self, ids: &[ContextId]) -> Result<Vec<String>> {
        let store = &self.inner.store;
        let contexts = store.get(&self.inner.collection, ids).await?;
        let mut names: Vec<String> = Vec::with_capacity(contexts.len());
        for context in contexts {
            let name = match context.metadata.get("source_id") {
                Some(serde_json::Value::String(name)) => name.clone(),
                Some(other) if !other.is_null() => other.to_string(),
                _ => context.id.to_string(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn filter_of(query: &GoldenQuery, field: Option<&str>) -> Result<Filter> {
    let Some(field) = field else {
        return Ok(Filter::default());
    };
    let value = query
        .fields
        .get(field)
        .and_then(|value| Value::try_from(value).ok())
        .ok_or_else(|| EvalError::MissingField {
            query: query.id.clone(),
            field: field.to_owned(),
        })?;
    let condition = Condition::new(Field::Metadata(field.to_owned()), Test::AnyOf(vec![value]))?;
    Ok(Filter {
        must: vec![condition],
        ..Filter::default()
    })
}
