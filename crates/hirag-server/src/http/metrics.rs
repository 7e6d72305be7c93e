//! What is counted of requests.

use std::time::Duration;

use axum::http::{Method, StatusCode};

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Metrics {}

impl Metrics {
    /// Counts a request that was answered.
    pub(super) fn count(
        &self,
        _method: &Method,
        _route: &str,
        _status: StatusCode,
        _took: Duration,
    ) {
    }
}
