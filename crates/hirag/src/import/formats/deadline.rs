//! How long a document may take to be read.

use std::time::{Duration, Instant};

use super::{Fault, give_up};
use crate::import::ImportError;

/// What a document may take at most.
const MOST: Duration = Duration::from_secs(30);

/// The end of the time that a document has; readers look at it between their steps.
#[derive(Debug, Clone, Copy)]
pub(in crate::import) struct Deadline(Instant);

impl Deadline {
    /// From now on.
    pub(in crate::import) fn new() -> Self {
        Self::within(MOST)
    }

    pub(super) fn within(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Goes on, or gives up: for what has no other way out, inside of a guarded reader.
    pub(super) fn keep(self) {
        if let Err(fault) = self.check() {
            give_up(fault);
        }
    }

    /// # Errors
    /// That it has passed.
    pub(super) fn check(self) -> Result<(), Fault> {
        if Instant::now() < self.0 {
            return Ok(());
        }
        Err(Fault::Refused(
            ImportError::TOO_SLOW,
            format!(
                "takes more than {} s to read, and was left out; split it, or save it as a simpler document",
                MOST.as_secs()
            ),
        ))
    }
}
