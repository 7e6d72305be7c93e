//! The settings, and changes to their file.

use hirag::config::Config;
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::commands::{self, Failure, Result, Settings};
use crate::settings_file::{SettingChange, SettingProblem};
use crate::studio::{ActivityKind, Studio};

/// The settings in force, and what is to be said about them.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct StudioSettings {
    /// The settings and their places.
    #[serde(flatten)]
    pub settings: Settings,
    /// What is wrong with the settings file; the settings are those from before then.
    pub problem: Option<Failure>,
    /// The defaults.
    pub defaults: Config,
    /// Settings that were changed and come into force with the next start.
    pub restart_needed: Vec<String>,
}

/// Changes to the settings file.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettingsRequest {
    /// The changes; all or none.
    pub changes: Vec<SettingChange>,
}

/// What is wrong with changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct SettingProblems {
    /// One entry a key; empty where they are allowed.
    pub problems: Vec<SettingProblem>,
}

impl Studio {
    /// The settings in force, and what is to be said about them.
    pub(crate) fn settings_now(&self) -> StudioSettings {
        let config = (*self.config()).clone();
        StudioSettings {
            settings: commands::settings(config, self.settings_file().path(), self.data_dir()),
            problem: self.settings_problem(),
            defaults: Config::default(),
            restart_needed: self.restart_needed(),
        }
    }
}

/// The settings in force.
///
/// # Errors
/// None.
pub async fn settings(studio: &Studio, _request: Nothing) -> Result<StudioSettings> {
    Ok(studio.settings_now())
}

/// Changes the settings file, if everything is allowed then, and lets into force what can be
/// without a new start.
///
/// # Errors
/// [`hirag::config::ConfigError`] with the key, the value and the rule, or
/// [`commands::Error::Unwritable`]; nothing was changed then.
pub async fn change_settings(
    studio: &Studio,
    request: ChangeSettingsRequest,
) -> Result<StudioSettings> {
    let keys: Vec<String> = request.changes.iter().map(|c| c.key.clone()).collect();
    studio.change_settings(request.changes).await?;
    let summary = format!("Changed the settings: {}", keys.join(", "));
    studio.activity().note(ActivityKind::Settings, summary, &[]);
    Ok(studio.settings_now())
}

/// What would be wrong with changes; nothing is written.
///
/// # Errors
/// [`hirag::config::ConfigError`] when the file cannot be read.
pub async fn validate_settings(
    studio: &Studio,
    request: ChangeSettingsRequest,
) -> Result<SettingProblems> {
    let problems = studio.settings_file().problems(&request.changes)?;
    Ok(SettingProblems { problems })
}
