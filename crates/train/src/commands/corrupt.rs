//! `ingle corrupt`: writes a dataset with noise and its labels.

use crate::data::corrupt::{Asked, How, Kind, Part, corrupt};
use crate::data::{Corruption, Dataset, InputError};
use crate::say::say;
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Make noise of clicks and keep the labels
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle corrupt --data data/beauty --rate 0.1 --seed 7 --out data/beauty-noisy
  ingle corrupt --data data/beauty --rate 0.2 --kind popularity --draws 5 --out data/popular
  ingle corrupt --data data/beauty --how insert --rate 0.2 --draws 5 --out data/inserted
  ingle corrupt --data data/beauty --how session --clicks 3 --draws 5 --out data/sessions
  ingle corrupt --data data/beauty --part log --rate 0.2 --out data/noisy-log

The last click of every user stays as it is, and predictions are judged by what was there before. Several
draws are folders 1, 2 and so on in --out, of one seed after the other; `ingle evaluate RUN --data OUT` takes them
together. A log (--part log) is there to train on: `ingle train` is not told which clicks are noise, unless
by `--set denoising.log_labels=true`.")]
pub struct Args {
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// What happens to a history
    #[arg(long, value_enum, default_value = "replace")]
    how: How,
    /// Which clicks are at risk
    #[arg(long, value_enum, default_value = "histories")]
    part: Part,
    /// Probability that a click is replaced, that one is put in beside it, or that a user gets a foreign session
    /// [default for sessions: 1]
    #[arg(long)]
    rate: Option<f64>,
    /// How items are drawn that are clicked instead or put in [default: uniform]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// With --how session: clicks of a session [default: one to three]
    #[arg(long)]
    clicks: Option<usize>,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draws of noise, each of the next seed; more than one become folders 1, 2 and so on
    #[arg(long, default_value_t = 1)]
    draws: usize,
    /// Only the latest clicks of a history are at risk [default: 20 of histories, all of a log]
    #[arg(long)]
    last: Option<usize>,
    /// Dataset folder to write
    #[arg(long)]
    out: PathBuf,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    if args.draws == 0 {
        bail!(InputError::other("--draws is 0, but must be at least 1"));
    }
    let data = Dataset::open(&args.data)?;
    let mut done: Vec<Corruption> = Vec::new();
    for draw in 0..args.draws {
        let asked = Asked {
            how: args.how,
            part: args.part,
            kind: args.kind,
            rate: args.rate,
            session: args.clicks,
            seed: args.seed.wrapping_add(draw as u64),
            last: args.last,
        };
        let noisy = corrupt(&data, &asked)?;
        let out = if args.draws == 1 {
            args.out.clone()
        } else {
            args.out.join((draw + 1).to_string())
        };
        noisy.save(&out)?;
        let corruption = noisy.meta().corruption.clone();
        let corruption = corruption.unwrap_or_else(|| unreachable!("it was just corrupted"));
        if !args.json {
            say!(
                "{} {} of {} clicks, wrote {}",
                if args.how == How::Replace {
                    "replaced"
                } else {
                    "put in"
                },
                corruption.noisy,
                noisy.n_clicks(),
                out.display()
            );
        }
        done.push(corruption);
    }
    if args.json {
        let json = match &done[..] {
            [one] => serde_json::to_string_pretty(one)?,
            all => serde_json::to_string_pretty(all)?,
        };
        say!("{json}");
    }
    Ok(())
}
