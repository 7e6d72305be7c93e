use std::path::{PathBuf, absolute};

use clap::Parser;
use hirag_server::commands::Result;

/// The window of HiRAG Studio: a local memory in three levels, to search and to look inside of.
#[derive(Debug, Clone, Parser)]
#[command(name = "hirag-studio", version, max_term_width = 100)]
#[command(after_help = "The program `hirag` does the same on the command line.")]
pub(crate) struct Arguments {
    /// The settings file
    #[arg(long, value_name = "FILE", env = "HIRAG_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the memory
    #[arg(long, value_name = "DIR", env = "HIRAG_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

/// Where this run finds and leaves things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The settings file.
    pub(crate) config_file: PathBuf,
    /// The folder of the database and the cache.
    pub(crate) data_dir: PathBuf,
    /// Whether that folder was named: such a memory has its log in it, too.
    pub(crate) named: bool,
}

impl Arguments {
    /// # Errors
    /// [`hirag_server::commands::Error::NoHome`] where the system names no folder and nobody else
    /// does.
    pub(crate) fn places(self) -> Result<Places> {
        let named = self.data_dir.is_some();
        let (config_file, data_dir) = hirag_server::studio::places(self.config, self.data_dir)?;
        Ok(Places {
            config_file: absolute(config_file)?,
            data_dir: absolute(data_dir)?,
            named,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_is_the_same_whatever_the_window_s_folder_becomes() {
        let arguments =
            Arguments::parse_from(["hirag-studio", "--config", "c.toml", "--data-dir", "memory"]);
        let places = arguments.places().unwrap();
        assert!(places.data_dir.is_absolute() && places.config_file.is_absolute());
        assert!(places.named);
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert!(Arguments::try_parse_from(["hirag-studio", "--datadir", "memory"]).is_err());
    }
}
