//! A store that several processes share: the first opens it and listens, the others join it. Which
//! this process is can change with every call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hirag::config::environment;
use hirag::manager::DATABASE_FILE;
use hirag::store::sqlite::while_nobody_writes;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Mutex, RwLock};
use tokio::time::{Instant, sleep, timeout};

use super::joined::{Joined, Unanswered};
use crate::commands::{Error, Failure, studio};
use crate::http::Instead;
use crate::running;
use crate::secrets::{Secrets, TokenKind, system_vault};
use crate::studio::{Studio, StudioOptions, ask};

/// How often one call looks for the store anew; the process that has it may end each time.
const TRIES: usize = 4;
/// A keyring that is open answers within milliseconds. One that asks a person does not hold up the
/// call of an agent for longer.
const KEYRING_PATIENCE: Duration = Duration::from_secs(10);
/// How often the writer is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// What goes on is waited for so long when the process ends.
const LAST_CALLS: Duration = Duration::from_secs(30);

/// Where the memory is.
#[derive(Debug, Clone)]
pub(in crate::mcp) struct Places {
    /// The settings file, which need not be there.
    pub(in crate::mcp) config_file: PathBuf,
    /// The folder of the database.
    pub(in crate::mcp) data_dir: PathBuf,
}

/// A store that is shared. A cheap handle.
#[derive(Debug, Clone)]
pub(in crate::mcp) struct Shared {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) places: Places,
    /// How this process has the store now.
    pub(super) standing: Mutex<Option<Arc<Standing>>>,
    /// Whether it has ended. Read by every call, written by the end and by who gives the store away:
    /// they wait for the calls.
    pub(super) ended: RwLock<bool>,
}

#[derive(Debug)]
pub(super) enum Standing {
    /// Through the server of another process.
    Joined(Joined),
    /// In this process, which writes and, as soon as it can, listens.
    Writing(Studio),
    /// In this process, while another one writes: `why` it was not joined.
    Reading(Studio, Option<String>),
}

impl Shared {
    pub(in crate::mcp) fn new(places: Places) -> Self {
        Self {
            inner: Arc::new(Inner {
                places,
                standing: Mutex::default(),
                ended: RwLock::default(),
            }),
        }
    }

    /// Looks for the store before anybody asks, so that the first who does need not wait.
    pub(in crate::mcp) async fn look(&self) {
        if let Err(failure) = self.standing().await {
            tracing::warn!(code = failure.code, "{}", failure.message);
        }
    }

    /// Runs a command, wherever the store is open. When its server goes away in the middle, the
    /// command is run again where the store is then: commands that write must bear that.
    pub(super) async fn call(&self, command: &str, request: Value) -> Result<String, Failure> {
        let ended = self.inner.ended.read().await;
        if *ended {
            return Err(Error::NotOpen("this process ends".to_owned()).into());
        }
        let mut gone = String::new();
        for _ in 0..TRIES {
            let standing = self.standing().await?;
            let failure = match &*standing {
                Standing::Joined(joined) => match joined.call(command, &request).await {
                    Ok(answer) => return Ok(answer),
                    Err(Unanswered::Failed(failure)) if only_reads(&failure) => {
                        // It listens, and yet another process writes.
                        return Err(self.writer().await.unwrap_or(failure));
                    }
                    Err(Unanswered::Failed(failure)) => return Err(failure),
                    Err(Unanswered::Refused) => {
                        gone = refused(joined.pid());
                        self.leave(&standing).await;
                        continue;
                    }
                    Err(Unanswered::Gone(why)) => {
                        gone = format!("the server of process {} went away: {why}", joined.pid());
                        tracing::info!("{gone}");
                        self.leave(&standing).await;
                        continue;
                    }
                },
                Standing::Writing(studio) | Standing::Reading(studio, _) => {
                    match studio::call(studio, command, request.clone()).await {
                        Ok(answer) => return Ok(answer),
                        Err(failure) => failure,
                    }
                }
            };
            if !matches!(*standing, Standing::Reading(..)) {
                return Err(failure);
            }
            match failure.code.as_str() {
                // Another call found a better way meanwhile, and closed this one.
                "not_open" | "store_closed" => {}
                _ if only_reads(&failure) => self.may_write(&standing).await?,
                _ => return Err(failure),
            }
            gone = failure.message;
            self.leave(&standing).await;
        }
        Err(Failure {
            code: "server_gone".to_owned(),
            message: format!("{gone}; looked for the memory {TRIES} times, try again"),
        })
    }

    /// The studio in which this process has the store open; `None` where it has joined another one,
    /// or while the store is looked for.
    pub(super) fn studio_now(&self) -> Option<Studio> {
        let standing = self.inner.standing.try_lock().ok()?;
        match standing.as_deref() {
            Some(Standing::Writing(studio) | Standing::Reading(studio, _)) => Some(studio.clone()),
            Some(Standing::Joined(_)) | None => None,
        }
    }

    /// Waits for what was begun, and closes what this process has open. Nothing that was answered
    /// is lost.
    ///
    /// # Errors
    /// As [`Studio::shut_down`].
    pub(in crate::mcp) async fn shut_down(&self) -> Result<(), Error> {
        match timeout(LAST_CALLS, self.inner.ended.write()).await {
            Ok(mut ended) => *ended = true,
            Err(_) => tracing::warn!("what has not ended by now is left"),
        }
        match self.inner.standing.lock().await.take() {
            Some(standing) => close(&standing).await,
            None => Ok(()),
        }
    }

    /// How the store is to be had now; it is looked for when it is not known.
    async fn standing(&self) -> Result<Arc<Standing>, Failure> {
        let mut known = self.inner.standing.lock().await;
        if let Some(standing) = known.as_ref() {
            let announced = || self.inner.places.data_dir.join(running::FILE).exists();
            let Standing::Reading(studio, None) = &**standing else {
                return Ok(Arc::clone(standing));
            };
            if !announced() {
                return Ok(Arc::clone(standing));
            }
            // The process that writes listens by now.
            let better = match self.join().await {
                Ok(Some(joined)) => {
                    let studio = studio.clone();
                    tokio::spawn(async move { studio.shut_down().await });
                    Standing::Joined(joined)
                }
                Ok(None) => return Ok(Arc::clone(standing)),
                Err(why) => Standing::Reading(studio.clone(), Some(why)),
            };
            let better = Arc::new(better);
            *known = Some(Arc::clone(&better));
            return Ok(better);
        }
        let standing = Arc::new(self.find().await?);
        *known = Some(Arc::clone(&standing));
        Ok(standing)
    }

    /// Forgets a way that has ended, unless another call did so already.
    async fn leave(&self, standing: &Arc<Standing>) {
        let mut known = self.inner.standing.lock().await;
        if known.as_ref().is_some_and(|now| Arc::ptr_eq(now, standing)) {
            *known = None;
            if let Err(error) = close(standing).await {
                tracing::warn!(%error, "the memory was not closed well");
            }
        }
    }

    /// Joins the running server, or opens the store.
    async fn find(&self) -> Result<Standing, Failure> {
        let why = match self.join().await {
            Ok(Some(joined)) => return Ok(Standing::Joined(joined)),
            Ok(None) => None,
            Err(why) => Some(why),
        };
        let Places {
            config_file,
            data_dir,
        } = self.inner.places.clone();
        let studio = Studio::start(StudioOptions::at(config_file, data_dir));
        match studio.host().await {
            Ok(host) if host.manager().is_writable() => {
                // Before it listens, and says so.
                let claims = studio.give_way();
                tokio::spawn(self.clone().give_way(claims));
                tokio::spawn(listen(studio.clone()));
                Ok(Standing::Writing(studio))
            }
            Ok(_) => Ok(Standing::Reading(studio, why)),
            Err(error) => {
                // It says so already.
                let _ = studio.shut_down().await;
                Err(error.into())
            }
        }
    }

    /// The server that runs, joined; `None` where there is none, and the reason where it is there
    /// and cannot be joined.
    async fn join(&self) -> Result<Option<Joined>, String> {
        let Some(running) = running::find(&self.inner.places.data_dir).await else {
            return Ok(None);
        };
        let pid = running.pid;
        let Some(token) = token().await else {
            return Err(format!(
                "its server can be joined with the token of the server, and there is none here: \
                 give the same {} to both, or keep one with `hirag token set server`",
                TokenKind::Server.variable()
            ));
        };
        match Joined::join(running, token).await {
            Ok(joined) => Ok(Some(joined)),
            Err(Unanswered::Gone(_)) => Ok(None),
            Err(Unanswered::Refused) => Err(refused(pid)),
            Err(Unanswered::Failed(failure)) => Err(failure.message),
        }
    }

    /// Returns once a write that was refused is possible: because the writer listens, or has ended.
    /// It is waited for as the settings say; a command that ends soon, or a server that has just
    /// begun, refuses no agent. Otherwise the failure names it.
    async fn may_write(&self, standing: &Standing) -> Result<(), Failure> {
        let patience = match standing {
            Standing::Reading(studio, _) => studio.config().store.lock_wait_secs,
            Standing::Joined(_) | Standing::Writing(_) => 0,
        };
        let until = Instant::now() + Duration::from_secs(patience);
        loop {
            let why = match self.join().await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => None,
                Err(why) => Some(why),
            };
            let Some(mut failure) = self.writer().await else {
                return Ok(());
            };
            if let Some(why) = why {
                failure.message = format!("{}. {why}", failure.message);
                return Err(failure);
            }
            if Instant::now() >= until {
                return Err(failure);
            }
            sleep(LOOK).await;
        }
    }

    /// Who writes the store, as a failure; `None` if nobody does now.
    async fn writer(&self) -> Option<Failure> {
        let database = self.inner.places.data_dir.join(DATABASE_FILE);
        let looked = tokio::task::spawn_blocking(move || while_nobody_writes(&database, || ()));
        let error = looked.await.ok()?.err()?;
        Some(Failure::from(Error::from(error)))
    }
}

/// The token of the server, as far as it is to be had soon.
async fn token() -> Option<SecretString> {
    let secrets = Secrets::new(system_vault(), environment());
    let kept = ask(&secrets, |secrets| secrets.get(TokenKind::Server));
    match timeout(KEYRING_PATIENCE, kept).await {
        Ok(found) => found.flatten().map(|(token, _)| token),
        Err(_) => secrets.at_hand(TokenKind::Server),
    }
}

/// Whether a store refused to write because it only reads.
fn only_reads(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), "store_read_only" | "store_locked")
}

fn refused(pid: u32) -> String {
    format!(
        "the server of process {pid} refuses the token: give the same {} to both, or keep one with \
         `hirag token set server`",
        TokenKind::Server.variable()
    )
}

/// Lets other processes join, on a port that is free. Where that fails the log says why: this
/// process has the memory all the same, and the others read it.
async fn listen(studio: Studio) {
    let instead = Instead {
        host: Some("127.0.0.1".to_owned()),
        port: Some(0),
        always: true,
    };
    if let Err(error) = studio.open_door_at(instead).await {
        tracing::warn!(code = error.code(), "other processes cannot join: {error}");
    }
}

pub(super) async fn close(standing: &Standing) -> Result<(), Error> {
    match standing {
        Standing::Joined(_) => Ok(()),
        Standing::Reading(studio, _) | Standing::Writing(studio) => studio.shut_down().await,
    }
}
