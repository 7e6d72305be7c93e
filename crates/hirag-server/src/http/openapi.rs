//! The description of the interface (OpenAPI 3.1), for programs at `/openapi.json` and for people at
//! `/docs`.

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    Response, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use hirag::store::Order;

use super::{Api, ProblemBody, docs, pages};
use crate::commands::studio::NAMES;

const ABOUT: &str = "A local memory in three levels. Text goes in with a level; a query comes back \
    with the best contexts of all levels inside a budget of tokens.\n\n\
    Every path but `/health/live` needs the token (`Authorization: Bearer …`) or the session of a \
    browser. `Host` must be this machine's, and `Origin` absent or the server's own. Requests of a \
    client are counted together (`RateLimit`, `RateLimit-Policy`). `X-Request-Id` names a request, \
    and comes back. The first clients' paths `/contexts`, `/contexts/search`, `/contexts/{id}` and \
    `/ready` answer as those under `/api/v1` and `/health/ready` do.";

/// What stands before the paths.
pub(super) fn about() -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let cookie = ApiKeyValue::with_description(
        "hirag_session_8080",
        "The session of a browser; the name ends with the port",
    );
    let components = Components::builder()
        .schema_from::<ProblemBody>()
        .schema_from::<Order>()
        .security_scheme("token", SecurityScheme::Http(bearer))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("HiRAG Studio")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT)),
        )
        .components(Some(components.build()))
        .security(Some([
            SecurityRequirement::new::<_, [String; 0], String>("token", []),
            SecurityRequirement::new::<_, [String; 0], String>("session", []),
        ]))
        .build()
}

/// The finished description, written down once.
pub(super) struct Description {
    json: Bytes,
    page: Bytes,
}

impl Description {
    /// With what is the same for all paths.
    pub(super) fn new(mut api: OpenApi) -> Self {
        for (path, item) in &mut api.paths.paths {
            for (changes, operation) in operations(item) {
                complete(path, changes, operation);
            }
        }
        let json = serde_json::to_value(&api).unwrap_or_default();
        Self {
            page: docs::page(&json).into(),
            json: json.to_string().into(),
        }
    }

    /// The paths that show it.
    pub(super) fn routes(self) -> Router<Api> {
        let (json, page) = (self.json, self.page);
        let json = move || async move { ([(CONTENT_TYPE, "application/json")], json) };
        let page = move || async move { pages::page(StatusCode::OK, page) };
        let style = || async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], docs::STYLE) };
        Router::new()
            .route("/openapi.json", get(json))
            .route("/docs", get(page))
            .route("/docs.css", get(style))
    }
}

/// The operations of a path, and whether each may change something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem {
        get,
        post,
        patch,
        delete,
        ..
    } = item;
    let each = [(false, get), (true, post), (true, patch), (true, delete)];
    each.into_iter()
        .filter_map(|(changes, operation)| Some((changes, operation.as_mut()?)))
}

/// Adds the answers and headers that the way of every request has.
fn complete(path: &str, changes: bool, operation: &mut Operation) {
    let mut refusals = vec![
        (403, "The request comes from a page elsewhere"),
        (421, "The request is for another host"),
        (500, "A fault of the program"),
    ];
    if path != "/health/live" {
        refusals.extend([
            (400, "A parameter, a header or the JSON is malformed"),
            (401, "The token is missing or wrong"),
            (
                429,
                "Too many requests; `Retry-After` says when to come back",
            ),
            (503, "It cannot be served now"),
        ]);
    }
    if operation.request_body.is_some() {
        refusals.extend([
            (408, "The body did not come in time"),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (422, "What is asked for is not allowed; the detail names the part, the value and the rule"),
        ]);
    }
    let asks = [
        "/search",
        "/explain",
        "/embeddings",
        "/link",
        "/ask",
        "/feedback",
        "/restore",
        "/store",
    ];
    if path.ends_with("/commands/{name}") {
        operation.extensions = Some(commands());
    }
    if changes && !asks.iter().any(|end| path.ends_with(end)) {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "The same key and request get the same answer for a day, and nothing is done twice",
            ))
            .schema(Some(
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .min_length(Some(1))
                    .max_length(Some(255))
                    .pattern(Some("^[!-~]+$")),
            ));
        operation
            .parameters
            .get_or_insert_default()
            .push(key.build().into());
        refusals.extend([
            (409, "A request with this `Idempotency-Key` is under way"),
            (422, "The `Idempotency-Key` was used for something else"),
        ]);
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in refusals {
        let refused = || RefOr::T(ResponseBuilder::new().description(description).build());
        responses.entry(status.to_string()).or_insert_with(refused);
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && response.content.is_empty()
            && status.starts_with(['4', '5'])
        {
            refuse(path, status, response);
        }
    }
}

/// What an answer says of a request that was not served.
fn refuse(path: &str, status: &str, response: &mut Response) {
    let (kind, content) = match path.starts_with("/v1/") {
        true => {
            let example = json!({"error": {
                "message": "this is not the token", "type": "authentication_error",
                "param": null, "code": "unauthorized",
            }});
            (
                "application/json",
                ContentBuilder::new().example(Some(example)).build(),
            )
        }
        false => {
            let schema = Ref::from_schema_name(ProblemBody::name());
            (
                "application/problem+json",
                ContentBuilder::new().schema(Some(schema)).build(),
            )
        }
    };
    response.content.insert(kind.to_owned(), content.into());
    if matches!(status, "429" | "503") {
        let seconds = HeaderBuilder::new()
            .schema(Some(u64::schema()))
            .description(Some("Seconds after which to ask again"))
            .build();
        response
            .headers
            .insert("Retry-After".to_owned(), seconds.into());
    }
}

/// Names the commands, where they are run.
fn commands() -> utoipa::openapi::extensions::Extensions {
    ExtensionsBuilder::new()
        .add("x-commands", json!(NAMES))
        .build()
}
