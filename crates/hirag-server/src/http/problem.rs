//! Failures as HTTP tells them: RFC 9457, with the stable code of the failure.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::limits::Limit;
use crate::commands::{Error, Failure};

/// Why a request was not served.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    retry_after: Option<Duration>,
    limit: Option<Limit>,
}

/// A problem as it stands in an answer (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: the status and the code say what it is.
    #[schema(example = "about:blank")]
    pub r#type: &'static str,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    pub status: u16,
    /// The stable code, in `snake_case`; programs match this.
    #[schema(example = "not_found")]
    pub code: Cow<'static, str>,
    /// The sentence for people; it may change.
    pub detail: String,
    /// The request, as the header `X-Request-Id` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem with a code of its own.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            retry_after: None,
            limit: None,
        }
    }

    /// A fault of this program; what it was is not told.
    pub(crate) fn internal() -> Self {
        let detail = "internal fault: the request broke off; please report it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The same, to be tried again after a while.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same with what the client is limited by.
    pub(super) fn limited_by(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn body(&self, request_id: Option<&str>) -> ProblemBody {
        ProblemBody {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// The answer, with the name of the request that failed.
    pub(crate) fn answer(&self, request_id: Option<&str>) -> Response {
        let mut response = (self.status, Json(self.body(request_id))).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem);
        self.finish(response)
    }

    /// The answer to clients that speak to OpenAI: their own form of a failure.
    pub(crate) fn openai_answer(&self) -> Response {
        let kind = match self.status.as_u16() {
            401 => "authentication_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let error = json!({
            "message": self.detail, "type": kind, "param": null, "code": self.code,
        });
        self.finish((self.status, Json(json!({ "error": error }))).into_response())
    }

    fn finish(&self, mut response: Response) -> Response {
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds(wait));
        }
        if let Some(limit) = &self.limit {
            limit.tell(response.headers_mut());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"hirag\"");
            let name = axum::http::header::WWW_AUTHENTICATE;
            response.headers_mut().insert(name, scheme);
        }
        // Whoever is further out may tell it in another form.
        response.extensions_mut().insert(self.clone());
        response
    }
}

/// Whole seconds, rounded up: who comes back then is not too early.
pub(crate) fn seconds(wait: Duration) -> HeaderValue {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(whole.max(1))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let retry_after = match &error {
            Error::Core(hirag::Error::Embedding(
                hirag::embedding::EmbeddingError::BreakerOpen { retry_after }
                | hirag::embedding::EmbeddingError::RateLimited { retry_after },
            )) => Some(*retry_after),
            _ => None,
        };
        Self {
            retry_after,
            ..Self::from(Failure::from(&error))
        }
    }
}

impl From<hirag::Error> for Problem {
    fn from(error: hirag::Error) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            status: status(&failure.code),
            code: failure.code.into(),
            detail: failure.message,
            retry_after: None,
            limit: None,
        }
    }
}

/// What HTTP calls a failure of this code.
fn status(code: &str) -> StatusCode {
    match code {
        "not_found"
        | "unknown_conversation"
        | "unknown_answer"
        | "unknown_source"
        | "trace_not_found"
        | "unknown_job"
        | "unknown_command" => StatusCode::NOT_FOUND,
        "busy" | "conversation_there" | "source_name_taken" | "source_overlaps" | "id_taken"
        | "source_taken" | "level_disabled" | "nothing_to_undo" | "unknown_trace"
        | "store_kept" | "not_compared" | "model_mismatch" | "collection_differs" | "cancelled" => {
            StatusCode::CONFLICT
        }
        "changed_meanwhile" => StatusCode::PRECONDITION_FAILED,
        "rate_limited" => StatusCode::TOO_MANY_REQUESTS,
        "not_open"
        | "breaker_open"
        | "store_closed"
        | "store_locked"
        | "store_read_only"
        | "provider_busy"
        | "model_files"
        | "provider_misconfigured" => StatusCode::SERVICE_UNAVAILABLE,
        "provider_unreachable"
        | "provider_unauthorized"
        | "provider_refused"
        | "provider_bad_answer" => StatusCode::BAD_GATEWAY,
        "provider_timeout" => StatusCode::GATEWAY_TIMEOUT,
        "disk_full" => StatusCode::INSUFFICIENT_STORAGE,
        "internal" | "store_failed" | "store_corrupt" | "store_cannot_open" | "store_newer"
        | "unknown_collection" | "model_failed" | "cache_failed" | "chart_failed" => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
