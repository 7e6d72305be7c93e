//! What is stored of a file that gives what may not be stored.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::clock::FakeClock;
use crate::config::Config;
use crate::manager::testing::one_thought;
use crate::manager::{ListRequest, OpenOptions};

/// A memory into which a note was imported.
struct Noted {
    manager: HiragManager,
    note: PathBuf,
    _folder: TempDir,
}

impl Noted {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manager = HiragManager::open(OpenOptions {
            clock: FakeClock::at(Timestamp::UNIX_EPOCH),
            provider: one_thought(),
            ..OpenOptions::new(Config::default(), folder.path().join("data"))
        });
        let noted = Self {
            manager: manager.await.unwrap(),
            note: folder.path().join("note.md"),
            _folder: folder,
        };
        fs::write(&noted.note, "The harbour is calm.\n").unwrap();
        assert_eq!(noted.import(ImportOptions::default()).await.imported, 1);
        noted
    }

    async fn import(&self, options: ImportOptions) -> ImportReport {
        let import = self
            .manager
            .import(vec![self.note.clone()], options, |_| {});
        import.await.unwrap()
    }

    async fn texts(&self) -> Vec<String> {
        let listed = self.manager.list(ListRequest::default()).await.unwrap();
        listed.contexts.into_iter().map(|one| one.text).collect()
    }
}

#[tokio::test]
async fn what_a_file_gave_stays_when_no_context_may_have_its_agent() {
    let noted = Noted::new().await;
    let before = noted.texts().await;
    let report = noted
        .import(ImportOptions {
            agent: Some("a".repeat(300)),
            ..ImportOptions::default()
        })
        .await;
    assert_eq!((report.failed.len(), report.removed), (1, 0), "{report:?}");
    assert_eq!(noted.texts().await, before);
}

#[tokio::test]
async fn what_a_changed_file_gave_stays_until_what_it_gives_may_be_stored() {
    let noted = Noted::new().await;
    let before = noted.texts().await;
    let usual = Config::clone(&noted.manager.config());
    let mut without = usual.clone();
    without.hirag.l3_enabled = false;
    noted.manager.update_config(without).unwrap();
    fs::write(&noted.note, "A storm comes.\n").unwrap();
    let report = noted.import(ImportOptions::default()).await;
    assert_eq!((report.failed.len(), report.removed), (1, 0), "{report:?}");
    assert_eq!(noted.texts().await, before);

    noted.manager.update_config(usual).unwrap();
    let report = noted.import(ImportOptions::default()).await;
    assert_eq!(report.failed, []);
    let after = noted.texts().await;
    assert!(after.len() == 1 && after != before, "{after:?}");
}
