//! Starts a run from the finished phases of another run, the donor. Runs that differ only in later phases then
//! share the same weights and train only those phases. The backbone is always taken over. The folds and the
//! language model of the first round are taken over if this run would train them in the same way.

use super::checkpoint::{load_module, save_module, write_atomically};
use super::config::{Config, lm_folder};
use super::device::Compute;
use super::dropping::{self, Dropped, How};
use super::rounds::reader;
use super::run::{BestOf, Run};
use super::trainer::{DYNAMICS, METRICS, best_file, fold_file};
use crate::data::{Dataset, InputError};
use anyhow::{Context as _, Result, bail};
use burn::prelude::*;
use ingle_model::methods::{Learns, Phase};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Creates a run in an empty or new folder and takes over the donor's first phases. If `dropped` is given, the run
/// learns from the log without the clicks that its run takes for noise.
///
/// # Errors
/// Input errors if the donor's data or settings differ, or its backbone is not finished; then nothing is written.
pub fn begin(
    dir: &Path,
    config: Config,
    compute: Compute,
    (data_dir, data): (&Path, &Dataset),
    donor: Option<&Run>,
    dropped: Option<(&Run, How)>,
) -> Result<Run> {
    let about = dropped.map(|(by, how)| Dropped {
        by: by.dir.clone(),
        how,
    });
    if let Some(donor) = donor {
        check(&config, data, donor, about.as_ref())?;
    }
    let noise = dropped.map(|(by, how)| {
        let judged = dropping::judged(by, data)?;
        Ok::<_, anyhow::Error>(match how {
            How::Scored => judged,
            How::Random => dropping::shuffled(judged, config.seed),
        })
    });
    let noise = noise.transpose()?;
    let mut run = Run::create(dir, config, compute, data_dir, data)?;
    if let Some(noise) = noise {
        dropping::write(dir, &noise)?;
        run.about.dropped = about;
        run.save()?;
    }
    if let Some(donor) = donor {
        take_over(&mut run, donor)?;
    }
    Ok(run)
}

fn take_over(run: &mut Run, donor: &Run) -> Result<()> {
    let taken: Vec<Phase> = (run.config.phases().into_iter())
        .take_while(|phase| agree(phase, run, donor))
        .collect();
    let mut about = run.about.clone();
    for phase in &taken {
        copy(phase, run, donor)?;
        about
            .phases
            .extend(finished(phase, donor).map(|best| BestOf {
                phase: phase.name.clone(),
                ..best.clone()
            }));
    }
    if same_titles(&run.config, &donor.config) {
        copy_if_there("titles.safetensors", run, donor)?;
    }
    about.seconds = copy_metrics(&taken, run, donor)?;
    run.about = about;
    run.save()
}

fn check(ours: &Config, data: &Dataset, donor: &Run, dropped: Option<&Dropped>) -> Result<()> {
    let theirs = &donor.config;
    let hardened = !ours.training.replaced.is_empty();
    let replaces = |config: &Config| (config.denoising.kinds.clone(), config.denoising.last);
    let differs = [
        ("dataset", data.hash() != donor.about.data_hash),
        ("seed", ours.seed != theirs.seed),
        ("[backbone]", ours.backbone != theirs.backbone),
        ("[training]", ours.training != theirs.training),
        ("--drop-noise", dropped != donor.about.dropped.as_ref()),
        (
            "denoising.kinds or denoising.last, by which training.replaced goes",
            hardened && replaces(ours) != replaces(theirs),
        ),
    ];
    let theirs = donor.dir.display();
    if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
        bail!(InputError::other(format!(
            "{theirs} was trained with another {what}: its backbone is not the one that this run would learn"
        )));
    }
    let backbone = ours.phases().into_iter().next();
    if backbone.is_none_or(|backbone| finished(&backbone, donor).is_none()) {
        bail!(InputError::other(format!(
            "{theirs} has not finished its backbone yet: `ingle train --out {theirs} --resume` goes on"
        )));
    }
    if ours.watches() && dropped.is_none() && !donor.dir.join(DYNAMICS).exists() {
        bail!(InputError::other(format!(
            "{theirs} kept no learning dynamics: take a run that did, or add --set denoising.dynamics=0"
        )));
    }
    Ok(())
}

/// Whether the donor has finished a phase with the settings that this run has.
fn agree(phase: &Phase, run: &Run, donor: &Run) -> bool {
    let (ours, theirs) = (&run.config, &donor.config);
    let same = match phase.learns {
        Learns::Backbone => true,
        Learns::Fold(_) => ours.denoising.folds == theirs.denoising.folds,
        Learns::Encoder => ours.denoising.consensus_epochs == theirs.denoising.consensus_epochs,
        Learns::Reader => {
            let alike = reader::settings(ours) == reader::settings(theirs);
            phase.round == 1 && alike && lm_folder(&ours.denoising) == lm_folder(&theirs.denoising)
        }
        Learns::Prior | Learns::Denoiser | Learns::Recommender => false,
    };
    same && finished(phase, donor).is_some()
}

/// The donor's result of a phase. Its name may differ: with a single round, phases are not numbered.
fn finished<'a>(phase: &Phase, donor: &'a Run) -> Option<&'a BestOf> {
    let theirs = donor.config.phases().into_iter();
    let name = theirs
        .filter(|other| (other.learns, other.round) == (phase.learns, phase.round))
        .map(|other| other.name)
        .next()?;
    donor.about.phases.iter().find(|best| best.phase == name)
}

fn same_titles(ours: &Config, theirs: &Config) -> bool {
    let code = |config: &Config| config.method.code_width().is_some();
    let same = lm_folder(&ours.denoising) == lm_folder(&theirs.denoising);
    code(ours) && code(theirs) && same
}

fn copy(phase: &Phase, run: &Run, donor: &Run) -> Result<()> {
    match phase.learns {
        Learns::Backbone => {
            copy_backbone(phase, run, donor)?;
            copy_if_there(DYNAMICS, run, donor)
        }
        Learns::Fold(_) => {
            copy_backbone(phase, run, donor)?;
            copy_if_there(&fold_file(phase), run, donor)
        }
        Learns::Encoder => copy_backbone(phase, run, donor),
        Learns::Reader => {
            let [from, to] = [donor, run].map(|run| reader::folder(&run.dir, phase.round));
            copy_folder(&from, &to)
        }
        Learns::Prior | Learns::Denoiser | Learns::Recommender => Ok(()),
    }
}

/// Copies the backbone alone: the donor's method weights were not trained in this phase and may have another shape.
fn copy_backbone(phase: &Phase, run: &Run, donor: &Run) -> Result<()> {
    let (device, file) = (Device::flex(), best_file(phase));
    let theirs = load_module(&donor.dir.join(&file), donor.blank_model(&device))?;
    let mut ours = run.blank_model(&device);
    ours.backbone = theirs.backbone;
    save_module(&run.dir.join(&file), &ours)
}

fn copy_if_there(name: &str, run: &Run, donor: &Run) -> Result<()> {
    let from = donor.dir.join(name);
    if !from.exists() {
        return Ok(());
    }
    fs::copy(&from, run.dir.join(name))
        .with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot copy {}", from.display());
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        if entry.file_type().with_context(failed)?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).with_context(failed)?;
        }
    }
    Ok(())
}

/// Copies the lines of the epochs taken over; returns the seconds that they took.
fn copy_metrics(taken: &[Phase], run: &Run, donor: &Run) -> Result<f64> {
    let path = donor.dir.join(METRICS);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut kept, mut seconds) = (String::new(), 0.0);
    for line in text.lines() {
        let told: Value =
            serde_json::from_str(line).with_context(|| format!("{} is damaged", path.display()))?;
        let names = taken.iter().map(|phase| &phase.name);
        if names.into_iter().any(|name| told["phase"] == name.as_str()) {
            kept += line;
            kept.push('\n');
            let spent = ["seconds", "validation_seconds"].map(|key| told[key].as_f64());
            seconds += spent.into_iter().flatten().sum::<f64>();
        }
    }
    write_atomically(&run.dir.join(METRICS), kept.as_bytes())?;
    Ok(seconds)
}
