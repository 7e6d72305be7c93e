//! The one door to the memory: commands by name, with JSON in and out, whoever has the store open.

mod giving;
mod joined;
mod shared;

use std::time::Duration;

use hirag::metrics::Front;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use self::shared::{Places, Shared};
use crate::commands::{Error, Failure, studio};
use crate::studio::Studio;

/// A door. A cheap handle.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// To a studio of this process.
    Own(Studio),
    /// To whoever has the store open now.
    Shared(Shared),
}

impl Door {
    /// Runs a command of the window and reads its answer.
    ///
    /// # Errors
    /// What the command says, or why nobody could be asked.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        command: &'static str,
        request: Value,
    ) -> Result<T, Failure> {
        let answer = match self {
            Self::Own(studio) => studio::call(studio, command, request).await?,
            Self::Shared(shared) => shared.call(command, request).await?,
        };
        serde_json::from_str(&answer).map_err(|error| {
            let sentence = format!("the answer of `{command}` is not understood: {error}");
            Failure::from(Error::Internal(sentence))
        })
    }

    /// Counts a call of a tool where its memory is watched. A process that has joined another one
    /// watches none: there, its calls count as the commands that they come to.
    pub(super) fn count(&self, tool: &str, took: Duration) {
        let studio = match self {
            Self::Own(studio) => Some(studio.clone()),
            Self::Shared(shared) => shared.studio_now(),
        };
        if let Some(studio) = studio {
            studio.requests().record(Front::Mcp, tool, took);
        }
    }
}
