//! From a question to an answer with its sources.

mod answer;
mod chats;
#[cfg(test)]
mod tests;
mod worded;

use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::stream::{self, BoxStream};
use secrecy::SecretString;

pub(super) use self::chats::Chats;
pub(super) use self::worded::WordedAnswers;

use self::answer::Asked;
use super::{HiragManager, off_the_async_threads};
use crate::answering::{
    AnswerSource, AskError, AskEvent, AskRequest, Exchange, LeftOut, Plan, PlanRequest,
    WindowBudget,
};
use crate::chat::ChatMessage;
use crate::config::Config;
use crate::context::ContextRequest;
use crate::error::Result;
use crate::resilience::CircuitBreaker;
use crate::tokens::TokenEstimator;

/// An answer while it comes: see [`AskEvent`]. Dropping it ends everything, the request to the
/// provider too; nothing is kept of the answer then.
pub type AskStream = BoxStream<'static, AskEvent>;

/// Contexts that are looked through for sources at most.
const FOUND: usize = 24;
/// Bytes of a conversation's name at most.
const SESSION_BYTES: usize = 256;
/// Questions and answers of a conversation that can go along at most.
const HISTORY: usize = 20;

/// What goes into a question, made once.
#[derive(Debug)]
struct Planned {
    sources: Vec<AnswerSource>,
    left_out: Vec<LeftOut>,
    budget: WindowBudget,
    messages: Vec<ChatMessage>,
    key: Option<worded::Key>,
}

impl HiragManager {
    /// Answers a question from the memory: finds its sources, and has an answer worded from them where
    /// somebody is set to, or puts passages together. What goes wrong with the wording is a part of the
    /// answer, and passages take its place.
    ///
    /// # Errors
    /// [`AskError::BadSession`]; as [`Self::retrieve`].
    pub async fn ask(&self, request: AskRequest) -> Result<AskStream> {
        let began = Instant::now();
        if let Some(session) = &request.session {
            check_session(session)?;
        }
        let config = self.config();
        let response = self.retrieve(search_of(&request, &config)).await?;
        let history = match &request.session {
            Some(session) => self.exchanges(session).await?,
            None => Vec::new(),
        };
        let (manager, question) = (self.clone(), request.question.clone());
        let (tokens, settings) = (self.inner.tokens, Arc::clone(&config));
        let most = request
            .max_tokens
            .unwrap_or(config.hirag.max_context_tokens);
        let trace_id = response.metadata.trace_id;
        let degraded = response.metadata.degraded.clone();
        // Counting the tokens of long texts takes its time.
        let planned = off_the_async_threads(move || {
            let plan = PlanRequest {
                question: &question,
                history: &history,
                found: &response.contexts,
                window: settings.chat.window_tokens,
                answer: settings.chat.max_answer_tokens,
                history_tokens: settings.chat.history_tokens,
                sources: most,
            };
            planned(&plan, &settings, &tokens)
        });
        let asked = Asked {
            planned: planned.await?,
            manager,
            request,
            config,
            trace_id,
            degraded,
            began,
            found: began.elapsed(),
        };
        let (tell, told) = mpsc::unbounded();
        let work = stream::once(asked.answer(tell)).filter_map(|()| ready(None));
        Ok(stream::select(told, work).boxed())
    }

    /// Goes to the chat endpoint with another token from now on.
    pub fn set_chat_token(&self, token: Option<SecretString>) {
        self.inner.chats.set_token(token);
    }

    /// The breaker before the chat endpoint.
    #[must_use]
    pub fn chat_breaker(&self) -> &CircuitBreaker {
        self.inner.chats.breaker()
    }

    /// What was asked and answered in a conversation before, the oldest first.
    async fn exchanges(&self, session: &str) -> Result<Vec<Exchange>> {
        let conversation = self.inner.store.conversation(session, HISTORY).await?;
        let turns = conversation.map(|conversation| conversation.turns);
        let exchanges = turns.unwrap_or_default().into_iter().map(|turn| Exchange {
            question: turn.question,
            answer: turn.answer.text,
        });
        Ok(exchanges.collect())
    }
}

/// More than can be used is asked for, to tell what was left out.
fn search_of(request: &AskRequest, config: &Config) -> ContextRequest {
    let most = request
        .max_tokens
        .unwrap_or(config.hirag.max_context_tokens);
    let more = most.saturating_mul(2).min(config.hirag.max_tokens_limit);
    ContextRequest {
        // A budget that is not allowed is refused as it is.
        max_tokens: Some(more.max(most)),
        limit: Some(FOUND),
        levels: request.levels.clone(),
        filter: request.filter.clone(),
        mode: request.mode,
        ..ContextRequest::new(request.question.clone())
    }
}

fn planned(request: &PlanRequest<'_>, config: &Config, tokens: &TokenEstimator) -> Planned {
    let plan = Plan::make(*request, tokens);
    let nonce = format!("{:016x}", rand::random::<u64>());
    let same = worded::normalised(request.question);
    let key = {
        let messages = plan.prompt(&same).messages("");
        worded::key(&config.chat, &messages)
    };
    Planned {
        sources: plan.sources(),
        left_out: plan.left_out(),
        budget: plan.budget(),
        messages: plan.prompt(request.question).messages(&nonce),
        key,
    }
}

fn check_session(session: &str) -> Result<(), AskError> {
    let long = session.len() > SESSION_BYTES;
    if long || session.trim().is_empty() || session.chars().any(char::is_control) {
        let given = session.chars().filter(|c| !c.is_control()).take(40);
        return Err(AskError::BadSession {
            given: given.collect(),
            limit: SESSION_BYTES,
        });
    }
    Ok(())
}
