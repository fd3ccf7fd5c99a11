//! The backbone on the GPU ([SASRec](https://arxiv.org/abs/1808.09781)): computes the user vector from clicks with
//! keep weights.
//!
//! Two kernels per block: one projects clicks to queries, keys and values; one computes attention and the
//! feed-forward layer. Both process four clicks at a time. The last block processes only the latest four, the last of
//! which gives the user vector.

use crate::device::Device;
use crate::error::GpuError;
use ingle_model::BackboneConfig;
use ingle_model::engine::{Rows, Transformer};
use wgpu::{BindGroup, Buffer, BufferUsages, ComputePass, ComputePipeline};

/// Clicks processed together, and columns of a weight that are stored together.
const QUAD: usize = 4;

/// Threads that share the computation of a sum.
const PARTS: usize = 16;

/// The Transformer's weights and kernels.
#[derive(Debug)]
pub(crate) struct Encoder {
    project: ComputePipeline,
    mix: ComputePipeline,
    blocks: Vec<Block>,
    /// Input of the first block, `[quads, width, 4]`.
    x: Buffer,
    width: usize,
}

#[derive(Debug)]
struct Block {
    project: BindGroup,
    mix: BindGroup,
}

impl Encoder {
    /// # Errors
    /// If a workgroup's memory is too small for a model of this size.
    pub(crate) fn new(
        device: &Device,
        config: &BackboneConfig,
        transformer: Transformer<'_>,
        user: &Buffer,
        question: &Buffer,
    ) -> Result<Self, GpuError> {
        let [width, feed] = [config.width, config.feed_forward];
        let quads = config.max_len.div_ceil(QUAD);
        let filled = width.next_multiple_of(QUAD);
        let scratch = (config.heads * quads * QUAD).max(feed.next_multiple_of(QUAD));
        check_workgroup(device, QUAD * (2 * filled + PARTS + scratch))?;
        let constants = [
            ("WIDTH", width),
            ("HEADS", config.heads),
            ("FEED", feed),
            ("QUADS", quads),
            ("SCRATCH", scratch),
        ];
        let shader = include_str!("shaders/encode.wgsl");
        let [project, mix] = device.pipelines(&constants, shader, ["project", "mix"]);
        let weights = device.filled(&lay_out(transformer.weights()));
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let x = device.buffer(quads * width * QUAD, usage);
        let projected = device.buffer(3 * quads * filled * QUAD, BufferUsages::STORAGE);
        let block = |at: usize| {
            let last = at + 1 == config.blocks;
            let block = device.buffer(4, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            let start = at * block_size(width, feed);
            device.write(&block, 0, &[start as u32, u32::from(last)]);
            let read = [(0, &weights), (1, &x), (2, &projected), (4, &block)];
            let mixed = [&read[..], &[(3, user), (5, question)]].concat();
            Block {
                project: device.bind(&project, &read),
                mix: device.bind(&mix, &mixed),
            }
        };
        Ok(Self {
            blocks: (0..config.blocks).map(block).collect(),
            project,
            mix,
            x,
            width,
        })
    }

    /// Writes the input of the first block, `[len, width]`.
    pub(crate) fn write(&self, device: &Device, inputs: &[f32]) {
        let len = inputs.len() / self.width;
        let mut quads = vec![0.0; len.next_multiple_of(QUAD) * self.width];
        for (click, row) in inputs.chunks_exact(self.width).enumerate() {
            let quad = &mut quads[click / QUAD * QUAD * self.width..][click % QUAD..];
            for (slot, &value) in quad.iter_mut().step_by(QUAD).zip(row) {
                *slot = value;
            }
        }
        device.write(&self.x, 0, &quads);
    }

    /// Computes the user vector of a history of `len` clicks; does nothing for an empty one.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, len: usize) {
        if len == 0 {
            return;
        }
        let quads = len.div_ceil(QUAD) as u32;
        for (at, block) in self.blocks.iter().enumerate() {
            let last = at + 1 == self.blocks.len();
            pass.set_pipeline(&self.project);
            pass.set_bind_group(0, &block.project, &[]);
            pass.dispatch_workgroups(quads, 1, 1);
            pass.set_pipeline(&self.mix);
            pass.set_bind_group(0, &block.mix, &[]);
            pass.dispatch_workgroups(if last { 1 } else { quads }, 1, 1);
        }
    }
}

/// All weights, every row padded to a multiple of four.
fn lay_out<'a>(weights: impl Iterator<Item = Rows<'a>>) -> Vec<f32> {
    let mut out = Vec::new();
    for Rows { columns, values } in weights {
        for row in values.chunks_exact(columns) {
            out.extend_from_slice(row);
            out.resize(out.len().next_multiple_of(QUAD), 0.0);
        }
    }
    out
}

/// Number of groups of four values in a block's weights.
fn block_size(width: usize, feed: usize) -> usize {
    let [wide, fed] = [width, feed].map(|columns| columns.div_ceil(QUAD));
    let norms = 2 * 2 * wide;
    let attention = 4 * (width + 1) * wide;
    norms + attention + (width + 1) * fed + (feed + 1) * wide
}

fn check_workgroup(device: &Device, values: usize) -> Result<(), GpuError> {
    let limit = device.handle.limits().max_compute_workgroup_storage_size as usize;
    if 4 * values > limit {
        return Err(GpuError::Refused(format!(
            "four clicks take {} bytes of a workgroup, which has {limit}",
            4 * values
        )));
    }
    Ok(())
}
