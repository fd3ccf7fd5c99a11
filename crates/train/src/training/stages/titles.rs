//! Title features of a language model, which needs minutes to read all titles.

use super::{Inputs, Outcome, Stage, Training};
use crate::reader::open_lm;
use crate::training::coder;
use crate::training::config::lm_folder;
use crate::training::folds;
use anyhow::Result;
use burn::prelude::*;
use serde_json::{Value, json};

const NAME: &str = "titles";
const FILE: &str = "titles.safetensors";

/// Makes the features.
pub(super) struct Titles;

impl Stage for Titles {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        let lm = lm_folder(&inputs.config.denoising);
        json!({ "stage": NAME, "data": inputs.data, "seed": inputs.config.seed, "lm": lm })
    }

    fn uses(&self, _earlier: &str) -> bool {
        false
    }

    fn draws(&self) -> bool {
        false
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let path = training.dir(NAME).join(FILE);
        if !path.exists() {
            let (values, columns) = of(training)?;
            folds::write(&path, &values, columns)?;
        }
        Ok(Outcome::Finished(None))
    }
}

/// The title features that codes are learnt from, and their number.
pub(super) fn features(training: &Training<'_>) -> Result<(Vec<f32>, usize)> {
    if training.run.finished_stage(NAME).is_none() {
        return of(training);
    }
    let (columns, values) = folds::read(&training.dir(NAME).join(FILE))?;
    Ok((values, columns))
}

fn of(training: &Training<'_>) -> Result<(Vec<f32>, usize)> {
    let (context, config) = (training.context, &training.run.config);
    let lm = lm_folder(&config.denoising)
        .map(|folder| open_lm(&folder, &Device::flex()))
        .transpose()?;
    let (items, fitted) = (context.data.items(), context.data.n_items());
    Ok(coder::features(
        items,
        fitted,
        config.seed,
        lm.as_ref(),
        context.progress,
    ))
}
