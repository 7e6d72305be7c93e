use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::context::Priority;

/// Lets a few through at once, and of those who wait the highest priority first; within a
/// priority who came first.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    arrivals: u64,
    waiting: BTreeMap<(Reverse<Priority>, u64), oneshot::Sender<Pass>>,
}

/// Being through. Dropping it lets the next in.
#[derive(Debug)]
pub(super) struct Pass {
    /// `None` once the right went to someone else.
    gate: Option<Gate>,
}

impl Gate {
    /// Lets `at_once` through together, at least 1.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                free: at_once.max(1),
                arrivals: 0,
                waiting: BTreeMap::new(),
            })),
        }
    }

    /// Waits for a turn. Dropping the future gives the place up.
    pub(super) async fn enter(&self, priority: Priority) -> Pass {
        let turn = {
            let mut state = self.state.lock();
            if state.free > 0 {
                state.free -= 1;
                return self.pass();
            }
            let (sender, turn) = oneshot::channel();
            let arrival = state.arrivals;
            state.arrivals += 1;
            state.waiting.insert((Reverse(priority), arrival), sender);
            turn
        };
        // A sender is only dropped after it sent, as the gate lives as long as this borrow.
        turn.await.unwrap_or(Pass { gate: None })
    }

    fn pass(&self) -> Pass {
        Pass {
            gate: Some(self.clone()),
        }
    }

    fn leave(&self) {
        let mut pass = self.pass();
        loop {
            let next = {
                let mut state = self.state.lock();
                let next = state.waiting.pop_first();
                if next.is_none() {
                    state.free += 1;
                }
                next
            };
            let Some((_, waiting)) = next else {
                pass.gate = None;
                return;
            };
            match waiting.send(pass) {
                Ok(()) => return,
                // This one went away; the next may have the turn.
                Err(back) => pass = back,
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn the_urgent_enter_first_and_equals_in_turn() {
        let gate = Gate::new(1);
        let first = gate.enter(Priority::Low).now_or_never().unwrap();
        let order = [
            Priority::Low,
            Priority::Normal,
            Priority::High,
            Priority::Normal,
            Priority::Critical,
        ];
        let mut waiting: Vec<_> = order.map(|p| Some(Box::pin(gate.enter(p)))).into();
        for turn in waiting.iter_mut().flatten() {
            assert!(turn.as_mut().now_or_never().is_none());
        }
        let mut pass = first;
        for expected in [4, 2, 1, 3, 0] {
            drop(pass);
            let mut turn = waiting[expected].take().unwrap();
            pass = turn.as_mut().now_or_never().unwrap();
            for other in waiting.iter_mut().flatten() {
                assert!(other.as_mut().now_or_never().is_none());
            }
        }
        drop(pass);
        assert!(gate.enter(Priority::Low).now_or_never().is_some());
    }

    #[test]
    fn who_goes_away_does_not_keep_the_turn() {
        let gate = Gate::new(1);
        let first = gate.enter(Priority::Low).now_or_never().unwrap();
        let mut gone = Box::pin(gate.enter(Priority::Critical));
        let mut told = Box::pin(gate.enter(Priority::High));
        let mut stays = Box::pin(gate.enter(Priority::Low));
        assert!(gone.as_mut().now_or_never().is_none());
        assert!(told.as_mut().now_or_never().is_none());
        assert!(stays.as_mut().now_or_never().is_none());
        drop(gone);
        drop(first);
        // It has its turn, but goes before it looks.
        drop(told);
        assert!(stays.as_mut().now_or_never().is_some());
    }

    #[test]
    fn as_many_enter_as_are_let_through_together() {
        let gate = Gate::new(2);
        let one = gate.enter(Priority::Low).now_or_never();
        let two = gate.enter(Priority::Low).now_or_never();
        assert!(one.is_some() && two.is_some());
        assert!(gate.enter(Priority::Critical).now_or_never().is_none());
        drop(one);
        assert!(gate.enter(Priority::Low).now_or_never().is_some());
    }
}
