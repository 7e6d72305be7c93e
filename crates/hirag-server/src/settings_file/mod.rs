//! The settings file as people wrote it: changed key by key, with its comments, whole or not at
//! all.

mod edit;
mod watch;

#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hirag::config::{Config, ConfigError};
use hirag::files::folder_of;
use serde::{Deserialize, Serialize};

pub use watch::{Seen, Watch};

use crate::commands::{Error, Result};
use crate::whole_file::WholeFile;

/// A setting and its new value.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// The key, its parts joined by dots, e.g. `hirag.l1_size`.
    pub key: String,
    /// The value; null removes the key, so that the default is in force.
    #[ts(type = "string | number | boolean | null")]
    pub value: serde_json::Value,
}

/// What is wrong with a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct SettingProblem {
    /// The key; empty where the file as a whole is at fault.
    pub key: String,
    /// The value and the rule, as a sentence.
    pub message: String,
}

/// A settings file, which need not be there.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
    environment: Vec<(String, String)>,
}

impl SettingsFile {
    /// The file at `path`, overridden by the variables of `environment`.
    #[must_use]
    pub fn new(path: PathBuf, environment: Vec<(String, String)>) -> Self {
        Self { path, environment }
    }

    /// Where it is, or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, with defaults and environment; the defaults where it is not there.
    ///
    /// # Errors
    /// [`ConfigError`] for what is not allowed.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.of_text(&self.read()?)
    }

    /// What is in force without the file: defaults and environment, or the defaults alone where
    /// that is at fault, too.
    #[must_use]
    pub fn without_file(&self) -> Config {
        self.of_text("").unwrap_or_default()
    }

    /// What would be in force after `changes`, nothing being written.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub fn try_change(&self, changes: &[SettingChange]) -> Result<Config> {
        let text = edit::apply(&self.read()?, &self.path, changes)?;
        Ok(self.of_text(&text)?)
    }

    /// Writes `changes` if everything that is in force then is allowed; keeps all comments. What
    /// is on the disk is the file before or the whole new one. Returns what is in force now.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule, or [`Error::Unwritable`]; the file is
    /// as it was then.
    pub fn change(&self, changes: &[SettingChange]) -> Result<Config> {
        let before = self.read()?;
        let text = edit::apply(&before, &self.path, changes)?;
        let config = self.of_text(&text)?;
        if text != before {
            self.write(&text)?;
        }
        Ok(config)
    }

    /// Everything that is wrong with `changes`.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read.
    pub fn problems(&self, changes: &[SettingChange]) -> Result<Vec<SettingProblem>> {
        let mut left = changes.to_vec();
        let mut problems = Vec::new();
        // One is told at a time: without what it concerns, the next one shows.
        while let Err(error) = self.try_change(&left) {
            let key = match &error {
                Error::Core(hirag::Error::Config(error)) => error.key().unwrap_or_default(),
                _ => "",
            };
            let count = left.len();
            let concerned = |change: &SettingChange| {
                change.key == key
                    || change
                        .key
                        .strip_prefix(key)
                        .is_some_and(|k| k.starts_with('.'))
            };
            left.retain(|change| key.is_empty() || !concerned(change));
            problems.push(SettingProblem {
                key: key.to_owned(),
                message: error.to_string(),
            });
            if left.len() == count {
                break;
            }
        }
        Ok(problems)
    }

    /// Its text; empty where it is not there.
    fn read(&self) -> Result<String, ConfigError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(ConfigError::Unreadable {
                path: self.path.clone(),
                reason: error.to_string(),
            }),
        }
    }

    fn of_text(&self, text: &str) -> Result<Config, ConfigError> {
        Config::of_text(text, &self.path, self.environment.iter().cloned())
    }

    fn write(&self, text: &str) -> Result<()> {
        // A link, e.g. into a folder of dotfiles, stays one.
        let target = self.path.canonicalize().unwrap_or(self.path.clone());
        let unwritable = |reason: String| Error::Unwritable {
            path: target.clone(),
            reason,
        };
        let folder = std::fs::create_dir_all(folder_of(&target));
        folder.map_err(|e| unwritable(e.to_string()))?;
        let mut file = WholeFile::begin(&target)?;
        file.put(text.as_bytes())?;
        if let Ok(facts) = target.metadata() {
            if facts.permissions().readonly() {
                return Err(unwritable("it is read-only".to_owned()));
            }
            file.set_permissions(facts.permissions())?;
        }
        file.finish()
    }
}

/// The settings that differ between two configurations and that only a new start brings into
/// force.
#[must_use]
pub fn restart_needed(running: &Config, wanted: &Config) -> Vec<String> {
    let (Ok(running), Ok(wanted)) = (serde_json::to_value(running), serde_json::to_value(wanted))
    else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    differences(&running, &wanted, String::new(), &mut keys);
    keys.retain(|key| is_read_at_start(key));
    keys
}

fn is_read_at_start(key: &str) -> bool {
    const SECTIONS: [&str; 3] = ["store.", "hirag.token_estimator.", "logging."];
    const KEYS: [&str; 1] = ["embedding.cache_"];
    SECTIONS
        .iter()
        .chain(&KEYS)
        .any(|start| key.starts_with(start))
}

fn differences(
    one: &serde_json::Value,
    other: &serde_json::Value,
    at: String,
    keys: &mut Vec<String>,
) {
    match (one.as_object(), other.as_object()) {
        (Some(one), Some(other)) => {
            for (name, value) in one {
                let at = match at.as_str() {
                    "" => name.clone(),
                    _ => format!("{at}.{name}"),
                };
                differences(
                    value,
                    other.get(name).unwrap_or(&serde_json::Value::Null),
                    at,
                    keys,
                );
            }
        }
        _ if one != other => keys.push(at),
        _ => {}
    }
}
