//! Latency histograms, cache counters, process resources.
