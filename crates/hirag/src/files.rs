//! Names of the files that belong to another file, and names that a power loss does not take back.

use std::io;
use std::path::{Path, PathBuf};

/// The path with `suffix` put after its name: beside `hirag.db` stands `hirag.db-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The folder that a file stands in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Synchronises the folder of `path`: what was created, renamed or removed in it stays so after a
/// power loss. Where a folder cannot be opened as a file, the system orders such changes itself.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        std::fs::File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

/// Makes a folder, and those that it stands in. Where the system tells people apart, what is made is
/// for its owner alone; what was there stays as it is.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file for its owner alone, unless there is one.
pub fn create_private_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Removes a file; that there is none is no error.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
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

    #[test]
    fn a_bare_name_stands_in_the_present_folder() {
        assert_eq!(folder_of(Path::new("hirag.db")), Path::new("."));
        assert_eq!(folder_of(Path::new("/a/hirag.db")), Path::new("/a"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_private_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        create_private_folder(&inner).unwrap();
        create_private_folder(&inner).unwrap();
        let file = inner.join("file");
        create_private_file(&file).unwrap();
        std::fs::write(&file, "text").unwrap();
        create_private_file(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
        for path in [&folder.path().join("a"), &inner, &file] {
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        remove_if_there(&file).unwrap();
        assert!(!file.exists());
        remove_if_there(&file).unwrap();
    }
}
