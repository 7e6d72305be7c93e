use std::collections::VecDeque;

use hirag::clock::SharedClock;
use hirag::context::ContextId;
use hirag::retrieval::TraceId;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;

use super::StudioEvent;

/// Entries that are kept.
const KEPT: usize = 200;
/// Ids that one entry names.
const IDS: usize = 100;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ActivityKind {
    Stored,
    Updated,
    Moved,
    Deleted,
    Restored,
    Searched,
    Imported,
    Reembedded,
    CleanedUp,
    Sources,
    Settings,
    Memory,
}

/// Something that happened to the memory in this run.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Activity {
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// What.
    pub kind: ActivityKind,
    /// The same for people.
    pub summary: String,
    /// The contexts that it concerns, a hundred at most.
    pub ids: Vec<ContextId>,
    /// The search's trace.
    pub trace_id: Option<TraceId>,
}

/// The latest of what happened, in memory.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    clock: SharedClock,
    events: broadcast::Sender<StudioEvent>,
    items: Mutex<VecDeque<Activity>>,
}

impl ActivityLog {
    pub(super) fn new(clock: SharedClock, events: broadcast::Sender<StudioEvent>) -> Self {
        Self {
            clock,
            events,
            items: Mutex::default(),
        }
    }

    /// Notes and tells something.
    pub(crate) fn note(&self, kind: ActivityKind, summary: String, ids: &[ContextId]) {
        self.note_search(kind, summary, ids, None);
    }

    /// The same with a trace.
    pub(crate) fn note_search(
        &self,
        kind: ActivityKind,
        summary: String,
        ids: &[ContextId],
        trace_id: Option<TraceId>,
    ) {
        let activity = Activity {
            at: self.clock.now(),
            kind,
            summary,
            ids: ids.iter().take(IDS).copied().collect(),
            trace_id,
        };
        let mut items = self.items.lock();
        if items.len() == KEPT {
            items.pop_back();
        }
        items.push_front(activity.clone());
        drop(items);
        let _ = self.events.send(StudioEvent::Activity(activity));
    }

    /// The latest, newest first.
    pub(crate) fn latest(&self, limit: usize) -> Vec<Activity> {
        self.items.lock().iter().take(limit).cloned().collect()
    }
}
