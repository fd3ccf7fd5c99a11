//! Starts the backbone of a run with the weights of an earlier one, on a log that has grown. Items are matched by id;
//! new ones are placed by their titles, and those whose words nobody knows begin at random.
//!
//! Folds still start afresh: they judge users as if they had not seen them, and the earlier run has seen them. What
//! judges clicks is trained anew.

use super::checkpoint::save_module;
use super::config::Config;
use super::newcomers::{Newcomers, mean_length};
use super::progress::Progress;
use super::run::Run;
use super::samples::tensor;
use crate::data::{Dataset, InputError};
use anyhow::{Context as _, Result, bail};
use burn::module::Param;
use burn::prelude::*;
use ingle_bundle::sha256_hex;
use ingle_model::BackboneConfig;
use ingle_model::Model;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// The weights that the backbone starts with, in a run folder.
pub(super) const FILE: &str = "warm.bpk";

/// The run whose weights a run starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    /// Its folder.
    pub run: PathBuf,
    /// Hash of its weights.
    pub hash: String,
}

/// An earlier run with its dataset and model.
pub type Earlier = (Run, Dataset, Model);

/// Checks that a run of this configuration can start with the weights of an earlier one.
///
/// # Errors
/// Input errors if their backbones differ in shape.
pub fn check(config: &Config, (earlier, ..): &Earlier) -> Result<Warm> {
    let shape = |backbone: &BackboneConfig| BackboneConfig {
        dropout: 0.0,
        ..backbone.clone()
    };
    let [ours, theirs] = [&config.backbone, &earlier.config.backbone].map(shape);
    if ours != theirs {
        let [ours, theirs] = [ours, theirs].map(serde_json::to_value);
        let (ours, theirs) = (ours?, theirs?);
        let keys = ours
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys());
        let differs = keys
            .filter(|key| ours[*key] != theirs[*key])
            .map(|key| format!("{key} is {} there and {} here", theirs[key], ours[key]));
        let differs: Vec<String> = differs.collect();
        bail!(InputError::other(format!(
            "{} cannot be started from: its [backbone] has another shape ({}); give both the same, or train anew",
            earlier.dir.display(),
            differs.join(", ")
        )));
    }
    let path = earlier.dir.join("model.bpk");
    let weights = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Warm {
        run: earlier.dir.clone(),
        hash: sha256_hex(&weights),
    })
}

/// Writes the weights that the backbone of a new run starts with.
pub(super) fn write(
    run: &Run,
    data: &Dataset,
    (earlier, known, model): &Earlier,
    progress: &Progress,
) -> Result<()> {
    let width = run.config.backbone.width;
    let table = |model: &Model| -> Vec<f32> {
        let items = model.backbone.items.val();
        items.into_data().iter::<f32>().collect()
    };
    let learnt = table(model);
    let rows: HashMap<&str, usize> = (known.items().iter().enumerate())
        .map(|(at, item)| (&*item.id, at + 1))
        .collect();
    let new = data.items().iter();
    let new = new.filter(|item| !rows.contains_key(&*item.id)).cloned();
    let placed = Newcomers::place(earlier, known, model, new.collect(), progress)?;
    let by_titles: HashMap<&str, &[f32]> = (placed.items.iter().map(|item| &*item.id))
        .zip(placed.table.chunks_exact(width))
        .collect();
    let popularity = &earlier.features()?.popularity[1..];
    let length = mean_length(&learnt[width..], width, popularity);
    let mut start = table(&run.fresh_model(data, &Device::flex().autodiff())?);
    start[..width].copy_from_slice(&learnt[..width]);
    for (item, to) in data
        .items()
        .iter()
        .zip(start[width..].chunks_exact_mut(width))
    {
        if let Some(&row) = rows.get(&*item.id) {
            to.copy_from_slice(&learnt[row * width..(row + 1) * width]);
        } else if let Some(row) = by_titles.get(&*item.id) {
            to.copy_from_slice(row);
        } else {
            let own = to.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
            for x in to.iter_mut() {
                *x *= length / own;
            }
        }
    }
    let mut backbone = model.backbone.clone();
    let shape = [data.n_items() + 1, width];
    backbone.items = Param::from_tensor(tensor(start, shape, &Device::flex()));
    save_module(&run.dir.join(FILE), &backbone)
}
