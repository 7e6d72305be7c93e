//! How everything was when somebody last looked, for those who ask all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hirag::manager::Health;
use tokio::sync::watch;

use super::Studio;
use crate::commands::studio::{Nothing, health};
use crate::commands::{Error, Result};

/// How long a look is as good as a new one: it asks the memory, which has others to serve.
const FRESH: Duration = Duration::from_secs(1);
/// How long it stands for the next one, which is then under way.
const STANDS: Duration = Duration::from_secs(10);

/// The last look.
#[derive(Debug, Default)]
pub(super) struct Checkup {
    last: watch::Sender<Option<Look>>,
    /// Whether one is under way.
    looking: AtomicBool,
}

#[derive(Debug, Clone)]
struct Look {
    at: Duration,
    health: Health,
}

impl Studio {
    /// How everything is, at once for who asks again within seconds: a monitor that asks a busy
    /// memory is not to wait in its queue. What is told is ten seconds old at most.
    ///
    /// # Errors
    /// [`Error::NotOpen`].
    pub(crate) async fn recent_health(&self) -> Result<Health> {
        self.host().await?;
        let mut looks = self.inner.checkup.last.subscribe();
        let last = looks.borrow_and_update().clone();
        let now = self.inner.clock.elapsed();
        let last = last.map(|look| (now.saturating_sub(look.at), look.health));
        if let Some((age, health)) = last {
            if age >= FRESH {
                self.begin_to_look();
            }
            if age <= STANDS {
                return Ok(health);
            }
        } else {
            self.begin_to_look();
        }
        // The sender lives as long as this.
        let _ = looks.changed().await;
        let found = looks.borrow().as_ref().map(|look| look.health.clone());
        found.ok_or_else(|| Error::NotOpen("it was closed".to_owned()))
    }

    fn begin_to_look(&self) {
        if !self.inner.checkup.looking.swap(true, Ordering::AcqRel) {
            tokio::spawn(self.clone().look());
        }
    }

    async fn look(self) {
        let at = self.inner.clock.elapsed();
        let studio = self.clone();
        // On a task of its own, so that a panic there is an end as well.
        let health = tokio::spawn(async move { health(&studio, Nothing {}).await }).await;
        let look = health.ok().and_then(Result::ok);
        let look = look.map(|health| Look { at, health });
        let checkup = &self.inner.checkup;
        // Before it is told: who looks then has it asked again.
        checkup.looking.store(false, Ordering::Release);
        checkup.last.send_replace(look);
    }
}
