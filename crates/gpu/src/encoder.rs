//! The backbone on the GPU ([SASRec](https://arxiv.org/abs/1808.09781)): computes user vectors from histories.
//!
//! Two kernels per block: one projects clicks to queries, keys and values; one computes attention and the
//! feed-forward layer. Both process four clicks at a time, of all histories at once. The last block processes only the
//! latest four of each, the last of which gives the user vector.

use crate::device::Device;
use crate::error::GpuError;
use crate::histories::{Grid, Histories};
use ingle_model::BackboneConfig;
use ingle_model::engine::{Rows, Transformer};
use wgpu::{BindGroup, BufferUsages, ComputePass, ComputePipeline};

/// Clicks processed together, and columns of a weight that are stored together.
pub(crate) const QUAD: usize = 4;

/// Threads that share the computation of a sum.
const PARTS: usize = 16;

/// The Transformer's weights and kernels.
#[derive(Debug)]
pub(crate) struct Encoder {
    project: ComputePipeline,
    mix: ComputePipeline,
    blocks: Vec<Block>,
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
        histories: &Histories,
        stride: usize,
    ) -> Result<Self, GpuError> {
        let [width, feed] = [config.width, config.feed_forward];
        let quads = config.max_len.div_ceil(QUAD);
        let filled = width.next_multiple_of(QUAD);
        let scratch = (config.heads * quads * QUAD).max(feed.next_multiple_of(QUAD));
        check_workgroup(device, QUAD * (2 * filled + PARTS + scratch))?;
        let mut weights = lay_out(transformer.weights());
        let positions = weights.len() / QUAD;
        weights.extend(lay_out([transformer.positions()].into_iter()));
        let constants = [
            ("WIDTH", width),
            ("HEADS", config.heads),
            ("FEED", feed),
            ("QUADS", quads),
            ("SCRATCH", scratch),
            ("MAX", config.max_len),
            ("RECORD", histories.record),
            ("POSITIONS", positions),
            ("STRIDE", stride),
        ];
        let shader = include_str!("shaders/encode.wgsl");
        let [project, mix] = device.pipelines(&constants, shader, ["project", "mix"]);
        let weights = device.filled(&weights);
        let [x, projected] = states(config)
            .map(|values| device.buffer(histories.room * values, BufferUsages::STORAGE));
        let block = |at: usize| {
            let last = at + 1 == config.blocks;
            let block = device.buffer(4, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            let start = at * block_size(width, feed);
            let ends = [u32::from(at == 0), u32::from(last)];
            device.write(&block, 0, &[start as u32, ends[0], ends[1]]);
            let both = [
                (0, &weights),
                (1, &x),
                (2, &projected),
                (5, &histories.many),
                (7, &block),
            ];
            let read = [(3, &histories.given), (4, &histories.places)];
            Block {
                project: device.bind(&project, &[&both[..], &read].concat()),
                mix: device.bind(&mix, &[&both[..], &[(6, &histories.vectors)]].concat()),
            }
        };
        Ok(Self {
            blocks: (0..config.blocks).map(block).collect(),
            project,
            mix,
        })
    }

    /// Computes the user vectors of the histories.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, grid: &Grid<'_>) {
        for (at, block) in self.blocks.iter().enumerate() {
            let last = at + 1 == self.blocks.len();
            pass.set_pipeline(&self.project);
            pass.set_bind_group(0, &block.project, &[]);
            grid.dispatch(pass, 0);
            pass.set_pipeline(&self.mix);
            pass.set_bind_group(0, &block.mix, &[]);
            grid.dispatch(pass, usize::from(last));
        }
    }
}

/// Values of the hidden states of one history, and of its queries, keys and values.
pub(crate) fn states(config: &BackboneConfig) -> [usize; 2] {
    let clicks = config.max_len.next_multiple_of(QUAD);
    [
        clicks * config.width,
        3 * clicks * config.width.next_multiple_of(QUAD),
    ]
}

/// All weights, every row padded to a multiple of four.
pub(crate) fn lay_out<'a>(weights: impl Iterator<Item = Rows<'a>>) -> Vec<f32> {
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
