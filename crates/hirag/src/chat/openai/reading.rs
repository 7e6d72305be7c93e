//! One answer, from the head of its response to its end.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout_at};

use super::events::Events;
use super::{OpenAiChatSettings, bad, body, late, told};
use crate::chat::{ChatError, ChatPiece, ChatStream, CutBy, Ending, Waiting};
use crate::endpoint::{Caller, Trouble};

/// Bytes of text that a token has at most, on average: English has about 4, spaces have many.
const TEXT_BYTES_A_TOKEN: usize = 16;
/// Bytes that a token takes on the way at most, on average, with what endpoints put around it.
const WIRE_BYTES_A_TOKEN: usize = 2_048;
/// Bytes of an answer that are there whatever its length.
const FRAME_BYTES: usize = 64 * 1_024;
/// Bytes of JSON that a byte of text takes at most.
const JSON_BYTES_A_BYTE: usize = 6;
/// How long more is waited for once the endpoint has said how its answer ends. What may come then is
/// the end of the connection, which no answer needs.
const LINGER: Duration = Duration::from_secs(1);
/// Pieces that a token makes at most: endpoints send one for each, or for some together; those that
/// cut inside of characters send a few more.
const PIECES_A_TOKEN: usize = 2;

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    response: Response,
    caller: Arc<Caller>,
    kind: String,
    form: Form,
    between: Duration,
    whole: Duration,
    ends: Instant,
    max_tokens: usize,
    /// How much has come.
    wire_bytes: usize,
    text_bytes: usize,
    pieces: usize,
    /// How it ends, once the endpoint has said so.
    ending: Option<Ending>,
    over: bool,
}

/// How the answer comes.
#[derive(Debug)]
enum Form {
    Events(Events),
    Whole,
}

impl Reading {
    pub(super) fn new(
        response: Response,
        caller: Arc<Caller>,
        settings: &OpenAiChatSettings,
        max_tokens: u32,
        ends: Instant,
    ) -> Self {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // Some endpoints do not stream although they were asked to.
        let form = match kind.starts_with("application/json") {
            true => Form::Whole,
            false => Form::Events(Events::default()),
        };
        Self {
            kind: kind.to_owned(),
            response,
            caller,
            form,
            between: settings.between,
            whole: settings.whole,
            ends,
            max_tokens: usize::try_from(max_tokens).unwrap_or(usize::MAX),
            wire_bytes: 0,
            text_bytes: 0,
            pieces: 0,
            ending: None,
            over: false,
        }
    }

    /// The answer, which begins with a piece that was read before.
    pub(super) fn after(self, first: ChatPiece) -> ChatStream {
        let ended = matches!(first, ChatPiece::End(_));
        let rest = stream::unfold(self, |mut reading| async {
            if reading.over {
                return None;
            }
            let piece = reading.next().await;
            Some((piece, reading))
        });
        let first = stream::iter([Ok(first)]);
        match ended {
            true => first.boxed(),
            false => first.chain(rest).boxed(),
        }
    }

    /// The next piece. After an end or an error there is none.
    pub(super) async fn next(&mut self) -> Result<ChatPiece, ChatError> {
        let next = match &self.form {
            Form::Whole => self.next_of_whole().await,
            Form::Events(_) => self.next_of_events().await,
        };
        self.over = !matches!(next, Ok(ChatPiece::Text(_)));
        next
    }

    async fn next_of_whole(&mut self) -> Result<ChatPiece, ChatError> {
        if let Some(ending) = self.ending {
            return Ok(ChatPiece::End(ending));
        }
        let text = self.text_limit().saturating_mul(JSON_BYTES_A_BYTE);
        let limit = FRAME_BYTES.saturating_add(text);
        let mut json = Vec::new();
        while let Some(chunk) = self.chunk(Waiting::Whole).await? {
            json.extend_from_slice(&chunk);
            if json.len() > limit {
                return Err(told(&self.caller, Trouble::TooLong { limit }));
            }
        }
        let part = body::read(&json).map_err(|reason| bad(&self.caller, &reason))?;
        let ending = part.ending.unwrap_or(Ending::Complete);
        match self.count(part.text) {
            Some(piece) => {
                self.ending = self.over_limits().map(Ending::Cut).or(Some(ending));
                Ok(piece)
            }
            None => self.end(ending),
        }
    }

    async fn next_of_events(&mut self) -> Result<ChatPiece, ChatError> {
        loop {
            while let Some(data) = self.next_event() {
                if data.trim_ascii() == b"[DONE]" {
                    return self.end(self.ending.unwrap_or(Ending::Complete));
                }
                let part = match (body::read(&data), self.ending) {
                    (Ok(part), _) => part,
                    (Err(_), Some(ending)) => return self.end(ending),
                    (Err(reason), None) => return Err(bad(&self.caller, &reason)),
                };
                if let Some(ending) = part.ending {
                    self.ending = Some(ending);
                    self.ends = self.ends.min(Instant::now() + LINGER);
                }
                if let Some(piece) = self.count(part.text) {
                    return Ok(piece);
                }
            }
            if let Some(cut) = self.over_limits() {
                return self.end(Ending::Cut(cut));
            }
            let fed = match self.chunk(Waiting::Next).await {
                Ok(Some(chunk)) => self.feed(&chunk),
                other => other.and_then(|_| Err(self.ended())),
            };
            match (fed, self.ending) {
                (Ok(()), _) => {}
                // Some endpoints leave out the last event, or do not go.
                (Err(_), Some(ending)) => return self.end(ending),
                (
                    Err(ChatError::Timeout {
                        waiting: Waiting::Whole,
                        ..
                    }),
                    None,
                ) if self.pieces > 0 => {
                    return self.end(Ending::Cut(CutBy::Time));
                }
                (Err(ChatError::Unreachable { reason, .. }), None) => {
                    return Err(self.broken(&reason));
                }
                (Err(error), None) => return Err(error),
            }
        }
    }

    /// The connection ended before the answer did.
    fn ended(&self) -> ChatError {
        match (self.pieces, self.kind.as_str()) {
            (0, "") => bad(&self.caller, "it sent no answer"),
            (0, kind) => bad(&self.caller, &format!("it sent no answer, but {kind}")),
            _ => self.broken("it ended before the answer did"),
        }
    }

    fn next_event(&mut self) -> Option<Vec<u8>> {
        // What comes after the limits is not looked at.
        if self.over_limits().is_some() {
            return None;
        }
        match &mut self.form {
            Form::Events(events) => events.next(),
            Form::Whole => None,
        }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<(), ChatError> {
        self.wire_bytes += chunk.len();
        if let Form::Events(events) = &mut self.form {
            let fed = events.feed(chunk);
            fed.map_err(|_| bad(&self.caller, "an event without end"))?;
        }
        Ok(())
    }

    /// Counts a piece of text, and cuts it where the answer becomes too long with it.
    /// `None` where nothing of it is left.
    fn count(&mut self, mut text: String) -> Option<ChatPiece> {
        if text.is_empty() {
            return None;
        }
        let room = self.text_limit().saturating_sub(self.text_bytes);
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        self.pieces += 1;
        text.truncate(text.floor_char_boundary(room));
        (!text.is_empty()).then_some(ChatPiece::Text(text))
    }

    /// An answer without a word is none.
    fn end(&self, ending: Ending) -> Result<ChatPiece, ChatError> {
        match (self.pieces, ending) {
            (0, Ending::Cut(cut @ (CutBy::Tokens | CutBy::Endpoint))) => Err(ChatError::Wordless {
                url: self.caller.shown().to_owned(),
                cut,
                allowed: u32::try_from(self.max_tokens).unwrap_or(u32::MAX),
            }),
            (0, _) => Err(bad(&self.caller, "an answer without a word")),
            _ => Ok(ChatPiece::End(ending)),
        }
    }

    fn over_limits(&self) -> Option<CutBy> {
        if self.pieces > self.max_tokens.saturating_mul(PIECES_A_TOKEN) {
            return Some(CutBy::Tokens);
        }
        let long = self.text_bytes > self.text_limit() || self.wire_bytes > self.wire_limit();
        long.then_some(CutBy::Bytes)
    }

    fn text_limit(&self) -> usize {
        self.max_tokens.saturating_mul(TEXT_BYTES_A_TOKEN)
    }

    fn wire_limit(&self) -> usize {
        FRAME_BYTES.saturating_add(self.max_tokens.saturating_mul(WIRE_BYTES_A_TOKEN))
    }

    /// The next bytes; `None` at the end.
    async fn chunk(
        &mut self,
        waiting: Waiting,
    ) -> Result<Option<impl Deref<Target = [u8]> + use<>>, ChatError> {
        let next = Instant::now() + self.between;
        let (until, waiting, after) = match waiting {
            // The time until the first words is kept by whoever waits for them.
            Waiting::Next if self.pieces > 0 && next < self.ends => {
                (next, Waiting::Next, self.between)
            }
            _ => (self.ends, Waiting::Whole, self.whole),
        };
        match timeout_at(until, self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| told(&self.caller, self.caller.failed(error))),
            Err(_) => Err(late(&self.caller, waiting, after)),
        }
    }

    fn broken(&self, reason: &str) -> ChatError {
        ChatError::BrokenOff {
            url: self.caller.shown().to_owned(),
            reason: reason.to_owned(),
        }
    }
}
