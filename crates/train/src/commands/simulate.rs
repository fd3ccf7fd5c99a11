//! `ingle simulate`: simulates a shop with its click log, for the demo and for trials.

use crate::say::say;
use std::path::PathBuf;

use crate::simulate::{self, Format, LogOptions, Options};

/// Invent a shop and its shoppers' clicks, with the truth about every click beside them.
///
/// Writes items.csv and items.json (the products), interactions.csv (the clicks) and labels.csv
/// (which clicks were noise: for judging, never for training). With --clicks it writes a log alone,
/// of any size, in as little memory: for measuring.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  ingle simulate --out shop --seed 7\n  \
    ingle prepare --interactions shop/interactions.csv --items shop/items.csv --out data\n  \
    ingle simulate --clicks 10000000 --products 100000 --format parquet --out log")]
pub struct Args {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many products there are [default: 400; with --clicks one for 16 clicks]
    #[arg(long)]
    products: Option<u32>,
    /// How many shoppers visit the shop.
    #[arg(long, default_value_t = 4000)]
    shoppers: usize,
    /// The seed of every random choice: equal seeds write equal files.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The share of clicks that were not meant (presents for others, mis-taps).
    #[arg(long, default_value_t = 0.1)]
    noise: f64,
    /// Only a log, of this many clicks
    #[arg(long, conflicts_with_all = ["shoppers", "noise"])]
    clicks: Option<u64>,
    /// With --clicks: the log's format
    #[arg(long, value_enum, default_value = "csv", requires = "clicks")]
    format: Format,
}

/// Simulates the shop, or only a log, and writes it.
pub fn run(args: &Args) -> anyhow::Result<()> {
    match args.clicks {
        Some(clicks) => log(args, clicks),
        None => shop(args),
    }
}

fn log(args: &Args, clicks: u64) -> anyhow::Result<()> {
    let usual = (clicks / 16).clamp(16, u64::from(u32::MAX)) as u32;
    let options = LogOptions {
        clicks,
        products: args.products.unwrap_or(usual),
        seed: args.seed,
    };
    let written = simulate::write_log(&options, args.format, &args.out)?;
    say!(
        "{}: {clicks} clicks of {} shoppers on {} products",
        written.path.display(),
        written.shoppers,
        options.products
    );
    Ok(())
}

fn shop(args: &Args) -> anyhow::Result<()> {
    let options = Options {
        products: args.products.map_or(400, |products| products as usize),
        shoppers: args.shoppers,
        noise: args.noise,
        seed: args.seed,
    };
    let simulation = simulate::simulate(&options)?;
    simulate::write(&simulation, &args.out)?;
    let strays = simulation
        .clicks
        .iter()
        .filter(|click| click.noise.is_some())
        .count();
    say!(
        "{}: {} products, {} shoppers, {} clicks of which {} ({:.1} %) are noise",
        args.out.display(),
        simulation.shop.products.len(),
        args.shoppers,
        simulation.clicks.len(),
        strays,
        100.0 * strays as f64 / simulation.clicks.len() as f64,
    );
    Ok(())
}
