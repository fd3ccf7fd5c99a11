//! Writes the JavaScript beside a WebAssembly file that cargo has linked: `ingle-bindgen FILE NAME FOLDER` writes
//! `FOLDER/NAME.js` and `FOLDER/NAME_bg.wasm`.
//!
//! It is wasm-bindgen's own library. Its command line would be compiled with a client for the network.

use anyhow::{Context as _, Result, bail};
use std::env;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [file, name, folder] = &args[..] else {
        bail!("usage: ingle-bindgen FILE NAME FOLDER");
    };
    let mut bindgen = Bindgen::new();
    // The page names the wasm file itself, so the bindings need no path of their own for bundlers to trip over.
    (bindgen.web(true)?.typescript(false))
        .omit_default_module_path(true)
        .input_path(file)
        .out_name(name);
    (bindgen.generate(folder)).with_context(|| format!("cannot bind {file}"))
}
