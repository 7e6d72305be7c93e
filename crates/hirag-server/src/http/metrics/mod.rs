//! What is counted of requests, and everything that is counted elsewhere, as Prometheus reads it.

mod memory;

use std::fmt;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::studio::Studio;

use self::memory::Gathered;

/// Upper bounds of the buckets, in seconds: from what a cache answers to what nobody waits for.
const BOUNDS: [f64; 16] = [
    0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
    10.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// The counters of requests. Routes are those of the program, so that no client can grow them.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let requests = Family::default();
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BOUNDS));
        let mut registry = Registry::with_prefix("hirag");
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's headers to the start of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        Self {
            registry,
            requests,
            durations,
        }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub(super) fn count(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let labels = RequestLabels {
            method: name(method),
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        let route = route.to_owned();
        let duration = self.durations.get_or_create(&RouteLabels { route });
        duration.observe(took.as_secs_f64());
    }

    /// Everything, as Prometheus text. It waits for nothing that has not been opened.
    ///
    /// # Errors
    /// As [`hirag::HiragManager::stats`].
    pub(super) async fn page(&self, studio: &Studio) -> crate::commands::Result<String> {
        let gathered = Gathered::from(studio).await?;
        let mut memory = Registry::with_prefix("hirag");
        memory.register_collector(Box::new(gathered));
        let mut page = String::new();
        let written = encode(&mut page, &self.registry).and_then(|()| encode(&mut page, &memory));
        written.map_err(|fmt::Error| {
            crate::commands::Error::Internal("the metrics cannot be written".to_owned())
        })?;
        Ok(page)
    }
}

/// The methods that are known; any other is `other`, however a client calls it.
pub(super) fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
