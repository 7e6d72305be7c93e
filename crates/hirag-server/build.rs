//! The sample notes are put into the program when it is compiled.

fn main() {
    println!("cargo:rerun-if-changed=../../docs/notes");
}
