//! The scorer of `dc4sr` on the GPU, and the choice of the kept histories.
//!
//! One kernel computes the similarity of the clicks; then each block takes two, those of prior and posterior together;
//! one more chooses the kept histories. Everything stays on the GPU: the encoder reads the histories from there, and
//! takes the numbers of its workgroups from there.

use crate::device::Device;
use crate::encoder::{QUAD, lay_out};
use crate::histories::Histories;
use crate::layout::LANES;
use ingle_model::BackboneConfig;
use ingle_model::Judge;
use ingle_model::engine::Rows;
use wgpu::{BindGroup, Buffer, BufferUsages, ComputePass, ComputePipeline};

/// Statistics of similarity.
const SUMMARY: usize = 4;

/// The scorer's weights and kernels.
#[derive(Debug)]
pub(crate) struct Scorer {
    liken: (ComputePipeline, BindGroup),
    view: ComputePipeline,
    judge: ComputePipeline,
    /// Bindings of both kernels of each block, and the number of networks that run side by side.
    blocks: Vec<([BindGroup; 2], u32)>,
    choose: (ComputePipeline, BindGroup),
    pub(crate) code_width: usize,
    /// Histories that may be kept.
    pub(crate) most: usize,
    /// The noise probability of each click.
    pub(crate) noise: Buffer,
    /// The weight of each click over all histories.
    pub(crate) kept: Buffer,
    /// Numbers of workgroups for the kept histories, of the kernels that follow.
    pub(crate) grid: Buffer,
}

/// Where a network is in the weights.
struct Place {
    input: usize,
    inputs: usize,
    /// Of each block: its weights and its attention bias.
    blocks: Vec<[usize; 2]>,
    end: usize,
}

impl Scorer {
    pub(crate) fn new(
        device: &Device,
        backbone: &BackboneConfig,
        judge: Judge<'_>,
        histories: &Histories,
        question: &Buffer,
        tiles: usize,
    ) -> Self {
        let config = judge.sizes();
        let (width, code_width) = (config.scorer_width, config.code_width);
        let max_len = backbone.max_len;
        let (weights, networks, rule) = lay_out_all(judge);
        let thresholds = thresholds(judge);
        let gate = judge.gate();
        let constants = [
            ("WIDTH", width),
            ("HEADS", config.scorer_heads),
            ("FEED", 2 * width),
            ("MAX", max_len),
            ("TABLE", backbone.width),
            ("CODE", code_width),
            ("RECORD", histories.record),
            ("RULE", rule),
            ("TILES", tiles),
            ("THRESHOLDS", thresholds.len()),
            ("SHIFT", gate.scale.shift.to_bits() as usize),
            ("TEMPERATURE", gate.scale.temperature.to_bits() as usize),
        ];
        let shader = include_str!("shaders/judge.wgsl");
        let choose = if thresholds.is_empty() {
            "gate"
        } else {
            "choose"
        };
        let [liken, view, act, choose] =
            device.pipelines(&constants, shader, ["liken", "view", "judge", choose]);
        let weights = device.filled(&weights);
        let stored = |values| device.buffer(values, BufferUsages::STORAGE);
        let x = stored(2 * max_len * width);
        let projected = stored(2 * 3 * max_len * width.next_multiple_of(QUAD));
        let similar = stored(2 * (max_len + SUMMARY) * max_len);
        let seen = stored(2 * max_len * (width + 1));
        let read_back = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let [noise, kept] = [(); 2].map(|()| device.buffer(max_len, read_back));
        let given = (3, &histories.given);
        let grid = device.buffer(12, BufferUsages::STORAGE | BufferUsages::INDIRECT);
        let block = |at: usize, side_by_side: &[usize]| {
            let steps = side_by_side
                .iter()
                .map(|&net| step(net, &networks[net], at));
            let steps: Vec<[u32; STEP]> = steps.collect();
            let steps = device.filled(steps.as_flattened());
            let both = [
                (0, &weights),
                (1, &x),
                (2, &projected),
                (5, &seen),
                (7, &steps),
                (8, question),
            ];
            let bindings = [
                device.bind(&view, &[&both[..], &[given]].concat()),
                device.bind(&act, &[&both[..], &[(4, &similar), (6, &noise)]].concat()),
            ];
            (bindings, side_by_side.len() as u32)
        };
        let views = (0..config.view_blocks).map(|at| block(at, &[0, 1]));
        let fusions = (0..config.fusion_blocks).map(|at| block(at, &[2]));
        let blocks = views.chain(fusions).collect();
        let likened = device.bind(&liken, &[given, (4, &similar), (8, question)]);
        let chosen = [
            (0, &weights),
            given,
            (6, &noise),
            (8, question),
            (9, &histories.places),
            (10, &histories.many),
            (11, &kept),
            (12, &grid),
        ];
        let chosen = device.bind(&choose, &chosen);
        Self {
            liken: (liken, likened),
            view,
            judge: act,
            blocks,
            choose: (choose, chosen),
            code_width,
            most: thresholds.len().max(1),
            noise,
            kept,
            grid,
        }
    }

    /// Judges `len` clicks and chooses the kept histories.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, len: usize) {
        let groups = len.div_ceil(LANES) as u32;
        let mut run = |pipeline, bindings, groups, many| {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.dispatch_workgroups(groups, many, 1);
        };
        run(&self.liken.0, &self.liken.1, groups, 2);
        for ([view, judge], networks) in &self.blocks {
            run(&self.view, view, groups, *networks);
            run(&self.judge, judge, groups, *networks);
        }
        run(&self.choose.0, &self.choose.1, 1, 1);
    }
}

/// The thresholds of the keep rule; none if the gate weights clicks.
fn thresholds(judge: Judge<'_>) -> &[f32] {
    judge.rule().map_or(&[][..], |rule| rule.thresholds())
}

/// All weights, where each network is in them, and where the thresholds are, or the bounds of the gate.
fn lay_out_all(judge: Judge<'_>) -> (Vec<f32>, [Place; 3], usize) {
    let width = judge.sizes().scorer_width;
    let mut weights = Vec::new();
    let networks = judge.networks().map(|network| {
        let mut put = |rows: Vec<Rows<'_>>| {
            let at = weights.len() / QUAD;
            weights.extend(lay_out(rows.into_iter()));
            at
        };
        let inputs = network.input[0].values.len() / width;
        Place {
            inputs,
            input: put(network.input.into()),
            blocks: (network.blocks.into_iter())
                .map(|(block, pulls)| [block, vec![pulls]].map(&mut put))
                .collect(),
            end: put(network.end.into()),
        }
    });
    let rule = weights.len() / QUAD;
    let (thresholds, gate) = (thresholds(judge), judge.gate());
    weights.extend_from_slice(thresholds);
    if thresholds.is_empty() {
        weights.extend([gate.tau_low, gate.tau_high]);
    }
    weights.resize(weights.len().next_multiple_of(QUAD), 0.0);
    (weights, networks, rule)
}

/// Values of a step.
const STEP: usize = 10;

/// What the kernels have to know of block `at` of a network; see `Step` in the shader.
fn step(net: usize, network: &Place, at: usize) -> [u32; STEP] {
    let [start, pulls] = network.blocks[at];
    // The prior's similarity is that of codes, the second kind; the fusion has both.
    let (kind, kinds) = [(1, 1), (0, 1), (0, 2)][net];
    let first = usize::from(at == 0);
    let last = usize::from(at + 1 == network.blocks.len());
    [
        net,
        network.input,
        network.inputs,
        start,
        pulls,
        network.end,
        kind,
        kinds,
        first,
        last,
    ]
    .map(|value| value as u32)
}
