//! The memory over HTTP: for agents and scripts, and for the interface in a browser.
//!
//! A [`Server`] takes connections and ends without losing what it took. Every request goes the way
//! of `intake`: named, let in by the `guard`, counted, read within its limits, run, and answered in
//! one form. What a request does is a command body's; `routes` only says how HTTP calls it.

mod docs;
mod door;
mod error;
mod extract;
mod guard;
mod idempotency;
mod intake;
mod limits;
mod listen;
mod metrics;
mod openapi;
mod pages;
mod problem;
mod routes;
mod server;
mod start;
#[cfg(test)]
mod tests;
mod turns;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

pub(crate) use door::Door;
pub use door::{Instead, ServerStatus};
pub use error::ServerError;
pub use problem::{Problem, ProblemBody};
pub use server::Server;

use self::guard::{Guard, Names};
use self::idempotency::Answers;
use self::metrics::Metrics;
use self::turns::Turns;
use crate::commands::Result;
use crate::studio::{Studio, raised};

/// What every request works with. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    studio: Studio,
    names: Names,
    guard: Guard,
    answers: Answers,
    metrics: Metrics,
    searches: Turns,
    stopping: watch::Receiver<bool>,
    /// Held by every change under way.
    held: watch::Sender<()>,
}

impl Api {
    fn new(studio: Studio, names: Names, stopping: watch::Receiver<bool>) -> Result<Self> {
        let clock = studio.clock().clone();
        let inner = Inner {
            guard: Guard::new(clock.clone())?,
            answers: Answers::new(clock),
            metrics: Metrics::default(),
            searches: Turns::default(),
            held: watch::Sender::new(()),
            studio,
            names,
            stopping,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    fn studio(&self) -> &Studio {
        &self.inner.studio
    }

    fn names(&self) -> &Names {
        &self.inner.names
    }

    fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    fn idempotency(&self) -> &Answers {
        &self.inner.answers
    }

    fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    fn searches(&self) -> &Turns {
        &self.inner.searches
    }

    /// Keeps [`Self::changes_ended`] waiting until it is dropped.
    fn hold_open(&self) -> watch::Receiver<()> {
        self.inner.held.subscribe()
    }

    /// Waits until no change is under way.
    async fn changes_ended(&self) {
        self.inner.held.closed().await;
    }

    /// Waits until the server is asked to end.
    async fn stopped(&self) {
        raised(&mut self.inner.stopping.clone()).await;
    }
}

/// Everything that is served.
fn router(api: Api) -> Router {
    let mcp = {
        let api = api.clone();
        let studio = api.studio().clone();
        crate::mcp::router(studio, async move { api.stopped().await })
    };
    // What is packed already grows, and takes its time.
    let packing = DefaultPredicate::new().and(NotForContentType::const_new("font/"));
    routes::all()
        .nest_service("/mcp", mcp)
        .layer(from_fn_with_state(api.clone(), intake::serve))
        .layer(CompressionLayer::new().compress_when(packing))
        .with_state(api)
}
