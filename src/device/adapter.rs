//! The browser's GPU for Burn, which ends the wasm instance where a device fails: so what can be asked is asked first.

use std::cell::RefCell;
use std::sync::OnceLock;

use burn::prelude::Device;
use burn_wgpu::WgpuSetup;
use ingle_bundle::Bundle;
use ingle_model::EngineError;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Gpu, GpuAdapter};

use crate::error::Failure;

/// The GPU, opened once in the life of this wasm instance: a second initialisation is an error.
pub(super) async fn device(bundle: &Bundle) -> Result<Device, Failure> {
    thread_local! {
        static DEVICE: RefCell<Option<Device>> = const { RefCell::new(None) };
    }
    check(&adapter().await?, bundle)?;
    if let Some(device) = DEVICE.with_borrow(Clone::clone) {
        return Ok(device);
    }
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let opened = opened.map_err(|error| unavailable(&error.to_string()))?;
    let (device, WgpuSetup { device: handle, .. }) = opened;
    // What is asked of Burn on a lost device would end this instance without a word.
    handle.set_device_lost_callback(|reason, message| {
        let _ = LOST.set(format!("it was lost ({reason:?}) {message}"));
    });
    DEVICE.set(Some(device.clone()));
    Ok(device)
}

/// Why the device was lost, if it was.
static LOST: OnceLock<String> = OnceLock::new();

/// An error if the device was lost.
pub(super) fn sound() -> Result<(), EngineError> {
    let lost = LOST.get().cloned().map(EngineError::Device);
    lost.map_or(Ok(()), Err)
}

/// The adapter that the browser prefers, of a page or a worker.
async fn adapter() -> Result<GpuAdapter, Failure> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into());
    let gpu = navigator.and_then(|navigator| Reflect::get(&navigator, &"gpu".into()));
    let gpu = gpu.ok().filter(|gpu| !gpu.is_undefined());
    let gpu: Gpu = (gpu.ok_or_else(|| unavailable("this browser has no WebGPU"))?).unchecked_into();
    let found = JsFuture::from(gpu.request_adapter()).await;
    let found: JsValue = found
        .map_err(|error| unavailable(&format!("{error:?}")))?
        .into();
    let found = (!found.is_null()).then(|| found.unchecked_into());
    found.ok_or_else(|| unavailable("this browser has no GPU that it may use"))
}

/// Whether the item table fits: its rows as floats, and one row of padding.
fn check(adapter: &GpuAdapter, bundle: &Bundle) -> Result<(), Failure> {
    let items = &bundle.manifest.items;
    let needed = 4.0 * (items.count as f64 + 1.0) * items.width as f64;
    let limits = adapter.limits();
    let limit = (limits.max_storage_buffer_binding_size()).min(limits.max_buffer_size());
    if needed <= limit {
        return Ok(());
    }
    let why = format!("it takes {limit} bytes at once, and the item table has {needed}");
    Err(failed("device/memory", "cannot be used", &why))
}

fn unavailable(why: &str) -> Failure {
    failed("device/unavailable", "could not be opened", why)
}

fn failed(code: &'static str, how: &str, why: &str) -> Failure {
    let message = format!("the GPU {how}: {why}");
    Failure { code, message }
}
