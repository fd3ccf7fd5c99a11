//! The engine of this build: the same calls, whatever it computes on.

#[cfg(not(feature = "gpu"))]
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;

#[cfg(not(feature = "gpu"))]
pub(crate) use cpu::Native;
#[cfg(feature = "gpu")]
pub(crate) use gpu::Native;

/// The name of this build's engine.
pub(crate) const KIND: &str = if cfg!(feature = "gpu") { "gpu" } else { "cpu" };

#[cfg(not(any(feature = "cpu", feature = "gpu")))]
compile_error!("choose an engine: feature `cpu` or feature `gpu`");
