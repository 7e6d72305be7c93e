use serde::{Deserialize, Serialize};

/// Whether a window is light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the system is, and when it changes, too.
    System,
    /// Ink on paper.
    Light,
    /// Paper on ink.
    Dark,
}

/// The settings `[appearance]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AppearanceSettings {
    /// Light or dark.
    pub theme: ThemeChoice,
}
