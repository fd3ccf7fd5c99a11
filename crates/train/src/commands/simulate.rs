//! `ingle simulate`: an invented shop with its click log, for the demo and for trying things out.

use std::path::PathBuf;

use crate::simulate::{self, Options};

/// Invent a shop and its shoppers' clicks, with the truth about every click beside them.
///
/// Writes items.csv and items.json (the products), interactions.csv (the clicks) and labels.csv
/// (which clicks were noise: for judging, never for training).
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  ingle simulate --out shop --seed 7\n  \
    ingle prepare --interactions shop/interactions.csv --items shop/items.csv --out data")]
pub struct Args {
    /// The folder to write into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many products the shop sells.
    #[arg(long, default_value_t = 400)]
    products: usize,
    /// How many shoppers visit it.
    #[arg(long, default_value_t = 4000)]
    shoppers: usize,
    /// The seed of every random choice: equal seeds write equal files.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The share of clicks that were not meant (presents for others, mis-taps).
    #[arg(long, default_value_t = 0.1)]
    noise: f64,
}

/// Invents the shop and writes its files.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let options = Options {
        products: args.products,
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
    println!(
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
