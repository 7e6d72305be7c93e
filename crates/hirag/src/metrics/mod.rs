//! Latency histograms, cache counters, process resources: how it is going, in bounded memory.

mod cache;
mod histogram;
mod profiler;
mod resources;
mod settings;

pub use cache::{CacheCounters, CacheLayerStats, CacheStats};
pub use histogram::LatencySummary;
pub use profiler::{
    OperationMetrics, Part, PerformanceMetrics, PerformanceProfiler, SlowOperation, Timer,
};
pub use resources::{ProcessResources, ResourceMonitor};
pub use settings::MetricsSettings;
