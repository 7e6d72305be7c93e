//! What the health says of the local model, which is not loaded for that.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::{EmbeddingState, NewContext};
use hirag::embedding::LocalModel;
use hirag::manager::{ComponentHealth, HealthState, OpenOptions};
use hirag_tests::place::{Place, SETTINGS, store_all};

/// What stands in the health of a model that nothing has needed yet.
const NOT_LOADED: &str = "not loaded";

/// A folder with the files of a model, whose weights are none.
fn hollow_model(place: &Place, id: &str) -> PathBuf {
    let folder = place.path().join(id);
    fs::create_dir_all(folder.join("1_Pooling")).unwrap();
    for (file, content) in [
        ("model.onnx", "no weights"),
        ("tokenizer.json", "{}"),
        (
            "1_Pooling/config.json",
            r#"{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true}"#,
        ),
        ("sentence_bert_config.json", r#"{"max_seq_length": 64}"#),
    ] {
        fs::write(folder.join(file), content).unwrap();
    }
    let own = format!(r#"{{"id": "{id}", "model_bytes": 10}}"#);
    fs::write(folder.join("hirag-model.json"), own).unwrap();
    folder
}

/// A memory whose local model is in `folder`.
async fn open(place: &Place, folder: &Path) -> HiragManager {
    let folder = toml_text(folder);
    let settings = SETTINGS.replacen(
        "[embedding]\n",
        &format!("[embedding]\nmodel_dir = {folder}\n"),
        1,
    );
    let options = OpenOptions {
        config: Config::from_toml(&settings).unwrap(),
        provider: None,
        ..place.options()
    };
    HiragManager::open(options).await.unwrap()
}

fn toml_text(path: &Path) -> String {
    format!("'{}'", path.display())
}

async fn part(manager: &HiragManager, name: &str) -> ComponentHealth {
    let health = manager.health().await;
    let mut parts = health.components.into_iter();
    parts.find(|part| part.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_files_are_whole_is_healthy_without_being_loaded() {
    let place = Place::new();
    let manager = open(&place, &hollow_model(&place, "hollow")).await;
    // Were it loaded, its weights would be found out.
    for _ in 0..2 {
        let provider = part(&manager, "embedding").await;
        assert_eq!(provider.state, HealthState::Healthy, "{}", provider.detail);
        assert!(provider.detail.contains("hollow"), "{}", provider.detail);
        assert!(provider.detail.contains(NOT_LOADED), "{}", provider.detail);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_absent_or_cut_short_are_told_and_seen_again_when_they_are_back() {
    let place = Place::new();
    let folder = hollow_model(&place, "hollow");
    let manager = open(&place, &folder).await;
    for (file, damage, said) in [
        ("model.onnx", None, "no model.onnx"),
        ("model.onnx", Some(""), "model.onnx is empty"),
        ("model.onnx", Some("no weig"), "7 bytes"),
        ("tokenizer.json", None, "tokenizer.json"),
    ] {
        let whole = fs::read(folder.join(file)).unwrap();
        match damage {
            None => fs::remove_file(folder.join(file)).unwrap(),
            Some(content) => fs::write(folder.join(file), content).unwrap(),
        }
        let provider = part(&manager, "embedding").await;
        assert_eq!(provider.state, HealthState::Degraded, "{said}");
        for word in [said, "hollow", "make setup"] {
            assert!(provider.detail.contains(word), "{}", provider.detail);
        }
        fs::write(folder.join(file), whole).unwrap();
        assert_eq!(
            part(&manager, "embedding").await.state,
            HealthState::Healthy
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_failed_to_load_is_not_called_healthy_for_its_files() {
    let place = Place::new();
    let manager = open(&place, &hollow_model(&place, "hollow")).await;
    let stored = manager.store(NewContext::new("a text")).await.unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Pending);
    let provider = part(&manager, "embedding").await;
    assert_eq!(provider.state, HealthState::Degraded);
    assert!(
        provider.detail.contains("tokenizer.json"),
        "{}",
        provider.detail
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_or_length_than_that_of_the_vectors_is_told_without_loading_it() {
    let place = Place::new();
    let manager = place.open().await;
    manager.store(NewContext::new("a text")).await.unwrap();
    manager.shut_down().await.unwrap();
    drop(manager);

    let manager = open(&place, &hollow_model(&place, "fake")).await;
    assert_eq!(part(&manager, "model").await.state, HealthState::Healthy);
    manager.shut_down().await.unwrap();
    drop(manager);

    let longer = hollow_model(&place, "fake");
    fs::write(
        longer.join("1_Pooling/config.json"),
        r#"{"word_embedding_dimension": 17, "pooling_mode_mean_tokens": true}"#,
    )
    .unwrap();
    for folder in [longer, hollow_model(&place, "other")] {
        let manager = open(&place, &folder).await;
        let model = part(&manager, "model").await;
        assert_eq!(model.state, HealthState::Degraded, "{}", model.detail);
        assert!(model.detail.contains("hirag reembed"), "{}", model.detail);
        let provider = part(&manager, "embedding").await;
        assert!(provider.detail.contains(NOT_LOADED), "{}", provider.detail);
        manager.shut_down().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_model_is_loaded_by_the_first_text_and_asked_from_then_on() {
    let place = Place::new();
    let built_in = LocalModel::find(None).unwrap_or_else(|e| panic!("run `make setup`: {e}"));
    let manager = open(&place, &built_in).await;
    let before = part(&manager, "embedding").await;
    assert!(before.detail.contains(NOT_LOADED), "{}", before.detail);
    let stored = manager.store(NewContext::new("a text")).await.unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Ready);
    let after = part(&manager, "embedding").await;
    assert_eq!(after.state, HealthState::Healthy);
    assert_eq!(after.detail, "all-MiniLM-L6-v2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_drops_the_cached_vector_without_loading_the_model() {
    let mut place = Place::new();
    let cached = |more: &str| {
        let settings = format!("[embedding]\n{more}[hirag.token_estimator]\nkind = \"chars\"");
        Config::from_toml(&settings).unwrap()
    };
    place.config = cached("");
    let manager = place.open().await;
    let id = store_all(&manager, &["a fleeting thought", "a lasting one"]).await[0];
    manager.shut_down().await.unwrap();
    drop(manager);

    let folder = toml_text(&hollow_model(&place, "fake"));
    let options = OpenOptions {
        config: cached(&format!("model_dir = {folder}\n")),
        provider: None,
        ..place.options()
    };
    let manager = HiragManager::open(options).await.unwrap();
    manager.delete(vec![id]).await.unwrap();
    assert_eq!(manager.purge(Some(Duration::ZERO)).await.unwrap().purged, 1);
    let provider = part(&manager, "embedding").await;
    assert!(provider.detail.contains(NOT_LOADED), "{}", provider.detail);
    manager.shut_down().await.unwrap();
    drop(manager);

    let manager = place.open().await;
    place.provider.take_asked();
    store_all(&manager, &["a fleeting thought", "a lasting one"]).await;
    assert_eq!(place.provider.take_asked(), ["a fleeting thought"]);
}
