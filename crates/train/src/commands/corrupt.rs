//! `ingle corrupt`: a dataset with some of its clicks replaced, and the labels kept.

use crate::data::Dataset;
use crate::data::corrupt::{Kind, corrupt};
use crate::say::say;
use anyhow::Result;
use std::path::PathBuf;

/// Replace clicks by other items and keep the labels
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle corrupt --data data/beauty --rate 0.1 --seed 7 --out data/beauty-noisy
  ingle corrupt --data data/beauty --rate 0.3 --kind popularity --out data/beauty-noisy-popular

The last click of every user stays as it is, and predictions are judged by what was there before.")]
pub struct Args {
    /// Dataset folder
    #[arg(long)]
    data: PathBuf,
    /// Probability that a click is replaced
    #[arg(long)]
    rate: f64,
    /// How replacements are drawn
    #[arg(long, value_enum, default_value = "uniform")]
    kind: Kind,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the latest clicks of a history are at risk
    #[arg(long, default_value_t = 20)]
    last: usize,
    /// Dataset folder to write
    #[arg(long)]
    out: PathBuf,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let data = Dataset::open(&args.data)?;
    let noisy = corrupt(&data, args.rate, args.kind, args.seed, args.last)?;
    noisy.save(&args.out)?;
    let done = noisy.meta().corruption.as_ref();
    if args.json {
        say!("{}", serde_json::to_string_pretty(&done)?);
    } else if let Some(done) = done {
        let clicks = noisy.meta().summary.clicks;
        say!(
            "replaced {} of {clicks} clicks, wrote {}",
            done.replaced,
            args.out.display()
        );
    }
    Ok(())
}
