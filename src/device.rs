//! The engine of this build: who ranks.

use ingle_bundle::Bundle;
use ingle_model::EngineError;

use crate::error::Failure;

#[cfg(feature = "burn-gpu")]
mod adapter;

#[cfg(not(any(feature = "cpu", feature = "gpu", feature = "burn")))]
compile_error!("choose an engine: feature `cpu`, `gpu`, `burn-cpu` or `burn-gpu`");

const ON_GPU: bool = cfg!(any(feature = "burn-gpu", feature = "gpu"));
/// The name of this build's engine.
pub(crate) const KIND: &str = match (cfg!(feature = "burn"), ON_GPU) {
    (true, true) => "burn-gpu",
    (true, false) => "burn-cpu",
    (false, true) => "gpu",
    (false, false) => "cpu",
};

/// A loaded bundle on this build's device.
#[cfg(feature = "burn")]
pub(crate) type Native = ingle_model::Engine;
#[cfg(all(feature = "gpu", not(feature = "burn")))]
pub(crate) type Native = ingle_model::SliceEngine<ingle_gpu::Gpu>;
#[cfg(not(any(feature = "gpu", feature = "burn")))]
pub(crate) type Native = ingle_model::SliceEngine;

/// Opens a bundle on this build's device. `gpu_judges`: whether the kernels on WebGPU judge clicks, if they can.
#[allow(clippy::unused_async, reason = "the GPU builds have to wait")]
pub(crate) async fn open(bundle: Bundle, gpu_judges: bool) -> Result<Native, Failure> {
    let _ = gpu_judges;
    #[cfg(feature = "burn-gpu")]
    let engine = {
        let device = adapter::device(&bundle).await?;
        Native::new(bundle, &device)?
    };
    #[cfg(all(feature = "burn", not(feature = "burn-gpu")))]
    let engine = Native::new(bundle, &burn::prelude::Device::flex())?;
    #[cfg(not(feature = "burn"))]
    let engine = ingle_model::SliceEngine::new(bundle)?;
    #[cfg(all(feature = "gpu", not(feature = "burn")))]
    let engine = {
        let judge = engine.judge_parts().filter(|_| gpu_judges);
        let gpu = ingle_gpu::Gpu::open(engine.parts(), judge).await?;
        engine.with(gpu)
    };
    Ok(engine)
}

/// The device that judges clicks; none for a method that judges none.
pub(crate) fn scorer(engine: &Native) -> Option<&'static str> {
    #[cfg(feature = "burn")]
    let name = (engine.judges()).then_some(KIND.trim_start_matches("burn-"));
    #[cfg(not(feature = "burn"))]
    let name = engine.scorer().map(ingle_model::Scorer::name);
    name
}

/// An error if Burn's GPU was lost; other builds find that out as they answer.
#[allow(clippy::unnecessary_wraps, reason = "without a GPU nothing is lost")]
pub(crate) fn sound() -> Result<(), EngineError> {
    #[cfg(feature = "burn-gpu")]
    adapter::sound()?;
    Ok(())
}
