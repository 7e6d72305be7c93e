//! The sample notes and the interface are put into the program when it is compiled.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=../../docs/notes");
    println!("cargo:rerun-if-changed=../../ui/dist");
    // Not a name that begins as the settings' do: what cargo runs inherits it.
    println!("cargo:rustc-env=INTERFACE_PAGES={}", pages().display());
}

/// The built interface; an empty folder where it was not built, so that the rest builds without.
fn pages() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    if let Ok(built) = built.canonicalize() {
        return built;
    }
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    let empty = PathBuf::from(out).join("no-pages");
    if let Err(error) = std::fs::create_dir_all(&empty) {
        println!("cargo:warning={} cannot be made: {error}", empty.display());
    }
    empty
}
