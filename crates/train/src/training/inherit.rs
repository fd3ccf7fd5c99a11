//! Starts a run with the finished stages of another run, the donor. Every stage is taken over whose
//! [fingerprint](super::stages) this run's own would have: runs that differ only in later stages then share the same
//! weights and train only those.

use super::config::Config;
use super::device::Compute;
use super::dropping::{self, Dropped, How};
use super::metrics;
use super::progress::Progress;
use super::run::{Finished, Run};
use super::stages::{BACKBONE_STAGE, DYNAMICS, Inputs, fingerprints, list};
use super::warm::{self, Earlier};
use crate::data::{Dataset, InputError};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;

/// Creates a run in an empty or new folder and takes over what the donor's stages made. If `dropped` is given, the run
/// learns from the log without the clicks that its run takes for noise. If `earlier` is, its backbone starts with the weights
/// of that run.
///
/// # Errors
/// Input errors if the donor has no finished stage that this run has too; then nothing is written.
pub fn begin(
    dir: &Path,
    config: Config,
    compute: Compute,
    (data_dir, data): (&Path, &Dataset),
    donor: Option<&Run>,
    dropped: Option<(&Run, How)>,
    earlier: Option<&Earlier>,
) -> Result<Run> {
    let warm = earlier
        .map(|earlier| warm::check(&config, earlier))
        .transpose()?;
    let noise = dropped.map(|(by, how)| {
        let judged = dropping::judged(by, data)?;
        Ok::<_, anyhow::Error>(match how {
            How::Scored => judged,
            How::Random => dropping::shuffled(judged, config.seed),
        })
    });
    let noise = noise.transpose()?;
    let dropped = (dropped.zip(noise.as_ref())).map(|((by, how), noise)| Dropped {
        by: by.dir.clone(),
        how,
        hash: dropping::hash(noise),
    });
    let taken = match donor {
        Some(donor) => lent(&config, data, donor, dropped.as_ref())?,
        None => Vec::new(),
    };
    let mut run = Run::create(dir, config, compute, data_dir, data)?;
    if let Some(noise) = noise {
        dropping::write(dir, &noise)?;
        run.about.dropped = dropped;
    }
    if let Some(earlier) = earlier {
        run.about.warm = warm;
        warm::write(&run, data, earlier, &Progress::new())?;
    }
    if let Some(donor) = donor {
        take_over(&mut run, donor, &taken)?;
    }
    run.save()?;
    Ok(run)
}

/// The donor's stages that this run would have too, each with its name in this run.
fn lent<'d>(
    config: &Config,
    data: &Dataset,
    donor: &'d Run,
    dropped: Option<&Dropped>,
) -> Result<Vec<(String, &'d Finished)>> {
    let stages = list(config);
    let due = |watches| {
        let inputs = Inputs {
            config,
            data: data.hash(),
            dropped: dropped.map(|dropped| &*dropped.hash),
            warm: None,
            watches,
            number: 0,
        };
        fingerprints(&stages, inputs)
    };
    let of = |fingerprint: &String| {
        let mut done = donor.about.stages.iter();
        done.find(|done| done.fingerprint == *fingerprint)
    };
    let watches = config.watches() && dropped.is_none();
    let mut fingerprints = due(watches);
    let unrecorded = !donor.stage_dir(BACKBONE_STAGE).join(DYNAMICS).exists();
    if watches && of(&fingerprints[0]).is_some() && unrecorded {
        eprintln!(
            "{} recorded no learning dynamics with its backbone: nothing is learnt from them, as with denoising.dynamics=0",
            donor.dir.display()
        );
        fingerprints = due(false);
    }
    let taken = stages.iter().zip(&fingerprints);
    let taken: Vec<(String, &Finished)> = taken
        .filter_map(|(stage, fingerprint)| Some((stage.name(), of(fingerprint)?)))
        .collect();
    if taken.is_empty() {
        bail!(useless(config, data, donor, dropped));
    }
    Ok(taken)
}

/// Why the donor has no stage that this run would have.
fn useless(ours: &Config, data: &Dataset, donor: &Run, dropped: Option<&Dropped>) -> InputError {
    let (theirs, dir) = (&donor.config, donor.dir.display());
    let hash = |dropped: Option<&Dropped>| dropped.map(|dropped| dropped.hash.clone());
    let differs = [
        ("dataset", data.hash() != donor.about.data_hash),
        ("seed", ours.seed != theirs.seed),
        ("[backbone]", ours.backbone != theirs.backbone),
        ("[training]", ours.training != theirs.training),
        (
            "--drop-noise",
            hash(dropped) != hash(donor.about.dropped.as_ref()),
        ),
    ];
    let differs = differs.iter().find(|(_, differs)| *differs);
    if differs.is_none() && donor.finished_stage(BACKBONE_STAGE).is_none() {
        return InputError::other(format!(
            "{dir} has not finished its backbone yet: `ingle train --out {dir} --resume` goes on"
        ));
    }
    let what = differs.map_or("way of replacing clicks (denoising)", |(what, _)| what);
    InputError::other(format!(
        "{dir} was trained with another {what}: its backbone is not the one that this run would learn"
    ))
}

fn take_over(run: &mut Run, donor: &Run, taken: &[(String, &Finished)]) -> Result<()> {
    for (name, done) in taken {
        copy_folder(&donor.stage_dir(&done.stage), &run.stage_dir(name))?;
        run.about.stages.push(Finished {
            stage: name.clone(),
            ..(*done).clone()
        });
    }
    let names = taken.iter();
    let names: Vec<(String, String)> = names
        .map(|(name, done)| (done.stage.clone(), name.clone()))
        .collect();
    run.about.seconds = metrics::copy(&donor.dir, &run.dir, &names)?;
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
