//! What the core counts.

use std::fmt::Result;

use hirag::manager::Stats;
use hirag::metrics::{Bucket, CacheLayerStats, LatencySummary, RequestMetrics, Span};
use hirag::resilience::{BreakerSnapshot, BreakerState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::BOUNDS;
use crate::commands;
use crate::studio::Studio;

/// Everything at one moment; without the memory while that is not open.
#[derive(Debug)]
pub(super) struct Gathered {
    connections: usize,
    requests: Vec<RequestMetrics>,
    memory: Option<Memory>,
}

#[derive(Debug)]
struct Memory {
    stats: Stats,
    /// The distributions of the operations that `stats` names, in their order.
    distributions: Vec<Vec<Bucket>>,
}

impl Gathered {
    pub(super) async fn from(studio: &Studio) -> commands::Result<Self> {
        let memory = match studio.host_now() {
            None => None,
            Some(host) => {
                let manager = host.manager();
                let stats = manager.stats().await?;
                let operations = stats.performance.operations.iter();
                let distribution = |name| manager.profiler().distribution(name, Span::All);
                let distributions = operations.map(|one| distribution(&one.operation)).collect();
                Some(Memory {
                    stats,
                    distributions,
                })
            }
        };
        Ok(Self {
            requests: studio.requests().last_hour(),
            connections: studio.server_status().connections,
            memory,
        })
    }
}

impl Collector for Gathered {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result {
        let mut page = Page { encoder };
        let version = [("version", env!("CARGO_PKG_VERSION"), 1.0)];
        page.gauges("build_info", "The program; always 1", None, &version)?;
        page.gauge(
            "ready",
            "Whether the memory is open",
            None,
            f64::from(self.memory.is_some()),
        )?;
        page.gauge(
            "http_connections",
            "Connections now",
            None,
            self.connections as f64,
        )?;
        requests(&mut page, &self.requests)?;
        match &self.memory {
            Some(memory) => memory.encode(&mut page),
            None => Ok(()),
        }
    }
}

/// What was asked over the last hour. Figures of one name stand in a series each, by front and name.
fn requests(page: &mut Page<'_>, all: &[RequestMetrics]) -> Result {
    type Figure = fn(&RequestMetrics) -> f64;
    let seconds = Some(Unit::Seconds);
    let figures: [(&str, &str, Option<Unit>, Figure); 6] = [
        (
            "requests_last_hour",
            "Requests of the last hour",
            None,
            |one| one.last_hour.count as f64,
        ),
        (
            "requests_per_minute",
            "Requests a minute over the last hour",
            None,
            |one| one.per_minute,
        ),
        (
            "request_last_hour_mean",
            "Their mean time",
            seconds.clone(),
            |one| one.last_hour.mean_ms / 1e3,
        ),
        (
            "request_last_hour_min",
            "Their shortest time",
            seconds.clone(),
            |one| one.last_hour.min_ms / 1e3,
        ),
        (
            "request_last_hour_p95",
            "What 95 % of them took at most",
            seconds.clone(),
            |one| one.last_hour.p95_ms / 1e3,
        ),
        (
            "request_last_hour_max",
            "Their longest time",
            seconds,
            |one| one.last_hour.max_ms / 1e3,
        ),
    ];
    for (name, help, unit, figure) in figures {
        let mut family =
            page.encoder
                .encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for one in all {
            let labels = [("front", one.front.as_str()), ("name", one.name.as_str())];
            ConstGauge::new(figure(one)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

impl Memory {
    fn encode(&self, page: &mut Page<'_>) -> Result {
        self.contexts(page)?;
        self.caches(page)?;
        self.resilience(page)?;
        self.slow(page)?;
        self.operations(page)
    }

    fn contexts(&self, page: &mut Page<'_>) -> Result {
        let counts = &self.stats.counts;
        let levels = &counts.contexts_per_level;
        page.gauges(
            "contexts",
            "Contexts stored",
            None,
            &[
                ("level", "Immediate", levels.immediate as f64),
                ("level", "ShortTerm", levels.short_term as f64),
                ("level", "LongTerm", levels.long_term as f64),
            ],
        )?;
        for (name, help, value) in [
            (
                "queue_pending",
                "Contexts that wait for their vector",
                counts.pending,
            ),
            (
                "contexts_deleted",
                "Contexts marked as deleted",
                counts.deleted,
            ),
            (
                "context_tokens",
                "Tokens of all contexts",
                counts.total_tokens,
            ),
            ("traces", "Traces kept", counts.traces),
            (
                "working_set_contexts",
                "Contexts of L1 in memory",
                self.stats.working_set,
            ),
        ] {
            page.gauge(name, help, None, value as f64)?;
        }
        let database = &self.stats.database;
        page.gauges(
            "database",
            "What the database takes on the disk",
            Some(Unit::Bytes),
            &[
                ("part", "file", database.file_bytes as f64),
                ("part", "free", database.free_bytes as f64),
                ("part", "wal", database.wal_bytes as f64),
            ],
        )?;
        if let Some(process) = &self.stats.process {
            let resident = process.resident_bytes as f64;
            page.gauge(
                "process_resident",
                "The process in memory",
                Some(Unit::Bytes),
                resident,
            )?;
        }
        Ok(())
    }

    fn caches(&self, page: &mut Page<'_>) -> Result {
        page.cache("answer_cache", "Searches", &self.stats.answer_cache)?;
        page.cache("worded_cache", "Questions", &self.stats.worded_cache)?;
        let Some(cache) = &self.stats.embedding_cache else {
            return Ok(());
        };
        let (memory, disk) = (&cache.memory, &cache.disk);
        page.counters(
            "embedding_cache_hits",
            "Questions answered",
            &by_layer(memory.hits, disk.hits),
        )?;
        page.counters(
            "embedding_cache_misses",
            "Questions not answered",
            &by_layer(memory.misses, disk.misses),
        )?;
        page.counters(
            "embedding_cache_invalidations",
            "Vectors dropped because their text was deleted or their time was over",
            &by_layer(memory.invalidations, disk.invalidations),
        )?;
        page.gauges(
            "embedding_cache_entries",
            "Vectors held",
            None,
            &by_layer(memory.entries as f64, disk.entries as f64),
        )?;
        page.gauges(
            "embedding_cache",
            "What they take",
            Some(Unit::Bytes),
            &by_layer(memory.bytes as f64, disk.bytes as f64),
        )
    }

    fn resilience(&self, page: &mut Page<'_>) -> Result {
        page.breaker("", "the embedding provider", &self.stats.circuit_breaker)?;
        page.breaker(
            "chat_",
            "the endpoint that words answers",
            &self.stats.chat_breaker,
        )?;
        let limiter = &self.stats.rate_limiter;
        page.counters(
            "limiter_requests",
            "Requests that the limiter saw",
            &[
                ("decision", "allowed", limiter.allowed),
                ("decision", "limited", limiter.limited),
            ],
        )?;
        page.gauge(
            "limiter_clients",
            "Clients counted one by one",
            None,
            limiter.clients as f64,
        )
    }

    fn slow(&self, page: &mut Page<'_>) -> Result {
        let performance = &self.stats.performance;
        for (name, help, kept) in [
            (
                "slow_operations",
                "Slow operations that are kept in the list",
                performance.slow.len(),
            ),
            (
                "slow_statements",
                "Slow statements of the database that are kept in the list",
                performance.slow_statements.len(),
            ),
        ] {
            page.gauge(name, help, None, kept as f64)?;
        }
        Ok(())
    }

    fn operations(&self, page: &mut Page<'_>) -> Result {
        let help = "How long operations of the memory take";
        let name = "operation_duration";
        let seconds = &Unit::Seconds;
        let mut family =
            page.encoder
                .encode_descriptor(name, help, Some(seconds), MetricType::Histogram)?;
        let operations = self.stats.performance.operations.iter();
        for (operation, distribution) in operations.zip(&self.distributions) {
            let labels = [("operation", operation.operation.as_str())];
            let LatencySummary { count, mean_ms, .. } = operation.all;
            let sum = mean_ms / 1e3 * count as f64;
            let buckets = buckets(distribution, count);
            family
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }
}

/// The runs of a distribution in the buckets of every histogram; the last one has the rest.
fn buckets(distribution: &[Bucket], count: u64) -> Vec<(f64, u64)> {
    let mut buckets: Vec<(f64, u64)> = BOUNDS.iter().map(|bound| (*bound, 0)).collect();
    for bucket in distribution {
        let upper = bucket.to_ms / 1e3;
        // The bounds are of the same series, and differ by their binary fractions only.
        let place = BOUNDS.iter().position(|bound| upper <= bound * 1.001);
        if let Some(place) = place {
            buckets[place].1 += bucket.count;
        }
    }
    let placed: u64 = buckets.iter().map(|(_, count)| count).sum();
    buckets.push((f64::INFINITY, count.saturating_sub(placed)));
    buckets
}

/// A label, its value, and the metric's value.
type Labelled<'a, T> = (&'static str, &'a str, T);

struct Page<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Page<'_> {
    /// A cache of answers to `questions`, under names that begin with `prefix`.
    fn cache(&mut self, prefix: &str, questions: &str, cache: &CacheLayerStats) -> Result {
        for (name, help, value) in [
            ("hits", format!("{questions} answered"), cache.hits),
            ("misses", format!("{questions} not answered"), cache.misses),
            (
                "invalidations",
                "Answers dropped because something changed".to_owned(),
                cache.invalidations,
            ),
        ] {
            self.counter(&format!("{prefix}_{name}"), &help, value)?;
        }
        let (entries, bytes) = (cache.entries as f64, cache.bytes as f64);
        self.gauge(&format!("{prefix}_entries"), "Answers held", None, entries)?;
        self.gauge(prefix, "What they take", Some(Unit::Bytes), bytes)
    }

    /// A breaker's state and calls, under names that begin with `prefix`.
    fn breaker(&mut self, prefix: &str, of: &str, breaker: &BreakerSnapshot) -> Result {
        let is = |state| f64::from(breaker.state == state);
        self.gauges(
            &format!("{prefix}breaker_state"),
            &format!("1 for the state of the circuit breaker before {of}"),
            None,
            &[
                ("state", "closed", is(BreakerState::Closed)),
                ("state", "open", is(BreakerState::Open)),
                ("state", "half_open", is(BreakerState::HalfOpen)),
            ],
        )?;
        self.counters(
            &format!("{prefix}breaker_calls"),
            &format!("Calls of {of}"),
            &[
                ("outcome", "succeeded", breaker.succeeded),
                ("outcome", "failed", breaker.failed),
                ("outcome", "abandoned", breaker.abandoned),
                ("outcome", "refused", breaker.refused),
            ],
        )
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<Unit>, value: f64) -> Result {
        let metric =
            self.encoder
                .encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: &[Labelled<'_, f64>],
    ) -> Result {
        let mut family =
            self.encoder
                .encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        values.iter().try_for_each(|(label, of, value)| {
            ConstGauge::new(*value).encode(family.encode_family(&[(*label, *of)])?)
        })
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result {
        let metric = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(metric)
    }

    fn counters(&mut self, name: &str, help: &str, values: &[Labelled<'_, u64>]) -> Result {
        let mut family = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        values.iter().try_for_each(|(label, of, value)| {
            ConstCounter::new(*value).encode(family.encode_family(&[(*label, *of)])?)
        })
    }
}

/// The series of a figure that both layers of the embedding cache have.
fn by_layer<T>(memory: T, disk: T) -> [(&'static str, &'static str, T); 2] {
    [("layer", "memory", memory), ("layer", "disk", disk)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_in_one_bucket_and_the_rest_in_the_last() {
        let bucket = |from_ms, to_ms, count| Bucket {
            from_ms,
            to_ms,
            count,
        };
        let distribution = [
            bucket(0.01, 0.02, 3),
            bucket(0.5, 1.0, 2),
            bucket(5_000.0, 10_000.0, 1),
            bucket(20_000.0, 50_000.0, 4),
        ];
        let buckets = buckets(&distribution, 10);
        let filled: Vec<_> = buckets
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(
            filled,
            [(0.000_1, 3), (0.001, 2), (10.0, 1), (f64::INFINITY, 4)]
        );
    }
}
