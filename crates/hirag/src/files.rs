//! Names of the files that belong to another file.

use std::path::{Path, PathBuf};

/// The path with `suffix` put after its name: beside `hirag.db` stands `hirag.db-wal`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_follows_the_whole_name() {
        assert_eq!(
            beside(Path::new("a.b/hirag.db"), "-wal"),
            Path::new("a.b/hirag.db-wal")
        );
    }
}
