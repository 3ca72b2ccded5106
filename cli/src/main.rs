//! Entry point: parse, dispatch, exit code.
#![recursion_limit = "256"]

fn main() -> std::process::ExitCode {
    quiet_mesa();
    scotopic_cli::cli::main()
}

/// Mesa's drivers complain on stderr about a missing XDG_RUNTIME_DIR, which nothing here needs.
fn quiet_mesa() {
    if cfg!(feature = "wgpu") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: first statement of the program, which has one thread: nothing else reads the environment meanwhile.
        #[allow(unsafe_code)]
        unsafe {
            std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir());
        }
    }
}
