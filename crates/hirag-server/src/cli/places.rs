//! Where settings and memory are, unless the command line says otherwise.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_native_strategy;

use super::args::Global;
use crate::commands::{Error, Result};

/// The folder of this program in the system's places.
const FOLDER: &str = "hirag";

/// The files and folders of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// The settings file.
    pub(super) config_file: PathBuf,
    /// Whether it was named, and so must be there.
    pub(super) config_named: bool,
    /// The folder of the database and the cache.
    pub(super) data_dir: PathBuf,
}

impl Places {
    pub(super) fn of(global: &Global) -> Result<Self> {
        let config_named = global.config.is_some();
        if let (Some(config), Some(data_dir)) = (&global.config, &global.data_dir) {
            return Ok(Self {
                config_file: config.clone(),
                config_named,
                data_dir: data_dir.clone(),
            });
        }
        let system = choose_native_strategy().map_err(|e| Error::NoHome(e.to_string()))?;
        let config = || system.config_dir().join(FOLDER).join("config.toml");
        let data = || system.data_dir().join(FOLDER);
        Ok(Self {
            config_file: global.config.clone().unwrap_or_else(config),
            config_named,
            data_dir: global.data_dir.clone().unwrap_or_else(data),
        })
    }
}
