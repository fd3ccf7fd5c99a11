//! Writes histories for a language model that Ingle does not run itself, for prompting or fine-tuning.

use crate::data::corrupt::Kind;
use crate::data::{Dataset, InputError};
use crate::reader::ScoredSplit;
use crate::say::say;
use crate::training::config::Denoising;
use crate::training::progress::Progress;
use crate::training::samples::{Corruption, latest};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

/// Write histories with their titles, for a larger language model
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle reader export --data data/noisy --split unseen --out histories.jsonl
  scripts/ask-llm.py histories.jsonl answers.jsonl --url http://127.0.0.1:8000/v1 --model NAME
  ingle reader score --answers answers.jsonl --data data/noisy --split unseen --out unseen.safetensors --evaluate
  ingle reader export --data data/beauty --split train --rate 0.1 --copies 3 --out tuning.jsonl

Each line is one history, oldest click first:
  {\"user\": \"A1\", \"items\": [\"B01\", \"B02\"], \"titles\": [\"Steel pan\", \"Hair oil\"]}
With --rate some clicks are replaced, and \"noise\" has 1 for each of those and 0 for the others: examples to tune
a model with.")]
pub(super) struct ExportArgs {
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// Histories to write
    #[arg(long, value_enum)]
    split: ScoredSplit,
    /// JSONL file to write
    #[arg(long)]
    out: PathBuf,
    /// Latest clicks of a history
    #[arg(long, default_value_t = 20)]
    window: usize,
    /// Replace this share of the clicks, and say which
    #[arg(long)]
    rate: Option<f64>,
    /// With --rate: how replacements are drawn
    #[arg(long, value_enum, default_value = "uniform", requires = "rate")]
    kind: Kind,
    /// With --rate: times that every history is corrupted anew
    #[arg(long, default_value_t = 1, requires = "rate")]
    copies: u64,
    /// With --rate: the source of chance
    #[arg(long, default_value_t = 1, requires = "rate")]
    seed: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    user: &'a str,
    items: Vec<&'a str>,
    titles: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise: Option<Vec<u8>>,
}

/// Runs `export`.
pub(super) fn export(args: &ExportArgs) -> Result<()> {
    let data = Dataset::open(&args.data)?;
    let corruption = args.rate.map(|rate| corruption(args, rate, &data));
    let corruption = corruption.transpose()?;
    let copies = if corruption.is_some() { args.copies } else { 1 };
    let coming = args.out.with_extension("coming");
    let cannot = || format!("cannot write {}", args.out.display());
    let mut writer = BufWriter::new(File::create(&coming).with_context(cannot)?);
    let progress = Progress::of_histories();
    progress.start("writing".to_owned(), copies as usize * data.n_users());
    let mut lines = 0;
    for copy in 0..copies {
        for user in 0..data.n_users() {
            let history = latest(args.split.history(&data, user), args.window);
            progress.done(1);
            if history.is_empty() {
                continue;
            }
            let line = match &corruption {
                Some(corruption) => {
                    let (items, noise) = corruption.apply(history, user, args.seed, copy);
                    line(&data, user, &items, Some(noise))
                }
                None => line(&data, user, history, None),
            };
            serde_json::to_writer(&mut writer, &line).with_context(cannot)?;
            writer.write_all(b"\n").with_context(cannot)?;
            lines += 1;
        }
    }
    writer.flush().with_context(cannot)?;
    drop(progress);
    if lines == 0 {
        std::fs::remove_file(&coming).with_context(cannot)?;
        bail!(InputError::Nobody);
    }
    std::fs::rename(&coming, &args.out).with_context(cannot)?;
    say!("wrote {lines} histories to {}", args.out.display());
    Ok(())
}

fn corruption(args: &ExportArgs, rate: f64, data: &Dataset) -> Result<Corruption> {
    if !(rate > 0.0 && rate < 1.0) {
        bail!(InputError::other(format!(
            "--rate is {rate}, but must be between 0 and 1"
        )));
    }
    if args.split != ScoredSplit::Train {
        bail!(InputError::other(
            "--rate makes examples to tune with, which are of --split train"
        ));
    }
    let settings = Denoising {
        rates: vec![rate],
        kinds: vec![args.kind],
        last: args.window,
        ..Denoising::default()
    };
    Corruption::new(&settings, data)
}

fn line<'a>(data: &'a Dataset, user: usize, items: &[u32], noise: Option<Vec<u8>>) -> Line<'a> {
    let items = || items.iter().map(|&item| &data.items()[item as usize - 1]);
    Line {
        user: data.user_id(user),
        items: items().map(|item| item.id.as_str()).collect(),
        titles: items()
            .map(|item| item.title.as_deref().unwrap_or_default())
            .collect(),
        noise,
    }
}
