//! A simulated shop and its shoppers, for the demo and for tests that need known noise.
//!
//! Real logs do not say which clicks are noise. Here the noise is simulated, so its labels can be written beside the
//! log. Shoppers follow a few themes step by step (a tent, then a sleeping bag, then a stove), and sometimes click
//! something for somebody else or by mistake. Everything depends on one seed. [`write_log`] writes only a log, for
//! measurements of size.

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

/// Parameters of a simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Number of products.
    pub products: usize,
    /// Number of shoppers.
    pub shoppers: usize,
    /// Share of clicks outside their shopper's themes.
    pub noise: f64,
    /// Seed of all random draws.
    pub seed: u64,
}

/// A shop could not be simulated or written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The number of products is out of range: the word lists give a limited number of titles.
    #[error("--products {asked} is out of range: the word lists make between {least} and {most}")]
    Products {
        /// The requested number.
        asked: usize,
        /// The smallest number that leaves products outside a shopper's themes.
        least: usize,
        /// The number of different titles.
        most: usize,
    },
    /// There are no shoppers.
    #[error("--shoppers must be at least 1")]
    Shoppers,
    /// A log needs clicks and at least two products.
    #[error("a log needs --clicks of at least 1 and --products of at least 2")]
    Log,
    /// The share of noise is out of range.
    #[error("--noise {0} is out of range: give a share of clicks from 0 to 0.5")]
    Noise(f64),
    /// The built-in list of products cannot be read.
    #[error("the built-in stock list is damaged")]
    Stock(#[source] csv::Error),
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// A shop and its clicks.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// The products.
    pub shop: Shop,
    /// The clicks by shopper, oldest first.
    pub clicks: Vec<Click>,
}

/// Simulates a shop and its shoppers' clicks. Equal options give equal results.
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
