//! Trains on a denoised log: in every epoch each click is dropped with its noise probability, as an input and as a
//! target.
//!
//! The probabilities come from a run trained on the same log. Each user is judged through the item table of the fold
//! that was not trained on them ([cross-fitting](https://doi.org/10.1111/ectj.12097), Chernozhukov et al., 2018): a
//! recommender finds little noise in clicks it was trained on.

use super::checkpoint::write_atomically;
use super::folds;
use super::judge::{self, probabilities};
use super::run::Run;
use super::samples::latest;
use super::stages::table_file;
use crate::data::{Dataset, InputError};
use anyhow::{Context as _, Result, bail, ensure};
use burn::prelude::*;
use ingle_bundle::sha256_hex;
use ingle_model::Rng;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// File of the noise probabilities in a run folder.
const FILE: &str = "noise.safetensors";
/// Stream of the clicks that are dropped.
const DRAW: u64 = 11;
/// Stream of the control's shuffling.
const SHUFFLE: u64 = 12;

/// Whose probabilities they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Each click's own
    #[default]
    Scored,
    /// Those of clicks drawn at random: as many are left out, by no scorer
    Random,
}

/// The origin of the noise probabilities by which a run's log is denoised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The run that computed them.
    pub by: PathBuf,
    /// Whose probabilities they are.
    pub how: How,
    /// Hash of the probabilities.
    pub hash: String,
}

/// The noise probability of each training click by user, `0.0..=1.0`, from a finished run of a method that denoises.
///
/// # Errors
/// If the run's method does not denoise, it has no folds, or it was trained on another dataset.
pub fn judged(run: &Run, data: &Dataset) -> Result<Vec<Vec<f32>>> {
    let dir = run.dir.display();
    if run.about.data_hash != data.hash() {
        bail!(InputError::other(format!(
            "{dir} was trained on another dataset: it has not judged the clicks of this one"
        )));
    }
    let folds = run.config.denoising.folds;
    if folds == 0 || !run.config.method.denoises() {
        bail!(InputError::other(format!(
            "{dir} cannot say which clicks are noise: that takes a method that denoises, with denoising.folds"
        )));
    }
    let device = Device::flex();
    let model = run.model(&device)?;
    let shape = model.backbone.items.dims();
    let tables = (0..folds).map(|part| folds::open(&table_file(run, part), shape, &device));
    let tables: Vec<Tensor<2>> = tables.collect::<Result<_>>()?;
    let parts = folds::parts(data, tables.len(), run.config.seed);
    let users: Vec<usize> = (0..data.n_users()).collect();
    let histories: Vec<&[u32]> = users.iter().map(|&user| data.train(user)).collect();
    let folds = (&tables[..], &parts[..]);
    let logits = judge::logits_by_fold(&model, folds, &users, &histories, &run.features()?);
    let logits = logits.context("the method judges clicks")?;
    let scale = run.about.scale;
    let noise = logits.iter().zip(&histories).map(|(scored, history)| {
        // Older clicks than the model reads are never dropped; they are not trained on either.
        let mut noise = vec![0.0; history.len() - scored.fused.len()];
        noise.extend(probabilities(&scored.fused, scale));
        noise
    });
    Ok(noise.collect())
}

/// The same probabilities, shuffled over all clicks: the random control.
#[must_use]
pub fn shuffled(noise: Vec<Vec<f32>>, seed: u64) -> Vec<Vec<f32>> {
    let all: Vec<f32> = noise.iter().flatten().copied().collect();
    let mut order = Rng::new(seed, &[SHUFFLE])
        .permutation(all.len())
        .into_iter();
    let each = |row: Vec<f32>| {
        let drawn = row.iter().filter_map(|_| order.next());
        drawn.map(|at| all[at]).collect()
    };
    noise.into_iter().map(each).collect()
}

/// Hash of the probabilities.
#[must_use]
pub fn hash(noise: &[Vec<f32>]) -> String {
    sha256_hex(&bytes(noise))
}

fn bytes(noise: &[Vec<f32>]) -> Vec<u8> {
    let all = noise.iter().flatten();
    all.flat_map(|p| p.to_le_bytes()).collect()
}

/// Writes the probabilities into a run folder.
///
/// # Errors
/// If the file cannot be written.
pub fn write(dir: &Path, noise: &[Vec<f32>]) -> Result<()> {
    let bytes = bytes(noise);
    let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], &bytes)?;
    let file = safetensors::serialize([("noise", view)], None)?;
    write_atomically(&dir.join(FILE), &file)
}

/// Reads the probabilities, by user.
///
/// # Errors
/// If the file cannot be read, or belongs to another dataset.
pub fn read(dir: &Path, data: &Dataset) -> Result<Vec<Vec<f32>>> {
    let path = dir.join(FILE);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let damaged = || format!("{} is damaged", path.display());
    let file = SafeTensors::deserialize(&bytes).with_context(damaged)?;
    let view = file.tensor("noise").with_context(damaged)?;
    let clicks: usize = (0..data.n_users()).map(|user| data.train(user).len()).sum();
    ensure!(
        view.dtype() == Dtype::F32 && view.shape() == [clicks],
        damaged()
    );
    let mut values = view
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|p| f32::from_le_bytes(*p));
    let row = |user| values.by_ref().take(data.train(user).len()).collect();
    Ok((0..data.n_users()).map(row).collect())
}

/// Places of the clicks that are kept among a user's latest `clicks`; each is dropped with its noise probability. The
/// two least likely noise are kept in any case: with fewer there is no target.
pub fn staying(
    clicks: usize,
    noise: &[f32],
    (seed, stream, user): (u64, u64, usize),
) -> Vec<usize> {
    let noise = latest(noise, clicks);
    let mut rng = Rng::new(seed, &[DRAW, stream, user as u64]);
    let mut stays: Vec<bool> = noise.iter().map(|&p| rng.uniform() >= p).collect();
    if stays.iter().filter(|stays| **stays).count() < 2 {
        let mut order: Vec<usize> = (0..clicks).collect();
        order.sort_by(|&a, &b| noise[a].total_cmp(&noise[b]));
        for at in order.into_iter().take(2) {
            stays[at] = true;
        }
    }
    (0..clicks).filter(|&at| stays[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    #[test]
    fn a_click_is_left_out_as_often_as_it_is_likely_noise() {
        let noise = [0.9, 0.0, 1.0, 0.25, 0.0];
        let mut counts = [0; 4];
        for stream in 0..2000 {
            let kept = staying(4, &noise, (7, stream, 3));
            assert!(kept.is_sorted() && kept.len() >= 2, "{kept:?}");
            for at in kept {
                counts[at] += 1;
            }
        }
        // If there are more probabilities than clicks, the latest are used.
        assert_eq!([counts[0], counts[1], counts[3]], [2000, 0, 2000]);
        assert!((1430..1570).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn the_two_clicks_that_are_least_likely_noise_always_stay() {
        for stream in 0..20 {
            assert_eq!(staying(3, &[1.0; 3], (1, stream, 0)), [0, 1]);
            assert_eq!(staying(2, &[1.0, 0.5], (1, stream, 0)), [0, 1]);
        }
    }

    #[test]
    fn probabilities_are_read_as_they_were_written_and_belong_to_a_dataset() {
        let data = dataset(&[&[1, 2, 3, 4, 5], &[3, 1, 2, 4]], &[]);
        let noise: Vec<Vec<f32>> = (0..2)
            .map(|user| {
                data.train(user)
                    .iter()
                    .map(|&item| item as f32 / 8.0)
                    .collect()
            })
            .collect();
        let dir = tempfile::tempdir().expect("a folder");
        write(dir.path(), &noise).expect("writes");
        assert_eq!(read(dir.path(), &data).expect("reads"), noise);
        let other = dataset(&[&[1, 2, 3, 4, 5]], &[]);
        let error = read(dir.path(), &other)
            .expect_err("other clicks")
            .to_string();
        assert!(error.contains("noise.safetensors is damaged"), "{error}");
    }

    #[test]
    fn the_control_has_the_same_probabilities_elsewhere() {
        let noise = vec![vec![0.1, 0.2, 0.3], vec![], vec![0.4, 0.5, 0.6, 0.7, 0.8]];
        let control = shuffled(noise.clone(), 3);
        let sorted = |rows: &[Vec<f32>]| {
            let mut all: Vec<f32> = rows.iter().flatten().copied().collect();
            all.sort_by(f32::total_cmp);
            all
        };
        assert_ne!(control, noise);
        assert_eq!(sorted(&control), sorted(&noise));
        let lengths = |rows: &[Vec<f32>]| rows.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&control), lengths(&noise));
    }
}
