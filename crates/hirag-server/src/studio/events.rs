use hirag::resilience::BreakerEvent;
use serde::Serialize;

use super::{Activity, Job, StartupState};
use crate::commands::StudioSettings;
use crate::commands::studio::{AnswerPart, PauseRequest};
use crate::http::ServerStatus;

/// Something that a window wants to know at once. As JSON, it is what is in it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum StudioEvent {
    /// A job began, went on or ended; ten times a second at most.
    Job(Box<Job>),
    /// Something happened to the memory.
    Activity(Activity),
    /// The start went on.
    Startup(StartupState),
    /// The breaker changed its state.
    Breaker(BreakerEvent),
    /// The breaker before the endpoint that words answers did.
    ChatBreaker(BreakerEvent),
    /// The settings were changed outside of this program.
    Settings(Box<StudioSettings>),
    /// The embedding queue rests, or works again.
    Embedding(PauseRequest),
    /// An answer went on.
    Answer(Box<AnswerPart>),
    /// The server began or ended, or could not.
    Server(ServerStatus),
}

impl StudioEvent {
    /// Its name for those who listen.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Activity(_) => "activity",
            Self::Startup(_) => "startup",
            Self::Breaker(_) => "breaker",
            Self::ChatBreaker(_) => "chat_breaker",
            Self::Settings(_) => "settings",
            Self::Embedding(_) => "embedding",
            Self::Answer(_) => "answer",
            Self::Server(_) => "server",
        }
    }
}
