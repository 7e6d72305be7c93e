//! A clock that is set back by an hour while the memory is open: nothing is lost, nothing expires before its time, and
//! what is stored now is found now.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hirag::HiragManager;
use hirag::clock::{Clock, FakeClock};
use hirag::context::{ContextLevel, ContextPatch, ContextRequest, NewContext};
use hirag::manager::OpenOptions;
use hirag_tests::place::{Place, assert_sound, everything, settled, texts};
use jiff::Timestamp;

const HOUR: Duration = Duration::from_secs(3_600);

/// Time that goes on, under a clock on the wall that can be set.
#[derive(Debug)]
struct Wall {
    time: Arc<FakeClock>,
    set_by_secs: AtomicI64,
}

impl Wall {
    fn set_by(&self, secs: i64) {
        self.set_by_secs.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let millis = self.set_by_secs.load(Ordering::SeqCst) * 1_000;
        Timestamp::from_millisecond(self.time.now().as_millisecond() + millis).unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.time.elapsed()
    }
}

async fn open(place: &Place, wall: &Arc<Wall>) -> HiragManager {
    let options = OpenOptions {
        clock: wall.clone(),
        ..place.options()
    };
    HiragManager::open(options).await.unwrap()
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_loses_and_expires_nothing() {
    let place = Place::with("[levels]\nl2_ttl = \"2h\"\npurge_after = \"90m\"");
    let wall = Arc::new(Wall {
        time: place.clock.clone(),
        set_by_secs: AtomicI64::new(0),
    });
    let manager = open(&place, &wall).await;
    let store = async |text: &str| {
        let new = NewContext::new(text).at_level(ContextLevel::ShortTerm);
        manager.store(new).await.unwrap().id
    };
    let before = store("an apple before").await;
    let gone = store("a plum that is deleted").await;
    manager.delete(vec![gone]).await.unwrap();

    wall.set_by(-3_600);
    let after = store("an apple after").await;
    let found = texts(&manager, ContextRequest::new("apple")).await;
    assert_eq!(found.len(), 2, "{found:?}");
    settled(&manager).await;
    let patch = ContextPatch {
        text: Some("an apple before, changed".to_owned()),
        ..ContextPatch::default()
    };
    let changed = manager.update(before, patch).await.unwrap();
    assert_eq!(changed.text, "an apple before, changed");
    manager.clean_up(false).await.unwrap();
    assert_eq!(everything(&manager).await.len(), 2);
    manager.undo(Some(vec![gone])).await.unwrap();

    // A new process reads the same, and an hour later by the clock nothing is due yet.
    manager.shut_down().await.unwrap();
    let manager = open(&place, &wall).await;
    place.clock.advance(HOUR);
    manager.clean_up(false).await.unwrap();
    let mut ids: Vec<_> = everything(&manager)
        .await
        .iter()
        .map(|context| context.id)
        .collect();
    ids.sort_unstable();
    let mut wanted = vec![before, gone, after];
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert_sound(&manager).await;
}
