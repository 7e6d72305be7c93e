//! One answer, from its sources to its last word.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc::UnboundedSender;

use super::worded::{Key, Worded};
use super::{Planned, Prompted, sources_of};
use crate::answering::{
    Answer, AnswerEnd, AnswerId, AnswerKind, AnswerProblem, AnswerTimes, AskEvent, AskRequest,
    Begun, Citations, Found, Passage, RemovedMark, extract, put_together,
};
use crate::chat::{
    ChatError, ChatMessage, ChatPiece, ChatRequest, ChatStream, Ending, GuardedChat,
};
use crate::config::Config;
use crate::context::Degradation;
use crate::manager::{HiragManager, off_the_async_threads};
use crate::retrieval::TraceId;
use crate::store::sqlite::NewAnswer;

/// What an answer says where nothing was found.
const NOTHING: &str = "Nothing in the memory is about this question.";
/// What it says where something was found, and nothing of it fits.
const NO_ROOM: &str =
    "The memory holds something about this question, but there is no room for it.";
/// Characters of a conversation's title.
const TITLE_CHARS: usize = 120;

/// A question whose sources are there.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) manager: HiragManager,
    pub(super) request: AskRequest,
    pub(super) config: Arc<Config>,
    pub(super) planned: Planned,
    pub(super) trace_id: TraceId,
    pub(super) degraded: Vec<Degradation>,
    pub(super) began: Instant,
    /// How long finding the sources took.
    pub(super) found: Duration,
}

/// What is said, however it came about.
struct Said {
    kind: AnswerKind,
    text: String,
    passages: Vec<Passage>,
    cited: Vec<usize>,
    removed: Vec<String>,
    marks: Vec<RemovedMark>,
    end: AnswerEnd,
    problem: Option<AnswerProblem>,
    model: Option<String>,
    cached: bool,
    first: Duration,
    waited: Duration,
}

impl Asked {
    /// Tells the answer as it comes. Whoever listened and went away takes this with it.
    pub(super) async fn answer(mut self, tell: UnboundedSender<AskEvent>) {
        let tell = |event| {
            // The listener holds this work: while it runs, it is there.
            let _ = tell.unbounded_send(event);
        };
        tell(AskEvent::Found(Box::new(Found {
            sources: self.planned.sources.clone(),
            left_out: self.planned.left_out.clone(),
            budget: self.planned.budget,
        })));
        let said = self.say(&tell).await;
        let mut answer = self.account(said);
        self.keep(&mut answer).await;
        answer.times.total = milliseconds(self.began.elapsed());
        tell(AskEvent::Done(Box::new(answer)));
    }

    async fn say(&mut self, tell: &impl Fn(AskEvent)) -> Said {
        let Some(Prompted { messages, key }) = self.planned.prompt.take() else {
            let problem = self.planned.no_room.then(|| self.no_room());
            return self.unworded(problem, Duration::ZERO, tell).await;
        };
        let waiting = Instant::now();
        let chat = match self.manager.chat().await {
            None => return self.unworded(None, Duration::ZERO, tell).await,
            Some(chat) => chat,
        };
        if let Some(worded) = key.and_then(|key| self.worded_before(&key)) {
            return self.again(&worded, tell);
        }
        let begun = match chat {
            Ok(chat) => self
                .begin(&chat, messages)
                .await
                .map(|pieces| (chat, pieces)),
            Err(error) => Err(error),
        };
        let waited = waiting.elapsed();
        match begun {
            Ok((chat, pieces)) => self.worded(&chat, pieces, key, waited, tell).await,
            Err(error) => {
                tracing::warn!(%error, "no answer was worded");
                self.unworded(Some(problem(&error)), waited, tell).await
            }
        }
    }

    async fn begin(
        &self,
        chat: &GuardedChat,
        messages: Vec<ChatMessage>,
    ) -> Result<ChatStream, ChatError> {
        let request = ChatRequest {
            messages,
            max_tokens: self.config.chat.max_answer_tokens,
            asked_at: tokio::time::Instant::now(),
        };
        chat.answer(&request).await
    }

    async fn worded(
        &self,
        chat: &GuardedChat,
        mut pieces: ChatStream,
        key: Option<Key>,
        waited: Duration,
        tell: &impl Fn(AskEvent),
    ) -> Said {
        tell(begun(AnswerKind::Worded, None, false));
        let mut citations = Citations::of(self.planned.sources.len());
        let mut said = Said {
            first: self.began.elapsed(),
            waited,
            model: Some(chat.model().to_owned()),
            ..Said::of(AnswerKind::Worded)
        };
        let say = |said: &mut Said, words: String| {
            if !words.is_empty() {
                said.text.push_str(&words);
                tell(AskEvent::Text(words));
            }
        };
        said.end = AnswerEnd::BrokenOff;
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(ChatPiece::Text(piece)) => {
                    let words = citations.push(&piece);
                    say(&mut said, words);
                }
                Ok(ChatPiece::End(ending)) => {
                    said.end = match ending {
                        Ending::Complete => AnswerEnd::Complete,
                        Ending::Cut(by) => AnswerEnd::Cut { by },
                    };
                }
                Err(error) => {
                    tracing::warn!(%error, "a worded answer broke off");
                    said.problem = Some(problem(&error));
                }
            }
        }
        let rest = citations.finish();
        say(&mut said, rest);
        said.cited = citations.cited().iter().copied().collect();
        said.removed = citations.removed().to_vec();
        said.marks = citations.marks().to_vec();
        if let (AnswerEnd::Complete, Some(key)) = (&said.end, key) {
            let worded = Worded {
                text: said.text.clone(),
                cited: said.cited.clone(),
                removed: said.removed.clone(),
                marks: said.marks.clone(),
            };
            self.manager.inner.worded_answers.keep(key, worded);
        }
        said
    }

    fn worded_before(&self, key: &Key) -> Option<Arc<Worded>> {
        if self.request.fresh {
            return None;
        }
        self.manager.inner.worded_answers.get(key)
    }

    fn again(&self, worded: &Worded, tell: &impl Fn(AskEvent)) -> Said {
        tell(begun(AnswerKind::Worded, None, true));
        tell(AskEvent::Text(worded.text.clone()));
        Said {
            text: worded.text.clone(),
            cited: worded.cited.clone(),
            removed: worded.removed.clone(),
            marks: worded.marks.clone(),
            model: Some(self.config.chat.model.clone()),
            cached: true,
            first: self.began.elapsed(),
            ..Said::of(AnswerKind::Worded)
        }
    }

    /// Passages, or that there are none.
    async fn unworded(
        &self,
        problem: Option<AnswerProblem>,
        waited: Duration,
        tell: &impl Fn(AskEvent),
    ) -> Said {
        if self.planned.sources.is_empty() {
            return self.nothing(problem, waited, tell);
        }
        tell(begun(AnswerKind::Extractive, problem.clone(), false));
        let passages = self.passages().await;
        let text = put_together(&passages);
        let first = self.began.elapsed();
        tell(AskEvent::Text(text.clone()));
        Said {
            text,
            cited: passages.iter().map(|passage| passage.number).collect(),
            passages,
            problem,
            first,
            waited,
            ..Said::of(AnswerKind::Extractive)
        }
    }

    /// Cutting up long texts takes its time.
    async fn passages(&self) -> Vec<Passage> {
        let sources = self.planned.sources.clone();
        let (question, tokens) = (self.request.question.clone(), self.manager.inner.tokens);
        let extracted = off_the_async_threads(move || {
            let texts: Vec<(usize, &str)> = sources
                .iter()
                .map(|source| (source.number, source.text.as_deref().unwrap_or_default()))
                .collect();
            extract(&texts, &question, &tokens)
        });
        extracted.await.unwrap_or_else(|error| {
            tracing::error!(%error, "no passages could be put together");
            Vec::new()
        })
    }

    fn nothing(
        &self,
        problem: Option<AnswerProblem>,
        waited: Duration,
        tell: &impl Fn(AskEvent),
    ) -> Said {
        let (text, problem) = match self.planned.left_out.is_empty() {
            true => (NOTHING, problem),
            false => (NO_ROOM, problem.or_else(|| Some(self.no_room()))),
        };
        tell(begun(AnswerKind::Nothing, problem.clone(), false));
        tell(AskEvent::Text(text.to_owned()));
        Said {
            text: text.to_owned(),
            problem,
            first: self.began.elapsed(),
            waited,
            ..Said::of(AnswerKind::Nothing)
        }
    }

    fn no_room(&self) -> AnswerProblem {
        let sources = sources_of(&self.request, &self.config);
        let window = self.config.chat.window_tokens;
        AnswerProblem {
            code: "no_room".to_owned(),
            message: format!(
                "what was found has no room beside the question: sources may have {sources} tokens \
                 (`max_tokens`), and the model reads {window} in all (`chat.window_tokens`); allow \
                 more, or ask in fewer words"
            ),
        }
    }

    fn account(&mut self, said: Said) -> Answer {
        let mut sources = std::mem::take(&mut self.planned.sources);
        for source in &mut sources {
            source.cited = said.cited.contains(&source.number);
        }
        Answer {
            kind: said.kind,
            text: said.text,
            passages: said.passages,
            sources,
            left_out: std::mem::take(&mut self.planned.left_out),
            removed: said.removed,
            marks: said.marks,
            end: said.end,
            problem: said.problem,
            model: said.model,
            cached: said.cached,
            budget: self.planned.budget,
            trace_id: self.trace_id,
            degraded: std::mem::take(&mut self.degraded),
            session: None,
            id: None,
            not_kept: None,
            times: AnswerTimes {
                found: milliseconds(self.found),
                first: milliseconds(said.first),
                waited: milliseconds(said.waited),
                total: milliseconds(self.began.elapsed()),
            },
        }
    }

    /// Keeps the answer in its conversation, where that is wanted; if it cannot be done, the answer says
    /// why. The sources' texts stay where they are, and its own is kept once.
    async fn keep(&self, answer: &mut Answer) {
        if !self.request.keep {
            return;
        }
        let id = AnswerId::new(self.manager.inner.clock.now());
        let session = self.request.session.clone();
        let session = session.unwrap_or_else(|| id.to_string());
        answer.session = Some(session.clone());
        answer.id = Some(id);
        let mut kept = answer.clone();
        for source in &mut kept.sources {
            source.text = None;
        }
        let text = std::mem::take(&mut kept.text);
        let Ok(account) = serde_json::to_string(&kept) else {
            return;
        };
        let question = self.request.question.trim();
        let new = NewAnswer {
            id,
            session,
            title: question.chars().take(TITLE_CHARS).collect(),
            question: question.to_owned(),
            text,
            account,
        };
        if let Err(error) = self.manager.inner.store.keep_answer(new).await {
            tracing::warn!(%error, "an answer could not be kept");
            (answer.session, answer.id) = (None, None);
            answer.not_kept = Some(AnswerProblem {
                code: error.code().to_owned(),
                message: format!("the answer is not kept: {error}"),
            });
        }
    }
}

impl Said {
    fn of(kind: AnswerKind) -> Self {
        Self {
            kind,
            text: String::new(),
            passages: Vec::new(),
            cited: Vec::new(),
            removed: Vec::new(),
            marks: Vec::new(),
            end: AnswerEnd::Complete,
            problem: None,
            model: None,
            cached: false,
            first: Duration::ZERO,
            waited: Duration::ZERO,
        }
    }
}

fn begun(kind: AnswerKind, problem: Option<AnswerProblem>, cached: bool) -> AskEvent {
    AskEvent::Begun(Begun {
        kind,
        problem,
        cached,
    })
}

fn problem(error: &ChatError) -> AnswerProblem {
    AnswerProblem {
        code: error.code().to_owned(),
        message: error.to_string(),
    }
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
