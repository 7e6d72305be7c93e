//! Contexts as files for other programs, which `import` reads again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use hirag::context::{Context, ContextId};
use hirag::export::{ExportFormat, Table, markdown};
use hirag::files::{folder_of, sync_folder_of};
use hirag::manager::ListRequest;
use hirag::store::Order;
use serde::Serialize;

use super::{Error, Host, Result};
use crate::whole_file::WholeFile;

/// Contexts that are read at a time.
const PAGE: usize = 500;
/// Bytes of a session's note at most, unless one context has more; well below what an import takes.
const NOTE: usize = 4 << 20;

/// Where to write contexts, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// The file; for Markdown, the folder, which must not be there or be empty.
    pub place: PathBuf,
    /// How they are written down.
    pub format: ExportFormat,
    /// In Markdown, a note a session instead of one a context.
    pub by_session: bool,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Exported {
    /// The file, or the folder.
    pub file: String,
    /// Contexts in it.
    #[ts(type = "number")]
    pub contexts: u64,
}

/// Writes every context that is not marked as deleted as a row of a table, oldest first, which
/// `import` reads again. `progress` gets the contexts written. Returns their number.
///
/// # Errors
/// The store's, or what `out` says; [`Error::BadRequest`] for a format that is no table.
pub async fn export<W: Write + Send>(
    host: &Host,
    format: ExportFormat,
    out: W,
    progress: impl FnMut(u64) + Send,
) -> Result<(W, u64)> {
    let Some(mut table) = Table::begin(format, out)? else {
        return Err(no_file(format));
    };
    let put = |context: &Context| Ok(table.put(context)?);
    let contexts = each(host, put, progress).await?;
    Ok((table.finish()?, contexts))
}

/// Exports to a file or a folder, which is there whole or not at all.
///
/// # Errors
/// As [`export`], and [`Error::Unwritable`], [`Error::DiskFull`].
pub async fn export_file(
    host: &Host,
    request: &ExportRequest,
    progress: impl FnMut(u64) + Send,
) -> Result<Exported> {
    let place = &request.place;
    let written = match request.format {
        ExportFormat::Markdown => folder(host, request, progress).await,
        format => table(host, place, format, progress).await,
    };
    let contexts = written.map_err(|error| match error {
        Error::Output(error) => Error::writing(place, &error),
        other => other,
    })?;
    Ok(Exported {
        file: place.display().to_string(),
        contexts,
    })
}

async fn table(
    host: &Host,
    place: &Path,
    format: ExportFormat,
    progress: impl FnMut(u64) + Send,
) -> Result<u64> {
    let out = WholeFile::begin(place)?;
    let (out, contexts) = export(host, format, out, progress).await?;
    out.finish()?;
    Ok(contexts)
}

async fn folder(
    host: &Host,
    request: &ExportRequest,
    progress: impl FnMut(u64) + Send,
) -> Result<u64> {
    let place = &request.place;
    let there = place.symlink_metadata().is_ok();
    if there
        && !place
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_none())
    {
        let reason = "it is there already; choose a new folder, or an empty one";
        return Err(Error::unwritable(place, reason));
    }
    let staged = tempfile::Builder::new()
        .prefix(".hirag-export-")
        .tempdir_in(folder_of(place))
        .map_err(|error| Error::writing(place, &error))?;
    let contexts = match request.by_session {
        true => sessions(host, staged.path(), progress).await?,
        false => {
            let put = |context: &Context| {
                let note = markdown::of_context(context)?;
                let name = markdown::name_of_context(context);
                Ok(std::fs::write(staged.path().join(name), note)?)
            };
            each(host, put, progress).await?
        }
    };
    if there {
        std::fs::remove_dir(place)?;
    }
    std::fs::rename(staged.path(), place)?;
    // It has gone to its place: there is nothing to take away.
    let _ = staged.keep();
    sync_folder_of(place)?;
    Ok(contexts)
}

/// A note for each session of each agent.
async fn sessions(host: &Host, folder: &Path, mut progress: impl FnMut(u64) + Send) -> Result<u64> {
    type Key = (Option<String>, Option<String>);
    let mut sessions: BTreeMap<Key, Vec<ContextId>> = BTreeMap::new();
    let gather = |context: &Context| {
        let key = (context.agent.clone(), context.session.clone());
        sessions.entry(key).or_default().push(context.id);
        Ok(())
    };
    each(host, gather, |_| {}).await?;
    let mut written = 0;
    for ((agent, session), ids) in sessions {
        let (agent, session) = (agent.as_deref(), session.as_deref());
        let (mut note, mut bytes, mut part) = (Vec::new(), 0, 0);
        let write = |part, note: &[Context]| {
            let name = markdown::name_of_session(agent, session, part);
            let text = markdown::of_session(agent, session, note)?;
            Ok::<_, Error>(std::fs::write(folder.join(name), text)?)
        };
        for ids in ids.chunks(PAGE) {
            for context in host.manager().get_many(ids).await? {
                let size = context.text.len();
                if bytes > 0 && bytes + size > NOTE {
                    write(part, &note)?;
                    (part, bytes) = (part + 1, 0);
                    note.clear();
                }
                bytes += size;
                note.push(context);
                written += 1;
            }
            progress(written);
        }
        write(part, &note)?;
    }
    Ok(written)
}

/// Hands every context that is not marked as deleted to `put`, oldest first.
async fn each(
    host: &Host,
    mut put: impl FnMut(&Context) -> Result<()> + Send,
    mut progress: impl FnMut(u64) + Send,
) -> Result<u64> {
    let mut request = ListRequest {
        order: Order::OldestFirst,
        limit: PAGE,
        ..ListRequest::default()
    };
    let mut written = 0;
    loop {
        let page = host.manager().list(request.clone()).await?;
        page.contexts.iter().try_for_each(&mut put)?;
        written += page.contexts.len() as u64;
        progress(written);
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => return Ok(written),
        }
    }
}

fn no_file(format: ExportFormat) -> Error {
    Error::BadRequest {
        key: "format",
        value: format.to_string(),
        rule: "must be jsonl, csv or parquet for one file; Markdown is a folder",
    }
}
