//! Semantic codes being learnt: what is known of the words of an item's title, brought to a few
//! values by a learnt projection. The projection is all that is learnt, so items that were clicked once
//! or never get codes as good as the others'.

use super::checkpoint::{load_module, save_module};
use super::samples::tensor;
use crate::data::Dataset;
use crate::text::components::principal;
use crate::text::titles;
use anyhow::Result;
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::Int;
use ingle_model::Codes;
use std::path::Path;

/// Directions in which titles differ that a projection may draw on.
const FEATURES: usize = 128;

/// The projection, `[features, code width]`.
#[derive(Module, Debug)]
struct Projection {
    weight: Param<Tensor<2>>,
}

/// Features of all items, and the projection that is learnt.
pub struct Coder {
    /// `[items + 1, features]`, the first row for padding, on no autodiff device.
    features: Tensor<2>,
    projection: Projection,
    optimizer: ModuleOptimizer,
}

impl Coder {
    /// Begins with the directions in which titles differ most. Items without a title, and all items
    /// where no title has a word of another's, get codes that say nothing.
    pub fn new(
        data: &Dataset,
        seed: u64,
        width: usize,
        optimizer: ModuleOptimizer,
        device: &Device,
    ) -> Self {
        let rows = data.n_items() + 1;
        let (values, columns) = features(data, seed);
        let begin = (0..columns * width).map(|i| f32::from(u8::from(i / width == i % width)));
        let weight = tensor(begin.collect(), [columns, width], device).require_grad();
        Self {
            features: tensor(values, [rows, columns], &device.clone().inner()),
            projection: Projection {
                weight: Param::from_tensor(weight),
            },
            optimizer,
        }
    }

    /// Directions of items' codes, with a way back to the projection.
    ///
    /// # Shapes
    /// - `items`: `[batch, len]`
    /// - output: `[batch, len, code width]`
    pub fn of(&self, items: Tensor<2, Int>) -> Tensor<3> {
        let [batch, len] = items.dims();
        let rows = self
            .features
            .clone()
            .select(0, items.reshape([batch * len]));
        let codes = Tensor::from_inner(rows).matmul(self.projection.weight.val());
        let [clicks, width] = codes.dims();
        // The square's root has no gradient at 0: nothing is known of those items.
        let length = (codes.clone().square().sum_dim(1) + 1e-12).sqrt();
        (codes / length.expand([clicks, width])).reshape([batch, len, width])
    }

    /// A step against a loss's gradients, of which those of the projection are taken out.
    pub fn step(&mut self, rate: f64, gradients: GradientsParams) {
        self.projection = (self.optimizer).step(rate, self.projection.clone(), gradients);
    }

    /// The gradients of the projection.
    pub fn gradients(&self, all: &mut burn::tensor::Gradients) -> GradientsParams {
        GradientsParams::from_module(all, &self.projection)
    }

    /// The codes as they ship.
    pub fn codes(&self) -> Codes {
        let weight = self.projection.weight.val().inner();
        let [_, width] = weight.dims();
        let rows = self.features.clone().matmul(weight).into_data();
        Codes::quantize(rows.as_slice::<f32>().expect("codes are floats"), width)
    }

    /// Writes projection and moments into a folder.
    pub fn save(&self, dir: &Path) -> Result<()> {
        save_module(&dir.join("coder.bpk"), &self.projection)?;
        Ok(self.optimizer.save(dir.join("coder-optimizer.bpk"))?)
    }

    /// Goes on from what a folder holds.
    pub fn load(&mut self, dir: &Path) -> Result<()> {
        self.projection = load_module(&dir.join("coder.bpk"), self.projection.clone())?;
        self.optimizer = self
            .optimizer
            .clone()
            .load(dir.join("coder-optimizer.bpk"))?;
        Ok(())
    }
}

/// Principal components of what is known of the words, a row for padding first, and their number.
fn features(data: &Dataset, seed: u64) -> (Vec<f32>, usize) {
    let (rows, columns) = titles::scores(data.items(), FEATURES, seed);
    if columns == 0 {
        return (vec![0.0; data.n_items() + 1], 1);
    }
    let mut values = principal(&rows, columns, columns);
    for (row, known) in values
        .chunks_exact_mut(columns)
        .zip(rows.chunks_exact(columns))
    {
        if known.iter().all(|&x| x == 0.0) {
            row.fill(0.0);
        }
    }
    values.splice(0..0, std::iter::repeat_n(0.0, columns));
    (values, columns)
}

/// Writes codes, `[items + 1, width]`.
pub(super) fn write_codes(path: &Path, codes: &Codes) -> Result<()> {
    let shape = vec![codes.values.len() / codes.width, codes.width];
    let bytes: Vec<u8> = codes.values.iter().map(|&x| x as u8).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I8, shape, &bytes)?;
    let file = safetensors::serialize([("codes", view)], None)?;
    super::checkpoint::write_atomically(path, &file)
}

/// Reads them back.
pub(super) fn read_codes(path: &Path) -> Result<Codes> {
    use anyhow::{Context as _, ensure};
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let damaged = || format!("{} is damaged", path.display());
    let file = safetensors::SafeTensors::deserialize(&bytes).with_context(damaged)?;
    let tensor = file.tensor("codes").with_context(damaged)?;
    let &[_, width] = tensor.shape() else {
        anyhow::bail!(damaged());
    };
    ensure!(
        width > 0 && tensor.dtype() == safetensors::Dtype::I8,
        damaged()
    );
    Ok(Codes {
        width,
        values: tensor.data().iter().map(|&x| x as i8).collect(),
    })
}
