//! `ingle evaluate`: ranking figures of a run over the whole catalogue.

use super::{Subject, open};
use crate::data::{Dataset, InputError, Split};
use crate::metrics::ranking::{Figures, names};
use crate::training::judge::{self, Answer};
use crate::training::{Config, Run};
use anyhow::{Result, bail};
use burn::prelude::*;
use comfy_table::Table;
use indicatif::ProgressBar;
use ingle_model::Model;
use serde_json::{Value, json};

/// Rank every item for every user and print HR, NDCG and MRR
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle evaluate runs/dc4sr
  ingle evaluate runs/dc4sr --split unseen --json
  ingle evaluate runs/dc4sr --data data/beauty-noisy     histories corrupted, targets clean

The whole catalogue is ranked. `masked` leaves the items of the history out, `unmasked` does not;
the target ranks after items of equal score.")]
pub struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Leave the gate open: every click counts in full
    #[arg(long)]
    ungated: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let Subject { run, data, split } = &args.subject;
    let (run, data, model) = open(run, data.as_deref())?;
    let answers = answers(&run, &data, &model, split.split(), args.ungated)?;
    if answers.is_empty() {
        bail!(InputError::Nobody);
    }
    if args.json {
        let mut report = report(&answers, &run.config);
        report["protocol"] = serde_json::to_value(data.meta().split)?;
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("{}", table(&answers));
    println!(
        "{} users, all {} items ranked, split {}, seed {}",
        answers.len(),
        data.n_items(),
        data.meta().split,
        run.config.seed
    );
    Ok(())
}

/// Ranks the targets of a split.
pub fn answers(
    run: &Run,
    data: &Dataset,
    model: &Model,
    split: Split,
    ungated: bool,
) -> Result<Vec<Answer>> {
    let known = run.known()?;
    let cases = judge::cases(data, split);
    let gate = run.model_config().gate;
    let bar = ProgressBar::new(cases.len() as u64).with_message("users");
    let gate = (!ungated).then_some(&gate);
    let answers = judge::answer(model, gate, &cases, &known, &Device::flex(), |done| {
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
    header.extend(names());
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
    std::iter::once(name.to_owned())
        .chain(figures.values().map(|value| format!("{value:.4}")))
        .collect()
}
