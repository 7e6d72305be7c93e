//! Latency histograms, cache counters, process resources: how it is going, in bounded memory.

mod cache;
mod histogram;
mod profiler;
mod requests;
mod resources;
mod settings;
mod statements;

pub use cache::{CacheCounters, CacheLayerStats, CacheStats};
pub use histogram::{Bucket, LatencySummary};
pub use profiler::{
    Before, OperationMetrics, Part, PerformanceMetrics, PerformanceProfiler, SlowOperation, Span,
    Timer,
};
pub use requests::{Front, RequestMetrics, RequestTally};
pub use resources::{MemoryGauge, MemoryReading, MemoryStrain, ProcessResources, ResourceMonitor};
pub use settings::MetricsSettings;
pub use statements::{SlowStatement, SlowStatements};
