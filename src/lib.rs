//! The browser package's wasm: translation between JavaScript and the engine, and nothing else.
//!
//! Built once for each engine: with feature `cpu` for SIMD on the processor, with feature `gpu` for kernels on
//! WebGPU, and with `burn-cpu` and `burn-gpu` for whatever is written in Burn, on either. Every method decodes its
//! arguments, makes one call and encodes the answer. `js/` has the rest, and types what crosses here.

mod device;
mod error;
mod options;

use ingle_bundle::{Bundle, BundleError, FileEntry, sha256_hex};
use ingle_model::Ask;
use js_sys::{Function, Map, Promise, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use error::{Failure, input};

/// A loaded bundle on this build's device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    engine: device::Native,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a bundle: its manifest, and its files by their names in it. Checks every hash and size; `hashes` are those
    /// that the browser has computed. `gpu_judges`: whether the GPU judges clicks, if it has kernels for the method.
    pub async fn load(
        manifest: Uint8Array,
        files: Map,
        hashes: Map,
        gpu_judges: bool,
    ) -> Result<Engine, JsValue> {
        let bundle = Bundle::open_hashed(
            &manifest.to_vec(),
            |entry| bytes_of(&files, entry),
            |entry, bytes| hash_of(&hashes, entry).unwrap_or_else(|| sha256_hex(bytes)),
        )
        .map_err(Failure::from)?;
        let engine = device::open(bundle, gpu_judges).await?;
        Ok(Self { engine })
    }

    /// The best items for a history of item ids, oldest first.
    pub async fn recommend(
        &self,
        history: Vec<String>,
        options: JsValue,
    ) -> Result<JsValue, JsValue> {
        device::sound().map_err(Failure::from)?;
        let options = options::recommend(options)?;
        let best = self.engine.recommend(&history, &options).await;
        encode(&best.map_err(Failure::from)?)
    }

    /// The items nearest to the mean of some others, which are never among them.
    pub async fn similar(&self, items: Vec<String>, options: JsValue) -> Result<JsValue, JsValue> {
        device::sound().map_err(Failure::from)?;
        let options = options::similar(options)?;
        let nearest = self.engine.similar(&items, &options).await;
        encode(&nearest.map_err(Failure::from)?)
    }

    /// The ids of all items in catalogue order: that of the options `allow` and `boost`.
    pub fn items(&self) -> Vec<String> {
        self.engine.items()
    }

    /// What the denoiser makes of each click of a history, in the order given.
    pub async fn explain(&self, history: Vec<String>) -> Result<JsValue, JsValue> {
        device::sound().map_err(Failure::from)?;
        let clicks = Ask::explain(&self.engine, &history).await;
        encode(&clicks.map_err(Failure::from)?)
    }

    /// The adapter that a history teaches, else `previous`, else nothing; awaits `rest` between pieces of work.
    pub async fn adapt(
        &self,
        history: Vec<String>,
        previous: Option<Vec<f32>>,
        rest: Function,
    ) -> Result<Vec<f32>, JsValue> {
        device::sound().map_err(Failure::from)?;
        let rest = async || {
            let pause = rest.call0(&JsValue::UNDEFINED).unwrap_or_default();
            let _ = JsFuture::from(Promise::resolve(&pause)).await;
            device::sound()
        };
        let vector = Ask::adapt(&self.engine, &history, previous.as_deref(), &rest).await;
        Ok(vector.map_err(Failure::from)?)
    }

    /// The device that judges clicks, `cpu` or `gpu`; nothing for a method that judges none.
    pub fn scorer(&self) -> Option<String> {
        device::scorer(&self.engine).map(str::to_owned)
    }

    /// The bundle's name, method and sizes.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        encode(&self.engine.info())
    }
}

/// Which engine this build is.
#[wasm_bindgen(js_name = engineKind)]
pub fn engine_kind() -> String {
    device::KIND.to_owned()
}

/// The release that this build belongs to.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Runs when the module is instantiated: what a panic says goes to the console before wasm traps.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| console_error(&panic.to_string())));
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(message: &str);
}

/// The bytes that JavaScript holds under an entry's name.
fn bytes_of(files: &Map, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
    let bytes = files.get(&JsValue::from_str(&entry.name));
    let bytes = (bytes.dyn_into::<Uint8Array>()).map_err(|_| BundleError::Missing {
        what: entry.name.clone(),
    })?;
    Ok(bytes.to_vec())
}

/// What the browser has computed of an entry's bytes.
fn hash_of(hashes: &Map, entry: &FileEntry) -> Option<String> {
    hashes.get(&JsValue::from_str(&entry.name)).as_string()
}

fn encode(value: &impl Serialize) -> Result<JsValue, JsValue> {
    // Plain objects, as `JSON.parse` would make them.
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    (value.serialize(&serializer)).map_err(|error| input("answer", &error))
}
