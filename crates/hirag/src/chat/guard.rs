use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{ChatError, ChatPiece, ChatProvider, ChatRequest, ChatStream};
use crate::resilience::{BreakerState, CircuitBreaker, Decision, Permit, RateLimiter, Retry};

/// The name under which the limiter counts requests.
const CLIENT: &str = "chat";

/// A provider behind a breaker and a limiter of its own, which is asked again where that may help. The
/// breaker counts an answer when it has ended: one that breaks off is a failure, one that nobody waited
/// for is neither. A probe has proved the endpoint with its first words already: others need not wait
/// for its last.
#[derive(Debug, Clone)]
pub struct GuardedChat {
    provider: Arc<dyn ChatProvider>,
    retry: Retry,
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
}

impl GuardedChat {
    /// A guard before `provider`.
    #[must_use]
    pub fn new(
        provider: Arc<dyn ChatProvider>,
        retry: Retry,
        breaker: CircuitBreaker,
        limiter: Arc<RateLimiter>,
    ) -> Self {
        Self {
            provider,
            retry,
            breaker,
            limiter,
        }
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        self.provider.model()
    }

    /// Begins an answer: returns when its first words are there. Until then, passing faults are tried
    /// again; after that nothing is, as a second answer does not go on where the first broke off.
    ///
    /// # Errors
    /// [`ChatError::BreakerOpen`], [`ChatError::RateLimited`], or what the provider says.
    pub async fn answer(&self, request: &ChatRequest) -> Result<ChatStream, ChatError> {
        let permit = self.breaker.try_acquire();
        let permit = permit.map_err(|open| ChatError::BreakerOpen {
            retry_after: open.retry_after,
        })?;
        let begun = self.retry.run(|| self.ask(request), ChatError::verdict);
        match begun.await {
            Ok(pieces) => Ok(watched(pieces, permit, self.breaker.clone())),
            Err(error) => {
                report(permit, &error);
                Err(error)
            }
        }
    }

    /// Asks once. Each time counts: it may cost money.
    async fn ask(&self, request: &ChatRequest) -> Result<ChatStream, ChatError> {
        if let Decision::Limited { retry_after } = self.limiter.check(CLIENT) {
            return Err(ChatError::RateLimited { retry_after });
        }
        self.provider.answer(request).await
    }
}

/// Passes an answer on, and tells the breaker how it ended.
fn watched(pieces: ChatStream, permit: Permit, breaker: CircuitBreaker) -> ChatStream {
    let permit = match breaker.state() {
        BreakerState::HalfOpen => {
            permit.success();
            None
        }
        BreakerState::Closed | BreakerState::Open => Some(permit),
    };
    let watch = stream::unfold(
        (pieces, permit, breaker),
        |(mut pieces, mut permit, breaker)| async {
            let piece = pieces.next().await?;
            match &piece {
                Ok(ChatPiece::Text(_)) => {}
                Ok(ChatPiece::End(_)) => {
                    if let Some(permit) = permit.take() {
                        permit.success();
                    }
                }
                Err(error) => {
                    // What a probe was counted for is over; this is another thing.
                    let permit = permit.take().or_else(|| breaker.try_acquire().ok());
                    if let Some(permit) = permit {
                        report(permit, error);
                    }
                }
            }
            Some((piece, (pieces, permit, breaker)))
        },
    );
    watch.boxed()
}

fn report(permit: Permit, error: &ChatError) {
    if error.is_of_the_endpoint() {
        permit.failure(&error.to_string());
    } else if matches!(
        error,
        ChatError::Refused { .. } | ChatError::SmallWindow { .. } | ChatError::Wordless { .. }
    ) {
        permit.success();
    }
    // Otherwise it says nothing about the endpoint's health, and the permit is just dropped.
}
