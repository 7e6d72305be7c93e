//! From a question to an answer with its sources.

mod answer;
mod chats;
mod found;
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
    AnswerSource, AskError, AskEvent, AskRequest, LeftOut, Plan, PlanRequest, Window, WindowBudget,
};
use crate::chat::ChatMessage;
use crate::config::Config;
use crate::error::Result;
use crate::resilience::{CircuitBreaker, RateLimiter};

/// An answer while it comes: see [`AskEvent`]. Dropping it ends everything, the request to the
/// provider too; nothing is kept of the answer then.
pub type AskStream = BoxStream<'static, AskEvent>;

/// Bytes of a conversation's name at most.
const SESSION_BYTES: usize = 256;

/// What goes into a question, made once.
#[derive(Debug)]
struct Planned {
    sources: Vec<AnswerSource>,
    left_out: Vec<LeftOut>,
    budget: WindowBudget,
    /// What a model is told; `None` where none is asked.
    prompt: Option<Prompted>,
    /// Whether a model would be asked, if the question left sources any room.
    no_room: bool,
}

#[derive(Debug)]
struct Prompted {
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
        let found = self.find_sources(&request, &config).await?;
        let (manager, asked, settings) = (self.clone(), request.clone(), Arc::clone(&config));
        // Counting the tokens of long texts takes its time.
        let planned = off_the_async_threads(move || {
            let window = Window {
                tokens: settings.chat.window_tokens,
                answer: settings.chat.max_answer_tokens,
                history: settings.chat.history_tokens,
            };
            let words = !asked.extractive && settings.chat.words_answers();
            let plan = PlanRequest {
                question: &asked.question,
                history: &found.history,
                found: &found.contexts,
                sources: sources_of(&asked, &settings),
                window: words.then_some(window),
            };
            let planned = manager.plan(plan, &asked, &settings);
            (planned, found.trace_id, found.degraded)
        });
        let (planned, trace_id, degraded) = planned.await?;
        let asked = Asked {
            planned,
            manager: self.clone(),
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

    /// The limiter before the chat endpoint.
    #[must_use]
    pub fn chat_limiter(&self) -> &RateLimiter {
        self.inner.chats.limiter()
    }

    fn plan(&self, request: PlanRequest<'_>, asked: &AskRequest, config: &Config) -> Planned {
        let tokens = &self.inner.tokens;
        let mut plan = Plan::make(request, tokens);
        let words = request.window.is_some();
        let no_room = words && !request.found.is_empty() && !plan.says_something();
        if no_room {
            // Passages at least, of which nobody reads more than they are.
            let window = None;
            plan = Plan::make(PlanRequest { window, ..request }, tokens);
        }
        let prompt = (words && !no_room && plan.says_something()).then(|| {
            let answers = &self.inner.worded_answers;
            let same = worded::normalised(request.question);
            let messages = plan.prompt(&same).messages(answers.marks());
            let key = worded::key(&config.chat, asked, &messages);
            let nonce = format!("{:016x}", rand::random::<u64>());
            let messages = plan.prompt(request.question).messages(&nonce);
            Prompted { messages, key }
        });
        Planned {
            sources: plan.sources(),
            left_out: plan.left_out(),
            budget: plan.budget(),
            prompt,
            no_room,
        }
    }
}

/// Tokens of sources that a question may have.
fn sources_of(request: &AskRequest, config: &Config) -> u32 {
    request
        .max_tokens
        .unwrap_or(config.hirag.max_context_tokens)
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
