//! The sample workspace: the user guide, which the program has in itself.

use std::path::Path;

use hirag::context::ContextLevel;
use hirag::import::Format;
use hirag::manager::ImportOptions;
use include_dir::{Dir, include_dir};

use super::Nothing;
use super::jobs::{JobStarted, begin_import};
use crate::commands::Result;
use crate::studio::Studio;
use crate::whole_file::WholeFile;

static NOTES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/notes");

/// The folder of the notes in the data folder, and the agent and the session of their contexts.
const NAME: &str = "sample";

/// Begins to import the sample. Its notes are put into `sample` in the data folder first, so that
/// what a context came from can be opened; those that are there stay as they are. Its result is an
/// [`ImportReport`](hirag::import::ImportReport).
///
/// # Errors
/// [`crate::commands::Error::Unwritable`] where the notes cannot be written,
/// [`crate::commands::Error::Busy`] while there is another import.
pub async fn sample_start(studio: &Studio, _request: Nothing) -> Result<JobStarted> {
    // Not before the memory is there: it may belong to somebody else.
    studio.host().await?;
    let folder = studio.data_dir().join(NAME);
    let notes = folder.clone();
    tokio::task::spawn_blocking(move || write(&notes)).await??;
    let options = ImportOptions {
        format: Format::Markdown,
        level: Some(ContextLevel::LongTerm),
        agent: Some(NAME.to_owned()),
        session: Some(NAME.to_owned()),
        ..ImportOptions::default()
    };
    begin_import(studio, vec![folder], options).await
}

fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for note in NOTES.files() {
        let path = folder.join(note.path());
        // Somebody may have written into it since.
        if path.exists() {
            continue;
        }
        let mut file = WholeFile::begin(&path)?;
        file.put(note.contents())?;
        file.finish()?;
    }
    Ok(())
}
