//! `ingle evaluate`: ranking figures of a run over the whole catalogue.

use super::{Subject, open, unlabelled};
use crate::data::{Case, Dataset, InputError, Split};
use crate::metrics::ranking::{Figures, names};
use crate::say::say;
use crate::training::judge::{self, Answer};
use crate::training::samples::real_clicks;
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
  ingle evaluate runs/dc4sr --data data/beauty-noisy --oracle

The whole catalogue is ranked. `masked` leaves the items of the history out, `unmasked` does not;
the target ranks after items of equal score.")]
pub struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Leave the gate open: every click counts in full
    #[arg(long)]
    ungated: bool,
    /// Leave out exactly the clicks that are known to be noise: what a perfect gate would give
    #[arg(long, conflicts_with = "ungated")]
    oracle: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let Subject { run, data, split } = &args.subject;
    let (run, data, model) = open(run, data.as_deref())?;
    if args.oracle && !data.has_labels() {
        bail!(unlabelled());
    }
    let gating = match (args.ungated, args.oracle) {
        (true, _) => Gating::Open,
        (_, true) => Gating::Oracle,
        _ => Gating::Learnt,
    };
    let answers = answers(&run, &data, &model, split.split(), gating)?;
    if answers.is_empty() {
        bail!(InputError::Nobody);
    }
    if args.json {
        let mut report = report(&answers, &run.config);
        report["protocol"] = serde_json::to_value(data.meta().split)?;
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    say!("{}", table(&answers));
    say!(
        "{} users, all {} items ranked, split {}, seed {}",
        answers.len(),
        data.n_items(),
        data.meta().split,
        run.config.seed
    );
    Ok(())
}

/// What decides how much each click counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gating {
    /// The run's gate.
    Learnt,
    /// Nothing: every click counts in full.
    Open,
    /// The labels: clicks that were replaced are left out, and others count in full.
    Oracle,
}

/// Ranks the targets of a split.
pub fn answers(
    run: &Run,
    data: &Dataset,
    model: &Model,
    split: Split,
    gating: Gating,
) -> Result<Vec<Answer>> {
    let known = run.known()?;
    let mut cases = judge::cases(data, split);
    let real: Vec<Vec<u32>>;
    if gating == Gating::Oracle {
        let of = |case: &Case<'_>| real_clicks(case.history, case.noise.unwrap_or_default());
        real = cases.iter().map(of).collect();
        for (case, real) in cases.iter_mut().zip(&real) {
            case.history = real;
        }
        cases.sort_by_key(|case| case.history.len());
    }
    let gate = run.model_config().gate;
    let bar = ProgressBar::new(cases.len() as u64).with_message("users");
    let gate = (gating == Gating::Learnt).then_some(&gate);
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
