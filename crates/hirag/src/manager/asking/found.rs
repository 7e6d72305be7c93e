//! What an answer is made of: the conversation so far, and contexts that the question, or the one before
//! together with it, finds.

use super::sources_of;
use super::worded::normalised;
use crate::answering::{AnswerKind, AskRequest, Exchange};
use crate::config::Config;
use crate::context::{ContextRequest, Degradation, RetrievedContext};
use crate::error::Result;
use crate::manager::HiragManager;
use crate::retrieval::TraceId;

/// Contexts that are looked through for sources at most.
const FOUND: usize = 24;
/// Tokens of contexts that are looked through, where fewer may go along: a part of a long one may be
/// what fits.
const LOOKED_THROUGH: u32 = 32_000;
/// Questions and answers of a conversation that can go along at most.
const HISTORY: usize = 20;
/// What goes along in the place of an answer that no model worded: its passages are texts of the
/// memory, and those are told between marks alone.
const PASSAGES: &str = "(Passages of the memory were shown.)";

/// What there is to answer from.
#[derive(Debug)]
pub(super) struct FoundSources {
    /// The conversation so far, the oldest first.
    pub(super) history: Vec<Exchange>,
    /// The best first.
    pub(super) contexts: Vec<RetrievedContext>,
    /// The search for the question itself.
    pub(super) trace_id: TraceId,
    /// What the searches had to do without.
    pub(super) degraded: Vec<Degradation>,
}

impl HiragManager {
    /// Searches for a question. One that goes on with a conversation may mean something that only the
    /// question before it names: both together are searched for as well.
    pub(super) async fn find_sources(
        &self,
        request: &AskRequest,
        config: &Config,
    ) -> Result<FoundSources> {
        let history = match &request.session {
            Some(session) => self.exchanges(session, &request.question).await?,
            None => Vec::new(),
        };
        let search = search_of(request, config, request.question.clone());
        let response = self.retrieve(search).await?;
        let mut found = FoundSources {
            history,
            contexts: response.contexts,
            trace_id: response.metadata.trace_id,
            degraded: response.metadata.degraded,
        };
        let before = found.history.last();
        let both = before.and_then(|before| {
            both(
                &before.question,
                &request.question,
                config.limits.max_query_bytes,
            )
        });
        if let Some(both) = both {
            let more = self.retrieve(search_of(request, config, both)).await?;
            found.merge(more.contexts, more.metadata.degraded);
        }
        Ok(found)
    }

    /// What was asked and answered in a conversation before, the oldest first. Whoever asks the same
    /// again asks it instead of the last time.
    async fn exchanges(&self, session: &str, question: &str) -> Result<Vec<Exchange>> {
        let conversation = self.inner.store.conversation(session, HISTORY).await?;
        let mut turns = conversation.map_or_else(Vec::new, |conversation| conversation.turns);
        let question = normalised(question);
        while turns
            .last()
            .is_some_and(|turn| normalised(&turn.question) == question)
        {
            turns.pop();
        }
        let exchanges = turns.into_iter().map(|turn| Exchange {
            question: turn.question,
            answer: match turn.answer.kind {
                AnswerKind::Worded => turn.answer.text,
                AnswerKind::Extractive | AnswerKind::Nothing => PASSAGES.to_owned(),
            },
        });
        Ok(exchanges.collect())
    }
}

impl FoundSources {
    /// Takes in what another search has found; the better score of a context counts.
    fn merge(&mut self, more: Vec<RetrievedContext>, degraded: Vec<Degradation>) {
        for one in more {
            let known = |found: &&mut RetrievedContext| found.context.id == one.context.id;
            match self.contexts.iter_mut().find(known) {
                Some(known) if known.score < one.score => *known = one,
                Some(_) => {}
                None => self.contexts.push(one),
            }
        }
        // Of equal ones, those of the question itself stay before the others.
        self.contexts.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.contexts.truncate(FOUND);
        for one in degraded {
            if !self.degraded.contains(&one) {
                self.degraded.push(one);
            }
        }
    }
}

/// The question before and the question, as one query of at most `limit` bytes.
fn both(before: &str, question: &str, limit: usize) -> Option<String> {
    let room = limit.checked_sub(question.len() + 1)?;
    let before = before[..before.floor_char_boundary(room)].trim();
    (!before.is_empty()).then(|| format!("{before} {question}"))
}

/// More than can be used is asked for, to tell what was left out.
fn search_of(request: &AskRequest, config: &Config, query: String) -> ContextRequest {
    let most = sources_of(request, config);
    let more = most.saturating_mul(2).max(LOOKED_THROUGH);
    let more = more.min(config.hirag.max_tokens_limit);
    ContextRequest {
        // A budget that is not allowed is refused as it is.
        max_tokens: Some(if most == 0 { most } else { more.max(most) }),
        limit: Some(FOUND),
        levels: request.levels.clone(),
        filter: request.filter.clone(),
        mode: request.mode,
        ..ContextRequest::new(query)
    }
}
