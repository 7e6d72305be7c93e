//! The import of Markdown notes with a model that takes no time: what the program itself needs for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hirag::manager::ImportOptions;
use hirag_benches::{WordVectors, Writer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::opened::memory;

/// Notes in a folder.
const IN_FOLDER: usize = 500;

/// Imports `count` notes into a memory in `folder`, which is made anew, and then once more.
pub(crate) fn measure(folder: &Path, count: usize) -> Value {
    let runtime = Runtime::new().expect("the runtime starts");
    let notes = folder.join("notes");
    let mut writer = Writer::new(5);
    let model = Arc::new(WordVectors::new(writer.vocabulary()));
    if folder.exists() {
        std::fs::remove_dir_all(folder).expect("the folder can be removed");
    }
    for number in 0..count {
        let topic = writer.topic();
        let below = notes.join(format!("{:03}", number / IN_FOLDER));
        std::fs::create_dir_all(&below).expect("the folder can be made");
        let text = format!(
            "---\ntags: [note, n{}]\n---\n# Note {number}\n\n{}\n\n{}\n",
            number % 50,
            writer.note(&topic),
            writer.note(&topic)
        );
        std::fs::write(below.join(format!("{number}.md")), text).expect("the disk takes the notes");
    }
    let manager = runtime.block_on(memory(&folder.join("memory"), model));
    let import = || {
        let start = Instant::now();
        let run = manager.import(vec![notes.clone()], ImportOptions::default(), |_| {});
        let report = runtime.block_on(run).expect("the notes are imported");
        (start.elapsed().as_secs_f64(), report)
    };
    let (seconds, report) = import();
    let (again, _) = import();
    runtime
        .block_on(manager.shut_down())
        .expect("the memory closes");
    json!({
        "notes": count,
        "report": report,
        "seconds": seconds,
        "notes_per_s": count as f64 / seconds,
        "again_seconds": again,
    })
}
