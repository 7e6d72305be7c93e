//! Searches take turns, so that a thousand of them at once keep nobody waiting who asks for little.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::Semaphore;
use tokio::task::yield_now;

/// Turns to work. The runtime takes up what is ready in the order of its coming; without turns,
/// whoever comes waits for the work of all who came before.
#[derive(Debug)]
pub(super) struct Turns {
    free: Semaphore,
}

impl Default for Turns {
    /// One for each core.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            free: Semaphore::new(cores),
        }
    }
}

impl Turns {
    /// Does some work in its turn, which is over as soon as the work has to wait for something: its
    /// result, or e.g. a model that brings others' work forward by the same run.
    pub(super) async fn take<T>(&self, work: impl Future<Output = T>) -> T {
        let turn = self.free.acquire().await;
        // Who gets a turn from another is otherwise taken up before all that is ready.
        yield_now().await;
        let mut work = pin!(work);
        let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        drop(turn);
        match first {
            Poll::Ready(result) => result,
            Poll::Pending => work.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::FutureExt;

    use super::*;

    #[test]
    fn work_begins_in_its_turn_and_lets_others_begin_while_it_waits() {
        let turns = Turns {
            free: Semaphore::new(1),
        };
        let turn = turns.free.try_acquire().unwrap();
        let mut first = Box::pin(turns.take(pending::<()>()));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(turns.take(async { 2 }));
        assert!(second.as_mut().now_or_never().is_none(), "it has no turn");
        drop(turn);
        // Before it begins, it lets others go first.
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(first.as_mut().now_or_never().is_none(), "it waits");
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(second.as_mut().now_or_never(), Some(2));
    }
}
