//! `ingle train`: trains a model on a dataset and writes a run folder.

use super::auto;
use super::open;
use super::sweep::{self, Base};
use crate::data::{Dataset, InputError};
use crate::say::say;
use crate::training::dropping::How;
use crate::training::progress::Progress;
use crate::training::{Compute, Config, Run, inherit};
use anyhow::{Context, Result, bail};
use burn::prelude::*;
use ingle_model::methods::names;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Train a model on a prepared dataset
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle train --data data/beauty --method none --out runs/sasrec
  ingle train --data data/beauty --config configs/beauty-dc4sr.toml --set training.epochs=50 --out runs/dc4sr
  ingle train --data data/beauty --method dc4sr --rounds 3 --out runs/rounds
  ingle train --data data/beauty --method auto --out runs/auto    the method that wins most on held-out users
  ingle train --data data/beauty --from runs/dc4sr --set denoising.dynamics=0 --out runs/without
  ingle train --data data/beauty --drop-noise runs/dc4sr --out runs/again    learn without the noise it finds
  ingle train --data data/june --warm-start runs/may --set training.learning_rate=0.0003 --out runs/june
  ingle train --data data/beauty --device wgpu --out runs/gpu
  ingle train --out runs/dc4sr --resume        go on after Ctrl-C, a crash or a power cut
  ingle train --data data/beauty --sweep rates.toml --out runs/rates

A sweep file lists values, and every combination of them is trained:
  config = \"beauty-sasrec.toml\"
  [grid]
  \"training.learning_rate\" = [0.001, 0.002]
  seed = [1, 2, 3]
The same command again goes on where it was stopped.")]
pub struct Args {
    /// Dataset folder written by `ingle prepare`; a resumed run remembers it
    #[arg(long)]
    data: Option<PathBuf>,
    /// Run folder to write
    #[arg(long)]
    out: PathBuf,
    #[arg(long, help = methods())]
    method: Option<String>,
    /// TOML file with settings; see configs/
    #[arg(long)]
    config: Option<PathBuf>,
    /// Override one setting, as in `--set training.epochs=50`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Rounds of a method that has any, short for `--set denoising.rounds=N`
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Run of the same data to begin with: every finished stage of it that this run would train in the same way is taken over
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Finished run whose weights the backbone starts with, of an earlier log of the same shop: items are matched by id,
    /// new ones are placed by their titles; give the training a lower learning rate
    #[arg(long, value_name = "RUN", conflicts_with_all = ["from", "resume", "sweep"])]
    warm_start: Option<PathBuf>,
    /// Finished run of the same data that judges its clicks: in every epoch each is left out of what the backbone and its
    /// folds learn from, with the probability that it is noise
    #[arg(long, value_name = "RUN", conflicts_with_all = ["resume", "sweep"])]
    drop_noise: Option<PathBuf>,
    /// With --drop-noise: by which probabilities
    #[arg(long, value_enum, default_value_t, requires = "drop_noise")]
    drop: How,
    /// TOML file with values of settings: train every combination, each into a folder of --out
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    sweep: Option<PathBuf>,
    /// Where to compute [default: cpu]; a resumed run remembers it
    #[arg(long, value_enum)]
    device: Option<Compute>,
    /// Go on with the run in the folder from its last checkpoint
    #[arg(long)]
    resume: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Help text that lists the methods.
fn methods() -> String {
    let all = names().join(", ");
    format!(
        "Method, one of {all}, or auto for the one that wins most on held-out users, if any [default: the configuration's, else \
         dc4sr]"
    )
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    if let Some(file) = &args.sweep {
        return sweep(args, file);
    }
    if args.method.as_deref() == Some("auto") {
        return choose_method(args);
    }
    let (mut run, data, device) = if args.resume {
        resume(args)?
    } else {
        create(args)?
    };
    let stop = stop_on_interrupt()?;
    let progress = Progress::new();
    let finished = run.train(&data, &device, &stop, &progress)?;
    drop(progress);
    let dir = run.dir.display();
    if !finished {
        let how = format!("`ingle train --out {dir} --resume` goes on from here");
        return Err(Stopped(how).into());
    }
    if args.json {
        say!("{}", serde_json::to_string_pretty(&run.about)?);
        return Ok(());
    }
    for (stage, best) in run.about.best() {
        say!(
            "{stage}: best {} {:.4} at epoch {}",
            best.figure,
            best.value,
            best.epoch
        );
    }
    let memory = run.about.peak_memory.map_or_else(String::new, |bytes| {
        format!(", at most {:.2} GB of memory", bytes as f64 / 1e9)
    });
    say!("trained in {:.0} s{memory}", run.about.seconds);
    say!("next: ingle evaluate {dir}    or    ingle export {dir} --out BUNDLE");
    Ok(())
}

fn sweep(args: &Args, file: &Path) -> Result<()> {
    let (dir, data) = dataset(args)?;
    let sets = settings(args);
    let base = base(args, &sets);
    let stop = stop_on_interrupt()?;
    let result = sweep::train(file, &base, (dir, &data), &args.out, &stop)?;
    match result {
        None => return Err(Stopped::again().into()),
        Some(result) if args.json => say!("{}", serde_json::to_string_pretty(&result)?),
        Some(result) => say!("{}", sweep::tables(&result)),
    }
    Ok(())
}

fn choose_method(args: &Args) -> Result<()> {
    if args.resume || args.drop_noise.is_some() || args.warm_start.is_some() {
        bail!(InputError::other(
            "--method auto is resumed by the same command again, and takes neither --resume, --drop-noise nor --warm-start"
        ));
    }
    let (dir, data) = dataset(args)?;
    let sets = settings(args);
    let stop = stop_on_interrupt()?;
    let out = args.out.display();
    match auto::train(&base(args, &sets), (dir, &data), &args.out, &stop)? {
        None => return Err(Stopped::again().into()),
        Some(methods) if args.json => say!("{}", serde_json::to_string_pretty(&methods)?),
        Some(methods) => {
            say!("{}", auto::table(&methods));
            say!("next: ingle evaluate {out}    or    ingle export {out} --out BUNDLE");
        }
    }
    Ok(())
}

/// What several runs of one command share.
fn base<'a>(args: &'a Args, sets: &'a [String]) -> Base<'a> {
    Base {
        config: args.config.as_deref(),
        sets,
        method: args.method.as_deref(),
        compute: args.device.unwrap_or_default(),
        from: args.from.as_deref(),
    }
}

fn create(args: &Args) -> Result<(Run, Dataset, Device)> {
    if args.out.join("run.json").exists() {
        bail!(InputError::other(format!(
            "{} holds a run already: add --resume to go on with it, or choose another --out",
            args.out.display()
        )));
    }
    let sets = settings(args);
    let config = Config::resolve(args.config.as_deref(), &sets, args.method.as_deref())?;
    let (data_dir, data) = dataset(args)?;
    let compute = args.device.unwrap_or_default();
    let device = compute.open()?;
    let donor = args.from.as_deref().map(Run::open).transpose()?;
    let earlier = args.warm_start.as_deref().map(|run| open(run, None));
    let earlier = earlier.transpose()?;
    let judge = args.drop_noise.as_deref().map(Run::open).transpose()?;
    let run = inherit::begin(
        &args.out,
        config,
        compute,
        (data_dir, &data),
        donor.as_ref(),
        judge.as_ref().map(|run| (run, args.drop)),
        earlier.as_ref(),
    )?;
    Ok((run, data, device))
}

/// The settings of the command line.
fn settings(args: &Args) -> Vec<String> {
    let rounds = args
        .rounds
        .map(|rounds| format!("denoising.rounds={rounds}"));
    args.sets.iter().cloned().chain(rounds).collect()
}

/// The dataset to train on, and its folder.
fn dataset(args: &Args) -> Result<(&Path, Dataset)> {
    let Some(dir) = &args.data else {
        bail!(InputError::other(
            "--data is missing: name a folder that `ingle prepare` wrote"
        ));
    };
    let data = Dataset::open(dir)?;
    if !data.is_trainable() {
        bail!(InputError::other("no user has two clicks to train on"));
    }
    Ok((dir, data))
}

fn resume(args: &Args) -> Result<(Run, Dataset, Device)> {
    let rounds = args.rounds.is_some();
    if args.config.is_some() || !args.sets.is_empty() || args.method.is_some() || rounds {
        bail!(InputError::other(
            "a resumed run keeps its settings: leave out --config, --set, --rounds and --method"
        ));
    }
    let run = Run::open(&args.out)?;
    if let Some(device) = args.device.filter(|device| *device != run.about.device) {
        bail!(InputError::other(format!(
            "the run is trained with --device {}, not {}: its optimiser's state is of that kind",
            run.about.device.name(),
            device.name()
        )));
    }
    let dir = args.data.as_ref().unwrap_or(&run.about.data);
    let data = Dataset::open(dir)?;
    let device = run.about.device.open()?;
    Ok((run, data, device))
}

/// The user stopped the command, which can be continued. A script that goes on with `&&` ends here.
#[derive(Debug, thiserror::Error)]
#[error("stopped; {0}")]
pub struct Stopped(pub String);

impl Stopped {
    /// Of a command that continues if it is given again.
    pub(super) fn again() -> Self {
        Self("the same command goes on from here".to_owned())
    }
}

/// Exit status of a stopped command, as of a program that Ctrl-C ended.
pub const STOPPED: u8 = 130;

/// The first Ctrl-C stops training after the current step; the second ends the program.
pub(super) fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(STOPPED.into());
        }
        eprintln!("\nstopping after this step and saving (Ctrl-C again: at once) ...");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
