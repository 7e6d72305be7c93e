//! Who words answers: the endpoint of the settings, behind its breaker and limiter.

use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use secrecy::SecretString;

use crate::chat::{ChatError, GuardedChat, OpenAiChat, OpenAiChatSettings};
use crate::clock::SharedClock;
use crate::config::{ChatSettings, ConfigError};
use crate::endpoint::same_token;
use crate::manager::{HiragManager, off_the_async_threads};
use crate::resilience::{CircuitBreaker, RateLimiter, Retry};

impl HiragManager {
    /// Who words answers now; `None` where nobody does.
    pub(super) async fn chat(&self) -> Option<Result<GuardedChat, ChatError>> {
        let inner = Arc::clone(&self.inner);
        let chat = off_the_async_threads(move || inner.chats.current()).await;
        chat.unwrap_or_else(|error| Some(Err(ChatError::Misconfigured(error.to_string()))))
    }
}

#[derive(Debug)]
pub(in crate::manager) struct Chats {
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
    clock: SharedClock,
    /// Replaced as a whole by other settings or another token; who asks goes on with what it has.
    current: RwLock<Arc<Configured>>,
}

/// What the settings and the token ask for, made when it is first needed. The settings may be older
/// in what does not matter to it.
#[derive(Debug)]
struct Configured {
    settings: ChatSettings,
    token: Option<SecretString>,
    chat: OnceLock<Result<GuardedChat, ChatError>>,
}

impl Configured {
    fn new(settings: ChatSettings, token: Option<SecretString>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            token,
            chat: OnceLock::new(),
        })
    }
}

impl Chats {
    pub(in crate::manager) fn new(
        settings: &ChatSettings,
        clock: SharedClock,
    ) -> Result<Self, ConfigError> {
        let breaker = CircuitBreaker::new(settings.circuit_breaker.clone(), clock.clone())?;
        let limiter = RateLimiter::new(settings.rate_limit(), clock.clone())?;
        Ok(Self {
            breaker,
            limiter: Arc::new(limiter),
            clock,
            current: RwLock::new(Configured::new(settings.clone(), None)),
        })
    }

    pub(in crate::manager) fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    pub(in crate::manager) fn limiter(&self) -> &RateLimiter {
        &self.limiter
    }

    pub(in crate::manager) fn set_settings(
        &self,
        settings: &ChatSettings,
    ) -> Result<(), ConfigError> {
        self.breaker.update(settings.circuit_breaker.clone())?;
        self.limiter.update(settings.rate_limit())?;
        let mut current = self.current.write();
        let (old, new) = (&current.settings, settings);
        if (&old.api_url, &old.model) != (&new.api_url, &new.model) {
            self.breaker
                .reset_because("the endpoint or its model is another");
        }
        if !current.settings.asks_as(settings) {
            *current = Configured::new(settings.clone(), current.token.clone());
        }
        Ok(())
    }

    pub(in crate::manager) fn set_token(&self, token: Option<SecretString>) {
        let mut current = self.current.write();
        // One that could not be made is tried once more.
        let failed = matches!(current.chat.get(), Some(Err(_)));
        if failed || !same_token(current.token.as_ref(), token.as_ref()) {
            *current = Configured::new(current.settings.clone(), token);
        }
    }

    /// Who words answers now; `None` where nobody does. The first time, it reads the machine's
    /// certificates. Blocks.
    fn current(&self) -> Option<Result<GuardedChat, ChatError>> {
        let current = Arc::clone(&self.current.read());
        if !current.settings.words_answers() {
            return None;
        }
        let chat = current.chat.get_or_init(|| {
            let settings = OpenAiChatSettings::new(&current.settings, current.token.clone());
            let provider = OpenAiChat::new(settings, self.clock.clone())?;
            let retry = Retry::new(current.settings.max_retries);
            let (breaker, limiter) = (self.breaker.clone(), Arc::clone(&self.limiter));
            Ok(GuardedChat::new(
                Arc::new(provider),
                retry,
                breaker,
                limiter,
            ))
        });
        Some(chat.clone())
    }
}
