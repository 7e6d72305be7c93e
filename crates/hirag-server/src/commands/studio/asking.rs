//! Asking. An answer comes as events; whoever asked knows them by the name that it
//! gave the question.

mod telling;

use futures::StreamExt;
use hirag::answering::{Answer, AskEvent, AskRequest};
use hirag::manager::AskStream;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use self::telling::{AnswerEvent, AnswerPart};

use self::telling::Telling;
use super::{Nothing, preview};
use crate::commands::{self, Error, Result, counted};
use crate::studio::{ActivityKind, Studio};

/// Bytes of a question's name at most.
const NAME_BYTES: usize = 64;

/// A question whose answer comes as events.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct AskStart {
    /// A name that no other question under way has, 1 to 64 bytes.
    pub name: String,
    /// The question.
    pub request: AskRequest,
}

/// Which question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct AskName {
    /// Its name.
    pub name: String,
}

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct AskStatus {
    /// Whether it is still being answered.
    pub running: bool,
}

/// The answer to a question, piece by piece.
///
/// # Errors
/// [`Error::Busy`] when too many are being worded; as [`commands::ask`].
pub async fn answering(studio: &Studio, request: AskRequest) -> Result<AskStream> {
    let host = studio.host().await?;
    let worded = !request.extractive && studio.config().chat.words_answers();
    let place = worded.then(|| studio.asks().place()).transpose()?;
    let question = preview(&request.question);
    let answer = commands::ask(&host, request).await?;
    let studio = studio.clone();
    Ok(answer
        .inspect(move |event| {
            // Given up with the answer.
            let _place = &place;
            if let AskEvent::Done(answer) = event {
                let ids: Vec<_> = answer.sources.iter().map(|source| source.id).collect();
                let summary = format!(
                    "Asked: {question} ({})",
                    counted(ids.len() as u64, "source")
                );
                let (kind, trace) = (ActivityKind::Searched, Some(answer.trace_id));
                studio.activity().note_search(kind, summary, &ids, trace);
            }
        })
        .boxed())
}

/// The same, all at once.
///
/// # Errors
/// As [`answering`].
pub async fn ask(studio: &Studio, request: AskRequest) -> Result<Answer> {
    commands::whole(answering(studio, request).await?).await
}

/// Begins to answer a question; the answer comes as events. It can be stopped from the beginning on,
/// while its sources are still looked for.
///
/// # Errors
/// [`Error::Busy`] when the name is taken, or too much is asked at once; as [`commands::ask`].
pub async fn ask_start(studio: &Studio, request: AskStart) -> Result<Nothing> {
    let AskStart { name, request } = request;
    if !(1..=NAME_BYTES).contains(&name.len()) {
        return Err(Error::BadRequest {
            key: "name",
            value: format!("{} bytes long", name.len()),
            rule: "must have 1 to 64 bytes",
        });
    }
    let (tell_begun, begun) = oneshot::channel();
    let (asked, session) = (studio.clone(), request.session.clone());
    let telling_of = name.clone();
    let work = move || {
        let telling = Telling::of(asked.clone(), telling_of);
        async move {
            // If whoever asked has gone, the answer is told to the others who listen.
            match answering(&asked, request).await {
                Ok(answer) => {
                    let _ = tell_begun.send(Ok(()));
                    telling.tell(answer).await;
                }
                Err(error) => {
                    telling.leave();
                    let _ = tell_begun.send(Err(error));
                }
            }
        }
    };
    studio.asks().begin(name.clone(), session, work)?;
    // Without an outcome it was stopped before, which is told as an event.
    let begun = begun.await.unwrap_or(Ok(()));
    if begun.is_err() {
        // Whoever hears so may ask under the same name at once.
        studio.asks().stop(&name);
    }
    begun?;
    Ok(Nothing {})
}

/// Stops an answer; nothing if it is done already.
///
/// # Errors
/// None; the type is that of all commands.
pub async fn ask_stop(studio: &Studio, request: AskName) -> Result<Nothing> {
    studio.asks().stop(&request.name);
    Ok(Nothing {})
}

/// Whether a question is still being answered, for whoever may have missed its end.
///
/// # Errors
/// None; the type is that of all commands.
pub async fn ask_status(studio: &Studio, request: AskName) -> Result<AskStatus> {
    let running = studio.asks().is_running(&request.name);
    Ok(AskStatus { running })
}
