//! What an endpoint does not take as most do, learnt from its refusals.

use std::sync::atomic::{AtomicBool, Ordering};

/// How an endpoint wants to be asked, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// Whether the tokens of an answer are called `max_completion_tokens`, as OpenAI's newer models do.
    completion_tokens: AtomicBool,
    /// Whether the model wants its own temperature, as those do that think.
    own_temperature: AtomicBool,
}

/// The same, as a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) completion_tokens: bool,
    pub(super) own_temperature: bool,
}

impl Dialect {
    pub(super) fn now(&self) -> Spoken {
        Spoken {
            completion_tokens: self.completion_tokens.load(Ordering::Relaxed),
            own_temperature: self.own_temperature.load(Ordering::Relaxed),
        }
    }

    /// Learns from why a request was refused. Whether it is worth while to ask again.
    pub(super) fn learn(&self, spoken: Spoken, refusal: &str) -> bool {
        let learnt = if refusal.contains("max_completion_tokens") && !spoken.completion_tokens {
            &self.completion_tokens
        } else if refusal.contains("temperature") && !spoken.own_temperature {
            &self.own_temperature
        } else {
            return false;
        };
        learnt.store(true, Ordering::Relaxed);
        true
    }
}
