//! Work that a caller leaves behind: he does not wait for it, closing does. One piece is done after
//! the other, so that together they do not keep the callers that still wait from the processor.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pieces of work that may be left behind at once. Each holds what it works on; with more of
/// them, whoever brings the next one waits until one has ended, or does without.
const ROOM: u32 = 8;
/// Pieces of them that are worked on at once.
const AT_WORK: usize = 1;

/// A place for one piece of work.
#[derive(Debug)]
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    turn: Arc<Semaphore>,
}

impl Place {
    /// Has `work`, which blocks, done by another thread.
    pub(super) fn leave(self, work: impl FnOnce() + Send + 'static) {
        tokio::spawn(async move {
            // The semaphore is never closed.
            let turn = Arc::clone(&self.turn).acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                // Given back even if the work panics.
                let _place = (self, turn);
                work();
            });
        });
    }
}

/// What was left behind and has not ended.
#[derive(Debug)]
pub(super) struct Afterwards {
    room: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Default for Afterwards {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(ROOM as usize)),
            turn: Arc::new(Semaphore::new(AT_WORK)),
        }
    }
}

impl Afterwards {
    /// A place, once there is room.
    pub(super) async fn place(&self) -> Option<Place> {
        // The semaphore is never closed.
        let room = Arc::clone(&self.room).acquire_owned().await;
        room.ok().map(|room| self.place_in(room))
    }

    /// A place, if there is room.
    pub(super) fn place_now(&self) -> Option<Place> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        room.ok().map(|room| self.place_in(room))
    }

    fn place_in(&self, room: OwnedSemaphorePermit) -> Place {
        Place {
            _room: room,
            turn: Arc::clone(&self.turn),
        }
    }

    /// Waits for all that was left behind before.
    pub(super) async fn end(&self) {
        drop(self.room.acquire_many(ROOM).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_the_end_finds_all_done_that_was_left_before() {
        let afterwards = Arc::new(Afterwards::default());
        let done = Arc::new(AtomicU32::new(0));
        let (go, begin) = channel::<()>();
        let counter = Arc::clone(&done);
        let slow = move || {
            begin.recv().unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
        };
        afterwards.place().await.unwrap().leave(slow);
        let place = afterwards.place().await.unwrap();
        place.leave(|| panic!("it is caught"));
        let ends = {
            let afterwards = Arc::clone(&afterwards);
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                afterwards.end().await;
                done.load(Ordering::SeqCst)
            })
        };
        tokio::task::yield_now().await;
        assert!(!ends.is_finished(), "the slow one has not begun");
        go.send(()).unwrap();
        assert_eq!(ends.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn without_room_the_next_one_waits_and_no_longer_than_it_must() {
        let afterwards = Arc::new(Afterwards::default());
        let mut held = Vec::new();
        for _ in 0..ROOM {
            let (go, begin) = channel::<()>();
            let wait = move || {
                // Until the other end is dropped.
                let _ = begin.recv();
            };
            afterwards.place().await.unwrap().leave(wait);
            held.push(go);
        }
        assert!(afterwards.place_now().is_none());
        let next = {
            let afterwards = Arc::clone(&afterwards);
            tokio::spawn(async move { afterwards.place().await.map(drop) })
        };
        tokio::task::yield_now().await;
        assert!(!next.is_finished(), "there is no room");
        held.remove(0);
        next.await.unwrap().unwrap();
        drop(held);
        afterwards.end().await;
    }
}
