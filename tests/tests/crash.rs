//! Nothing acknowledged is lost when the process dies, wherever it was.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::context::{Context, ContextId, EmbeddingState};
use hirag::manager::ImportOptions;
use hirag_tests::notes;
use hirag_tests::place::{Place, assert_sound, everything};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const KILLS: usize = 50;
const NOTES: usize = 120;
const SECTIONS: usize = 6;
/// After so many kills all notes are changed, so that there always is something to import.
const KILLS_AN_EDITION: usize = 3;

/// What a writer said before it died.
#[derive(Debug, Default)]
struct Said {
    lines: usize,
    stored: Vec<(ContextId, String)>,
    imported: u64,
    /// How often it said more than nothing was imported.
    batches: usize,
    complete: bool,
}

impl Said {
    fn take(&mut self, line: &str) {
        self.lines += 1;
        if let Some(rest) = line.strip_prefix("stored ") {
            let (id, text) = rest.split_once(' ').unwrap();
            self.stored.push((id.parse().unwrap(), text.to_owned()));
        } else if let Some(count) = line.strip_prefix("imported ") {
            self.imported = count.parse().unwrap();
            self.batches += usize::from(self.imported > 0);
        } else {
            self.complete |= line == "complete";
        }
    }
}

fn start(place: &Place, folder: &Path, run: usize) -> (Child, Receiver<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crash-writer"))
        .arg(place.data_dir())
        .arg(folder)
        .arg(run.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // A line without its end was not said to the end.
        while output.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            if sender.send(line.trim_end_matches('\n').to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    (child, lines)
}

/// Kills the writer after some lines and some further moments, and takes what it said till then.
fn kill_at_random(mut child: Child, lines: &Receiver<String>, random: &mut StdRng) -> Said {
    let mut said = Said::default();
    // Some die while they open the database, some after some stores, most within an import.
    let (lines_to_hear, batches_to_hear) = match random.random_range(0..10) {
        0 => (0, 0),
        1..4 => (random.random_range(1..60), 0),
        _ => (1, random.random_range(1..4)),
    };
    while said.lines < lines_to_hear || !said.complete && said.batches < batches_to_hear {
        let line = lines.recv_timeout(Duration::from_secs(20));
        said.take(&line.unwrap_or_else(|_| panic!("the writer fell silent: {:?}", child.wait())));
    }
    let moment = Instant::now() + Duration::from_micros(random.random_range(0..20_000));
    while let Some(left) = moment.checked_duration_since(Instant::now()) {
        if let Ok(line) = lines.recv_timeout(left) {
            said.take(&line);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        said.take(&line);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_lose_nothing_and_the_next_import_completes() {
    let place = Place::new();
    let folder = place.path().join("notes");
    let mut random = StdRng::seed_from_u64(20_260_101);
    let mut acknowledged: BTreeMap<ContextId, String> = BTreeMap::new();
    let mut midway = 0;
    for run in 0..KILLS {
        if run % KILLS_AN_EDITION == 0 {
            notes::write_edition(&folder, NOTES, SECTIONS, run / KILLS_AN_EDITION);
        }
        let (child, lines) = start(&place, &folder, run);
        let said = kill_at_random(child, &lines, &mut random);
        midway += usize::from(said.imported > 0 && !said.complete);
        acknowledged.extend(said.stored);
        // Opened for writing without waiting: the dead hold no lock.
        let manager = place.open().await;
        assert!(manager.is_writable());
        assert_sound(&manager).await;
        let all = everything(&manager).await;
        let of_notes = all.iter().filter(|c| c.source.is_some()).count() as u64;
        assert!(
            of_notes >= said.imported,
            "run {run}: {of_notes} of {}",
            said.imported
        );
        assert_all_there(&all, &acknowledged);
        manager.shut_down().await.unwrap();
    }
    println!("{} stored, {midway} imports broken off", acknowledged.len());
    assert!(acknowledged.len() > KILLS && midway > KILLS / 4);

    let manager = place.open().await;
    import(&manager, &folder).await;
    let again = import(&manager, &folder).await;
    assert_eq!((again.imported, again.updated, again.removed), (0, 0, 0));
    let all = everything(&manager).await;
    assert_all_there(&all, &acknowledged);
    assert_eq!(of_notes(&all), expected(&folder).await);
    assert_sound(&manager).await;
}

async fn import(manager: &HiragManager, folder: &Path) -> hirag::import::ImportReport {
    let paths = vec![folder.to_owned()];
    let report = manager
        .import(paths, ImportOptions::default(), |_| {})
        .await
        .unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    report
}

fn assert_all_there(all: &[Context], acknowledged: &BTreeMap<ContextId, String>) {
    let stored: BTreeMap<ContextId, &Context> = all.iter().map(|c| (c.id, c)).collect();
    for (id, text) in acknowledged {
        let context = stored
            .get(id)
            .unwrap_or_else(|| panic!("{id} is lost: {text}"));
        assert_eq!(context.text, *text);
        assert_eq!(context.embedding, EmbeddingState::Ready);
    }
}

/// Source and text of everything imported, sorted: twice the same would stand there twice.
fn of_notes(all: &[Context]) -> Vec<(String, String)> {
    let pair = |c: &Context| Some((c.source.clone()?, c.text.clone()));
    let mut pairs: Vec<_> = all.iter().filter_map(pair).collect();
    pairs.sort();
    pairs
}

/// What an import that nobody disturbs gives.
async fn expected(folder: &Path) -> Vec<(String, String)> {
    let calm = Place::new();
    let manager = calm.open().await;
    import(&manager, folder).await;
    of_notes(&everything(&manager).await)
}
