//! A panic somewhere in the program: the page is told, and a report says where it was. The program
//! goes on.

use std::any::Any;
use std::backtrace::Backtrace;
use std::panic::{PanicHookInfo, set_hook, take_hook};

use hirag::clock::SharedClock;
use hirag_server::commands::studio::{Nothing, jobs, resilience};
use hirag_server::studio::{JobState, StartupPhase, Studio};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::json;
use sysinfo::System;
use tauri::{AppHandle, Emitter};

/// The latest. A hook belongs to the whole process, and so does what it finds.
static LATEST: Mutex<Option<Fault>> = Mutex::new(None);

/// What may be told of a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    at: Timestamp,
    thread: String,
    place: String,
    /// What it said, where that was written in the program. What was put together while it ran may
    /// hold a text or a token, and is left out.
    said: Option<&'static str>,
    backtrace: String,
}

/// Keeps an eye on panics from now on.
pub(crate) fn watch(app: &AppHandle, clock: SharedClock) {
    let app = app.clone();
    // In a debug build the terminal says everything, in another it is not to.
    let before = cfg!(debug_assertions).then(take_hook);
    set_hook(Box::new(move |info| {
        let fault = Fault::of(info, clock.now());
        tracing::error!(place = fault.place, thread = fault.thread, "a panic");
        let message = format!("There was a fault in the program at {}.", fault.place);
        *LATEST.lock() = Some(fault);
        if let Some(before) = &before {
            before(info);
        }
        // Not from here: whatever panicked may hold what an event needs.
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            let _ = app.emit("panic", json!({ "message": message }));
        });
    }));
}

/// Panics when the process gets the signal `USR2`, so that a test can see what becomes of it. A
/// released program does not hear it.
#[cfg(all(unix, debug_assertions))]
pub(crate) fn rehearse() {
    use tokio::signal::unix::{SignalKind, signal};

    tauri::async_runtime::spawn(async {
        let Ok(mut asked) = signal(SignalKind::user_defined2()) else {
            return;
        };
        while asked.recv().await.is_some() {
            // What it says is put together while it runs, as it would be with a text of a person.
            let text = "with a secret".to_owned();
            #[expect(clippy::panic, reason = "it is what was asked for")]
            tokio::spawn(async move { panic!("a rehearsal, {text}") });
        }
    });
}

#[cfg(not(all(unix, debug_assertions)))]
pub(crate) fn rehearse() {}

/// The latest panic of this run.
pub(crate) fn latest() -> Option<Fault> {
    LATEST.lock().clone()
}

impl Fault {
    fn of(info: &PanicHookInfo<'_>, at: Timestamp) -> Self {
        let thread = std::thread::current();
        Self {
            at,
            thread: thread.name().unwrap_or("without a name").to_owned(),
            place: info.location().map_or_else(
                || "an unknown place".to_owned(),
                |place| format!("{}:{}", place.file(), place.line()),
            ),
            said: said(info.payload()),
            backtrace: Backtrace::force_capture().to_string(),
        }
    }
}

/// What a panic said, where the program's own text is all of it.
fn said(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

/// The report for those who mend it: no contents, no secrets, no names of files.
pub(crate) async fn report(fault: &Fault, studio: &Studio) -> String {
    let said = fault.said.unwrap_or("(left out: it may hold contents)");
    let system = System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let web_view = tauri::webview_version().unwrap_or_else(|_| "unknown".to_owned());
    format!(
        "HiRAG Studio {version}\n\
         System: {system}, {arch}; web view {web_view}\n\
         When: {at}\n\
         Thread: {thread}\n\
         Where: {place}\n\
         What: {said}\n\
         {state}\n\
         Backtrace:\n{backtrace}",
        version = env!("CARGO_PKG_VERSION"),
        arch = std::env::consts::ARCH,
        at = fault.at,
        thread = fault.thread,
        place = fault.place,
        state = state(studio).await,
        backtrace = fault.backtrace,
    )
}

/// How the parts stand.
async fn state(studio: &Studio) -> String {
    let startup = studio.startup();
    let problem = startup.problem.map(|problem| problem.code);
    let mut lines = vec![
        format!(
            "Memory: {:?}, problem {}",
            startup.state,
            problem.as_deref().unwrap_or("none")
        ),
        format!("Keyring: {:?}", startup.keyring),
    ];
    if startup.state == StartupPhase::Ready
        && let Ok(now) = resilience(studio, Nothing {}).await
    {
        lines.push(format!(
            "Breaker: {:?}; waiting for vectors: {}; paused: {}",
            now.breaker.state, now.pending, now.paused
        ));
    }
    let jobs = jobs(studio, Nothing {}).await.map(|answer| answer.jobs);
    let running = |state| state == JobState::Running;
    let kinds: Vec<String> = jobs
        .unwrap_or_default()
        .iter()
        .filter(|job| running(job.state))
        .map(|job| format!("{:?}", job.kind))
        .collect();
    lines.push(format!("Jobs that run: [{}]", kinds.join(", ")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_a_panic_put_together_is_not_told() {
        let text = "a note about Jonas".to_owned();
        let payload = catch_unwind(|| panic!("no vector for {text}")).unwrap_err();
        assert_eq!(said(payload.as_ref()), None);
    }

    #[test]
    fn what_a_panic_says_in_the_program_s_own_words_is_told() {
        let payload = catch_unwind(|| panic!("the queue is gone")).unwrap_err();
        assert_eq!(said(payload.as_ref()), Some("the queue is gone"));
    }
}
