//! The browser's GPU for Burn, which ends the wasm instance where a device fails: so what can be asked is asked first.

use std::cell::RefCell;

use burn::prelude::Device;
use ingle_bundle::Bundle;
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
    let device = (Device::wgpu_options().init_async().await)
        .map_err(|error| unavailable(&error.to_string()))?;
    DEVICE.set(Some(device.clone()));
    Ok(device)
}

/// The adapter that the browser prefers.
async fn adapter() -> Result<GpuAdapter, Failure> {
    let gpu = navigator_gpu().ok_or_else(|| unavailable("this browser has no WebGPU"))?;
    let found = (JsFuture::from(gpu.request_adapter()).await)
        .map_err(|error| unavailable(&format!("{error:?}")))?;
    let found: JsValue = found.into();
    if found.is_null() {
        return Err(unavailable(
            "this browser has WebGPU, but no GPU that it may use",
        ));
    }
    Ok(found.unchecked_into())
}

/// `navigator.gpu` of a page or a worker.
fn navigator_gpu() -> Option<Gpu> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let gpu = Reflect::get(&navigator, &"gpu".into()).ok()?;
    (!gpu.is_undefined()).then(|| gpu.unchecked_into())
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
    Err(Failure {
        code: "device/memory",
        message: format!(
            "the GPU takes {limit} bytes at once, and the item table has {needed}: the processor answers instead"
        ),
    })
}

fn unavailable(why: &str) -> Failure {
    Failure {
        code: "device/unavailable",
        message: format!("the GPU could not be opened: {why}"),
    }
}
