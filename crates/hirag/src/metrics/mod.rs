//! Latency histograms, cache counters, process resources: how it is going, in bounded memory.

mod cache;
mod histogram;
mod profiler;
mod resources;
mod settings;

pub use cache::{CacheCounters, CacheLayerStats, CacheStats};
pub use histogram::{Bucket, LatencySummary};
pub use profiler::{
    OperationMetrics, Part, PerformanceMetrics, PerformanceProfiler, SlowOperation, Span, Timer,
};
pub use resources::{ProcessResources, ResourceMonitor};
pub use settings::MetricsSettings;
