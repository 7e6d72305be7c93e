use serde_json::json;

use super::*;
use crate::commands::studio::Nothing;
use crate::settings_file::SettingChange;

fn changes(list: &[(&str, serde_json::Value)]) -> ask::ChangeSettingsRequest {
    ask::ChangeSettingsRequest {
        changes: list
            .iter()
            .map(|(key, value)| SettingChange {
                key: (*key).to_owned(),
                value: value.clone(),
            })
            .collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_force_at_once_and_names_what_has_to_wait() {
    let place = Place::new();
    let studio = place.start();
    let host = studio.host().await.unwrap();
    let request = changes(&[
        ("circuit_breaker.failure_threshold", json!(1)),
        ("hirag.max_context_tokens", json!(50)),
        ("logging.level", json!("info")),
    ]);
    let settings = ask::change_settings(&studio, request).await.unwrap();
    assert_eq!(settings.restart_needed, ["logging.level"]);
    assert_eq!(host.manager().config().hirag.max_context_tokens, 50);
    let resilience = ask::resilience(&studio, Nothing {}).await.unwrap();
    assert_eq!(resilience.breaker_settings.failure_threshold, 1);
    assert_ne!(resilience.defaults.breaker.failure_threshold, 1);
    host.manager()
        .circuit_breaker()
        .try_acquire()
        .unwrap()
        .failure("test");
    let resilience = ask::resilience(&studio, Nothing {}).await.unwrap();
    assert_eq!(
        resilience.breaker.state,
        hirag::resilience::BreakerState::Open
    );
    let back = changes(&[("logging.level", json!(null))]);
    let settings = ask::change_settings(&studio, back).await.unwrap();
    assert!(settings.restart_needed.is_empty());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_change_is_refused_and_nothing_of_it_is_in_force() {
    let place = Place::new();
    let studio = place.start();
    let before = std::fs::read_to_string(place.path("config.toml")).unwrap();
    let request = changes(&[
        ("hirag.max_context_tokens", json!(50)),
        ("rate_limit.requests_per_window", json!(0)),
    ]);
    let error = ask::change_settings(&studio, request.clone())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "invalid_settings");
    assert!(error.to_string().contains("rate_limit.requests_per_window"));
    let after = std::fs::read_to_string(place.path("config.toml")).unwrap();
    assert_eq!(before, after);
    let host = studio.host().await.unwrap();
    assert_ne!(host.manager().config().hirag.max_context_tokens, 50);
    let problems = ask::validate_settings(&studio, request)
        .await
        .unwrap()
        .problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key, "rate_limit.requests_per_window");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_from_outside_come_into_force_and_bad_ones_are_told() {
    let place = Place::new();
    let studio = place.start();
    let host = studio.host().await.unwrap();
    let mut events = studio.events();
    let mut settings = async || {
        next(&mut events, |event| match event {
            StudioEvent::Settings(settings) => Some(settings),
            _ => None,
        })
        .await
    };
    let file = place.path("config.toml");
    std::fs::write(&file, format!("{SETTINGS}[levels]\npromotion = 77\n")).unwrap();
    assert_eq!(settings().await.settings.settings.levels.promotion, 77);
    assert_eq!(host.manager().config().levels.promotion, 77);
    std::fs::write(&file, "[levels]\npromotion = -1\n").unwrap();
    let told = settings().await;
    assert!(told.problem.unwrap().message.contains("levels.promotion"));
    assert_eq!(
        told.settings.settings.levels.promotion, 77,
        "the old ones stay"
    );
    std::fs::write(&file, format!("{SETTINGS}[levels]\npromotion = 8\n")).unwrap();
    let told = settings().await;
    assert_eq!(told.problem, None);
    assert_eq!(host.manager().config().levels.promotion, 8);
    let startup = next(&mut events, |event| match event {
        StudioEvent::Startup(state) => Some(state),
        _ => None,
    });
    assert_eq!(startup.await.settings_problem, None, "the page hears of it");
    studio.shut_down().await.unwrap();
}
