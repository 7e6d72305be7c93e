//! One window for a memory: who opens a second one sees the first.

use std::path::Path;

use sha2::{Digest, Sha256};
use tauri::Wry;
use tauri::plugin::TauriPlugin;

use crate::arguments::Places;
use crate::window;

/// The plugin that finds the other window. None where it could find one of another memory only.
pub(crate) fn plugin(places: &Places) -> Option<TauriPlugin<Wry>> {
    // Elsewhere than on Linux the plugin knows one name only, that of the program.
    if places.named && !cfg!(target_os = "linux") {
        return None;
    }
    let plugin = tauri_plugin_single_instance::Builder::new()
        .dbus_id(bus_name(&places.data_dir))
        .callback(|app, _, _| window::raise(app))
        .build();
    Some(plugin)
}

/// A name on the bus for the memory in `folder`, whatever way leads there.
fn bus_name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or(folder.to_owned());
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("org.hirag.studio.memory_{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_memories_have_two_names_and_one_memory_has_one_by_any_path() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::create_dir(&one).unwrap();
        std::fs::create_dir(&other).unwrap();
        assert_ne!(bus_name(&one), bus_name(&other));
        assert_eq!(bus_name(&one), bus_name(&other.join("../one")));
    }

    #[test]
    fn the_name_is_one_that_the_bus_takes() {
        let name = bus_name(Path::new("/home/ada/Meine Notizen"));
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        assert!(name.split('.').all(part), "{name}");
    }
}
