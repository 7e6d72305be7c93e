//! How fast everything is, in figures and pictures.

use hirag::metrics::{PerformanceMetrics, RequestMetrics, Span};
use hirag::store::sqlite::DatabaseParts;
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::commands::{Host, Result};
use crate::pictures::{self, Chart, ChartRequest, Material};
use crate::studio::{History, Studio};

/// Over which time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct PerformanceRequest {
    /// Operations that did not run in it are left out.
    pub window: Span,
}

/// Over how many minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct HistoryRequest {
    /// Minutes; 60 at most are there.
    pub minutes: u32,
}

/// What was asked over the last hour.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct RequestsResponse {
    /// By front and name; those that nobody asked for are left out.
    pub items: Vec<RequestMetrics>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct CsvResponse {
    /// As CSV (RFC 4180), with a header.
    pub csv: String,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct ReportResponse {
    /// As HTML that needs nothing else and runs no scripts.
    pub html: String,
}

/// Latencies of the operations that ran.
///
/// # Errors
/// [`crate::commands::Error::NotOpen`].
pub async fn performance(
    studio: &Studio,
    request: PerformanceRequest,
) -> Result<PerformanceMetrics> {
    let host = studio.host().await?;
    let mut metrics = host.manager().profiler().metrics();
    let ran =
        |operation: &hirag::metrics::OperationMetrics| operation.over(request.window).count > 0;
    metrics.operations.retain(ran);
    Ok(metrics)
}

/// What was asked over the last hour, by endpoint, tool and command; it does not wait for the memory.
///
/// # Errors
/// None.
pub async fn requests(studio: &Studio, _request: Nothing) -> Result<RequestsResponse> {
    let items = studio.requests().last_hour();
    Ok(RequestsResponse { items })
}

/// What takes the database's room; it takes about a second for 100,000 contexts.
///
/// # Errors
/// As [`hirag::HiragManager::database_parts`].
pub async fn database_parts(studio: &Studio, _request: Nothing) -> Result<DatabaseParts> {
    Ok(studio.host().await?.manager().database_parts().await?)
}

/// The course of the last minutes, a point every five seconds.
///
/// # Errors
/// None.
pub async fn history(studio: &Studio, request: HistoryRequest) -> Result<History> {
    Ok(studio.recorder().lock().history(request.minutes))
}

/// A chart as SVG.
///
/// # Errors
/// As [`pictures::draw`].
pub async fn chart(studio: &Studio, request: ChartRequest) -> Result<Chart> {
    request.validate()?;
    let host = studio.host().await?;
    let material = material(studio, &host, request.minutes, request.operation());
    pictures::draw(&request, &material)
}

/// The course of the last minutes as CSV.
///
/// # Errors
/// None.
pub async fn performance_csv(studio: &Studio, request: HistoryRequest) -> Result<CsvResponse> {
    let csv = pictures::csv(&history(studio, request).await?);
    Ok(CsvResponse { csv })
}

/// Everything about the performance as one page.
///
/// # Errors
/// As [`pictures::html`].
pub async fn performance_report(
    studio: &Studio,
    request: HistoryRequest,
) -> Result<ReportResponse> {
    let host = studio.host().await?;
    let minutes = request.minutes.clamp(1, 60);
    let html = pictures::html(&material(studio, &host, minutes, ""), minutes)?;
    Ok(ReportResponse { html })
}

fn material(studio: &Studio, host: &Host, minutes: u32, operation: &str) -> Material {
    let manager = host.manager();
    let span = match minutes {
        1 => Span::Minute,
        2..=5 => Span::FiveMinutes,
        _ => Span::Hour,
    };
    Material {
        now: studio.clock().now(),
        history: studio.recorder().lock().history(minutes),
        metrics: manager.profiler().metrics(),
        distribution: manager.profiler().distribution(operation, span),
        breaker: manager.circuit_breaker().snapshot(),
    }
}
