//! Who words answers: the endpoint of the settings, behind its breaker and limiter.

use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use secrecy::SecretString;

use crate::chat::{ChatError, GuardedChat, OpenAiChat, OpenAiChatSettings};
use crate::clock::SharedClock;
use crate::config::{ChatProviderKind, ChatSettings, ConfigError};
use crate::resilience::{CircuitBreaker, RateLimiter};

#[derive(Debug)]
pub(in crate::manager) struct Chats {
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
    clock: SharedClock,
    /// Replaced as a whole by other settings or another token; who asks goes on with what it has.
    current: RwLock<Arc<Configured>>,
}

/// What the settings and the token ask for, made when it is first needed.
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

    pub(in crate::manager) fn set_settings(
        &self,
        settings: &ChatSettings,
    ) -> Result<(), ConfigError> {
        self.breaker.update(settings.circuit_breaker.clone())?;
        self.limiter.update(settings.rate_limit())?;
        let mut current = self.current.write();
        if current.settings != *settings {
            *current = Configured::new(settings.clone(), current.token.clone());
        }
        Ok(())
    }

    pub(in crate::manager) fn set_token(&self, token: Option<SecretString>) {
        let mut current = self.current.write();
        *current = Configured::new(current.settings.clone(), token);
    }

    /// Who words answers now; `None` where nobody does.
    pub(super) fn current(&self) -> Option<Result<GuardedChat, ChatError>> {
        let current = Arc::clone(&self.current.read());
        if current.settings.provider == ChatProviderKind::None {
            return None;
        }
        let chat = current.chat.get_or_init(|| {
            let settings = OpenAiChatSettings::new(&current.settings, current.token.clone());
            let provider = OpenAiChat::new(settings, self.clock.clone())?;
            let (breaker, limiter) = (self.breaker.clone(), Arc::clone(&self.limiter));
            Ok(GuardedChat::new(Arc::new(provider), breaker, limiter))
        });
        Some(chat.clone())
    }
}
