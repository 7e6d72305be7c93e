//! The desktop window of HiRAG Studio.

// A window brings no console with it.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    hirag_studio::main()
}
