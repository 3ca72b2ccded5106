//! Entry point: parse, dispatch, exit code.
#![recursion_limit = "256"]

fn main() -> std::process::ExitCode {
    scotopic_cli::cli::main()
}
