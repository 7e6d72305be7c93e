//! Who writes the store: a process that has it open for one agent gives way to a window or a server
//! that comes later, which agents can join as well.

use std::time::Duration;

use hirag::manager::DATABASE_FILE;
use hirag::store::StoreError;
use hirag::store::sqlite::while_nobody_writes;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Studio, raised};
use crate::commands::{Error, Result};
use crate::running::{self, LOOK, Running};
use crate::secrets::TokenKind;

/// The path that a claim is made at.
pub(crate) const CLAIM: &str = "/api/v1/claim";

/// How long the other process may take for its answer, and for calls that it finishes before.
const ANSWER: Duration = Duration::from_secs(5);
/// How long it may take to close the store once it has agreed; it lets others finish for ten seconds.
const CLOSING: Duration = Duration::from_secs(15);

/// Whether a store is asked for that another process has open for an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Claims {
    /// Never: whoever has it keeps it.
    #[default]
    Never,
    /// Where the settings let this process listen: an agent that could not join it would lose the
    /// right to write.
    IfListening,
    /// Always: this process is there to be joined.
    Always,
}

/// The wish of another process to write.
#[derive(Debug)]
pub(crate) struct Claim {
    by: u32,
    answer: oneshot::Sender<bool>,
}

impl Claim {
    /// The process.
    pub(crate) const fn by(&self) -> u32 {
        self.by
    }

    /// Says whether the store will be closed at once. Whether somebody heard it; who did not wait asks
    /// again.
    pub(crate) fn answer(self, agreed: bool) -> bool {
        self.answer.send(agreed).is_ok()
    }
}

impl Studio {
    /// From now on this process gives the store up to who asks for it, and says so where it listens.
    /// The wishes come out here; each is to be answered.
    pub(crate) fn give_way(&self) -> mpsc::Receiver<Claim> {
        let (sender, claims) = mpsc::channel(1);
        *self.inner.giving.lock() = Some(sender);
        claims
    }

    /// Whether it gives the store up to who asks for it.
    pub(crate) fn gives_way(&self) -> bool {
        self.inner.giving.lock().is_some()
    }

    /// Process `by` wants to write. Returns when this one is about to close the store.
    ///
    /// # Errors
    /// [`Error::KeepsStore`]; [`Error::Busy`] while something goes on that is not to be broken off.
    pub(crate) async fn claimed(&self, by: u32) -> Result<()> {
        let giving = self.inner.giving.lock().clone();
        let giving = giving.ok_or(Error::KeepsStore)?;
        let busy = || Error::Busy("this process has work to finish".to_owned());
        if !self.jobs().are_idle() {
            return Err(busy());
        }
        let (answer, agreed) = oneshot::channel();
        let claim = Claim { by, answer };
        giving.send(claim).await.map_err(|_| Error::KeepsStore)?;
        match agreed.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(busy()),
            Err(_) => Err(Error::KeepsStore),
        }
    }

    /// Has a process that only serves an agent close the store. Whether one did; where one refuses,
    /// the log says why, and it is not asked again until [`Self::claim_anew`].
    pub(super) async fn claim_store(&self) -> bool {
        let claims = match self.inner.claims {
            Claims::Never => false,
            Claims::IfListening => self.config().server.enabled,
            Claims::Always => true,
        };
        if !claims {
            return false;
        }
        let mut closing = self.inner.closing.subscribe();
        tokio::select! {
            () = raised(&mut closing) => false,
            given = self.claim() => given,
        }
    }

    /// A process that kept the store may be asked once more.
    pub(crate) fn claim_anew(&self) {
        *self.inner.kept_by.lock() = None;
    }

    async fn claim(&self) -> bool {
        let Some(holder) = self.who_gives_way().await else {
            return false;
        };
        let pid = holder.pid;
        if *self.inner.kept_by.lock() == Some(pid) {
            return false;
        }
        let outcome = match self.token_to_claim().await {
            Some(token) => ask(&holder, &token).await,
            None => Err("there is no token of the server here".to_owned()),
        };
        match outcome {
            Ok(true) => self.let_go(&holder).await,
            Ok(false) => false,
            Err(why) => {
                tracing::warn!(pid, why, "the process that has the memory open keeps it");
                *self.inner.kept_by.lock() = Some(pid);
                false
            }
        }
    }

    /// The token that opens the other process's door, if it is to be had soon.
    async fn token_to_claim(&self) -> Option<SecretString> {
        match timeout(ANSWER, self.token(TokenKind::Server)).await {
            Ok(token) => token,
            Err(_) => self.secrets().at_hand(TokenKind::Server),
        }
    }

    /// Another process that has the store open, and would give it up.
    async fn who_gives_way(&self) -> Option<Running> {
        let found = running::find(self.data_dir()).await?;
        (found.gives_way && found.pid != std::process::id()).then_some(found)
    }

    /// Whether `holder` has closed the store, once that is so or it takes too long.
    async fn let_go(&self, holder: &Running) -> bool {
        let until = Instant::now() + CLOSING;
        while Instant::now() < until {
            if self.is_free().await {
                return true;
            }
            let next = self.who_gives_way().await;
            if next.is_some_and(|next| next.pid != holder.pid) {
                // Somebody who had joined it was quicker than this process.
                return true;
            }
            sleep(LOOK).await;
        }
        let pid = holder.pid;
        tracing::warn!(
            pid,
            "the process that has the memory open did not close it in time"
        );
        false
    }

    /// Whether nobody writes the store.
    pub(super) async fn is_free(&self) -> bool {
        let database = self.data_dir().join(DATABASE_FILE);
        let look = move || while_nobody_writes(&database, || ());
        let looked = tokio::task::spawn_blocking(look).await;
        !matches!(looked, Ok(Err(StoreError::Locked { .. })))
    }
}

/// Asks for the store, again while the other process is busy. Whether it gives it up now; the error
/// says why it never does.
async fn ask(holder: &Running, token: &SecretString) -> Result<bool, String> {
    let client = running::client().map_err(|error| error.to_string())?;
    let until = Instant::now() + ANSWER;
    let mut busy = false;
    loop {
        let asked = holder.post(&client, CLAIM, token);
        let asked = asked.json(&json!({ "pid": std::process::id() }));
        let Ok(answer) = timeout_at(until, asked.send()).await else {
            // One that was busy just now may give it up later.
            return match busy {
                true => Ok(false),
                false => Err("it does not answer".to_owned()),
            };
        };
        match answer.map(|answer| answer.status()) {
            Ok(StatusCode::ACCEPTED) => return Ok(true),
            Ok(StatusCode::CONFLICT) if Instant::now() < until => {
                busy = true;
                sleep(LOOK).await;
            }
            Ok(StatusCode::CONFLICT) => return Ok(false),
            Ok(StatusCode::UNAUTHORIZED) => return Err("it refuses the token".to_owned()),
            Ok(status) => return Err(format!("it answers with status {status}")),
            Err(error) => return Err(error.without_url().to_string()),
        }
    }
}
