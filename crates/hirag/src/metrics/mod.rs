//! Latency histograms, cache counters, process resources.

mod settings;

pub use settings::MetricsSettings;
