//! The one device that this build computes on.

use burn::prelude::Device;

use crate::error::Failure;

/// The name of this build's engine.
pub(crate) const KIND: &str = if cfg!(feature = "gpu") { "gpu" } else { "cpu" };

#[cfg(not(any(feature = "cpu", feature = "gpu")))]
compile_error!("choose an engine: feature `cpu` or feature `gpu`");

/// The CPU.
#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "the GPU build has to wait")]
pub(crate) async fn open() -> Result<Device, Failure> {
    Ok(Device::flex())
}

/// The GPU, opened once in the life of this wasm instance: a second initialisation is an error.
#[cfg(feature = "gpu")]
pub(crate) async fn open() -> Result<Device, Failure> {
    use std::cell::OnceCell;

    thread_local! {
        static DEVICE: OnceCell<Device> = const { OnceCell::new() };
    }
    if let Some(device) = DEVICE.with(|cell| cell.get().cloned()) {
        return Ok(device);
    }
    let device = (Device::wgpu_options().init_async().await).map_err(|error| Failure {
        code: "device/unavailable",
        message: format!("the GPU could not be opened: {error}"),
    })?;
    Ok(DEVICE.with(|cell| cell.get_or_init(|| device).clone()))
}
