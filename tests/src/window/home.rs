use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A person's home folder, with everything that the program reads and writes.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    pub(super) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.data_dir()).unwrap();
        home.set_settings("");
        home
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder of the memory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.path().join("memory")
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data_dir().join(hirag::manager::DATABASE_FILE)
    }

    /// The settings file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.path().join("config.toml")
    }

    /// Writes the settings file: the place of the model, with `more` after it in the section
    /// `embedding`.
    pub fn set_settings(&self, more: &str) {
        let model = model_dir();
        let text = format!("[embedding]\nmodel_dir = {model:?}\n{more}");
        fs::write(self.config_file(), text).unwrap();
    }

    /// Where goes what the program says to the terminal: into a file here, like all that it leaves.
    pub(super) fn output(&self) -> Stdio {
        let mut open = fs::OpenOptions::new();
        let file = open
            .append(true)
            .create(true)
            .open(self.path().join("output.txt"));
        file.unwrap().into()
    }

    /// What the log says: the window's file, or what the server says to the terminal.
    #[must_use]
    pub fn log(&self) -> String {
        let log = self.data_dir().join("logs/hirag-studio.log");
        let output = self.path().join("output.txt");
        let logged = fs::read_to_string(log).or_else(|_| fs::read_to_string(output));
        logged.unwrap_or_default()
    }

    /// The files in it whose bytes hold `text`.
    #[must_use]
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        search(self.path(), text.as_bytes(), &mut found);
        found
    }

    /// Lets a program live here.
    pub(super) fn enter(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HIRAG_") {
                command.env_remove(name);
            }
        }
        let runtime = self.path().join("runtime");
        fs::create_dir_all(&runtime).unwrap();
        command
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_RUNTIME_DIR", runtime)
            .env_remove("WAYLAND_DISPLAY")
            .env("NO_AT_BRIDGE", "1");
    }
}

/// Where `make setup` put the model.
fn model_dir() -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".local/share"),
        PathBuf::from,
    );
    let usual = data.join("hirag/models/all-MiniLM-L6-v2");
    std::env::var_os("HIRAG_EMBEDDING_MODEL_DIR").map_or(usual, PathBuf::from)
}

fn search(folder: &Path, text: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            search(&entry.path(), text, found);
        } else if kind.is_file() {
            // The program may remove one meanwhile.
            let bytes = fs::read(entry.path()).unwrap_or_default();
            if bytes.windows(text.len()).any(|part| part == text) {
                found.push(entry.path());
            }
        }
    }
}
