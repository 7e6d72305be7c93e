//! The sample notes and the interface are put into the program when it is compiled.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() {
    println!("cargo:rerun-if-changed=../../docs/notes");
    println!("cargo:rerun-if-changed=../../ui/dist");
    let pages = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("pages");
    if let Err(error) = put_together(&pages) {
        println!(
            "cargo:warning={} cannot be written: {error}",
            pages.display()
        );
    }
    // Not a name that begins as the settings' do: what cargo runs inherits it.
    println!("cargo:rustc-env=INTERFACE_PAGES={}", pages.display());
}

/// The built interface, and what of it can be packed; an empty folder where it was not built, so that
/// the rest builds without.
fn put_together(pages: &Path) -> io::Result<()> {
    if pages.exists() {
        fs::remove_dir_all(pages)?;
    }
    fs::create_dir_all(pages)?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    match built.is_dir() {
        true => copy(&built, pages),
        false => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
            continue;
        }
        let bytes = fs::read(&path)?;
        fs::write(to.join(name), &bytes)?;
        let kind = path.extension().and_then(OsStr::to_str);
        if matches!(kind, Some("js" | "css" | "svg")) {
            let mut packed = GzEncoder::new(Vec::new(), Compression::best());
            packed.write_all(&bytes)?;
            let packed = packed.finish()?;
            if packed.len() < bytes.len() {
                let mut name = name.to_owned();
                name.push(".gz");
                fs::write(to.join(name), packed)?;
            }
        }
    }
    Ok(())
}
