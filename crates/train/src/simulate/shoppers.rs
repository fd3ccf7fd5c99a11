//! The shoppers: their interests, and their clicks, intended or not.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

use super::styles::STYLES;
use super::{Options, Shop};

/// The cause of a click outside the shopper's interests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// Searching for somebody else: always in the same theme.
    Gift,
    /// A click on the wrong picture.
    MisTap,
}

/// One click in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Click {
    /// The shopper, from 0.
    pub shopper: usize,
    /// The product's index in the shop.
    pub product: usize,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// `None` for an intended click.
    pub noise: Option<Noise>,
}

/// The log begins on 1 January 2025 and covers 300 days.
const OPENING_DAY: i64 = 1_735_689_600;
const OPEN_DAYS: i64 = 300;
const DAY: i64 = 86_400;

/// Probability of going on to the next step of a theme, and of comparing products first.
const GO_ON: f64 = 0.68;
const COMPARE: f64 = 0.22;
/// Factor by which a shopper prefers products of their own style.
const OWN_STYLE: f64 = 7.0;
/// Share of the noise that is searching for a gift.
const GIFTS: f64 = 0.4;

struct Shopper {
    number: usize,
    /// Themes with the step that the shopper has reached.
    interests: Vec<(usize, usize)>,
    gift_theme: usize,
    style: &'static str,
}

/// Simulates every shopper's visits. With at least as many shoppers as products, every product is the first click of
/// a shopper.
pub(super) fn visit<R: Rng>(shop: &Shop, options: &Options, rng: &mut R) -> Vec<Click> {
    let mut clicks = Vec::with_capacity(options.shoppers * 14);
    for number in 0..options.shoppers {
        let first = number % shop.products.len();
        let mut shopper = Shopper::invent(number, shop, first, rng);
        shopper.walk(shop, first, options.noise, rng, &mut clicks);
    }
    clicks
}

impl Shopper {
    fn invent<R: Rng>(number: usize, shop: &Shop, first: usize, rng: &mut R) -> Self {
        let home = shop.theme_of[first];
        let mut others: Vec<usize> = (0..shop.themes.len()).filter(|&t| t != home).collect();
        others.shuffle(rng);
        let more = rng.random_range(1..=2);
        let mut interests = vec![(home, shop.products[first].step)];
        interests.extend(others[..more].iter().map(|&theme| {
            // Most shoppers start at the first step.
            let begun = usize::from(rng.random_bool(0.3));
            (theme, begun.min(shop.last_step(theme)))
        }));
        let style = STYLES.choose(rng).expect("there are styles").name;
        Self {
            number,
            interests,
            gift_theme: others[more],
            style,
        }
    }

    /// A few visits, each within one theme, spread over the time of the log.
    fn walk<R: Rng>(
        &mut self,
        shop: &Shop,
        first: usize,
        noise: f64,
        rng: &mut R,
        clicks: &mut Vec<Click>,
    ) {
        let mut day = rng.random_range(0..OPEN_DAYS / 2);
        let mut next = Some(first);
        for visit in 0..rng.random_range(2..=5) {
            let mut time = OPENING_DAY + day * DAY + rng.random_range(7 * 3600..23 * 3600);
            let interest = if visit == 0 {
                0
            } else {
                rng.random_range(0..self.interests.len())
            };
            for _ in 0..rng.random_range(2..=6) {
                let meant = next.is_some() || !rng.random_bool(noise);
                let (product, noise) = if meant {
                    let own = next
                        .take()
                        .unwrap_or_else(|| self.choose(shop, interest, rng));
                    self.move_on(shop, interest, rng);
                    (own, None)
                } else {
                    let (product, why) = self.stray(shop, rng);
                    (product, Some(why))
                };
                clicks.push(Click {
                    shopper: self.number,
                    product,
                    timestamp: time,
                    noise,
                });
                time += rng.random_range(8..240);
            }
            day = (day + rng.random_range(1..45)).min(OPEN_DAYS - 1 + visit);
        }
    }

    /// A product of the current step, drawn by appeal and by the shopper's style.
    fn choose<R: Rng>(&self, shop: &Shop, interest: usize, rng: &mut R) -> usize {
        let (theme, step) = self.interests[interest];
        let shelf = &shop.themes[theme][step];
        let draw = |product: &usize| {
            let own = shop.products[*product].style == self.style;
            shop.appeal[*product] * if own { OWN_STYLE } else { 1.0 }
        };
        *shelf
            .choose_weighted(rng, draw)
            .expect("every step has a product of positive appeal")
    }

    fn move_on<R: Rng>(&mut self, shop: &Shop, interest: usize, rng: &mut R) {
        let (theme, step) = &mut self.interests[interest];
        let luck: f64 = rng.random();
        if luck < GO_ON {
            *step = if *step == shop.last_step(*theme) {
                0
            } else {
                *step + 1
            };
        } else if luck > GO_ON + COMPARE {
            *step = rng.random_range(0..=shop.last_step(*theme));
        }
    }

    /// A noise click.
    fn stray<R: Rng>(&self, shop: &Shop, rng: &mut R) -> (usize, Noise) {
        if rng.random_bool(GIFTS) {
            let shelves = &shop.themes[self.gift_theme];
            let shelf = shelves.choose(rng).expect("themes have steps");
            return (
                *shelf.choose(rng).expect("steps have products"),
                Noise::Gift,
            );
        }
        loop {
            let product = rng.random_range(0..shop.products.len());
            let theme = shop.theme_of[product];
            if self.interests.iter().all(|(own, _)| *own != theme) {
                return (product, Noise::MisTap);
            }
        }
    }
}

impl Shop {
    fn last_step(&self, theme: usize) -> usize {
        self.themes[theme].len() - 1
    }
}
