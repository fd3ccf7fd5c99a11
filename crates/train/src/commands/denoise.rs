//! `ingle denoise`: a run's noise probability for every click of a dataset or of windows and, if the noise is known,
//! noise detection figures.

use super::prepare::{noted, skipped};
use super::reading::ReadingArgs;
use super::{Subject, open, unlabelled, write_line};
use crate::data::read::{self, Window, Windows};
use crate::data::{Dataset, InputError, Item, Split};
use crate::metrics::detection::Detection;
use crate::say::say;
use crate::training::Run;
use crate::training::judge::{self, LabelledHistory};
use crate::training::samples::{latest, longest};
use anyhow::{Context, Result, bail};
use burn::prelude::*;
use ingle_model::methods::Clicks;
use ingle_model::{Batch, Model};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;

/// Score the clicks of a dataset or of windows, one JSON line a history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle denoise runs/dc4sr --data data/beauty > verdicts.jsonl
  ingle corrupt --data data/beauty --rate 0.1 --seed 7 --out data/beauty-noisy
  ingle denoise runs/dc4sr --data data/beauty-noisy --split unseen --evaluate --json
  ingle denoise runs/toys --windows valid.csv --evaluate

Windows have the columns that `ingle prepare --windows` reads. Their clicks but the last are judged, which
is the target of the history; clicks on items that the run does not know are passed over.")]
pub struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Files of windows of known noise, instead of the histories of a dataset
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "split")]
    windows: Vec<PathBuf>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Evaluate the noise probabilities by the known labels of windows or a corrupted dataset
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
    args.reading.need(!args.windows.is_empty(), "--windows")?;
    let Subject { run, data, split } = &args.subject;
    let (run, data, model) = open(run, data.as_deref())?;
    let histories = if args.windows.is_empty() {
        of_dataset(&data, split.split())
    } else {
        of_windows(args, &data)?
    };
    if histories.is_empty() {
        bail!("the dataset has no history in this split");
    }
    if args.evaluate {
        evaluate(args, &run, &model, histories)
    } else {
        print_verdicts(&run, data.items(), &model, &histories)
    }
}

/// A history to be judged.
struct History {
    user_id: String,
    /// Item indices, oldest click first.
    clicks: Vec<u32>,
    /// 1 for each replaced click, if that is known.
    noise: Option<Vec<u8>>,
}

/// The histories of a split, shortest first, so that batches have little padding.
fn of_dataset(data: &Dataset, split: Split) -> Vec<History> {
    let history = |user: usize| {
        let (clicks, noise) = data.history(user, split)?;
        Some(History {
            user_id: data.user_id(user).to_owned(),
            clicks: clicks.to_vec(),
            noise: noise.map(<[u8]>::to_vec),
        })
    };
    let mut histories: Vec<History> = (0..data.n_users()).filter_map(history).collect();
    histories.sort_by_key(|history| history.clicks.len());
    histories
}

/// The histories of windows over the catalogue of `data`, shortest first.
fn of_windows(args: &Args, data: &Dataset) -> Result<Vec<History>> {
    let reading = args.reading.reading()?;
    let mut windows = Windows::default();
    for file in &read::files(&args.windows)? {
        read::windows(file, &reading, false, &mut windows)?;
    }
    noted(&windows.said());
    skipped(&[&windows.bad]);
    let mut histories = known(&windows, data.items());
    if histories.is_empty() {
        let (rows, bad) = (windows.rows, windows.bad.count);
        bail!(InputError::Nothing(format!(
            "{rows} rows read, {bad} could not be used, and no history of the others has an item that the \
             run knows"
        )));
    }
    histories.sort_by_key(|history| history.clicks.len());
    Ok(histories)
}

/// The clicks of each window except the last, without those on unknown items, whose number is printed.
fn known(windows: &Windows, items: &[Item]) -> Vec<History> {
    let indices = items.iter().map(|item| item.id.as_str()).zip(1..);
    let indices: HashMap<&str, u32> = indices.collect();
    let index = |&item: &u32| indices.get(&windows.items.list()[item as usize]).copied();
    let clicks = |window: &Window| window.items.len() - 1;
    let history = |window: &Window| {
        let labelled = window.items.iter().zip(&window.noise).take(clicks(window));
        let (clicks, noise) = labelled
            .filter_map(|(item, &label)| Some((index(item)?, label)))
            .unzip();
        History {
            user_id: windows.name(window),
            clicks,
            noise: Some(noise),
        }
    };
    let mut histories: Vec<History> = windows.list.iter().map(history).collect();
    let judged: usize = histories.iter().map(|history| history.clicks.len()).sum();
    let passed = windows.list.iter().map(clicks).sum::<usize>() - judged;
    histories.retain(|history| !history.clicks.is_empty());
    if passed > 0 {
        let empty = windows.list.len() - histories.len();
        eprintln!(
            "passed over {passed} clicks on items that the run does not know; nothing is left of {empty} \
             windows"
        );
    }
    histories
}

fn evaluate(args: &Args, run: &Run, model: &Model, histories: Vec<History>) -> Result<()> {
    let labelled =
        |history: History| -> Option<LabelledHistory> { Some((history.clicks, history.noise?)) };
    let histories: Option<Vec<LabelledHistory>> = histories.into_iter().map(labelled).collect();
    let Some(histories) = histories else {
        bail!(unlabelled());
    };
    let verdicts = judge::judge(
        model,
        &histories,
        args.last,
        &run.features()?,
        &Device::flex(),
    );
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
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    say!("{}", line(&figures));
    for (name, view) in views
        .iter()
        .flat_map(|v| [("prior", &v.prior), ("posterior", &v.posterior)])
    {
        say!("{}   by the {name} alone", line(view));
    }
    say!(
        "over {} clicks of {} histories, {} of them noise",
        figures.clicks,
        histories.len(),
        figures.noisy
    );
    Ok(())
}

fn line(figures: &Detection) -> String {
    let Detection { auc, ap, ece, .. } = figures;
    format!("AUC {auc:.4}   AP {ap:.4}   ECE {ece:.4}")
}

/// Writes one JSON line per history: `{"user_id": ..., "clicks": [{"item_id", "noise", "keep"}]}`, with `prior` and
/// `posterior` per click for a method with two views.
fn print_verdicts(run: &Run, items: &[Item], model: &Model, asked: &[History]) -> Result<()> {
    let config = run.model_config();
    let known = run.features()?;
    let max_len = model.backbone.max_len();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for group in asked.chunks(256) {
        let histories: Vec<&[u32]> = group.iter().map(|h| latest(&h.clicks, max_len)).collect();
        let len = longest(&histories);
        let batch = Batch::new(&histories, len, &known, &Device::flex());
        let verdict = model.judge(&Clicks::of(&model.backbone, batch), &config.gate);
        let method = run.config.method.name();
        let verdict = verdict.with_context(|| format!("method {method} judges no clicks"))?;
        let floats = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let noise = floats(verdict.noise);
        let views = verdict
            .views
            .map(|v| (floats(v.prior), floats(v.posterior)));
        for (row, (asked, history)) in group.iter().zip(&histories).enumerate() {
            let start = row * len + len - history.len();
            let keep = config.weights(&noise[start..start + history.len()]);
            let clicks: Vec<_> = (history.iter().enumerate())
                .map(|(i, &item)| {
                    let mut click = json!({
                        "item_id": items[item as usize - 1].id,
                        "noise": noise[start + i],
                        "keep": keep[i],
                    });
                    if let Some((prior, posterior)) = &views {
                        click["prior"] = prior[start + i].into();
                        click["posterior"] = posterior[start + i].into();
                    }
                    click
                })
                .collect();
            let line = json!({"user_id": asked.user_id, "clicks": clicks});
            if !write_line(&mut out, &line)? {
                return Ok(());
            }
        }
    }
    Ok(())
}
