//! `ingle denoise`: the verdict of a run on every click of a dataset, and, where the noise is
//! known, how good the verdicts are.

use super::{Subject, open, write_line};
use crate::data::{Case, Dataset, InputError};
use crate::metrics::detection::Detection;
use crate::training::Run;
use crate::training::judge::{self, LabelledHistory};
use crate::training::samples::{latest, longest};
use anyhow::{Context, Result, bail};
use burn::prelude::*;
use ingle_model::methods::Clicks;
use ingle_model::{Batch, Model};
use serde_json::json;

/// Judge the clicks of a dataset, one JSON line a history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle denoise runs/dc4sr --data data/beauty > verdicts.jsonl
  ingle corrupt --data data/beauty --rate 0.1 --seed 7 --out data/beauty-noisy
  ingle denoise runs/dc4sr --data data/beauty-noisy --split unseen --evaluate --json")]
pub struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Judge the verdicts by the known labels of a corrupted dataset
    #[arg(long)]
    evaluate: bool,
    /// With --evaluate: the latest clicks of each history that are judged
    #[arg(long, default_value_t = 20)]
    last: usize,
    /// With --evaluate: print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let Subject { run, data, split } = &args.subject;
    let (run, data, model) = open(run, data.as_deref())?;
    let cases = judge::cases(&data, split.split());
    if cases.is_empty() {
        bail!("the dataset has no history in this split");
    }
    if args.evaluate {
        evaluate(args, &run, &model, &cases)
    } else {
        print_verdicts(&run, &data, &model, &cases)
    }
}

fn evaluate(args: &Args, run: &Run, model: &Model, cases: &[Case<'_>]) -> Result<()> {
    let labelled = |case: &Case<'_>| -> Option<LabelledHistory> {
        Some((case.history.to_vec(), case.noise?.to_vec()))
    };
    let histories: Option<Vec<LabelledHistory>> = cases.iter().map(labelled).collect();
    let Some(histories) = histories else {
        bail!(InputError::other(
            "the noise of this dataset is not known: `ingle corrupt` makes a dataset with labels"
        ));
    };
    let verdicts = judge::judge(model, &histories, args.last, &run.known()?, &Device::flex());
    let method = run.config.method.name();
    let verdicts = verdicts.with_context(|| format!("method {method} judges no clicks"))?;
    let figures = verdicts.detection(run.about.scale);
    let figures = figures.context("noisy and clean clicks must both occur")?;
    let views = verdicts.by_view(run.about.views.unwrap_or_default());
    if args.json {
        let mut report = serde_json::to_value(figures)?;
        if let Some(views) = &views {
            report["views"] = serde_json::to_value(views)?;
        }
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("{}", line(&figures));
    for (name, view) in views
        .iter()
        .flat_map(|v| [("prior", &v.prior), ("posterior", &v.posterior)])
    {
        println!("{}   by the {name} alone", line(view));
    }
    println!(
        "over {} clicks of {} histories, {} of them noise",
        figures.clicks,
        cases.len(),
        figures.noisy
    );
    Ok(())
}

fn line(figures: &Detection) -> String {
    let Detection { auc, ap, ece, .. } = figures;
    format!("AUC {auc:.4}   AP {ap:.4}   ECE {ece:.4}")
}

/// One JSON line a history: `{"user_id": ..., "clicks": [{"item_id", "noise", "keep"}]}`, and `prior`
/// and `posterior` of a click in a method of two views.
fn print_verdicts(run: &Run, data: &Dataset, model: &Model, cases: &[Case<'_>]) -> Result<()> {
    let gate = run.model_config().gate;
    let known = run.known()?;
    let max_len = model.backbone.max_len();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for group in cases.chunks(256) {
        let histories: Vec<&[u32]> = group.iter().map(|c| latest(c.history, max_len)).collect();
        let len = longest(&histories);
        let batch = Batch::new(&histories, len, &known, &Device::flex());
        let verdict = model.judge(&Clicks::of(&model.backbone, batch), &gate);
        let method = run.config.method.name();
        let verdict = verdict.with_context(|| format!("method {method} judges no clicks"))?;
        let floats = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let (noise, keep) = (floats(verdict.noise), floats(verdict.keep));
        let views = verdict
            .views
            .map(|v| (floats(v.prior), floats(v.posterior)));
        for (row, (case, history)) in group.iter().zip(&histories).enumerate() {
            let start = row * len + len - history.len();
            let clicks: Vec<_> = (history.iter().enumerate())
                .map(|(i, &item)| {
                    let mut click = json!({
                        "item_id": data.items()[item as usize - 1].id,
                        "noise": noise[start + i],
                        "keep": keep[start + i],
                    });
                    if let Some((prior, posterior)) = &views {
                        click["prior"] = prior[start + i].into();
                        click["posterior"] = posterior[start + i].into();
                    }
                    click
                })
                .collect();
            let line = json!({"user_id": data.user_id(case.user), "clicks": clicks});
            if !write_line(&mut out, &line)? {
                return Ok(());
            }
        }
    }
    Ok(())
}
