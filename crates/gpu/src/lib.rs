//! A history read and a catalogue ranked on a GPU, through the browser's WebGPU, or natively through Vulkan,
//! Metal or DirectX.
//!
//! An answer is one submission of `2 * blocks + 3` kernels and one read back of a few hundred bytes. The
//! Transformer takes two kernels a block ([`encoder`]), in which a workgroup works on one click; the item table
//! stays on the GPU as the bytes of the bundle, is scored in one pass that also adds up the softmax, and only
//! the best rows come back ([`scan`]). Their scores are then computed once more from the floats, as the
//! processor does it. Clicks are judged on the processor, where methods are at home: that is a millisecond's
//! work, and no kernel has to be written for a new method.
//!
//! Buffers, pipelines and bindings are made once, when a bundle is opened. Nothing but core WebGPU is asked
//! of a GPU: no `timestamp-query`, no subgroups, no half precision.

mod device;
mod encoder;
mod error;
mod layout;
mod ranker;
mod scan;
mod staging;

pub use error::GpuError;
pub use ranker::Gpu;
