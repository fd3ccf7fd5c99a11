//! `ingle evaluate`: ranking figures of a run over the whole catalogue.

use crate::data::{Dataset, Split};
use crate::metrics::ranking::{CUTS, Figures};
use crate::training::judge::{self, Answer};
use crate::training::{Config, Run};
use anyhow::{Result, bail};
use burn::prelude::*;
use comfy_table::Table;
use indicatif::ProgressBar;
use ingle_model::Model;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Which users and which of their clicks are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SplitName {
    /// The click before the last, of users seen in training
    Valid,
    /// The last click, of users seen in training
    Test,
    /// The last click, of users held out of training (`prepare --holdout-users`)
    Unseen,
}

impl SplitName {
    /// The dataset's name for it.
    pub fn split(self) -> Split {
        match self {
            Self::Valid => Split::Valid,
            Self::Test => Split::Test,
            Self::Unseen => Split::Unseen,
        }
    }
}

/// Rank every item for every user and print HR, NDCG and MRR
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle evaluate runs/dc4sr
  ingle evaluate runs/dc4sr --split unseen --json
  ingle evaluate runs/dc4sr --data data/beauty-noisy     histories corrupted, targets clean

The whole catalogue is ranked. `masked` leaves the items of the history out, `unmasked` does not;
the target ranks after items of equal score.")]
pub struct Args {
    /// Run folder
    run: PathBuf,
    /// Dataset folder [default: the one the run was trained on]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Users and clicks to predict
    #[arg(long, value_enum, default_value = "test")]
    split: SplitName,
    /// Leave the gate open: every click counts in full
    #[arg(long)]
    ungated: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let (run, data, model) = open(&args.run, args.data.as_deref())?;
    let answers = answers(&run, &data, &model, args.split.split(), args.ungated)?;
    if answers.is_empty() {
        bail!(
            "the dataset has no user to evaluate in this split; `ingle prepare --holdout-users 0.1` makes unseen users"
        );
    }
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&report(&answers, &run.config))?
        );
        return Ok(());
    }
    println!("{}", table(&answers));
    println!(
        "{} users, all {} items ranked, seed {}",
        answers.len(),
        data.n_items(),
        run.config.seed
    );
    Ok(())
}

/// Opens a run with its model and a dataset of the same catalogue.
pub fn open(run: &Path, data: Option<&Path>) -> Result<(Run, Dataset, Model)> {
    let run = Run::open(run)?;
    let data = Dataset::open(data.unwrap_or(&run.about.data))?;
    if data.n_items() != run.about.items {
        bail!(
            "the dataset has {} items, the run was trained on {}: they are not of one catalogue",
            data.n_items(),
            run.about.items
        );
    }
    let model = run.model(&Device::flex())?;
    Ok((run, data, model))
}

/// Ranks the targets of a split.
pub fn answers(
    run: &Run,
    data: &Dataset,
    model: &Model,
    split: Split,
    ungated: bool,
) -> Result<Vec<Answer>> {
    let popularity = run.popularity()?;
    let cases = judge::cases(data, split);
    let gate = run.model_config().gate;
    let bar = ProgressBar::new(cases.len() as u64).with_message("users");
    let gate = (!ungated).then_some(&gate);
    let answers = judge::answer(model, gate, &cases, &popularity, &Device::flex(), |done| {
        bar.inc(done as u64);
    });
    bar.finish_and_clear();
    Ok(answers)
}

/// `{"masked": {...}, "unmasked": {...}, "users": ..., "seed": ...}`
pub fn report(answers: &[Answer], config: &Config) -> Value {
    json!({
        "masked": judge::masked(answers).to_json(),
        "unmasked": judge::unmasked(answers).to_json(),
        "users": answers.len(),
        "seed": config.seed,
    })
}

fn table(answers: &[Answer]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    let mut header = vec![String::new()];
    header.extend(
        ["HR", "NDCG", "MRR"]
            .iter()
            .flat_map(|name| CUTS.map(|cut| format!("{name}@{cut}"))),
    );
    table.set_header(header);
    for (name, figures) in [
        ("masked", judge::masked(answers)),
        ("unmasked", judge::unmasked(answers)),
    ] {
        table.add_row(row(name, &figures));
    }
    table
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    let hr = figures.at.iter().map(|at| at.0);
    let ndcg = figures.at.iter().map(|at| at.1);
    let mrr = figures.at.iter().map(|at| at.2);
    let cells = hr.chain(ndcg).chain(mrr);
    std::iter::once(name.to_owned())
        .chain(cells.map(|value| format!("{value:.4}")))
        .collect()
}
