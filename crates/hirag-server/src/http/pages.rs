//! The interface, as it was built into the program.

use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use super::{Api, Problem, start};

/// The files of `ui/dist`, and what can be packed once more as `.gz`; none, where the interface was not
/// built.
static FILES: Dir<'_> = include_dir!("$INTERFACE_PAGES");

/// Nothing is fetched from elsewhere, nothing runs that is not ours, and no page shows ours in
/// itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
const CROSS_ORIGIN_OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What stands in the place of an interface that was not built.
const NOT_BUILT: &str = "<p>This program was built without the interface. `make run` builds it; the \
    HTTP interface works without, see <a href=\"/docs\">its description</a>.</p>";

/// The page that everything else hangs on.
pub(super) async fn index(State(api): State<Api>) -> Response {
    match FILES
        .get_file("index.html")
        .map(|file| file.contents_utf8())
    {
        Some(Some(html)) => page(
            StatusCode::OK,
            start::with_answers(html, api.studio()).await,
        ),
        Some(None) => Problem::internal().into_response(),
        None => page(
            StatusCode::OK,
            framed("The interface is not there", NOT_BUILT).into_bytes(),
        ),
    }
}

/// A file of the interface. Its name has its hash, so it never changes. It was packed when the program
/// was built: nothing is packed while a page waits.
pub(super) async fn asset(
    headers: HeaderMap,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    // Names are looked up among those that were built in: there is no way out of them.
    let file = FILES.get_file(format!("assets/{path}")).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_path",
            "the interface has no such file",
        )
    })?;
    let unpacks = unpacks(&headers);
    let headers = [
        (CONTENT_TYPE, kind(&path)),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (CROSS_ORIGIN_RESOURCE, "same-origin"),
    ];
    let varies = (VARY, "accept-encoding");
    let packed = FILES.get_file(format!("assets/{path}.gz"));
    Ok(match packed {
        Some(packed) if unpacks => {
            let packed = ([varies, (CONTENT_ENCODING, "gzip")], packed.contents());
            (headers, packed).into_response()
        }
        Some(_) => (headers, [varies], file.contents()).into_response(),
        None => (headers, file.contents()).into_response(),
    })
}

/// Whether whoever asks takes what is packed.
fn unpacks(headers: &HeaderMap) -> bool {
    let asked = headers.get_all(ACCEPT_ENCODING).iter();
    let asked = asked.filter_map(|value| value.to_str().ok());
    asked.flat_map(|value| value.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().trim_start_matches("q=").parse();
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight: f32| weight > 0.0)
    })
}

/// What a person sees without a session.
pub(super) fn locked(problem: &Problem) -> Response {
    let how = format!(
        "<p>{}.</p><p>A link opens it once, within five minutes: choose “Open in a browser” in the \
         settings of HiRAG Studio, or take the link that `hirag serve` prints.</p>",
        escape(problem.detail())
    );
    page(
        problem.status(),
        framed("This memory is locked", &how).into_bytes(),
    )
}

/// A page of our own with a title and what stands below it.
pub(super) fn framed(title: &str, inner: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · HiRAG Studio</title>\
         </head><body><h1>{title}</h1>{inner}</body></html>"
    )
}

/// An answer that a browser shows.
pub(super) fn page(status: StatusCode, html: impl IntoResponse) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CROSS_ORIGIN_OPENER, HeaderValue::from_static("same-origin")),
        (
            CROSS_ORIGIN_RESOURCE,
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (status, headers, html).into_response()
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        _ => "application/octet-stream",
    }
}
