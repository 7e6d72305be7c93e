use hirag::clock::FakeClock;
use hirag::metrics::{MetricsSettings, PerformanceProfiler};
use hirag::resilience::{CircuitBreaker, CircuitBreakerSettings};
use std::time::Duration;

use super::*;
use crate::studio::{CacheCourse, OperationCourse};

const HOSTILE: &str = "<script>alert(\"x\")</script>&'";

fn material(operation: &str) -> Material {
    let clock = FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap());
    let profiler = PerformanceProfiler::new(&MetricsSettings::default(), clock.clone()).unwrap();
    for ms in [1, 1, 2, 30] {
        profiler.record("retrieve", Duration::from_millis(ms));
    }
    let breaker = CircuitBreaker::new(
        CircuitBreakerSettings {
            failure_threshold: 1,
            ..CircuitBreakerSettings::default()
        },
        clock.clone(),
    )
    .unwrap();
    breaker.try_acquire().unwrap().failure("it fell over");
    clock.advance(Duration::from_secs(60));
    let mut metrics = profiler.metrics();
    metrics.operations[0].operation = operation.to_owned();
    let times = [15, 10, 5, 0].map(|ago| {
        let clock: &dyn hirag::clock::Clock = &*clock;
        clock.now() - jiff::SignedDuration::from_secs(ago)
    });
    Material {
        now: times[3],
        history: History {
            times: times.to_vec(),
            operations: vec![OperationCourse {
                name: operation.to_owned(),
                p50: vec![Some(1.0), None, Some(2.0), Some(3.0)],
                p95: vec![Some(10.0), None, Some(20.0), Some(30.0)],
                p99: vec![Some(11.0), None, Some(21.0), Some(31.0)],
                count: vec![5, 0, 10, 1],
            }],
            cache_hit_rates: vec![CacheCourse {
                name: "memory".to_owned(),
                rate: vec![None, Some(0.5), Some(1.0), Some(0.25)],
            }],
            rss_bytes: vec![0, 1 << 20, 2 << 20, 3 << 20],
        },
        distribution: profiler.distribution("retrieve", hirag::metrics::Span::All),
        metrics,
        breaker: breaker.snapshot(),
    }
}

fn request(kind: ChartKind) -> ChartRequest {
    ChartRequest {
        kind,
        operation: None,
        minutes: 10,
        theme: Theme::Dark,
        width: 600,
        height: 240,
    }
}

const KINDS: [ChartKind; 6] = [
    ChartKind::Latency,
    ChartKind::Histogram,
    ChartKind::Cache,
    ChartKind::Throughput,
    ChartKind::Memory,
    ChartKind::Breaker,
];

#[test]
fn every_chart_is_told_in_words_and_its_points_lie_on_it() {
    let material = material("retrieve");
    for kind in KINDS {
        let chart = draw(&request(kind), &material).unwrap();
        assert!(
            chart.svg.starts_with("<svg role=\"img\" aria-label="),
            "{kind:?}"
        );
        assert!(!chart.alternative.contains("nothing to show"), "{kind:?}");
        assert!(!chart.points.is_empty(), "{kind:?}");
        for point in &chart.points {
            assert!((0..=600).contains(&point.px), "{kind:?}: {point:?}");
            assert!((0..=240).contains(&point.py), "{kind:?}: {point:?}");
        }
    }
    let latency = draw(&request(ChartKind::Latency), &material).unwrap();
    assert!(
        latency
            .alternative
            .contains("p95: between 10 ms and 30 ms, last 30 ms."),
        "{}",
        latency.alternative
    );
    let breaker = draw(&request(ChartKind::Breaker), &material).unwrap();
    assert!(
        breaker.alternative.contains("Now open"),
        "{}",
        breaker.alternative
    );
}

#[test]
fn charts_of_nothing_say_so() {
    let mut empty = material("retrieve");
    empty.history = History::default();
    empty.distribution = Vec::new();
    for kind in KINDS {
        let chart = draw(&request(kind), &empty).unwrap();
        assert!(chart.svg.ends_with("</svg>\n"), "{kind:?}");
        let nothing = chart.alternative.contains("nothing to show");
        assert_eq!(nothing, kind != ChartKind::Breaker, "{}", chart.alternative);
    }
}

#[test]
fn a_gap_stays_a_gap() {
    let chart = draw(&request(ChartKind::Latency), &material("retrieve")).unwrap();
    let p50: Vec<_> = chart.points.iter().filter(|p| p.series == "p50").collect();
    assert_eq!(p50[1].y, None);
    assert_eq!(p50[3].y, Some(3.0));
    assert!(p50[2].px < p50[3].px && p50[2].py > p50[3].py);
}

#[test]
fn a_theme_gives_its_colours_and_no_style_that_a_strict_page_forbids() {
    let material = material("retrieve");
    let mut request = request(ChartKind::Throughput);
    let dark = draw(&request, &material).unwrap().svg;
    request.theme = Theme::Light;
    let light = draw(&request, &material).unwrap().svg;
    assert!(
        dark.contains("#1D1D1B") && light.contains("#FFFFFF"),
        "{dark}"
    );
    assert!(!dark.contains("style=") && !dark.contains("<style"));
}

#[test]
fn the_names_of_lines_stand_above_them_and_hide_none() {
    let chart = draw(&request(ChartKind::Latency), &material("retrieve")).unwrap();
    let highest = chart.points.iter().filter(|p| p.y.is_some()).map(|p| p.py);
    let highest = highest.min().unwrap();
    let texts = chart.svg.split("<text ").skip(1);
    let names = texts.filter(|text| ["p50", "p95", "p99"].iter().any(|name| text.contains(name)));
    let heights: Vec<i32> = names
        .filter_map(|text| text.split("y=\"").nth(1)?.split('"').next()?.parse().ok())
        .collect();
    assert_eq!(heights.len(), 3);
    assert!(
        heights.iter().all(|y| *y < highest),
        "{heights:?} {highest}"
    );
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for (minutes, width, height) in [(0, 600, 240), (61, 600, 240), (5, 99, 240), (5, 600, 4_001)] {
        let request = ChartRequest {
            minutes,
            width,
            height,
            ..request(ChartKind::Memory)
        };
        let error = draw(&request, &material("retrieve")).unwrap_err();
        assert_eq!(error.code(), "invalid_request");
    }
    let smallest = ChartRequest {
        width: 100,
        height: 100,
        ..request(ChartKind::Latency)
    };
    draw(&smallest, &material("retrieve")).unwrap();
}

#[test]
fn a_report_is_one_page_that_shows_hostile_text_as_text() {
    let page = html(&material(HOSTILE), 10).unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;"));
    for foreign in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // Each in both themes, of which the page shows one.
    assert_eq!(page.matches("<svg ").count(), 10);
    assert!(page.contains("prefers-color-scheme:dark"));
}

#[test]
fn csv_has_a_line_each_time_and_quotes_what_needs_it() {
    let table = csv(&material("a,\"b\"").history);
    let lines: Vec<&str> = table.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[0].starts_with("time,rss_bytes,cache_memory_hit_rate,\"a,\"\"b\"\"_count\""));
    assert_eq!(lines[2], "2026-01-01T00:00:50Z,1048576,0.5,0,,,");
}
