//! Encodes a history and ranks the catalogue on a GPU: with WebGPU in the browser, or natively with Vulkan, Metal or
//! DirectX.
//!
//! An answer is one submission of `2 * blocks + 3` kernels, `2 * blocks + 5` for several kept histories, and one
//! read-back of a few hundred bytes. The Transformer takes two kernels per block ([`encoder`]), in which a workgroup works
//! on four clicks; all kept histories are encoded together. The item table stays on the GPU in the bundle's bytes; one
//! kernel scores it and adds up the softmax, and only the best rows are returned ([`scan`]). Their scores are then
//! computed again from the floats, as on the CPU.
//!
//! Clicks are judged on the CPU, where all methods are implemented: this takes less than a millisecond, and a new method
//! needs no kernel. With a [`Judge`](ingle_model::Judge) the GPU judges them ([`judge`]), in the same submission: it gets
//! the rows of the clicked items, and nothing is read back before the answer.
//!
//! Buffers, pipelines and bind groups are created once, when a bundle is opened. Only core WebGPU is used: no
//! `timestamp-query`, no subgroups, no half precision.

mod device;
mod encoder;
mod error;
mod histories;
mod judge;
mod layout;
mod ranker;
mod scan;
mod staging;

pub use error::GpuError;
pub use ranker::Gpu;
