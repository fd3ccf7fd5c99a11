//! The coder, which learns semantic codes. Features of an item's title, from its words and from a language
//! model, go through a linear projection and, in parallel, one hidden layer. Only these weights are learnt, so
//! items with one click or none get codes as well.

use super::checkpoint::{load_module, save_module};
use super::progress::Progress;
use super::samples::tensor;
use crate::data::Item;
use crate::text::components::principal;
use crate::text::{meanings, titles};
use anyhow::Result;
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::Int;
use burn::tensor::activation::gelu;
use ingle_lm::LanguageModel;
use ingle_model::{Codes, Rng};
use std::path::Path;

/// Principal components of the titles' words.
const WORDS: usize = 128;
/// Most features in all, of words and of the language model.
const FEATURES: usize = 256;

/// Width of the hidden layer.
const HIDDEN: usize = 256;

/// From features to codes. There are no biases, so that an item without features gets a code of zeros.
#[derive(Module, Debug)]
struct Projection {
    /// `[features, code width]`
    straight: Param<Tensor<2>>,
    /// `[features, hidden]`
    inner: Param<Tensor<2>>,
    /// `[hidden, code width]`
    outer: Param<Tensor<2>>,
}

impl Projection {
    /// Initially the code is the first features; the hidden layer starts with outputs of the order of 1 and
    /// zero weights after it.
    fn new((rows, columns): (&[f32], usize), width: usize, seed: u64, device: &Device) -> Self {
        let straight = (0..columns * width).map(|i| f32::from(u8::from(i / width == i % width)));
        let says = rows
            .chunks_exact(columns)
            .filter(|row| row.iter().any(|&x| x != 0.0));
        let squares: f32 = rows.iter().map(|x| x * x).sum();
        let deviation = (says.count().max(1) as f32 / squares.max(1e-12))
            .sqrt()
            .min(1.0);
        let mut rng = Rng::new(seed, &[7]);
        let inner = (0..columns * HIDDEN).map(|_| rng.normal(deviation));
        let learnt = |values: Vec<f32>, shape| {
            Param::from_tensor(tensor(values, shape, device).require_grad())
        };
        Self {
            straight: learnt(straight.collect(), [columns, width]),
            inner: learnt(inner.collect(), [columns, HIDDEN]),
            outer: learnt(vec![0.0; HIDDEN * width], [HIDDEN, width]),
        }
    }

    /// `[rows, features]` to `[rows, code width]`.
    fn of(&self, rows: Tensor<2>) -> Tensor<2> {
        let hidden = gelu(rows.clone().matmul(self.inner.val()));
        rows.matmul(self.straight.val()) + hidden.matmul(self.outer.val())
    }
}

/// Features of all items, and the network that is trained.
pub struct Coder {
    /// `[items + 1, features]`, the first row for padding, on a device without autodiff.
    features: Tensor<2>,
    projection: Projection,
    optimizer: ModuleOptimizer,
}

impl Coder {
    /// Starts with codes made of the titles' first principal components. Items without a title have a code of
    /// zeros; so do all items if no two titles share a word.
    pub fn new(
        features: (Vec<f32>, usize),
        width: usize,
        seed: u64,
        optimizer: ModuleOptimizer,
        device: &Device,
    ) -> Self {
        let (values, columns) = features;
        let rows = values.len() / columns;
        Self {
            projection: Projection::new((&values, columns), width, seed, device),
            features: tensor(values, [rows, columns], &device.clone().inner()),
            optimizer,
        }
    }

    /// Loads the network from a file.
    pub fn from(mut self, path: &Path) -> Result<Self> {
        self.projection = load_module(path, self.projection)?;
        Ok(self)
    }

    /// Saves the network to a file.
    pub fn keep(&self, path: &Path) -> Result<()> {
        save_module(path, &self.projection)
    }

    /// Unit vectors of the items' codes, with a gradient to the network.
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
        let codes = self.projection.of(Tensor::from_inner(rows));
        let [clicks, width] = codes.dims();
        // Avoids the infinite gradient of the square root at 0, for items without features.
        let length = (codes.clone().square().sum_dim(1) + 1e-12).sqrt();
        (codes / length.expand([clicks, width])).reshape([batch, len, width])
    }

    /// Takes an optimiser step with the network's gradients.
    pub fn step(&mut self, rate: f64, gradients: GradientsParams) {
        self.projection = (self.optimizer).step(rate, self.projection.clone(), gradients);
    }

    /// Takes the network's gradients out of all gradients.
    pub fn gradients(&self, all: &mut burn::tensor::Gradients) -> GradientsParams {
        GradientsParams::from_module(all, &self.projection)
    }

    /// The codes, quantised as they are exported.
    pub fn codes(&self) -> Codes {
        let [_, width] = self.projection.straight.dims();
        let rows = self
            .projection
            .valid()
            .of(self.features.clone())
            .into_data();
        Codes::quantize(rows.as_slice::<f32>().expect("codes are floats"), width)
    }

    /// Saves the network and the optimiser's moments into a folder.
    pub fn save(&self, dir: &Path) -> Result<()> {
        save_module(&dir.join("coder.bpk"), &self.projection)?;
        Ok(self.optimizer.save(dir.join("coder-optimizer.bpk"))?)
    }

    /// Loads what [`save`](Self::save) wrote.
    pub fn load(&mut self, dir: &Path) -> Result<()> {
        self.projection = load_module(&dir.join("coder.bpk"), self.projection.clone())?;
        self.optimizer = self
            .optimizer
            .clone()
            .load(dir.join("coder-optimizer.bpk"))?;
        Ok(())
    }
}

/// Title features of all items, a row for padding first, and their number: principal components of the words
/// and, with a language model, of its embeddings. The components are fitted to the first `fitted` items alone.
pub(super) fn features(
    items: &[Item],
    fitted: usize,
    seed: u64,
    lm: Option<&LanguageModel>,
    progress: &Progress,
) -> (Vec<f32>, usize) {
    let mut known = titles::scores(items, fitted, WORDS, seed);
    if let Some(lm) = lm {
        progress.start("titles".to_owned(), items.len());
        let meanings = meanings::embeddings(lm, items, |count| progress.done(count));
        known = side_by_side(known, meanings, items.len());
    }
    let (rows, columns) = known;
    if columns == 0 {
        return (vec![0.0; items.len() + 1], 1);
    }
    let width = columns.min(FEATURES);
    let mut values = principal(&rows, fitted, columns, width);
    for (row, known) in (values.chunks_exact_mut(width)).zip(rows.chunks_exact(columns)) {
        if known.iter().all(|&x| x == 0.0) {
            row.fill(0.0);
        }
    }
    values.splice(0..0, std::iter::repeat_n(0.0, width));
    (values, width)
}

/// Concatenates two tables row by row.
fn side_by_side(
    (a, a_width): (Vec<f32>, usize),
    (b, b_width): (Vec<f32>, usize),
    rows: usize,
) -> (Vec<f32>, usize) {
    let row = |at: usize| [&a[at * a_width..][..a_width], &b[at * b_width..][..b_width]].concat();
    ((0..rows).flat_map(row).collect(), a_width + b_width)
}

/// Writes codes, `[items + 1, width]`.
pub(super) fn write_codes(path: &Path, codes: &Codes) -> Result<()> {
    let shape = vec![codes.values.len() / codes.width, codes.width];
    let bytes: Vec<u8> = codes.values.iter().map(|&x| x as u8).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I8, shape, &bytes)?;
    let file = safetensors::serialize([("codes", view)], None)?;
    super::checkpoint::write_atomically(path, &file)
}

/// Reads codes.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{from_parts, parts};
    use crate::training::stages::optimizer;
    use ingle_lm::testing::{WORDS, tiny};

    /// Codes of items with these titles, one row each.
    fn codes(titles: [Option<&str>; 6], lm: Option<&LanguageModel>) -> Vec<Vec<i8>> {
        let mut parts = parts(&[&[1, 2, 3, 4, 5, 6]], &[]);
        for (item, title) in parts.items.iter_mut().zip(titles) {
            item.title = title.map(str::to_owned);
        }
        let data = from_parts(parts);
        let features = features(data.items(), 6, 1, lm, &Progress::new());
        let device = Device::flex().autodiff();
        let codes = Coder::new(features, 4, 1, optimizer(), &device).codes();
        codes.values.chunks_exact(4).map(<[i8]>::to_vec).collect()
    }

    #[test]
    fn equal_titles_have_equal_codes_and_none_says_nothing() {
        let [a, b] = [WORDS[0], WORDS[1]];
        let titles = [Some(a), Some(b), Some(a), None, Some(b), Some(a)];
        let lm = tiny(1);
        for lm in [None, Some(&lm)] {
            let codes = codes(titles, lm);
            assert_eq!(codes.len(), 7);
            assert_eq!((&codes[0], &codes[4]), (&vec![0; 4], &vec![0; 4]));
            assert_eq!((&codes[1], &codes[2]), (&codes[3], &codes[5]));
            assert_ne!(codes[1], codes[2]);
        }
    }

    #[test]
    fn what_is_kept_makes_the_same_codes_of_the_same_titles() {
        let rows: Vec<f32> = (0..7 * 3).map(|at| (at as f32 * 0.7).sin()).collect();
        let device = Device::flex().autodiff();
        let mut coder = Coder::new((rows.clone(), 3), 2, 1, optimizer(), &device);
        let outer = Tensor::random([HIDDEN, 2], burn::tensor::Distribution::Default, &device);
        coder.projection.outer = Param::from_tensor(outer);
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("coder.bpk");
        coder.keep(&path).expect("written");
        let codes = coder.codes();
        let some = Coder::new((rows[..9].to_vec(), 3), 2, 3, optimizer(), &device);
        let some = some.from(&path).expect("read").codes();
        assert_eq!(some.values, codes.values[..6]);
        let again = Coder::new((rows, 3), 2, 2, optimizer(), &device);
        assert_ne!(again.codes(), codes);
        assert_eq!(again.from(&path).expect("read").codes(), codes);
    }

    #[test]
    fn a_catalogue_without_titles_has_codes_that_say_nothing() {
        for lm in [None, Some(&tiny(1))] {
            assert!(codes([None; 6], lm).concat().iter().all(|&x| x == 0));
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_damage_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("codes.safetensors");
        let codes = Codes {
            width: 3,
            values: vec![0, 0, 0, -127, 5, 127],
        };
        write_codes(&path, &codes).expect("written");
        assert_eq!(read_codes(&path).expect("read"), codes);
        std::fs::write(&path, b"not codes").expect("written");
        let told = read_codes(&path).expect_err("damaged").to_string();
        assert!(told.contains("is damaged"), "{told}");
    }
}
