//! Listens to spans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hirag::clock::{SharedClock, SystemClock};
use hirag::metrics::MemoryGauge;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Instrument, Subscriber, trace_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::tree::{Node, Profile, tree};

/// Of the span in which everything is recorded.
const ROOT: &str = "profiled";

/// Records one operation. It listens as a layer of the process's subscriber; clones are one.
#[derive(Clone)]
pub struct Recorder {
    clock: SharedClock,
    gauge: MemoryGauge,
    nodes: Arc<Mutex<Vec<Node>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(SystemClock::shared())
    }
}

/// What a recorded span carries along.
#[derive(Debug)]
struct Stretch {
    node: usize,
    /// Up to when it was counted; `None` before it begins.
    counted: Option<Duration>,
}

impl Recorder {
    /// A recorder that has heard nothing.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            gauge: MemoryGauge::of_this_process(clock.clone()),
            clock,
            nodes: Arc::default(),
        }
    }

    /// Records `work`, with what it does on other threads, under the name `operation`. The profile is
    /// `None` where this recorder is not among the layers of the subscriber.
    pub async fn record<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = T>,
    ) -> (T, Option<Profile>) {
        self.nodes.lock().clear();
        let resident = || self.gauge.read().map(|reading| reading.resident);
        let before = resident();
        let done = work.instrument(trace_span!(ROOT, operation)).await;
        let grew = |after: u64| {
            let before = i128::from(before?);
            i64::try_from(i128::from(after) - before).ok()
        };
        let memory_bytes = resident().and_then(grew);
        let root = tree(&self.nodes.lock());
        (done, root.map(|root| Profile { memory_bytes, root }))
    }

    /// The node for this name under `parent`, made where there is none.
    fn node(&self, parent: Option<usize>, name: String) -> usize {
        let mut nodes = self.nodes.lock();
        let same = |node: &Node| node.parent == parent && node.name == name;
        if let Some(number) = nodes.iter().position(same) {
            return number;
        }
        nodes.push(Node {
            name,
            parent,
            runs: 0,
            total: Duration::ZERO,
        });
        nodes.len() - 1
    }

    fn with_node(&self, number: usize, change: impl FnOnce(&mut Node)) {
        // A span of the recording before may still end.
        if let Some(node) = self.nodes.lock().get_mut(number) {
            change(node);
        }
    }
}

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Stretch>().map(|stretch| stretch.node)
        });
        let what = attributes.metadata().name();
        if parent.is_none() && what != ROOT {
            return;
        }
        let mut operation = Operation(String::new());
        attributes.record(&mut operation);
        let name = match (what, operation.0) {
            (ROOT, operation) => operation,
            (what, operation) if operation.is_empty() => what.to_owned(),
            (what, operation) => format!("{what}: {operation}"),
        };
        let node = self.node(parent, name);
        let counted = None;
        span.extensions_mut().insert(Stretch { node, counted });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(stretch) = extensions.get_mut::<Stretch>()
            && stretch.counted.is_none()
        {
            stretch.counted = Some(self.clock.elapsed());
            self.with_node(stretch.node, |node| node.runs += 1);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        // What lies between two polls is counted at the end of the second: waiting takes time, too.
        // A span that is left for the last time has ended, even if something holds on to it.
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(stretch) = extensions.get_mut::<Stretch>() else {
            return;
        };
        let now = self.clock.elapsed();
        let since = stretch.counted.replace(now).unwrap_or(now);
        self.with_node(stretch.node, |node| node.total += now.saturating_sub(since));
    }
}

/// Reads the field `operation` of a span, which is a name of the program. No other is read: nothing
/// that a person wrote comes into a profile.
struct Operation(String);

impl Visit for Operation {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "operation" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
