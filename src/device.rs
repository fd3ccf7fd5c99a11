//! The engine of this build: who ranks.

use ingle_bundle::Bundle;
use ingle_model::SliceEngine;

use crate::error::Failure;

#[cfg(not(any(feature = "cpu", feature = "gpu")))]
compile_error!("choose an engine: feature `cpu` or feature `gpu`");

/// The name of this build's engine.
pub(crate) const KIND: &str = if cfg!(feature = "gpu") { "gpu" } else { "cpu" };

/// A loaded bundle on this build's device.
#[cfg(not(feature = "gpu"))]
pub(crate) type Native = SliceEngine;
#[cfg(feature = "gpu")]
pub(crate) type Native = SliceEngine<ingle_gpu::Gpu>;

/// Opens a bundle in memory.
#[cfg(not(feature = "gpu"))]
#[expect(clippy::unused_async, reason = "the GPU build has to wait")]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    Ok(SliceEngine::new(bundle)?)
}

/// Opens a bundle on the GPU.
#[cfg(feature = "gpu")]
pub(crate) async fn open(bundle: Bundle) -> Result<Native, Failure> {
    let engine = SliceEngine::new(bundle)?;
    let gpu = ingle_gpu::Gpu::open(engine.parts()).await?;
    Ok(engine.with(gpu))
}
