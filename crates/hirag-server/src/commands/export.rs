//! Contexts as files for other programs, which `import` reads again.

mod notes;

use std::io::Write;
use std::path::{Path, PathBuf};

use hirag::context::Context;
use hirag::export::{ExportFormat, Table};
use hirag::manager::ListRequest;
use hirag::store::Order;
use serde::Serialize;

use super::{Error, Host, Result};
use crate::whole_file::WholeFile;

/// Contexts that are read at a time.
const PAGE: usize = 500;

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
pub async fn export<W: Write + Send + 'static>(
    host: &Host,
    format: ExportFormat,
    out: W,
    mut progress: impl FnMut(u64) + Send,
) -> Result<(W, u64)> {
    let Some(mut table) = Table::begin(format, out)? else {
        return Err(no_file(format));
    };
    let (mut pages, mut contexts) = (Pages::of(host), 0);
    while let Some(page) = pages.next().await? {
        contexts += page.len() as u64;
        let put = move || {
            page.iter().try_for_each(|context| table.put(context))?;
            Ok(table)
        };
        table = written(put).await?;
        progress(contexts);
    }
    let out = written(move || table.finish()).await?;
    Ok((out, contexts))
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
        ExportFormat::Markdown => notes::folder(host, request, progress).await,
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
    tokio::task::spawn_blocking(|| out.finish()).await??;
    Ok(contexts)
}

/// Every context that is not marked as deleted, oldest first, a page at a time.
struct Pages<'a> {
    host: &'a Host,
    /// The next page, if there is one.
    request: Option<ListRequest>,
}

impl<'a> Pages<'a> {
    fn of(host: &'a Host) -> Self {
        let request = ListRequest {
            order: Order::OldestFirst,
            limit: PAGE,
            ..ListRequest::default()
        };
        Self {
            host,
            request: Some(request),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Context>>> {
        let Some(request) = self.request.take() else {
            return Ok(None);
        };
        let page = self.host.manager().list(request.clone()).await?;
        self.request = page.next_cursor.map(|cursor| ListRequest {
            cursor: Some(cursor),
            ..request
        });
        Ok(Some(page.contexts))
    }
}

/// Writes where nobody waits for it.
async fn written<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn no_file(format: ExportFormat) -> Error {
    Error::BadRequest {
        key: "format",
        value: format.to_string(),
        rule: "must be jsonl, csv or parquet for one file; Markdown is a folder",
    }
}
