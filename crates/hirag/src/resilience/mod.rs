//! Circuit breaker, rate limiter, retry: what stands between us and a part that fails, a client
//! that asks too much, and a hiccup. All of them take their time from a clock.

mod breaker;
mod limiter;
mod retry;
mod settings;

pub use breaker::{BreakerEvent, BreakerSnapshot, BreakerState, CircuitBreaker, Open, Permit};
pub use limiter::{ClientSnapshot, Decision, LimiterSnapshot, RateLimiter};
pub use retry::{Retry, Verdict, parse_retry_after};
pub use settings::{CircuitBreakerSettings, RateLimitSettings};
