//! Files that are there under other names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::import::{Reader, SourceFile};
use crate::manager::importing::Shape;
use crate::store::sqlite::KeptFile;

/// Finds out which files moved, by their content to the last byte. Of several with the same, the one
/// that kept its name.
pub(super) struct Renames<'a> {
    pub(super) stored: &'a HashMap<String, KeptFile>,
    pub(super) shape: &'a Shape,
    pub(super) reader: &'a Reader,
}

impl Renames<'_> {
    /// Old names with new ones. The old one is gone, or belongs to a file that took the place of
    /// one that moved on; so a new name may be the old one of another. Those that moved are taken
    /// out of `gone`.
    pub(super) fn among(
        &self,
        open: &[SourceFile],
        gone: &mut Vec<String>,
    ) -> Vec<(String, String)> {
        // A chain of files begins where a name is free now.
        if gone.is_empty() {
            return Vec::new();
        }
        let mut left: HashMap<[u8; 32], Vec<&str>> = HashMap::new();
        let known = open.iter().map(|file| file.source.as_str());
        let known = known.filter(|name| self.stored.contains_key(*name));
        for name in gone.iter().map(String::as_str).chain(known) {
            if let Some(before) = self.stored.get(name)
                && before.contexts > 0
            {
                left.entry(before.fingerprint).or_default().push(name);
            }
        }
        let mut renames = Vec::new();
        for file in open {
            let Ok(print) = self.shape.fingerprint(self.reader, file) else {
                continue;
            };
            let Some(names) = left.get_mut(&print).filter(|names| !names.is_empty()) else {
                continue;
            };
            // It has what it had: it was only touched.
            if let Some(own) = names.iter().position(|name| **name == file.source) {
                names.swap_remove(own);
                continue;
            }
            let called = |name: &str| Path::new(name).file_name() == file.path.file_name();
            let at = names.iter().position(|name| called(name)).unwrap_or(0);
            renames.push((names.remove(at).to_owned(), file.source.clone()));
        }
        self.keep_to_free_names(&mut renames);
        let moved: HashSet<&String> = renames.iter().map(|(old, _)| old).collect();
        gone.retain(|name| !moved.contains(name));
        renames
    }

    /// Takes out those whose new name still has contexts of its own: they are changed where they
    /// are.
    fn keep_to_free_names(&self, renames: &mut Vec<(String, String)>) {
        loop {
            let going: HashSet<String> = renames.iter().map(|(old, _)| old.clone()).collect();
            let all = renames.len();
            renames.retain(|(_, new)| {
                let own = self.stored.get(new).map_or(0, |before| before.contexts);
                own == 0 || going.contains(new)
            });
            if renames.len() == all {
                return;
            }
        }
    }
}
