//! The `ingle` program; see [`ingle_train`].

fn main() -> std::process::ExitCode {
    ingle_train::cli::main()
}
