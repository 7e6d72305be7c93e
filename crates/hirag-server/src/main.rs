//! The `hirag` program.

fn main() -> std::process::ExitCode {
    hirag_server::arenas::share();
    hirag_server::cli::main()
}
