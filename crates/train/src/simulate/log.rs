//! A click log of any size, to measure how time and memory grow.
//!
//! It has the properties of real logs that determine time and memory: a few popular products and a long tail, mostly
//! short histories and some very long ones, rows of many shoppers mixed. It can also be learnt from: every product
//! has companions that tend to be clicked after it. Only the rows of one block of shoppers are in memory, so memory
//! grows with neither clicks nor products.

use std::io;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// Sizes of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// Number of clicks.
    pub clicks: u64,
    /// Number of products; in a short log some have no click.
    pub products: u32,
    /// Seed of all random draws.
    pub seed: u64,
}

/// One click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The shopper, from 0.
    pub shopper: u32,
    /// The product, from 0, the most popular first.
    pub product: u32,
    /// Seconds since 1970.
    pub timestamp: i64,
}

/// Shoppers whose rows are sorted by time together.
const BLOCK: u32 = 4096;
/// Exponent of popularity: rank `r` is clicked `1 / r^FALL` times as often as the first.
const FALL: f64 = 0.6;
/// Histories have at least this many clicks, and `n` times as many with probability `1 / n^TAIL`: half of them have 6
/// or fewer, the mean is near 9, one in twenty has 20 or more.
const SHORTEST: f64 = 5.0;
const TAIL: f64 = 2.1;
const LONGEST: f64 = 1000.0;
/// Probability that the next product is a companion of one of the last two, and companions per product.
const FOLLOW: f64 = 0.5;
const COMPANIONS: u64 = 8;

/// The log begins on 1 January 2024; first visits are spread over two years.
const OPENING: i64 = 1_704_067_200;
const DAY: i64 = 86_400;
const OPEN_DAYS: i64 = 730;

/// Passes every row to `sink` and returns the number of shoppers. Equal options give equal rows.
pub(super) fn walk(
    options: &LogOptions,
    mut sink: impl FnMut(&Row) -> io::Result<()>,
) -> io::Result<u32> {
    let mut crowd = Crowd {
        options: *options,
        rng: Xoshiro256PlusPlus::seed_from_u64(options.seed),
        history: Vec::new(),
        rows: Vec::new(),
    };
    let (mut left, mut shoppers) = (options.clicks, 0);
    while left > 0 {
        left -= crowd.shopper(shoppers, left);
        shoppers += 1;
        if shoppers % BLOCK == 0 || left == 0 {
            crowd.rows.sort_by_key(|row| row.timestamp);
            crowd.rows.iter().try_for_each(&mut sink)?;
            crowd.rows.clear();
        }
    }
    Ok(shoppers)
}

struct Crowd {
    options: LogOptions,
    rng: Xoshiro256PlusPlus,
    /// Products of the current shopper.
    history: Vec<u32>,
    /// Clicks of the current block.
    rows: Vec<Row>,
}

impl Crowd {
    /// Adds one shopper's clicks, at most `left`; returns their number.
    fn shopper(&mut self, shopper: u32, left: u64) -> u64 {
        let luck = 1.0 - self.rng.random::<f64>();
        let length = (SHORTEST * luck.powf(-1.0 / TAIL)).min(LONGEST) as u64;
        let length = length.min(left);
        let mut timestamp = OPENING + self.rng.random_range(0..OPEN_DAYS * DAY);
        self.history.clear();
        for _ in 0..length {
            let product = self.next();
            self.history.push(product);
            self.rows.push(Row {
                shopper,
                product,
                timestamp,
            });
            // Most clicks follow within minutes, some at the next visit.
            let pause = if self.rng.random_bool(0.7) {
                self.rng.random_range(8..240)
            } else {
                self.rng.random_range(DAY..45 * DAY)
            };
            timestamp += pause;
        }
        length
    }

    /// The next product, rarely one that the shopper has clicked before.
    fn next(&mut self) -> u32 {
        let mut product = self.draw();
        for _ in 0..4 {
            if !self.history.contains(&product) {
                break;
            }
            product = self.draw();
        }
        product
    }

    fn draw(&mut self) -> u32 {
        if self.history.is_empty() || !self.rng.random_bool(FOLLOW) {
            return popular(self.rng.random(), self.options.products);
        }
        let back = self.rng.random_range(0..self.history.len().min(2));
        let from = self.history[self.history.len() - 1 - back];
        // The smaller of two draws: the first companions are followed more often.
        let which =
            (self.rng.random_range(0..COMPANIONS)).min(self.rng.random_range(0..COMPANIONS));
        companion(&self.options, from, which)
    }
}

/// The product at a point in 0 to 1, where each product has a width proportional to its popularity.
fn popular(point: f64, products: u32) -> u32 {
    let rest = 1.0 - FALL;
    let whole = (f64::from(products) + 1.0).powf(rest) - 1.0;
    let rank = (1.0 + point * whole).powf(1.0 / rest);
    (rank as u32).clamp(1, products) - 1
}

/// A companion of a product: drawn by popularity, and fixed for a log.
fn companion(options: &LogOptions, product: u32, which: u64) -> u32 {
    let place = u64::from(product) * COMPANIONS + which;
    let mut rng = SplitMix64::seed_from_u64(options.seed.rotate_left(32) ^ place);
    popular(rng.random(), options.products)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const OPTIONS: LogOptions = LogOptions {
        clicks: 50_000,
        products: 3000,
        seed: 7,
    };

    fn rows(options: &LogOptions) -> Vec<Row> {
        let mut rows = Vec::new();
        let sink = |row: &Row| {
            rows.push(*row);
            Ok(())
        };
        walk(options, sink).unwrap();
        rows
    }

    /// Products by shopper, in order of time.
    fn histories(rows: &[Row]) -> Vec<Vec<u32>> {
        let shoppers = rows.iter().map(|row| row.shopper).max().unwrap() as usize + 1;
        let mut histories = vec![Vec::new(); shoppers];
        for row in rows {
            histories[row.shopper as usize].push(row.product);
        }
        histories
    }

    #[test]
    fn there_are_as_many_clicks_as_asked_and_the_same_again() {
        for clicks in [1, 4, 5, 49_999] {
            let options = LogOptions { clicks, ..OPTIONS };
            let first = rows(&options);
            assert_eq!(first.len() as u64, clicks);
            assert_eq!(first, rows(&options));
        }
        assert_ne!(rows(&OPTIONS), rows(&LogOptions { seed: 8, ..OPTIONS }));
    }

    #[test]
    fn most_histories_are_short_and_some_are_long() {
        let mut lengths: Vec<usize> = histories(&rows(&OPTIONS)).iter().map(Vec::len).collect();
        lengths.pop();
        lengths.sort_unstable();
        let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
        assert!((8.0..10.0).contains(&mean), "{mean}");
        assert_eq!((lengths[0], lengths[lengths.len() / 2]), (5, 6));
        assert!((40..=1000).contains(&lengths[lengths.len() - 1]));
    }

    #[test]
    fn a_few_products_are_popular_and_most_are_clicked() {
        let mut counts = vec![0; OPTIONS.products as usize];
        for row in rows(&OPTIONS) {
            counts[row.product as usize] += 1;
        }
        assert!(
            counts[0] > 10 * counts[1000],
            "{} {}",
            counts[0],
            counts[1000]
        );
        assert!((200..2000).contains(&counts[0]), "{}", counts[0]);
        let clicked = counts.iter().filter(|&&count| count > 0).count();
        assert!(clicked > 2900, "{clicked}");
    }

    #[test]
    fn what_was_clicked_last_tells_what_is_clicked_next() {
        let histories = histories(&rows(&OPTIONS));
        let mut pairs: HashMap<[u32; 2], usize> = HashMap::new();
        for pair in histories.iter().flat_map(|history| history.windows(2)) {
            *pairs.entry([pair[0], pair[1]]).or_default() += 1;
        }
        let follows =
            |pair: &[u32; 2]| (0..COMPANIONS).any(|w| companion(&OPTIONS, pair[0], w) == pair[1]);
        let following: usize = pairs
            .iter()
            .filter(|(pair, _)| follows(pair))
            .map(|(_, n)| n)
            .sum();
        let share = following as f64 / pairs.values().sum::<usize>() as f64;
        assert!((0.2..0.5).contains(&share), "{share}");
    }

    #[test]
    fn rows_of_many_shoppers_are_mixed_in_order_of_time() {
        let clicks = 20_000;
        let rows = rows(&LogOptions { clicks, ..OPTIONS });
        assert!(
            rows.is_sorted_by_key(|row| row.timestamp),
            "less than one block"
        );
        let changes = rows.windows(2).filter(|w| w[0].shopper != w[1].shopper);
        assert!(changes.count() > rows.len() / 4);
    }
}
