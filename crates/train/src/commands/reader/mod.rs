//! `ingle reader`: fine-tunes a language model to detect noise, scores clicks with it, and refines it on disputed
//! histories.

mod histories;

use super::train::{Stopped, stop_on_interrupt};
use super::unlabelled;
use crate::data::{Dataset, InputError};
use crate::reader::{self, Reader, ScoredSplit, Scores, Settings, fit, score, score_files};
use crate::say::say;
use crate::training::judge::Verdicts;
use crate::training::progress::Progress;
use anyhow::{Context as _, Result, bail};
use burn::prelude::*;
use ingle_bundle::Scale;
use ingle_lm::LanguageModel;
use ingle_lm::folder::default_folder;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const EXAMPLES: &str = "Examples:
  scripts/fetch-lm
  ingle reader fit --data data/beauty --out readers/beauty
  ingle reader fit --data data/beauty --out readers/beauty --resume    go on after Ctrl-C or a crash
  ingle reader score readers/beauty --data data/beauty --split train --out train.safetensors
  ingle reader score readers/beauty --data data/noisy --split unseen --out unseen.safetensors --evaluate
  ingle reader refresh readers/beauty --data data/beauty --disputed disputed.jsonl --out readers/second

The language model is a BERT as Hugging Face keeps one (config.json, tokenizer.json, model.safetensors).
`scripts/fetch-lm` brings all-MiniLM-L6-v2 to where it is looked for; --lm DIR names another.";

/// Fit a language model to tell noisy clicks by their titles, and ask it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Fit(FitArgs),
    Score(ScoreArgs),
    Refresh(RefreshArgs),
    Export(histories::ExportArgs),
}

/// Fine-tune on training histories with replaced clicks
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle reader fit --data data/beauty --out readers/beauty
  ingle reader fit --data data/beauty --out readers/quick --histories 500 --epochs 1 --set adapt_layers=2
  ingle reader fit --data data/beauty --out readers/beauty --resume

Settings for --set: seed, window, title_tokens, adapt_layers, rank, alpha, dropout, histories, epochs,
learning_rate, warmup, batch_tokens, rate, rates, kinds, validation, refine_steps.")]
struct FitArgs {
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// Reader folder to write
    #[arg(long)]
    out: PathBuf,
    /// Folder of the language model [default: where scripts/fetch-lm puts it]
    #[arg(long)]
    lm: Option<PathBuf>,
    /// Histories of an epoch; 0 takes all
    #[arg(long)]
    histories: Option<usize>,
    /// Epochs
    #[arg(long)]
    epochs: Option<usize>,
    /// Layers that read titles together and carry adapters, counted from the last
    #[arg(long)]
    adapt_layers: Option<usize>,
    /// Override one setting, as in `--set rank=4`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Go on with the fit in the folder from its last checkpoint
    #[arg(long)]
    resume: bool,
}

/// Write the noise logits of every history of a split
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle reader score readers/beauty --data data/beauty --split train --out train.safetensors
  ingle reader score readers/beauty --data data/noisy --split test --out test.safetensors --evaluate --json
  ingle reader score --answers answers.jsonl --data data/noisy --split unseen --out unseen.safetensors --evaluate

Answers of another model come as JSONL, a line for each history; `ingle reader export --help` says how to ask one:
  {\"user\": \"A1\", \"items\": [\"B01\", \"B02\"], \"noise\": [0.05, 0.9]}

The same command again goes on where it was stopped.")]
struct ScoreArgs {
    /// Reader folder, unless there are --answers
    #[arg(required_unless_present = "answers", conflicts_with = "answers")]
    reader: Option<PathBuf>,
    /// JSONL file of what another model answered
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// Histories it is about
    #[arg(long, value_enum)]
    split: ScoredSplit,
    /// Safetensors file to write: offsets of each user's logits, and the logits
    #[arg(long)]
    out: PathBuf,
    /// Folder of the language model [default: where scripts/fetch-lm puts it]
    #[arg(long)]
    lm: Option<PathBuf>,
    /// Evaluate the logits by the known labels of a corrupted dataset
    #[arg(long)]
    evaluate: bool,
    /// With --evaluate: print JSON
    #[arg(long)]
    json: bool,
}

/// Refine by disputed histories with soft labels
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle reader refresh readers/beauty --data data/beauty --disputed disputed.jsonl --out readers/second

Each line of the file is one history:
  {\"user\": \"A1\", \"items\": [\"B01\", \"B02\"], \"noise\": [0.05, 0.9]}")]
struct RefreshArgs {
    /// Reader folder to start from
    reader: PathBuf,
    /// Dataset folder, the one the reader was fitted on
    #[arg(long)]
    data: PathBuf,
    /// JSONL file of disputed histories
    #[arg(long)]
    disputed: PathBuf,
    /// Reader folder to write
    #[arg(long)]
    out: PathBuf,
    /// Folder of the language model [default: where scripts/fetch-lm puts it]
    #[arg(long)]
    lm: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Fit(args) => run_fit(args),
        Command::Score(args) => run_score(args),
        Command::Refresh(args) => run_refresh(args),
        Command::Export(args) => histories::export(args),
    }
}

fn lm(dir: Option<&PathBuf>, device: &Device) -> Result<LanguageModel, InputError> {
    reader::open_lm(&dir.cloned().unwrap_or_else(default_folder), device)
}

fn run_fit(args: &FitArgs) -> Result<()> {
    let (resumed, settings) = begin(args)?;
    let data = Dataset::open(&args.data)?;
    let lm = lm(args.lm.as_ref(), &Device::flex().autodiff())?;
    if let Some(reader) = &resumed {
        reader.check_lm(&lm)?;
        reader.check_data(&data)?;
    }
    let stop = stop_on_interrupt()?;
    let progress = Progress::new();
    let ground = fit::Ground::new(&data, &lm, &settings)?;
    let mut reader = match resumed {
        Some(reader) => reader,
        None => Reader::create(&args.out, settings.clone(), &lm, &data)?,
    };
    let finished = fit::fit(&mut reader, &ground, &stop, &progress)?;
    drop(progress);
    let dir = reader.dir.display();
    if !finished {
        let data = args.data.display();
        let how =
            format!("`ingle reader fit --data {data} --out {dir} --resume` goes on from here");
        return Err(Stopped(how).into());
    }
    if let Some(best) = reader.about.valid {
        say!(
            "best validation AUC {:.4} at epoch {}",
            best.auc,
            best.epoch
        );
    }
    say!("fitted in {:.0} s", reader.about.seconds);
    say!(
        "next: ingle reader score {dir} --data {} --split train --out FILE",
        args.data.display()
    );
    Ok(())
}

/// The reader to resume, if requested, and the settings.
fn begin(args: &FitArgs) -> Result<(Option<Reader>, Settings)> {
    if !args.resume {
        Reader::check_new(&args.out)?;
        return Ok((None, settings(args)?));
    }
    let given = [args.histories, args.epochs, args.adapt_layers];
    if !args.sets.is_empty() || given.iter().any(Option::is_some) {
        bail!(InputError::other(
            "a resumed fit keeps its settings: leave out --set, --histories, --epochs and --adapt-layers"
        ));
    }
    let reader = Reader::open(&args.out)?;
    let settings = reader.about.settings.clone();
    Ok((Some(reader), settings))
}

/// The settings of a new fit.
fn settings(args: &FitArgs) -> Result<Settings> {
    let mut settings = Settings::resolve(&args.sets)?;
    settings.histories = args.histories.unwrap_or(settings.histories);
    settings.epochs = args.epochs.unwrap_or(settings.epochs);
    settings.adapt_layers = args.adapt_layers.unwrap_or(settings.adapt_layers);
    settings.check()?;
    Ok(settings)
}

fn run_score(args: &ScoreArgs) -> Result<()> {
    let data = Dataset::open(&args.data)?;
    if args.evaluate && !data.has_labels() {
        bail!(unlabelled());
    }
    let stop = stop_on_interrupt()?;
    let found = match (&args.reader, &args.answers) {
        (Some(reader), _) => by_encoder(args, reader, &data, &stop)?,
        (None, Some(answers)) => {
            let scores = score_files::answers(answers, &data, args.split)?;
            scores.save(&args.out)?;
            Some(scores)
        }
        (None, None) => bail!(InputError::other("name a reader folder or --answers")),
    };
    let Some(scores) = found else {
        return Err(Stopped::again().into());
    };
    if args.evaluate {
        return evaluate(args, &data, &scores);
    }
    say!("wrote {} logits to {}", scores.len(), args.out.display());
    Ok(())
}

/// The scores by a fitted encoder; `None` if `stop` was set.
fn by_encoder(
    args: &ScoreArgs,
    reader: &Path,
    data: &Dataset,
    stop: &AtomicBool,
) -> Result<Option<Scores>> {
    let reader = Reader::finished(reader)?;
    let lm = lm(args.lm.as_ref(), &Device::flex())?;
    let progress = Progress::of_histories();
    score::split(&reader, &lm, data, args.split, &args.out, (stop, &progress))
}

fn evaluate(args: &ScoreArgs, data: &Dataset, scores: &Scores) -> Result<()> {
    let mut verdicts = Verdicts::default();
    for user in 0..data.n_users() {
        let noise = args.split.noise(data, user).unwrap_or_default();
        verdicts.add(scores.of(user), noise);
    }
    let figures = verdicts.detection(Scale::default());
    let figures = figures.context("noisy and clean clicks must both occur")?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&json!(figures))?);
    } else {
        say!(
            "AUC {:.4}   AP {:.4}   ECE {:.4}   over {} clicks, {} of them noise",
            figures.auc,
            figures.ap,
            figures.ece,
            figures.clicks,
            figures.noisy
        );
    }
    Ok(())
}

fn run_refresh(args: &RefreshArgs) -> Result<()> {
    let before = Reader::finished(&args.reader)?;
    let data = Dataset::open(&args.data)?;
    before.check_data(&data)?;
    Reader::check_new(&args.out)?;
    let disputed = score_files::disputed(&args.disputed, &data)?;
    let lm = lm(args.lm.as_ref(), &Device::flex().autodiff())?;
    let judge = before.judge(&lm)?;
    let stop = stop_on_interrupt()?;
    let progress = Progress::new();
    let settings = &before.about.settings;
    let ground = fit::Ground::new(&data, &lm, settings)?;
    let Some(judge) = fit::refine(&ground, judge, &disputed, (&stop, &progress))? else {
        return Err(Stopped("nothing is written".to_owned()).into());
    };
    drop(progress);
    let found = ground.validate(&judge, 0);
    let after = before.refined(&args.out, &lm, &data, &judge, (found, disputed.len()))?;
    say!(
        "refined by {} histories: validation AUC {:.4}, it was {:.4}",
        disputed.len(),
        found.auc,
        before.about.valid.map_or(0.0, |valid| valid.auc)
    );
    say!("wrote {}", after.dir.display());
    Ok(())
}
