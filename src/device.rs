//! The engine of this build: who ranks.

use ingle_bundle::Bundle;
use ingle_model::Click;

use crate::error::Failure;

#[cfg(feature = "burn-gpu")]
mod adapter;

#[cfg(not(any(
    feature = "cpu",
    feature = "gpu",
    feature = "burn-cpu",
    feature = "burn-gpu"
)))]
compile_error!("choose an engine: feature `cpu`, `gpu`, `burn-cpu` or `burn-gpu`");

/// The name of this build's engine.
pub(crate) const KIND: &str = if cfg!(feature = "burn-gpu") {
    "burn-gpu"
} else if cfg!(feature = "burn-cpu") {
    "burn-cpu"
} else if cfg!(feature = "gpu") {
    "gpu"
} else {
    "cpu"
};

/// A loaded bundle on this build's device.
#[cfg(feature = "burn")]
pub(crate) type Native = ingle_model::Engine;
#[cfg(all(feature = "gpu", not(feature = "burn")))]
pub(crate) type Native = ingle_model::SliceEngine<ingle_gpu::Gpu>;
#[cfg(not(any(feature = "gpu", feature = "burn")))]
pub(crate) type Native = ingle_model::SliceEngine;

/// Opens a bundle in memory.
#[cfg(not(any(feature = "gpu", feature = "burn")))]
#[expect(clippy::unused_async, reason = "the GPU builds have to wait")]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    Ok(Native::new(bundle)?)
}

/// Opens a bundle on the GPU.
#[cfg(all(feature = "gpu", not(feature = "burn")))]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    let engine = ingle_model::SliceEngine::new(bundle)?;
    let gpu = ingle_gpu::Gpu::open(engine.parts()).await?;
    Ok(engine.with(gpu))
}

/// Opens a bundle on Burn's CPU backend.
#[cfg(all(feature = "burn", not(feature = "burn-gpu")))]
#[expect(clippy::unused_async, reason = "the GPU builds have to wait")]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    Ok(Native::new(bundle, &burn::prelude::Device::flex())?)
}

/// Opens a bundle on Burn's GPU backend.
#[cfg(feature = "burn-gpu")]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    let device = adapter::device(&bundle).await?;
    Ok(Native::new(bundle, &device)?)
}

/// What the denoiser makes of each click.
#[cfg(feature = "burn")]
pub(crate) async fn explain(engine: &Native, history: &[String]) -> Result<Vec<Click>, Failure> {
    Ok(engine.explain(history).await?)
}

/// What the denoiser makes of each click.
#[cfg(not(feature = "burn"))]
#[expect(clippy::unused_async, reason = "on tensors it has to wait")]
pub(crate) async fn explain(engine: &Native, history: &[String]) -> Result<Vec<Click>, Failure> {
    Ok(engine.explain(history))
}
