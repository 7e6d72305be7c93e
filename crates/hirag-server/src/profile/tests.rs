use std::sync::Arc;
use std::time::Duration;

use hirag::clock::FakeClock;
use jiff::Timestamp;
use tracing::{Instrument, Span, trace_span};
use tracing_subscriber::layer::SubscriberExt;

use super::{Profile, ProfilePart, Recorder};

/// Records `work` on this thread, by a clock that it moves.
fn recorded<F: Future<Output = ()>>(work: impl FnOnce(Arc<FakeClock>) -> F) -> Profile {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let recorder = Recorder::new(clock.clone());
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (_, profile) = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(recorder.record("search", work(clock)))
    });
    profile.unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn line(part: &ProfilePart) -> (&str, u64, u64, u64) {
    (&part.name, part.runs, part.total_us, part.self_us)
}

#[test]
fn time_is_told_by_part_and_what_no_part_took_by_itself() {
    let profile = recorded(|clock| async move {
        clock.advance(ms(1));
        trace_span!("embed").in_scope(|| clock.advance(ms(6)));
        let database = trace_span!("database", operation = "retrieve").entered();
        clock.advance(ms(1));
        trace_span!("words").in_scope(|| clock.advance(ms(2)));
        drop(database);
    });
    assert_eq!(line(&profile.root), ("search", 1, 10_000, 1_000));
    let parts: Vec<_> = profile.root.parts.iter().map(line).collect();
    let database = ("database: retrieve", 1, 3_000, 1_000);
    assert_eq!(parts, [("embed", 1, 6_000, 6_000), database]);
    assert_eq!(profile.root.parts[0].share, 0.6);
    assert_eq!(
        line(&profile.root.parts[1].parts[0]),
        ("words", 1, 2_000, 2_000)
    );
}

#[test]
fn equal_names_in_one_place_are_one_part_however_many_there_are() {
    let profile = recorded(|clock| async move {
        for _ in 0..1_000 {
            trace_span!("write").in_scope(|| clock.advance(ms(1)));
        }
    });
    let parts: Vec<_> = profile.root.parts.iter().map(line).collect();
    assert_eq!(parts, [("write", 1_000, 1_000_000, 1_000_000)]);
}

#[test]
fn waiting_counts_for_what_waits() {
    let profile = recorded(|clock| async move {
        let wait = async {
            clock.advance(ms(1));
            // Something else has the thread meanwhile.
            tokio::task::yield_now().await;
            clock.advance(ms(2));
        };
        let other = async { clock.advance(ms(4)) };
        tokio::join!(wait.instrument(trace_span!("embed")), other);
    });
    assert_eq!(line(&profile.root.parts[0]), ("embed", 1, 7_000, 7_000));
}

#[test]
fn what_goes_on_after_the_operation_or_beside_it_is_not_counted() {
    let profile = recorded(|clock| async move {
        let beside = trace_span!(parent: None, "clean up");
        beside.in_scope(|| trace_span!("database").in_scope(|| clock.advance(ms(5))));
        let kept = Span::current();
        trace_span!("embed").in_scope(|| drop(kept));
    });
    let names: Vec<_> = profile.root.parts.iter().map(line).collect();
    assert_eq!(names, [("embed", 1, 0, 0)]);
    assert_eq!(profile.root.total_us, 5_000);
}

#[test]
fn no_text_comes_into_a_profile() {
    let profile = recorded(|_| async move {
        drop(trace_span!("embed", text = "the key of Jonas", number = 7).entered());
    });
    assert_eq!(profile.root.parts[0].name, "embed");
    assert!(!format!("{profile:?}").contains("Jonas"));
}

#[tokio::test]
async fn without_a_subscriber_the_work_is_done_and_there_is_no_profile() {
    let recorder = Recorder::default();
    let (done, profile) = recorder.record("search", async { 7 }).await;
    assert_eq!((done, profile), (7, None));
}
