//! Circuit breaker, rate limiter, retry.
