//! The prior of a larger language model behind a completions endpoint: what it is asked, and what it is
//! tuned with.

use crate::data::corrupt::Kind;
use crate::data::{Dataset, InputError};
use crate::prior::{ScoredSplit, Scores};
use crate::say::say;
use crate::training::config::Denoising;
use crate::training::progress::Progress;
use crate::training::samples::{Corruption, latest};
use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use ingle_endpoint::{Endpoint, EndpointError, Settings, sft};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A language model behind an endpoint.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// Ask the language model at this OpenAI-compatible address instead
    #[arg(long, requires = "model", value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// With --endpoint: the model's name there
    #[arg(long, requires = "endpoint")]
    model: Option<String>,
    /// With --endpoint: environment variable that holds the key, if one is needed
    #[arg(long, default_value = "INGLE_API_KEY", value_name = "NAME")]
    key_variable: String,
    /// With --endpoint: file in which answers are kept [default: OUT with .answers.jsonl]
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// With --endpoint: requests in a minute at most
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// With --endpoint: requests under way at the same time
    #[arg(long, default_value_t = 4, value_name = "N")]
    connections: usize,
    /// With --endpoint: seconds that one request may take
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    timeout: u64,
    /// With --endpoint: latest clicks of a history that are asked about
    #[arg(long, default_value_t = 20, value_name = "N")]
    window: usize,
}

impl Asked {
    fn settings(&self, base: &str, out: &Path) -> Settings {
        let mut name = out.as_os_str().to_owned();
        name.push(".answers.jsonl");
        let cache = self.cache.clone().unwrap_or_else(|| name.into());
        let model = self.model.as_deref().unwrap_or_default();
        let mut settings = Settings::new(base, model, cache);
        settings.key_variable.clone_from(&self.key_variable);
        settings.requests_per_minute = self.requests_per_minute;
        settings.connections = self.connections;
        settings.timeout = Duration::from_secs(self.timeout);
        settings
    }

    /// Noise logits of every history of a split by the model at `base`; `None` if `stop` was set. What
    /// was answered is kept beside `out`, and the same again goes on from there.
    pub(super) fn scores(
        &self,
        base: &str,
        data: &Dataset,
        split: ScoredSplit,
        out: &Path,
        stop: &AtomicBool,
    ) -> Result<Option<Scores>> {
        let histories: Vec<Vec<String>> = (0..data.n_users())
            .map(|user| titles(data, latest(split.history(data, user), self.window)))
            .collect();
        if histories.iter().all(Vec::is_empty) {
            bail!(InputError::Nobody);
        }
        let settings = self.settings(base, out);
        let prior = format!("{} at {}", settings.model, settings.base);
        let endpoint = Endpoint::new(settings).map_err(|e| InputError::other(e.to_string()))?;
        let bar = ProgressBar::new(0).with_message("answers");
        let answered = endpoint.judge(&histories, stop, |progress| {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.answered as u64);
        });
        bar.finish_and_clear();
        let logit = |p: f32| (p / (1.0 - p)).ln();
        match answered {
            Err(EndpointError::Stopped { .. }) => Ok(None),
            Err(error) => Err(error).context("what was answered before is kept"),
            Ok(rows) => {
                let rows: Vec<Vec<f32>> = rows
                    .into_iter()
                    .map(|row| row.into_iter().map(logit).collect())
                    .collect();
                Ok(Some(Scores::new(&rows, data, split, prior)))
            }
        }
    }
}

/// Titles of items, nothing for those without.
fn titles(data: &Dataset, items: &[u32]) -> Vec<String> {
    let title = |&item: &u32| data.items()[item as usize - 1].title.clone();
    items
        .iter()
        .map(|item| title(item).unwrap_or_default())
        .collect()
}

/// Write the instruction-tuning set for a larger language model
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle prior export-sft --data data/beauty --out tuning.jsonl
  ingle prior export-sft --data data/beauty --out tuning.jsonl --rate 0.2 --kind popularity --copies 3

A line is one training history, some of whose clicks are replaced, as an instruction, an input and an
output (Alpaca's form), in the very words that --endpoint asks in. Tune the model with it, put it behind
an endpoint, and `ingle prior score --endpoint URL --model NAME` asks it.")]
pub(super) struct ExportArgs {
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// JSONL file to write
    #[arg(long)]
    out: PathBuf,
    /// Share of clicks that is replaced
    #[arg(long, default_value_t = 0.1)]
    rate: f64,
    /// How replacements are drawn
    #[arg(long, value_enum, default_value = "uniform")]
    kind: Kind,
    /// Times that every history is corrupted anew
    #[arg(long, default_value_t = 1)]
    copies: u64,
    /// Latest clicks of a history
    #[arg(long, default_value_t = 20)]
    window: usize,
    /// The source of chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs `export-sft`.
pub(super) fn export(args: &ExportArgs) -> Result<()> {
    if !(args.rate > 0.0 && args.rate < 1.0) {
        let rate = args.rate;
        bail!(InputError::other(format!(
            "--rate is {rate}, but must be between 0 and 1"
        )));
    }
    let data = Dataset::open(&args.data)?;
    let settings = Denoising {
        rates: vec![args.rate],
        kinds: vec![args.kind],
        last: args.window,
        ..Denoising::default()
    };
    let corruption = Corruption::new(&settings, &data)?;
    let coming = args.out.with_extension("coming");
    let cannot = || format!("cannot write {}", args.out.display());
    let file = File::create(&coming).with_context(cannot)?;
    let mut writer = sft::Writer::new(BufWriter::new(file));
    let progress = Progress::of_histories();
    progress.start("writing".to_owned(), args.copies as usize * data.n_users());
    for copy in 0..args.copies {
        for user in 0..data.n_users() {
            let history = latest(data.train(user), args.window);
            let (items, noise) = corruption.apply(history, user, args.seed, copy);
            let noise: Vec<bool> = noise.into_iter().map(|label| label == 1).collect();
            writer
                .write(&titles(&data, &items), &noise)
                .with_context(cannot)?;
            progress.done(1);
        }
    }
    let lines = writer.finish().with_context(cannot)?;
    drop(progress);
    std::fs::rename(&coming, &args.out).with_context(cannot)?;
    say!("wrote {lines} histories to {}", args.out.display());
    Ok(())
}
