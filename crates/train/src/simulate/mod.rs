//! An invented shop and its shoppers, for the demo and for tests that need to know the truth.
//!
//! Real logs never say which clicks were accidents. Here the program decides, so it can write the
//! answer beside the log: shoppers follow a few interests step by step (a tent, then a sleeping bag,
//! then a stove), and now and then click something for somebody else or by mistake. Everything
//! follows from one seed. Where size matters and meaning does not, [`write_log`] writes a log alone.

mod catalogue;
mod formats;
mod log;
mod shoppers;
mod styles;
mod write;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

pub use catalogue::{Product, Shop};
pub use formats::{Format, Written, write_log};
pub use log::{LogOptions, Row};
pub use shoppers::{Click, Noise};
pub use write::write;

/// What to invent, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How many products the shop sells.
    pub products: usize,
    /// How many shoppers visit it.
    pub shoppers: usize,
    /// The share of clicks that lie outside their shopper's interests.
    pub noise: f64,
    /// Where every random choice comes from.
    pub seed: u64,
}

/// Why a shop could not be invented or written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The word lists compose only so many different titles.
    #[error("--products {asked} is out of range: the word lists make between {least} and {most}")]
    Products {
        /// What was asked for.
        asked: usize,
        /// The fewest that leave a shopper something outside their interests.
        least: usize,
        /// The number of different titles there are.
        most: usize,
    },
    /// A shop without shoppers has no clicks.
    #[error("--shoppers must be at least 1")]
    Shoppers,
    /// A log needs clicks, and something else to click next.
    #[error("a log needs --clicks of at least 1 and --products of at least 2")]
    Log,
    /// Shares lie between nothing and everything; past a half there is no interest left to find.
    #[error("--noise {0} is out of range: give a share of clicks from 0 to 0.5")]
    Noise(f64),
    /// The built-in table of products cannot be read.
    #[error("the built-in stock list is damaged")]
    Stock(#[source] csv::Error),
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A shop, and everything that was clicked in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// The products.
    pub shop: Shop,
    /// The clicks, shopper by shopper, each shopper's oldest first.
    pub clicks: Vec<Click>,
}

/// Invents a shop and its shoppers' clicks. Equal options give equal results.
pub fn simulate(options: &Options) -> Result<Simulation, SimulateError> {
    if options.shoppers == 0 {
        return Err(SimulateError::Shoppers);
    }
    if !(0.0..=0.5).contains(&options.noise) {
        return Err(SimulateError::Noise(options.noise));
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let shop = Shop::invent(options.products, &mut rng)?;
    let clicks = shoppers::visit(&shop, options, &mut rng);
    Ok(Simulation { shop, clicks })
}

#[cfg(test)]
mod tests;
