//! Checkpoints: the weights, the optimiser's moments and the position from which a training resumes. A new
//! checkpoint is written beside the old one and replaces it by renaming, so that after a crash or with a full
//! disk one of the two is complete.

use anyhow::{Context, Result, bail};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use ingle_model::Model;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Layout version of a run folder; runs of other versions are not resumed.
pub const VERSION: u32 = 9;

/// The position in a stage of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Layout version.
    pub version: u32,
    /// Name of the stage.
    pub stage: String,
    /// Finished epochs of the stage.
    pub epoch: usize,
    /// Finished steps of the current epoch.
    pub step: usize,
    /// Sums over those steps: loss times targets, and targets.
    pub loss: (f64, f64),
    /// Best validation figure of the stage, and its epoch, counted from 1.
    pub best: Option<(f64, usize)>,
}

impl State {
    /// The position before the first step of a stage.
    pub fn fresh(stage: &str) -> Self {
        Self {
            version: VERSION,
            stage: stage.to_owned(),
            epoch: 0,
            step: 0,
            loss: (0.0, 0.0),
            best: None,
        }
    }
}

/// What a stage resumes from.
pub struct Whole {
    /// The weights being trained, on an autodiff device.
    pub model: Model,
    /// The optimiser with its moments.
    pub optimizer: ModuleOptimizer,
    /// The position.
    pub state: State,
    /// File of the learner's moments, if there is one.
    pub moments: Option<PathBuf>,
    /// Folder of the checkpoint, if there is one.
    pub dir: Option<PathBuf>,
}

const CURRENT: &str = "checkpoint";
const PREVIOUS: &str = "checkpoint.previous";
const COMING: &str = "checkpoint.coming";
/// File of the learner's moments.
pub const MOMENTS: &str = "moments.safetensors";

/// Writes a checkpoint into the run folder: the model and the position. `rest` writes what else is needed to resume.
pub fn save(
    run: &Path,
    model: &Model,
    state: &State,
    rest: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    replace(run, |coming| {
        save_module(&coming.join("model.bpk"), model)?;
        rest(coming).context("cannot write how the training goes on")?;
        write_atomically(
            &coming.join("state.json"),
            &serde_json::to_vec_pretty(state)?,
        )
    })
}

/// Lets `fill` write the files of a checkpoint into a new folder, which then replaces the run's checkpoint.
pub fn replace(run: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let (current, previous, coming) = (run.join(CURRENT), run.join(PREVIOUS), run.join(COMING));
    remove(&coming)?;
    fs::create_dir_all(&coming)?;
    fill(&coming)?;
    remove(&previous)?;
    if current.exists() {
        fs::rename(&current, &previous)?;
    }
    fs::rename(&coming, &current)?;
    remove(&previous)
}

/// Folder of the checkpoint of a run, if there is one.
pub fn find(run: &Path) -> Option<PathBuf> {
    let places = [CURRENT, PREVIOUS].map(|name| run.join(name));
    places.into_iter().find(|dir| dir.exists())
}

/// The position of a run's checkpoint, if there is one.
///
/// # Errors
/// If it is damaged or was written by another version.
pub fn position(run: &Path) -> Result<Option<State>> {
    let Some(dir) = find(run) else {
        return Ok(None);
    };
    let text = fs::read(dir.join("state.json"))
        .with_context(|| format!("{} has no state.json", dir.display()))?;
    let state: State = serde_json::from_slice(&text)
        .with_context(|| format!("{} is damaged", dir.join("state.json").display()))?;
    if state.version != VERSION {
        bail!(
            "{} was written by another version (layout {}, this is {VERSION}): train anew",
            dir.display(),
            state.version
        );
    }
    Ok(Some(state))
}

/// Loads the checkpoint of a run into `fresh`; returns `fresh` unchanged if there is none of its stage.
pub fn load(run: &Path, fresh: Whole) -> Result<Whole> {
    let own = position(run)?.filter(|state| state.stage == fresh.state.stage);
    let (Some(state), Some(dir)) = (own, find(run)) else {
        return Ok(fresh);
    };
    let optimizer = (fresh.optimizer)
        .load(dir.join("optimizer.bpk"))
        .with_context(|| format!("{} is damaged", dir.join("optimizer.bpk").display()))?;
    Ok(Whole {
        model: load_module(&dir.join("model.bpk"), fresh.model)?,
        optimizer,
        state,
        moments: Some(dir.join(MOMENTS)).filter(|path| path.exists()),
        dir: Some(dir),
    })
}

/// Saves a module's parameters.
pub fn save_module<M: Module>(path: &Path, module: &M) -> Result<()> {
    let coming = path.with_extension("coming");
    let record = module.clone().into_record();
    record
        .save(&coming)
        .with_context(|| format!("cannot write {}", coming.display()))?;
    fs::rename(&coming, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Loads a module's parameters into a module of the same shape.
pub fn load_module<M: Module>(path: &Path, module: M) -> Result<M> {
    let record = ModuleRecord::load(path)
        .with_context(|| format!("cannot read the weights in {}", path.display()))?;
    let loaded = module.try_load_record(record);
    loaded.with_context(|| format!("{} does not fit the configuration", path.display()))
}

/// Removes the metrics lines of epochs that a resumed training will repeat.
pub fn keep_lines(path: &Path, lines: usize) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(());
    };
    let kept: String = text.split_inclusive('\n').take(lines).collect();
    write_atomically(path, kept.as_bytes())
}

/// Writes a file atomically: after a crash it holds either the old or the new contents.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".coming");
    let coming = path.with_file_name(name);
    fs::write(&coming, bytes).with_context(|| format!("cannot write {}", coming.display()))?;
    fs::rename(&coming, path).with_context(|| format!("cannot write {}", path.display()))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
