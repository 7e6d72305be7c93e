use hirag::context::ContextLevel;
use hirag::files::beside;
use parking_lot::{Condvar, Mutex};
use secrecy::SecretString;

use super::*;
use crate::commands::studio::Nothing;
use crate::secrets::{KeyringState, VaultError};
use crate::studio::StartupPhase;

#[tokio::test(flavor = "multi_thread")]
async fn it_is_there_before_the_database_and_tells_when_that_is_open() {
    let place = Place::new();
    let studio = place.start();
    let mut events = studio.events();
    let state = studio.startup();
    assert!(state.problem.is_none());
    // A command waits for the database.
    store(&studio, "one", ContextLevel::LongTerm).await;
    assert_eq!(studio.startup().state, StartupPhase::Ready);
    studio.shut_down().await.unwrap();
    let told = next(&mut events, |event| match event {
        StudioEvent::Startup(state) => (state.state == StartupPhase::Ready).then_some(()),
        _ => None,
    });
    told.await;
}

/// A keyring that answers no question before it is told to.
#[derive(Debug, Default)]
pub(super) struct Hanging {
    inner: MemoryVault,
    answers: Mutex<bool>,
    changed: Condvar,
}

impl Hanging {
    fn wait(&self) {
        let mut answers = self.answers.lock();
        self.changed.wait_while(&mut answers, |answers| !*answers);
    }

    pub(super) fn answer(&self) {
        *self.answers.lock() = true;
        self.changed.notify_all();
    }
}

impl Vault for Hanging {
    fn check(&self) -> Result<(), VaultError> {
        self.wait();
        self.inner.check()
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        self.wait();
        self.inner.get(name)
    }

    fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
        self.inner.set(name, secret)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.inner.remove(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_hangs_holds_up_nothing_and_its_answer_is_told_when_it_comes() {
    let mut place =
        Place::with("[embedding]\nprovider = \"http\"\napi_url = \"http://[::1]:9/v1\"\n");
    let vault = Arc::new(Hanging::default());
    place.vault = vault.clone();
    let studio = place.start();
    let mut events = studio.events();
    let id = store(&studio, "stored meanwhile", ContextLevel::LongTerm).await;
    let state = studio.startup();
    assert_eq!(state.state, StartupPhase::Ready);
    assert_eq!(state.keyring, KeyringState::Asking);
    let health = ask::health(&studio, Nothing {}).await.unwrap();
    let keyring = health.components.iter().find(|one| one.name == "keyring");
    assert!(
        keyring.unwrap().detail.contains("not answered"),
        "{health:?}"
    );
    vault.answer();
    let told = next(&mut events, |event| match event {
        StudioEvent::Startup(state) => Some(state.keyring).filter(|k| *k != KeyringState::Asking),
        _ => None,
    });
    assert_eq!(told.await, KeyringState::Available);
    ask::get(&studio, ask::GetRequest { id }).await.unwrap();
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_closes_while_the_keyring_hangs() {
    let mut place =
        Place::with("[embedding]\nprovider = \"http\"\napi_url = \"http://[::1]:9/v1\"\n");
    let vault = Arc::new(Hanging::default());
    place.vault = vault.clone();
    let studio = place.start();
    store(&studio, "stored meanwhile", ContextLevel::LongTerm).await;
    studio.shut_down().await.unwrap();
    vault.answer();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_closing_and_opening_again() {
    let place = Place::new();
    let studio = place.start();
    let id = store(&studio, "kept", ContextLevel::Immediate).await;
    studio.shut_down().await.unwrap();
    studio.shut_down().await.unwrap();
    let error = ask::get(&studio, ask::GetRequest { id }).await.unwrap_err();
    assert_eq!(error.code(), "not_open");
    let again = place.start();
    let context = ask::get(&again, ask::GetRequest { id }).await.unwrap();
    assert_eq!(context.text, "kept");
    again.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_settings_file_opens_with_the_defaults_and_names_the_key() {
    let place = Place::with("[hirag]\nl1_size = 0\n");
    let studio = place.start();
    ask::stats(&studio, Nothing {}).await.unwrap();
    let problem = studio.startup().settings_problem.unwrap();
    assert_eq!(problem.code, "invalid_settings");
    assert!(problem.message.contains("hirag.l1_size"), "{problem:?}");
    let settings = ask::settings(&studio, Nothing {}).await.unwrap();
    assert_eq!(settings.settings.settings, settings.defaults);
    assert_eq!(settings.problem, Some(problem));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_database_is_told_can_be_saved_and_replaced_by_a_backup() {
    let place = Place::new();
    let studio = place.start();
    let id = store(&studio, "saved", ContextLevel::LongTerm).await;
    let backup = ask::FileRequest {
        file: place.path("backup.db").display().to_string(),
    };
    ask::backup_file(&studio, backup.clone()).await.unwrap();
    studio.shut_down().await.unwrap();
    let database = place.path("data").join(hirag::manager::DATABASE_FILE);
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
    }
    std::fs::write(
        &database,
        "this is no database, whatever it is called. ".repeat(200),
    )
    .unwrap();

    let studio = place.start();
    let error = ask::stats(&studio, Nothing {}).await.unwrap_err();
    assert_eq!(error.code(), "not_open");
    let state = studio.startup();
    assert_eq!(state.state, StartupPhase::Failed);
    assert_eq!(state.problem.unwrap().code, "store_corrupt");
    // Settings and the broken file are still to be had.
    ask::settings(&studio, Nothing {}).await.unwrap();
    let copy = ask::FileRequest {
        file: place.path("broken.db").display().to_string(),
    };
    // Another program, a newer one perhaps, may be able to write it.
    let writer = std::fs::File::options()
        .write(true)
        .open(beside(&database, ".lock"))
        .unwrap();
    writer.lock().unwrap();
    let refused = ask::backup_file(&studio, copy.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "store_locked");
    assert!(!place.path("broken.db").exists());
    drop(writer);
    ask::backup_file(&studio, copy.clone()).await.unwrap();
    assert_eq!(
        std::fs::read(place.path("broken.db")).unwrap(),
        std::fs::read(&database).unwrap()
    );
    assert_eq!(
        ask::backup_file(&studio, copy).await.unwrap_err().code(),
        "io_failed",
        "a file that is there is not written over"
    );
    ask::restore(&studio, backup).await.unwrap();
    assert_eq!(studio.startup().state, StartupPhase::Ready);
    let context = ask::get(&studio, ask::GetRequest { id }).await.unwrap();
    assert_eq!(context.text, "saved");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_none_leaves_the_memory_as_it_is_and_open() {
    let place = Place::new();
    let studio = place.start();
    let id = store(&studio, "there", ContextLevel::LongTerm).await;
    std::fs::write(place.path("none.db"), "nothing").unwrap();
    let none = ask::FileRequest {
        file: place.path("none.db").display().to_string(),
    };
    assert!(ask::restore(&studio, none).await.is_err());
    ask::get(&studio, ask::GetRequest { id }).await.unwrap();
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_only_looks_does_not_load_the_model() {
    let mut place = Place::new();
    place.provider = None;
    // Files that would be found out if they were loaded.
    let model = place.path("model");
    std::fs::create_dir_all(model.join("1_Pooling")).unwrap();
    for (file, content) in [
        ("model.onnx", "no weights"),
        ("tokenizer.json", "{}"),
        (
            "hirag-model.json",
            r#"{"id": "hollow", "pooling": "mean", "max_tokens": 64}"#,
        ),
    ] {
        std::fs::write(model.join(file), content).unwrap();
    }
    let settings = SETTINGS.replacen(
        "[embedding]\n",
        &format!("[embedding]\nmodel_dir = '{}'\n", model.display()),
        1,
    );
    std::fs::write(place.path("config.toml"), settings).unwrap();
    let studio = place.start();
    let of_provider = async || {
        let health = ask::health(&studio, Nothing {}).await.unwrap();
        let mut parts = health.components.into_iter();
        parts.find(|part| part.name == "embedding").unwrap().detail
    };
    assert!(of_provider().await.contains("not loaded"));
    ask::stats(&studio, Nothing {}).await.unwrap();
    ask::settings(&studio, Nothing {}).await.unwrap();
    ask::resilience(&studio, Nothing {}).await.unwrap();
    let looked = ask::clean_up(&studio, ask::CleanUpRequest { dry_run: true }).await;
    looked.unwrap();
    assert!(of_provider().await.contains("not loaded"));
    studio.shut_down().await.unwrap();
}
