use std::sync::atomic::Ordering;
use std::time::Duration;

use hirag::context::{Condition, ContextRequest, Filter};
use hirag::export::ExportFormat;
use hirag::import::Format;
use hirag::manager::ListRequest;

use super::*;
use crate::commands::studio::Nothing;
use crate::commands::{DeleteRequest, Error, Result};
use crate::studio::{Job, JobKind, JobState};

pub(super) async fn ended(studio: &Studio, id: &str) -> Job {
    let begin = std::time::Instant::now();
    loop {
        let jobs = ask::jobs(studio, Nothing {}).await.unwrap().jobs;
        let job = jobs.into_iter().find(|job| job.id == id).unwrap();
        if job.state != JobState::Running {
            return job;
        }
        assert!(begin.elapsed().as_secs() < 20, "{job:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_the_user_guide_and_answers_from_it() {
    let place = Place::new();
    let studio = place.start();
    for again in [false, true] {
        let id = ask::sample_start(&studio, Nothing {}).await.unwrap().job;
        let job = ended(&studio, &id).await;
        assert_eq!(job.state, JobState::Done, "{job:?}");
        let report = job.result.unwrap();
        assert!(report["files"].as_u64().unwrap() >= 50, "{report}");
        assert_eq!(report["imported"] == 0, again, "{report}");
        assert_eq!(report["failed"], serde_json::json!([]));
    }
    let of_sample = Filter {
        must: vec![Condition::equals("agent", "sample").unwrap()],
        ..Filter::default()
    };
    let request = ask::CountRequest { filter: of_sample };
    let counted = ask::count(&studio, request).await.unwrap().count;
    let all = ask::stats(&studio, Nothing {}).await.unwrap().stats.counts;
    assert_eq!(counted, all.total_contexts);
    let guide = place.path("data/sample/welcome.md");
    std::fs::write(&guide, "# Mine now\n").unwrap();
    let every = ask::list(&studio, ListRequest::default()).await.unwrap();
    let ids = every.page.contexts.iter().map(|context| context.id);
    ask::delete(&studio, DeleteRequest { ids: ids.collect() })
        .await
        .unwrap();
    let id = ask::sample_start(&studio, Nothing {}).await.unwrap().job;
    assert_eq!(ended(&studio, &id).await.state, JobState::Done);
    let all = ask::stats(&studio, Nothing {}).await.unwrap().stats.counts;
    assert!(all.total_contexts >= 50, "what was removed is there again");
    let kept = std::fs::read_to_string(&guide).unwrap();
    assert_eq!(kept, "# Mine now\n", "what a person wrote stays");
    let found = ask::search(
        &studio,
        ContextRequest::new("what happens when the disk is full?"),
    );
    let best = &found.await.unwrap().response.contexts[0].context;
    let source = best.source.as_deref().unwrap_or_default();
    assert!(std::path::Path::new(source).is_file(), "{source}");
    assert!(source.starts_with(&place.path("data/sample").display().to_string()));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_previewed_runs_and_names_what_it_skipped() {
    let place = Place::new();
    let studio = place.start();
    let notes = place.path("notes");
    std::fs::create_dir(&notes).unwrap();
    std::fs::write(notes.join("one.md"), "# One\n\nSome text.\n").unwrap();
    std::fs::write(notes.join("picture.bin"), [0_u8, 1, 2]).unwrap();
    let paths = vec![notes.display().to_string()];
    let preview = ask::ImportPreviewRequest {
        paths: paths.clone(),
        format: Format::Auto,
    };
    let preview = ask::import_preview(&studio, preview).await.unwrap();
    assert_eq!((preview.total_files, preview.skipped.len()), (1, 1));
    assert!(preview.files[0].path.ends_with("one.md"));
    let mut events = studio.events();
    let request = ask::ImportStart {
        paths,
        format: Format::Auto,
        level: None,
        agent: Some("me".to_owned()),
        session: None,
    };
    let id = ask::import_start(&studio, request).await.unwrap().job;
    let job = ended(&studio, &id).await;
    assert_eq!(job.state, JobState::Done);
    let result = job.result.unwrap();
    assert_eq!(result["imported"], 1);
    assert_eq!(result["skipped"].as_array().unwrap().len(), 1);
    let done = next(&mut events, |event| match event {
        StudioEvent::Job(job) if job.state == JobState::Done => Some(job.id),
        _ => None,
    });
    assert_eq!(done.await, id);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_import_and_relative_paths_are_refused() {
    let place = Place::new();
    let studio = place.start();
    for paths in [vec![], vec!["notes".to_owned()]] {
        let request = ask::ImportPreviewRequest {
            paths,
            format: Format::Auto,
        };
        let error = ask::import_preview(&studio, request).await.unwrap_err();
        assert_eq!(error.code(), "invalid_request");
    }
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_read_again_by_an_import() {
    let place = Place::new();
    let studio = place.start();
    store(
        &studio,
        "to and fro",
        hirag::context::ContextLevel::LongTerm,
    )
    .await;
    let file = place.path("all.jsonl").display().to_string();
    let request = ask::ExportStart {
        file,
        format: ExportFormat::Jsonl,
        by_session: false,
    };
    let id = ask::export_start(&studio, request).await.unwrap().job;
    let job = ended(&studio, &id).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    let text = std::fs::read_to_string(place.path("all.jsonl")).unwrap();
    assert!(text.contains("to and fro"));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_a_job_that_names_its_file() {
    let place = Place::new();
    let studio = place.start();
    store(&studio, "kept", hirag::context::ContextLevel::LongTerm).await;
    let file = place.path("copy.db").display().to_string();
    let request = ask::FileRequest { file: file.clone() };
    let id = ask::backup_start(&studio, request.clone())
        .await
        .unwrap()
        .job;
    let job = ended(&studio, &id).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(job.result.unwrap()["file"], file);
    assert_eq!(job.progress.text, "Checking the copy");
    // A file that is there is never written over.
    let id = ask::backup_start(&studio, request).await.unwrap().job;
    let job = ended(&studio, &id).await;
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.problem.unwrap().code, "io_failed");
    studio.shut_down().await.unwrap();
}

/// A job that ends only when it is cancelled.
fn endless(studio: &Studio, kind: JobKind) -> Result<String> {
    studio.jobs().start(kind, |handle| async move {
        let work = std::future::pending::<Result<()>>();
        handle.until_cancelled(work).await
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_and_its_kind_runs_once_at_a_time() {
    let place = Place::new();
    let studio = place.start();
    let id = endless(&studio, JobKind::Reembed).unwrap();
    let error = endless(&studio, JobKind::Reembed).unwrap_err();
    assert_eq!(error.code(), "busy");
    let other = endless(&studio, JobKind::Export).unwrap();
    ask::job_cancel(&studio, ask::JobRequest { job: id.clone() })
        .await
        .unwrap();
    assert_eq!(ended(&studio, &id).await.state, JobState::Cancelled);
    let again = endless(&studio, JobKind::Reembed).unwrap();
    // Closing ends what still runs.
    studio.shut_down().await.unwrap();
    for id in [other, again] {
        assert_eq!(ended(&studio, &id).await.state, JobState::Cancelled);
    }
    let unknown = ask::JobRequest {
        job: "import-99".to_owned(),
    };
    let error = ask::job_cancel(&studio, unknown).await.unwrap_err();
    assert_eq!(error.code(), "unknown_job");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_there_is_to_do_is_told_at_once() {
    let place = Place::new();
    let studio = place.start();
    let mut events = studio.events();
    let started = studio.jobs().start(JobKind::Import, |handle| async move {
        handle.progress(0, Some(100), "bytes", "begins".to_owned());
        handle
            .until_cancelled(std::future::pending::<Result<()>>())
            .await
    });
    let begun = next(&mut events, |event| match event {
        StudioEvent::Job(job) if job.progress.total.is_some() => Some(job),
        _ => None,
    });
    assert_eq!(begun.await.progress.text, "begins");
    studio.jobs().cancel(&started.unwrap()).unwrap();
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_has_a_rate_and_the_time_left_and_failures_their_reason() {
    let place = Place::new();
    let studio = place.start();
    let clock = place.clock.clone();
    let id = studio.jobs().start(JobKind::Import, |handle| async move {
        handle.progress(0, Some(100), "bytes", "begins".to_owned());
        clock.advance(Duration::from_secs(2));
        handle.progress(20, Some(100), "bytes", "goes on".to_owned());
        let left = handle.cancel_flag().load(Ordering::Relaxed);
        assert!(!left);
        Err::<(), _>(Error::Busy("the disk".to_owned()))
    });
    let job = ended(&studio, &id.unwrap()).await;
    assert_eq!(job.progress.rate_per_s, 10.0);
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.problem.unwrap().code, "busy");
    assert_eq!(
        job.progress.seconds_left, None,
        "nothing is left once it has ended"
    );
    let panics = studio.jobs().start(JobKind::Doctor, |_| async {
        if place_is_odd() {
            panic!("on purpose");
        }
        Ok(())
    });
    assert_eq!(
        ended(&studio, &panics.unwrap()).await.state,
        JobState::Failed
    );
    studio.shut_down().await.unwrap();
}

fn place_is_odd() -> bool {
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_have_ended_do_not_pile_up() {
    let place = Place::new();
    let studio = place.start();
    for _ in 0..60 {
        let id = studio.jobs().start(JobKind::CleanUp, |_| async { Ok(()) });
        ended(&studio, &id.unwrap()).await;
    }
    assert_eq!(ask::jobs(&studio, Nothing {}).await.unwrap().jobs.len(), 50);
    studio.shut_down().await.unwrap();
}
