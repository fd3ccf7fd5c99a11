//! The `ingle` program with one more backbone and one more method.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    ingle_example_backbone::register();
    ingle_train::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
