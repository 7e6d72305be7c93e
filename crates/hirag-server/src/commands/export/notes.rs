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

/// Notes that are put on the disk at once: for some that takes hardly longer than for one.
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
            let put = move |context: &Context| put_context(folder.path(), context);
            written(move || put_all(&page, put)).await?;
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
        let (mut contexts, mut waiting) = (0, Vec::new());
        for (key, ids) in sessions {
            let mut note = OfSession::new(&key, 0);
            for ids in ids.chunks(PAGE) {
                for context in host.manager().get_many(ids).await? {
                    if note.bytes > 0 && note.bytes + context.text.len() > NOTE {
                        let next = OfSession::new(&key, note.part + 1);
                        let full = std::mem::replace(&mut note, next);
                        self.put_with(full, &mut waiting).await?;
                    }
                    note.bytes += context.text.len();
                    note.contexts.push(context);
                    contexts += 1;
                }
                progress(contexts);
            }
            self.put_with(note, &mut waiting).await?;
        }
        self.put_sessions(waiting).await?;
        Ok(contexts)
    }

    /// Writes a note of a session, together with those that `waiting` has by then.
    async fn put_with(&self, note: OfSession, waiting: &mut Vec<OfSession>) -> Result<()> {
        waiting.push(note);
        let bytes: usize = waiting.iter().map(|note| note.bytes).sum();
        if waiting.len() < AT_ONCE && bytes < NOTE {
            return Ok(());
        }
        self.put_sessions(std::mem::take(waiting)).await
    }

    async fn put_sessions(&self, notes: Vec<OfSession>) -> Result<()> {
        let folder = Arc::clone(&self.folder);
        written(move || put_all(&notes, |note| note.put(folder.path()))).await
    }
}

/// A note of a session, or one of several where it is long.
struct OfSession {
    key: Key,
    part: usize,
    contexts: Vec<Context>,
    /// Of their texts.
    bytes: usize,
}

impl OfSession {
    fn new(key: &Key, part: usize) -> Self {
        Self {
            key: key.clone(),
            part,
            contexts: Vec::new(),
            bytes: 0,
        }
    }

    fn put(&self, folder: &Path) -> io::Result<()> {
        let (agent, session) = (self.key.0.as_deref(), self.key.1.as_deref());
        let name = markdown::name_of_session(agent, session, self.part);
        let note = markdown::of_session(agent, session, &self.contexts)?;
        put(&folder.join(name), &note)
    }
}

fn put_context(folder: &Path, context: &Context) -> io::Result<()> {
    let place = folder.join(markdown::name_of_context(context));
    put(&place, &markdown::of_context(context)?)
}

/// Writes all notes; they are on the disk then.
fn put_all<N: Sync>(notes: &[N], put: impl Fn(&N) -> io::Result<()> + Sync) -> io::Result<()> {
    let share = notes.len().div_ceil(AT_ONCE).max(1);
    let put = &put;
    thread::scope(|scope| {
        let begun = notes.chunks(share).map(|share| {
            let writer = thread::Builder::new().name("hirag-export".to_owned());
            writer.spawn_scoped(scope, move || share.iter().try_for_each(put))
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
