//! Scores the item table on the GPU in one pass and finds the best rows.

use crate::device::Device;
use crate::error::GpuError;
use crate::histories::{Grid, Histories};
use crate::layout::{LANES, Layout, TILE};
use ingle_bundle::{ItemTable, TableValues};
use ingle_model::Parts;
use ingle_model::rank::Wanted;
use std::cell::RefCell;
use std::collections::BTreeSet;
use wgpu::{BindGroup, Buffer, BufferUsages, ComputePass, ComputePipeline};

/// Largest number of rows that the GPU finds; for more, all scores are returned.
pub(crate) const MOST: usize = 256;
/// Values before the rows in a result.
pub(crate) const HEADER: usize = 4;
/// Rows of a group, and groups of an upper group.
const FAN: usize = 32;
/// Added to the score of a row that must not be recommended; the kernels use the same constant.
pub(crate) const BARRED: f32 = -3.0e38;
/// The same for a row with values that are not finite.
const DEAD: f32 = f32::MIN;

/// Largest number of histories that are ranked together.
pub(crate) const HISTORIES: usize = ingle_model::kept::MOST;

const SHADER: &str = include_str!("shaders/scan.wgsl");

/// The score of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The inner product.
    Product,
    /// The cosine.
    Cosine,
}

/// The item table and its kernels.
#[derive(Debug)]
pub(crate) struct Scan {
    layout: Layout,
    score: ComputePipeline,
    fold: ComputePipeline,
    pick: ComputePipeline,
    /// For inner products and for cosines.
    scans: [BindGroup; 2],
    folds: BindGroup,
    picks: BindGroup,
    /// Added to each score: boosts and exclusions.
    bias: Buffer,
    barred: RefCell<Barred>,
    /// Rows with values that are not finite.
    dead: BTreeSet<usize>,
    pub(crate) scores: Buffer,
    pub(crate) answer: Buffer,
    /// Buffers that the kernels for several histories use too: the table, its factors, and the best row and the mass
    /// of each group.
    shared: [Buffer; 4],
    constants: Vec<(&'static str, usize)>,
}

/// Kernels and memory for several histories, created when they are first needed.
#[derive(Clone, Debug)]
pub(crate) struct Several {
    /// Number of histories for which there is memory.
    pub(crate) room: usize,
    score: ComputePipeline,
    total: ComputePipeline,
    mix: ComputePipeline,
    scans: BindGroup,
    sums: BindGroup,
    means: BindGroup,
    /// Maximum and sum of each history's softmax.
    pub(crate) totals: Buffer,
}

/// The entries of the bias that are neither zero nor those of dead rows.
#[derive(Debug)]
enum Barred {
    Rows(BTreeSet<usize>),
    Whole,
}

impl Scan {
    /// # Errors
    /// If the GPU rejects a table of this size.
    pub(crate) fn new(
        device: &Device,
        parts: &Parts,
        layout: Layout,
        histories: &Histories,
        question: &Buffer,
    ) -> Result<Self, GpuError> {
        let table = parts.table();
        let (needed, limit) = (layout.size(), device.largest());
        if needed > limit {
            return Err(GpuError::TooLarge { needed, limit });
        }
        let groups = layout.rows / FAN;
        let constants = vec![
            ("ROWS", table.rows),
            ("COLUMNS", layout.columns),
            ("BYTES", usize::from(layout.bytes)),
            ("GROUPS", groups),
            ("HEADER", HEADER),
            ("HISTORIES", HISTORIES),
        ];
        let [score, fold, pick] = device.pipelines(&constants, SHADER, ["score", "fold", "pick"]);
        let kept = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let filled = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let products = layout.factors(table);
        let lengths = cosine_factors(&products, &parts.lengths(), table);
        let dead = dead_rows(table, &products);
        let [bests, masses] =
            [(); 2].map(|()| device.buffer(2 * (groups + groups / FAN), BufferUsages::STORAGE));
        let values = upload(device, &layout, table);
        let bias = device.buffer(layout.rows, filled);
        for &row in &dead {
            device.write(&bias, row, &[DEAD]);
        }
        let scores = device.buffer(layout.rows, kept);
        let answer = device.buffer(HEADER + MOST, kept);
        let factors = [products, lengths].map(|factors| device.filled(&factors));
        let scans = factors.each_ref().map(|factors| {
            let read = [
                (0, &values),
                (1, factors),
                (2, &bias),
                (3, &histories.vectors),
            ];
            let written = [(4, &scores), (5, &bests), (6, &masses)];
            device.bind(&score, &[&read[..], &written].concat())
        });
        let folds = device.bind(&fold, &[(5, &bests), (6, &masses)]);
        let found = [
            (4, &scores),
            (5, &bests),
            (6, &masses),
            (7, &answer),
            (8, question),
        ];
        let picks = device.bind(&pick, &found);
        Ok(Self {
            layout,
            score,
            fold,
            pick,
            scans,
            folds,
            picks,
            bias,
            barred: RefCell::new(Barred::Rows(BTreeSet::new())),
            dead,
            scores,
            answer,
            shared: [values, factors[0].clone(), bests, masses],
            constants,
        })
    }

    /// Distance of two user vectors, in values.
    pub(crate) fn stride(&self) -> usize {
        self.layout.vector()
    }

    /// Tiles of the table.
    pub(crate) fn tiles(&self) -> usize {
        self.layout.rows / TILE
    }

    /// Whether the GPU has room for the scores of this many histories.
    pub(crate) fn has_room(&self, device: &Device, histories: usize) -> bool {
        histories <= HISTORIES && 4 * (histories * self.layout.rows) as u64 <= device.largest()
    }

    /// Kernels and memory for this many histories; `None` if the GPU has no room for their scores.
    pub(crate) fn several(
        &self,
        device: &Device,
        clicks: &Histories,
        histories: usize,
    ) -> Option<Several> {
        let groups = self.layout.rows / FAN;
        let scores = histories * self.layout.rows;
        if !self.has_room(device, histories) {
            return None;
        }
        let names = ["score_each", "total", "mix"];
        let [score, total, mix] = device.pipelines(&self.constants, SHADER, names);
        let kept = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let totals = device.buffer(2 * HISTORIES, kept);
        let each = device.buffer(scores, BufferUsages::STORAGE);
        let each_mass = device.buffer(2 * histories * groups, BufferUsages::STORAGE);
        let [table, factors, bests, masses] = &self.shared;
        let read = [
            (0, table),
            (1, factors),
            (2, &self.bias),
            (3, &clicks.vectors),
        ];
        let many = (12, &clicks.many);
        let scans = [&read[..], &[(9, &each), (10, &each_mass), many]].concat();
        let mixed = [(2, &self.bias), (4, &self.scores), (5, bests), (6, masses)];
        let means = [(9, &each), (10, &each_mass), (11, &totals), many];
        let means = [&mixed[..], &means].concat();
        Some(Several {
            room: histories,
            scans: device.bind(&score, &scans),
            sums: device.bind(&total, &[(10, &each_mass), (11, &totals), many]),
            means: device.bind(&mix, &means),
            score,
            total,
            mix,
            totals,
        })
    }

    /// Scores all rows for several histories and finds the best by the mean of their probabilities.
    pub(crate) fn dispatch_several(
        &self,
        pass: &mut ComputePass<'_>,
        several: &Several,
        grid: &Grid<'_>,
    ) {
        for (pipeline, bindings, at) in [
            (&several.score, &several.scans, 2),
            (&several.total, &several.sums, 3),
        ] {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            grid.dispatch(pass, at);
        }
        pass.set_pipeline(&several.mix);
        pass.set_bind_group(0, &several.means, &[]);
        pass.dispatch_workgroups(self.tiles() as u32, 1, 1);
        self.dispatch_best(pass);
    }

    /// Writes which rows are wanted.
    pub(crate) fn want(&self, device: &Device, wanted: &Wanted<'_>) {
        let barred = (wanted.barred.iter().copied()).filter(|row| !self.dead.contains(row));
        let barred: BTreeSet<usize> = barred.collect();
        let mut before = self.barred.borrow_mut();
        let plain = wanted.allow.is_none() && wanted.boost.is_none();
        *before = match &*before {
            Barred::Rows(before) if plain => {
                for &row in before.difference(&barred) {
                    device.write(&self.bias, row, &[0.0f32]);
                }
                for &row in barred.difference(before) {
                    device.write(&self.bias, row, &[BARRED]);
                }
                Barred::Rows(barred)
            }
            _ => {
                device.write(&self.bias, 0, &self.whole_bias(wanted));
                if plain {
                    Barred::Rows(barred)
                } else {
                    Barred::Whole
                }
            }
        };
    }

    fn whole_bias(&self, wanted: &Wanted<'_>) -> Vec<f32> {
        let mut bias = vec![0.0; self.layout.rows];
        if let Some(boost) = wanted.boost {
            bias[..boost.len()].copy_from_slice(boost);
        }
        for (bias, _) in (bias.iter_mut().zip(wanted.allow.unwrap_or_default()))
            .filter(|(_, allow)| **allow == 0)
        {
            *bias = BARRED;
        }
        wanted.barred.iter().for_each(|&row| bias[row] = BARRED);
        self.dead.iter().for_each(|&row| bias[row] = DEAD);
        bias
    }

    /// Scores all rows and finds the best.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, measure: Measure) {
        pass.set_pipeline(&self.score);
        pass.set_bind_group(0, &self.scans[measure as usize], &[]);
        pass.dispatch_workgroups(self.tiles() as u32, 1, 1);
        self.dispatch_best(pass);
    }

    /// Finds the best rows of scores that are computed already.
    fn dispatch_best(&self, pass: &mut ComputePass<'_>) {
        let uppers = self.layout.rows / TILE * LANES / FAN;
        let kernels = [
            (&self.fold, &self.folds, uppers.div_ceil(LANES)),
            (&self.pick, &self.picks, 1),
        ];
        for (pipeline, bindings, workgroups) in kernels {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, bindings, &[]);
            pass.dispatch_workgroups(workgroups as u32, 1, 1);
        }
    }
}

/// Uploads the table tile by tile, so that memory never holds a second copy.
fn upload(device: &Device, layout: &Layout, table: &ItemTable) -> Buffer {
    let values = (layout.size() / 4) as usize;
    let buffer = device.buffer(values, BufferUsages::STORAGE | BufferUsages::COPY_DST);
    for tile in 0..layout.rows / TILE {
        let at = tile * TILE * (values / layout.rows);
        device.write(&buffer, at, &layout.tile(table, tile));
    }
    buffer
}

/// Factors from the sums over rows to cosines, up to the vector's length; 0 for a row of length 0.
fn cosine_factors(products: &[f32], lengths: &[f32], table: &ItemTable) -> Vec<f32> {
    let mut factors = products.to_vec();
    for (factor, &length) in factors[..table.rows].iter_mut().zip(lengths) {
        *factor = if length > 0.0 { *factor / length } else { 0.0 };
    }
    factors
}

fn dead_rows(table: &ItemTable, products: &[f32]) -> BTreeSet<usize> {
    let mut floats = vec![0.0; table.width];
    let rows = 0..table.rows;
    rows.filter(|&row| match &table.values {
        TableValues::Int8 { .. } => !products[row].is_finite(),
        TableValues::F16(_) | TableValues::F32(_) => {
            table.row(row, &mut floats);
            floats.iter().any(|x| !x.is_finite())
        }
    })
    .collect()
}
