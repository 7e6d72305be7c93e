//! Load on the program's own server, from its window.

use super::{JobRequest, JobStarted, ReportResponse};
use crate::commands::{Error, Result};
use crate::load::{self, LoadError, LoadPlan, LoadProgress, LoadReport, Target};
use crate::secrets::TokenKind;
use crate::studio::{JobKind, Studio};

/// Begins to put load on the running server of this memory, and on no other. Its result is a
/// [`LoadReport`]; stopped, it is that of what was measured so far.
///
/// # Errors
/// As [`LoadPlan::validate`]; [`LoadError::NoServer`]; [`Error::Busy`] while there is another.
pub async fn load_start(studio: &Studio, plan: LoadPlan) -> Result<JobStarted> {
    plan.validate()?;
    let target = own_server(studio).await?;
    let clock = studio.clock().clone();
    let job = studio.jobs().start(JobKind::Load, |handle| async move {
        let progress = |at: LoadProgress| {
            let text = told(&at);
            let (done, total) = (at.elapsed.as_secs(), at.total.as_secs_f64().ceil() as u64);
            handle.progress(done, Some(total), "seconds", text);
        };
        Ok(load::run(&plan, &target, &clock, handle.cancelled(), progress).await?)
    })?;
    Ok(JobStarted { job })
}

/// What came of a load test that has ended.
///
/// # Errors
/// [`Error::UnknownJob`]; [`Error::BadRequest`] for a job that is no load test or has no result.
pub async fn load_result(studio: &Studio, request: JobRequest) -> Result<LoadReport> {
    let job = studio.jobs().get(&request.job)?;
    let kept = job.result.filter(|_| job.kind == JobKind::Load);
    let kept = kept.ok_or(Error::BadRequest {
        key: "job",
        value: request.job,
        rule: "must be a load test that has ended with a result",
    })?;
    serde_json::from_value(kept).map_err(|error| Error::Internal(error.to_string()))
}

/// The same as a page.
///
/// # Errors
/// As [`load_result`]; [`Error::Chart`].
pub async fn load_page(studio: &Studio, request: JobRequest) -> Result<ReportResponse> {
    let html = load::page(&load_result(studio, request).await?)?;
    Ok(ReportResponse { html })
}

/// The server that this memory says is running. A window has no say in the address: a page that
/// could name one could have the token sent there.
async fn own_server(studio: &Studio) -> Result<Target> {
    let token = studio.token(TokenKind::Server).await;
    let target = Target::own(studio.data_dir(), token).await?;
    match target.is_on_this_machine() {
        true => Ok(target),
        false => Err(LoadError::NotOnThisMachine(target.url().to_owned()).into()),
    }
}

fn told(at: &LoadProgress) -> String {
    if at.warming_up {
        return "Warming up".to_owned();
    }
    let limited = match at.limited {
        0 => String::new(),
        limited => format!(", {limited} put off by the limiter"),
    };
    format!(
        "{} answered, {} failed{limited}; {:.0} a second",
        at.succeeded, at.failed, at.per_s
    )
}
