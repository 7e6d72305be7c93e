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
    /// out of `gone`. Two files that swapped their names are each changed where they are.
    pub(super) fn among(
        &self,
        open: &[SourceFile],
        gone: &mut Vec<String>,
    ) -> Vec<(String, String)> {
        let gave = |name: &String| self.stored.get(name).is_some_and(|file| file.contexts > 0);
        // A chain of files begins where a name is free now.
        if !gone.iter().any(gave) {
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
        let print = |file: &SourceFile| self.shape.fingerprint(self.reader, file).ok();
        let mut moved: Vec<(&SourceFile, [u8; 32])> = open
            .iter()
            .filter_map(|file| Some((file, print(file)?)))
            .collect();
        // What has what it had was only touched, whoever has the same.
        moved.retain(|(file, print)| {
            let names = left.get_mut(print);
            let own = names.and_then(|names| {
                let at = names.iter().position(|name| **name == file.source)?;
                Some(names.swap_remove(at))
            });
            own.is_none()
        });
        let mut renames = Vec::new();
        for (file, print) in moved {
            let Some(names) = left.get_mut(&print).filter(|names| !names.is_empty()) else {
                continue;
            };
            let called = |name: &str| Path::new(name).file_name() == file.path.file_name();
            let at = names.iter().position(|name| called(name)).unwrap_or(0);
            renames.push((names.remove(at).to_owned(), file.source.clone()));
        }
        self.keep_chains(&mut renames, gone);
        let moved: HashSet<&String> = renames.iter().map(|(old, _)| old).collect();
        gone.retain(|name| !moved.contains(name));
        renames
    }

    /// Takes out those whose new name still has contexts of its own, which are changed where they
    /// are, and those whose old name no chain from one that is gone comes by: it was only changed.
    fn keep_chains(&self, renames: &mut Vec<(String, String)>, gone: &[String]) {
        loop {
            let next: HashMap<String, String> = renames.iter().cloned().collect();
            let mut chained = HashSet::new();
            for mut name in gone {
                while let Some(new) = next.get(name) {
                    chained.insert(name);
                    name = new;
                }
            }
            let all = renames.len();
            renames.retain(|(old, new)| {
                let own = self.stored.get(new).map_or(0, |before| before.contexts);
                (own == 0 || next.contains_key(new)) && chained.contains(old)
            });
            if renames.len() == all {
                return;
            }
        }
    }
}
