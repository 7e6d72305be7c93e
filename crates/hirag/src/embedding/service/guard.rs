use std::sync::Arc;

use async_trait::async_trait;

use crate::embedding::{EmbeddingError, EmbeddingProvider, Vector};
use crate::resilience::{CircuitBreaker, Decision, Permit, RateLimiter};

/// The name under which the limiter counts calls of the provider.
const CLIENT: &str = "embedding";

/// A provider behind limiter and breaker. What stands before it may put many texts into one call,
/// which then counts as one.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) provider: Arc<dyn EmbeddingProvider>,
    pub(super) breaker: CircuitBreaker,
    /// `None` for a provider on this machine.
    pub(super) limiter: Option<Arc<RateLimiter>>,
}

impl Guard {
    fn admit(&self) -> Result<Permit, EmbeddingError> {
        if let Some(limiter) = &self.limiter
            && let Decision::Limited { retry_after } = limiter.check(CLIENT)
        {
            return Err(EmbeddingError::RateLimited { retry_after });
        }
        self.breaker
            .try_acquire()
            .map_err(|open| EmbeddingError::BreakerOpen {
                retry_after: open.retry_after,
            })
    }
}

/// Tells the breaker how a call ended.
fn report(permit: Permit, outcomes: &[Result<Vector, EmbeddingError>]) {
    let errors = || outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let some_worked = outcomes.iter().any(Result::is_ok);
    let failure = errors().find(|error| match error {
        EmbeddingError::Unreachable { .. }
        | EmbeddingError::Timeout { .. }
        | EmbeddingError::Busy { .. } => true,
        // Beside good vectors it is the text's fault.
        EmbeddingError::BadAnswer { .. } => !some_worked,
        _ => false,
    });
    if let Some(error) = failure {
        permit.failure(&error.to_string());
    } else if some_worked || errors().any(|e| matches!(e, EmbeddingError::Refused { .. })) {
        permit.success();
    }
    // Otherwise the call says nothing about the provider's health, and the permit is just dropped.
}

#[async_trait]
impl EmbeddingProvider for Guard {
    fn model_id(&self) -> &str {
        self.provider.model_id()
    }

    fn dimension(&self) -> usize {
        self.provider.dimension()
    }

    fn max_input_tokens(&self) -> usize {
        self.provider.max_input_tokens()
    }

    fn query_prefix(&self) -> &str {
        self.provider.query_prefix()
    }

    fn passage_prefix(&self) -> &str {
        self.provider.passage_prefix()
    }

    fn ignores_case(&self) -> bool {
        self.provider.ignores_case()
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        let permit = self.admit()?;
        let outcome = self.provider.embed_single(text).await;
        report(permit, std::slice::from_ref(&outcome));
        outcome
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        let permit = match self.admit() {
            Ok(permit) => permit,
            Err(error) => return vec![Err(error); texts.len()],
        };
        let outcomes = self.provider.embed_batch(texts).await;
        report(permit, &outcomes);
        outcomes
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        self.provider.check().await
    }
}
