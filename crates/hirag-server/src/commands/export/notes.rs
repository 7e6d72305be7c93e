//! A folder of notes, which is there whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use hirag::context::{Context, ContextId};
use hirag::export::markdown;
use hirag::files::{folder_of, sync_folder_of};
use tempfile::TempDir;

use super::{ExportRequest, PAGE, Pages, written};
use crate::commands::{Error, Host, Result};

/// Bytes of a session's note at most, unless one context has more; well below what an import takes.
const NOTE: usize = 4 << 20;

/// Notes of a page that are put on the disk at once: for some that takes hardly longer than for one.
const AT_ONCE: usize = 16;

/// An agent and a session.
type Key = (Option<String>, Option<String>);

/// Writes the notes beside their place, and puts them there when all are on the disk.
pub(super) async fn folder(
    host: &Host,
    request: &ExportRequest,
    progress: impl FnMut(u64) + Send,
) -> Result<u64> {
    let place = request.place.clone();
    let there = place.symlink_metadata().is_ok();
    if there
        && !place
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_none())
    {
        let reason = "it is there already; choose a new folder, or an empty one";
        return Err(Error::unwritable(&place, reason));
    }
    let staged = tempfile::Builder::new()
        .prefix(".hirag-export-")
        .tempdir_in(folder_of(&place))
        .map_err(|error| Error::writing(&place, &error))?;
    let notes = Notes {
        folder: Arc::new(staged),
    };
    let contexts = match request.by_session {
        true => notes.of_sessions(host, progress).await?,
        false => notes.of_contexts(host, progress).await?,
    };
    let staged = notes.folder;
    let move_in = move || {
        sync_folder_of(&staged.path().join("note"))?;
        if there {
            fs::remove_dir(&place)?;
        }
        fs::rename(staged.path(), &place)?;
        // It has gone to its place: there is nothing left to take away.
        sync_folder_of(&place)
    };
    written(move_in).await?;
    Ok(contexts)
}

/// Notes that are being written.
struct Notes {
    /// Goes away with the last that writes into it, also where nobody waits for that any more.
    folder: Arc<TempDir>,
}

impl Notes {
    /// A note for each context.
    async fn of_contexts(&self, host: &Host, mut progress: impl FnMut(u64) + Send) -> Result<u64> {
        let (mut pages, mut contexts) = (Pages::of(host), 0);
        while let Some(page) = pages.next().await? {
            contexts += page.len() as u64;
            let folder = Arc::clone(&self.folder);
            written(move || put_all(folder.path(), &page)).await?;
            progress(contexts);
        }
        Ok(contexts)
    }

    /// A note for each session of each agent, or some where it is long.
    async fn of_sessions(&self, host: &Host, mut progress: impl FnMut(u64) + Send) -> Result<u64> {
        let mut sessions: BTreeMap<Key, Vec<ContextId>> = BTreeMap::new();
        let mut pages = Pages::of(host);
        while let Some(page) = pages.next().await? {
            for context in page {
                let key = (context.agent, context.session);
                sessions.entry(key).or_default().push(context.id);
            }
        }
        let mut contexts = 0;
        for (key, ids) in sessions {
            let (mut note, mut bytes, mut part) = (Vec::new(), 0, 0);
            for ids in ids.chunks(PAGE) {
                for context in host.manager().get_many(ids).await? {
                    let size = context.text.len();
                    if bytes > 0 && bytes + size > NOTE {
                        self.of_session(&key, part, std::mem::take(&mut note))
                            .await?;
                        (part, bytes) = (part + 1, 0);
                    }
                    bytes += size;
                    note.push(context);
                    contexts += 1;
                }
                progress(contexts);
            }
            self.of_session(&key, part, note).await?;
        }
        Ok(contexts)
    }

    async fn of_session(&self, key: &Key, part: usize, contexts: Vec<Context>) -> Result<()> {
        let (key, folder) = (key.clone(), Arc::clone(&self.folder));
        let write = move || {
            let (agent, session) = (key.0.as_deref(), key.1.as_deref());
            let name = markdown::name_of_session(agent, session, part);
            let place = folder.path().join(name);
            put(&place, &markdown::of_session(agent, session, &contexts)?)
        };
        written(write).await
    }
}

/// Writes a note for each context; they are on the disk then.
fn put_all(folder: &Path, contexts: &[Context]) -> io::Result<()> {
    let share = contexts.len().div_ceil(AT_ONCE).max(1);
    let put_share = |contexts: &[Context]| {
        contexts.iter().try_for_each(|context| {
            let place = folder.join(markdown::name_of_context(context));
            put(&place, &markdown::of_context(context)?)
        })
    };
    thread::scope(|scope| {
        let begun = contexts.chunks(share).map(|share| {
            let writer = thread::Builder::new().name("hirag-export".to_owned());
            writer.spawn_scoped(scope, move || put_share(share))
        });
        let begun: Vec<_> = begun.collect::<io::Result<_>>()?;
        begun.into_iter().try_for_each(|writing| {
            let written = writing.join();
            written.unwrap_or_else(|panic| resume_unwind(panic))
        })
    })
}

/// Writes a file; it is on the disk then.
fn put(place: &Path, note: &str) -> io::Result<()> {
    let mut file = File::create(place)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()
}
