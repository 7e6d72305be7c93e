use std::path::{Path, PathBuf};

use hirag::HiragManager;

/// What command bodies work with: the memory, and where its settings come from.
#[derive(Debug, Clone)]
pub struct Host {
    manager: HiragManager,
    config_file: PathBuf,
}

impl Host {
    /// A host over an open memory, whose settings file is, or would be, at `config_file`.
    #[must_use]
    pub fn new(manager: HiragManager, config_file: PathBuf) -> Self {
        Self {
            manager,
            config_file,
        }
    }

    /// The memory.
    #[must_use]
    pub fn manager(&self) -> &HiragManager {
        &self.manager
    }

    /// Where the settings file is, or would be.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.manager.data_dir().join(hirag::manager::DATABASE_FILE)
    }
}
