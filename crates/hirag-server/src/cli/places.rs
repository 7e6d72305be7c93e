//! Where settings and memory are, unless the command line says otherwise.

use std::path::PathBuf;

use super::args::Global;
use crate::commands::Result;
use crate::studio::places;

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
        let (config_file, data_dir) = places(global.config.clone(), global.data_dir.clone())?;
        Ok(Self {
            config_file,
            config_named: global.config.is_some(),
            data_dir,
        })
    }
}
