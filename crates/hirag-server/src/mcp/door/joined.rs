//! A memory that another process has open: its server is asked.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::commands::{Error, Failure};
use crate::running::{self, Running};

/// The longest that a command may take: a search while the model is being loaded on a slow disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest that an answer may take: some attempts of a model, by the times of the settings that it
/// usually has.
const ASKING_PATIENCE: Duration = Duration::from_secs(900);

/// Why a joined server did not do what it was asked.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// It is not there any more, or is about to end.
    Gone(String),
    /// It refuses the token.
    Refused,
    /// It did, and this is what the command says.
    Failed(Failure),
}

/// A server that was joined.
pub(super) struct Joined {
    running: Running,
    token: SecretString,
    client: reqwest::Client,
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

/// What a server says of a failure.
#[derive(Debug, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Joined {
    /// Joins a server, once it has answered with this token.
    pub(super) async fn join(running: Running, token: SecretString) -> Result<Self, Unanswered> {
        let client = running::client().map_err(|e| Unanswered::Failed(e.into()))?;
        let joined = Self {
            running,
            token,
            client,
        };
        joined.call("startup", &json!({})).await?;
        Ok(joined)
    }

    /// The process that serves.
    pub(super) const fn pid(&self) -> u32 {
        self.running.pid
    }

    /// Runs a command there.
    pub(super) async fn call(&self, command: &str, request: &Value) -> Result<String, Unanswered> {
        let path = format!("/api/v1/commands/{command}");
        let asked = self.running.post(&self.client, &path, &self.token);
        let asked = asked.timeout(patience(command)).json(request);
        let response = asked
            .send()
            .await
            .map_err(|error| self.broken(command, &error))?;
        let status = response.status();
        let text = response.text().await;
        let text = text.map_err(|error| self.broken(command, &error))?;
        match status {
            status if status.is_success() => Ok(text),
            StatusCode::UNAUTHORIZED => Err(Unanswered::Refused),
            status => Err(refusal(status, &text)),
        }
    }

    fn broken(&self, command: &str, error: &reqwest::Error) -> Unanswered {
        if error.is_timeout() && !error.is_connect() {
            let pid = self.running.pid;
            let seconds = patience(command).as_secs();
            return Unanswered::Failed(Failure {
                code: "timeout".to_owned(),
                message: format!(
                    "the server of process {pid} has not answered within {seconds} seconds"
                ),
            });
        }
        let why = error.source().map_or_else(
            || "the connection broke".to_owned(),
            std::string::ToString::to_string,
        );
        Unanswered::Gone(why)
    }
}

fn patience(command: &str) -> Duration {
    match command {
        "ask" => ASKING_PATIENCE,
        _ => PATIENCE,
    }
}

fn refusal(status: StatusCode, text: &str) -> Unanswered {
    match serde_json::from_str::<Problem>(text) {
        // It closes its memory before it ends.
        Ok(problem) if problem.code == "not_open" || problem.code == "store_closed" => {
            Unanswered::Gone(problem.detail)
        }
        Ok(problem) if !problem.code.is_empty() => Unanswered::Failed(Failure {
            code: problem.code,
            message: problem.detail,
        }),
        _ => {
            let sentence = format!("the running server answered with status {status}");
            Unanswered::Failed(Error::Internal(sentence).into())
        }
    }
}
