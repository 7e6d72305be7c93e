//! Gives Tauri the commands of the window, so that it lets none through that no capability names.

include!("../crates/hirag-server/src/commands/studio/list.rs");

macro_rules! names {
    ($($name:ident: $request:ident => $response:ident,)*) => { &[$(stringify!($name)),*] };
}

const OF_THE_STUDIO: &[&str] = window_commands!(names);
const OF_THE_SHELL: &[&str] = shell_commands!(names);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The pages are put into the program when it is compiled.
    println!("cargo:rerun-if-changed=ui/dist");
    let all: Vec<&str> = OF_THE_STUDIO.iter().chain(OF_THE_SHELL).copied().collect();
    let manifest = tauri_build::AppManifest::new()
        .commands(all.leak())
        // There are none beside those that are made from the names.
        .permissions_path_pattern("src-tauri/permissions/**/*.toml");
    let attributes = tauri_build::Attributes::new()
        .app_manifest(manifest)
        .capabilities_path_pattern("src-tauri/capabilities/*.json");
    tauri_build::try_build(attributes)?;
    Ok(())
}
