//! Circuit breaker, rate limiter, retry.

mod settings;

pub use settings::{CircuitBreakerSettings, RateLimitSettings};
