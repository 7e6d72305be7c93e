//! What came of a run.

use hirag::metrics::Bucket;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LoadPlan, Operation};

/// Why a request failed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ts_rs::TS,
)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "LoadErrorKind")]
pub enum ErrorKind {
    /// The server answered with a status that is no success.
    Status,
    /// The limiter put it off (429): the server's word to ask less, and no fault of it.
    Limited,
    /// There was no connection.
    Connect,
    /// No whole answer came in time.
    TimeOut,
    /// The connection ended before the answer did.
    Dropped,
    /// What came was no HTTP.
    Malformed,
}

impl ErrorKind {
    /// Its name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Limited => "limited (429)",
            Self::Connect => "no connection",
            Self::TimeOut => "time-out",
            Self::Dropped => "dropped",
            Self::Malformed => "no HTTP",
        }
    }
}

/// How many requests failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(rename = "LoadErrorCount")]
pub struct ErrorCount {
    /// The reason.
    pub kind: ErrorKind,
    /// The status, where that is the reason.
    pub status: Option<u16>,
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
    /// What the network or the server said to the first of them, 200 characters at most.
    pub example: String,
}

/// How long requests took, in milliseconds: those that succeeded, and those that came to a time-out,
/// with what they had waited. Exact to a thousandth. All are 0 where there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[expect(missing_docs, reason = "the names say it")]
#[ts(rename = "LoadLatency")]
pub struct Latency {
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl ErrorCount {
    /// The reason for people.
    #[must_use]
    pub fn told(&self) -> String {
        match self.status {
            Some(status) => format!("{} {status}", self.kind.as_str()),
            None => self.kind.as_str().to_owned(),
        }
    }
}

impl Latency {
    /// All of them, as they stand in a table.
    #[must_use]
    pub const fn all(&self) -> [f64; 7] {
        [
            self.mean_ms,
            self.p50_ms,
            self.p90_ms,
            self.p95_ms,
            self.p99_ms,
            self.p999_ms,
            self.max_ms,
        ]
    }
}

/// What became of the requests for one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[ts(rename = "LoadOperationReport")]
pub struct OperationReport {
    /// What was asked for.
    pub operation: Operation,
    /// Requests that were begun in the measured time.
    #[ts(type = "number")]
    pub requests: u64,
    /// Of them, how many were answered with success.
    #[ts(type = "number")]
    pub succeeded: u64,
    /// Answers with success a second, over the measured time.
    pub per_s: f64,
    /// Their latencies.
    pub latency: Latency,
}

/// What became of an open loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[ts(rename = "LoadOpenLoop")]
pub struct OpenLoop {
    /// Requests that were due in the measured time.
    #[ts(type = "number")]
    pub due: u64,
    /// Of them, how many were never begun, as no client was free until the end: the server did not
    /// keep up. Their latencies are in no percentile.
    #[ts(type = "number")]
    pub not_started: u64,
    /// How much later than due the others were begun. It is part of their latency.
    pub delay: Latency,
}

/// A second of the measured time, or after it while answers were still waited for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[ts(rename = "LoadSecond")]
pub struct SecondReport {
    /// Answers with success that came in it, those to requests of the warm-up too.
    #[ts(type = "number")]
    pub succeeded: u64,
    /// Requests that failed in it, those of the warm-up too; 429 is not among them.
    #[ts(type = "number")]
    pub failed: u64,
    /// Latencies of the measured requests that ended in it; `None` where none did.
    pub p50_ms: Option<f64>,
    /// As `p50_ms`.
    pub p99_ms: Option<f64>,
    /// As `p50_ms`.
    pub max_ms: Option<f64>,
}

/// What came of a run. Counts and latencies are of the requests that were begun (in an open loop:
/// were due) in the measured time, however late they ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct LoadReport {
    /// The server's address.
    pub url: String,
    /// What was run, with the seed that was taken.
    pub plan: LoadPlan,
    /// When it began.
    #[ts(type = "string")]
    pub started: Timestamp,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// Seconds that were measured.
    pub measured_s: f64,
    /// Requests.
    #[ts(type = "number")]
    pub requests: u64,
    /// Requests that were answered with success.
    #[ts(type = "number")]
    pub succeeded: u64,
    /// Requests that the limiter put off (429).
    #[ts(type = "number")]
    pub limited: u64,
    /// Requests that failed otherwise.
    #[ts(type = "number")]
    pub failed: u64,
    /// Requests that were under way when the run was stopped.
    #[ts(type = "number")]
    pub unfinished: u64,
    /// The share of successes among what succeeded or failed, 0 to 1; `None` where nothing did.
    pub success_rate: Option<f64>,
    /// Answers with success a second, over the measured time.
    pub per_s: f64,
    /// Bytes of all answers.
    #[ts(type = "number")]
    pub received_bytes: u64,
    /// Why requests failed, the most frequent reason first.
    pub errors: Vec<ErrorCount>,
    /// The latencies of all operations.
    pub latency: Latency,
    /// How many requests took how long.
    pub distribution: Vec<Bucket>,
    /// The operations of the mix.
    pub operations: Vec<OperationReport>,
    /// What is told of an open loop alone.
    pub open_loop: Option<OpenLoop>,
    /// The measured time by seconds.
    pub seconds: Vec<SecondReport>,
    /// The session of what was stored, if anything was; it expires after an hour.
    pub stored_session: Option<String>,
    /// Seconds of processor time that this process took; from a window, the server's too.
    pub processor_s: Option<f64>,
}
