use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{ChatError, ChatPiece, ChatProvider, ChatRequest, ChatStream};
use crate::resilience::{CircuitBreaker, Decision, Permit, RateLimiter};

/// The name under which the limiter counts requests.
const CLIENT: &str = "chat";

/// A provider behind a limiter and a breaker of its own. The breaker counts an answer when it has
/// ended: one that breaks off is a failure, one that nobody waited for is neither.
#[derive(Debug, Clone)]
pub struct GuardedChat {
    provider: Arc<dyn ChatProvider>,
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
}

impl GuardedChat {
    /// A guard before `provider`.
    #[must_use]
    pub fn new(
        provider: Arc<dyn ChatProvider>,
        breaker: CircuitBreaker,
        limiter: Arc<RateLimiter>,
    ) -> Self {
        Self {
            provider,
            breaker,
            limiter,
        }
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        self.provider.model()
    }

    /// Begins an answer; see [`ChatProvider::answer`].
    ///
    /// # Errors
    /// [`ChatError::RateLimited`], [`ChatError::BreakerOpen`], or what the provider says.
    pub async fn answer(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        if let Decision::Limited { retry_after } = self.limiter.check(CLIENT) {
            return Err(ChatError::RateLimited { retry_after });
        }
        let permit = self.breaker.try_acquire();
        let permit = permit.map_err(|open| ChatError::BreakerOpen {
            retry_after: open.retry_after,
        })?;
        match self.provider.answer(request).await {
            Ok(pieces) => Ok(watched(pieces, permit)),
            Err(error) => {
                report(permit, &error);
                Err(error)
            }
        }
    }
}

/// Passes an answer on, and tells the breaker how it ended.
fn watched(pieces: ChatStream, permit: Permit) -> ChatStream {
    let watch = stream::unfold((pieces, Some(permit)), |(mut pieces, mut permit)| async {
        let piece = pieces.next().await?;
        match &piece {
            Ok(ChatPiece::Text(_)) => {}
            Ok(ChatPiece::End(_)) => {
                if let Some(permit) = permit.take() {
                    permit.success();
                }
            }
            Err(error) => {
                if let Some(permit) = permit.take() {
                    report(permit, error);
                }
            }
        }
        Some((piece, (pieces, permit)))
    });
    watch.boxed()
}

fn report(permit: Permit, error: &ChatError) {
    if error.is_of_the_endpoint() {
        permit.failure(&error.to_string());
    } else if matches!(error, ChatError::Refused { .. }) {
        permit.success();
    }
    // Otherwise it says nothing about the endpoint's health, and the permit is just dropped.
}
