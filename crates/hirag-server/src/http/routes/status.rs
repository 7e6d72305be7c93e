//! How much is stored, and how fast it is.

use axum::Json as Answer;
use axum::extract::State;

use crate::commands::StatsResponse;
use crate::commands::studio::{self as ask, Nothing};
use crate::http::{Api, Problem};

pub(super) async fn stats(State(api): State<Api>) -> Result<Answer<StatsResponse>, Problem> {
    Ok(Answer(ask::stats(api.studio(), Nothing {}).await?))
}
