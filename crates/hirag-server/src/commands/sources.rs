//! Folders and files that are kept up to date.

use hirag::import::ImportProgress;
use hirag::manager::RunOptions;
use hirag::sources::{
    Leave, NewSource, RemovedSource, RunOutcome, Source, SourceId, SourcePatch, SourceRun,
    SourceStatus,
};
use serde::{Deserialize, Serialize};

use super::{Host, Result};

/// The sources there are.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct SourcesResponse {
    /// In the order of their names.
    pub sources: Vec<SourceStatus>,
}

/// Which source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct SourceRequest {
    /// The source.
    pub id: SourceId,
}

/// Which source to change, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct SourceChange {
    /// The source.
    pub id: SourceId,
    /// The change.
    pub patch: SourcePatch,
}

/// Which source to remove, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct SourceRemoval {
    /// The source.
    pub id: SourceId,
    /// What is left of it; its contexts where nothing is said.
    #[serde(default)]
    #[ts(as = "Option<Leave>", optional)]
    pub leave: Leave,
}

/// Which sources to run, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(default, deny_unknown_fields)]
pub struct SourceRunRequest {
    /// The source; `None` is all.
    #[ts(optional = nullable)]
    pub id: Option<SourceId>,
    /// Takes a folder without anything in it for what it is, and not for a disk that is not
    /// connected, and what stood on another disk for gone: all that they gave is marked as deleted.
    #[ts(as = "Option<bool>", optional)]
    pub emptied: bool,
}

/// What came of a run of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct RanSource {
    /// The source.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// What came of it.
    pub run: SourceRun,
}

/// What came of running sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct RanSources {
    /// Whether each came to its end, with all of its files.
    pub ok: bool,
    /// One a source.
    pub runs: Vec<RanSource>,
}

/// Keeps a folder or a file up to date from now on.
///
/// # Errors
/// As [`hirag::HiragManager::add_source`].
pub async fn source_add(host: &Host, new: NewSource) -> Result<SourceStatus> {
    Ok(host.manager().add_source(new).await?)
}

/// All sources.
///
/// # Errors
/// As [`hirag::HiragManager::sources`].
pub async fn sources(host: &Host) -> Result<SourcesResponse> {
    let sources = host.manager().sources().await?;
    Ok(SourcesResponse { sources })
}

/// A source.
///
/// # Errors
/// As [`hirag::HiragManager::source`].
pub async fn source(host: &Host, id: SourceId) -> Result<SourceStatus> {
    Ok(host.manager().source(id).await?)
}

/// The source of this name, or with this id.
///
/// # Errors
/// As [`hirag::HiragManager::source_called`].
pub async fn source_called(host: &Host, name_or_id: &str) -> Result<SourceStatus> {
    Ok(host.manager().source_called(name_or_id).await?)
}

/// Changes a source.
///
/// # Errors
/// As [`hirag::HiragManager::change_source`].
pub async fn source_change(host: &Host, request: SourceChange) -> Result<SourceStatus> {
    let manager = host.manager();
    Ok(manager.change_source(request.id, request.patch).await?)
}

/// Keeps a source up to date no longer.
///
/// # Errors
/// As [`hirag::HiragManager::remove_source`].
pub async fn source_remove(host: &Host, request: SourceRemoval) -> Result<RemovedSource> {
    let manager = host.manager();
    Ok(manager.remove_source(request.id, request.leave).await?)
}

/// Brings the contexts of a source, or of all one after another, in line with their files.
/// `progress` hears which is under way, and how far it is.
///
/// # Errors
/// As [`hirag::HiragManager::run_source`].
pub async fn source_run(
    host: &Host,
    id: Option<SourceId>,
    options: RunOptions,
    mut progress: impl FnMut(&Source, ImportProgress) + Send,
) -> Result<RanSources> {
    let manager = host.manager();
    let wanted = match id {
        Some(id) => vec![manager.source(id).await?],
        None => manager.sources().await?,
    };
    let mut ran = RanSources {
        ok: true,
        runs: Vec::with_capacity(wanted.len()),
    };
    for SourceStatus { source, .. } in wanted {
        let tell = |at| progress(&source, at);
        let run = match manager.run_source(source.id, options.clone(), tell).await {
            Ok(run) => run,
            // It was removed meanwhile; the others are there.
            Err(error) if id.is_none() && error.code() == "unknown_source" => continue,
            Err(error) => return Err(error.into()),
        };
        ran.ok &= run.outcome == RunOutcome::Done && run.failed_total == 0;
        let stopped = run.outcome == RunOutcome::Stopped;
        ran.runs.push(RanSource {
            id: source.id,
            name: source.name,
            run,
        });
        if stopped {
            break;
        }
    }
    Ok(ran)
}
