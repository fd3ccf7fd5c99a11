//! The shop: products composed from the stock list, four styles and their colours.

use std::collections::BTreeMap;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::SimulateError;
use super::styles::STYLES;

/// One line of `stock.csv`: a kind of product. The lines of a theme stand in the order in which
/// people come to want them.
#[derive(Debug, Deserialize)]
struct Kind {
    category: String,
    theme: String,
    motif: String,
    name: String,
    details: String,
    price: u32,
    blurb: String,
}

/// A product of the invented shop, with all that a page needs to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// The title, as it would stand in an address.
    pub item_id: String,
    /// What it is called; no two products share one.
    pub title: String,
    /// The department it is sold in.
    pub category: String,
    /// The interest it belongs to.
    pub theme: String,
    /// Its place in that interest, from 0.
    pub step: usize,
    /// The style of its collection.
    pub style: String,
    /// Which picture to draw.
    pub motif: String,
    /// The name of its colour.
    pub colour: String,
    /// The colour itself.
    pub hex: String,
    /// A colour that goes with it.
    pub accent: String,
    /// What its surface looks like.
    pub pattern: String,
    /// In pence.
    pub price: u32,
    /// One line for the product's page.
    pub blurb: String,
}

/// The products, arranged as shoppers walk through them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    /// Every product; clicks name them by position.
    pub products: Vec<Product>,
    /// How much each product draws clicks by itself.
    pub(super) appeal: Vec<f64>,
    /// For each theme, for each step, the products that serve it.
    pub(super) themes: Vec<Vec<Vec<usize>>>,
    /// The theme of each product.
    pub(super) theme_of: Vec<usize>,
}

impl Shop {
    /// Composes `count` products, spreading them evenly over all kinds.
    pub(super) fn invent<R: Rng>(count: usize, rng: &mut R) -> Result<Self, SimulateError> {
        let themes = stock()?;
        let kinds: Vec<(usize, usize)> = (0..themes.len())
            .flat_map(|theme| (0..themes[theme].len()).map(move |step| (theme, step)))
            .collect();
        let collections: usize = STYLES.iter().map(|style| style.collections.len()).sum();
        let (least, most) = (4 * LARGEST_INTEREST, kinds.len() * collections);
        if !(least..=most).contains(&count) {
            return Err(SimulateError::Products {
                asked: count,
                least,
                most,
            });
        }
        let names: Vec<[Vec<usize>; 4]> = kinds.iter().map(|_| shuffled_names(rng)).collect();
        let mut shop = Self {
            products: Vec::with_capacity(count),
            appeal: Vec::with_capacity(count),
            themes: themes
                .iter()
                .map(|kinds| vec![Vec::new(); kinds.len()])
                .collect(),
            theme_of: Vec::with_capacity(count),
        };
        for index in 0..count {
            let (position, round) = (index % kinds.len(), index / kinds.len());
            let (theme, step) = kinds[position];
            let style = (position + theme + round) % STYLES.len();
            let collection = names[position][style][round / STYLES.len()];
            shop.themes[theme][step].push(index);
            shop.theme_of.push(theme);
            // A few favourites and a long tail, as in any shop.
            shop.appeal.push((1.0 - rng.random::<f64>()).powf(-0.45));
            shop.products
                .push(compose(&themes[theme][step], step, style, collection, rng));
        }
        // A small shop stops in the middle of the list: no empty shelves, no empty themes.
        for steps in &mut shop.themes {
            steps.retain(|shelf| !shelf.is_empty());
        }
        shop.themes.retain(|steps| !steps.is_empty());
        Ok(shop)
    }
}

/// The most themes that one shopper follows, with room for one to buy presents from.
const LARGEST_INTEREST: usize = 4;

/// The stock list, theme by theme: one theme of every department, then the second of each, so that
/// a small shop has complete themes from different departments.
fn stock() -> Result<Vec<Vec<Kind>>, SimulateError> {
    let mut themes: Vec<Vec<Kind>> = Vec::new();
    for row in csv::Reader::from_reader(include_str!("stock.csv").as_bytes()).deserialize() {
        let kind: Kind = row.map_err(SimulateError::Stock)?;
        match themes.last_mut() {
            Some(theme) if theme[0].theme == kind.theme => theme.push(kind),
            _ => themes.push(vec![kind]),
        }
    }
    let mut seen = BTreeMap::new();
    themes.sort_by_cached_key(|theme| {
        let place: &mut usize = seen.entry(theme[0].category.clone()).or_default();
        *place += 1;
        *place
    });
    Ok(themes)
}

/// For one kind, the collections of each style in the order in which it appears in them.
fn shuffled_names<R: Rng>(rng: &mut R) -> [Vec<usize>; 4] {
    std::array::from_fn(|style| {
        let mut names: Vec<usize> = (0..STYLES[style].collections.len()).collect();
        names.shuffle(rng);
        names
    })
}

fn compose<R: Rng>(
    kind: &Kind,
    step: usize,
    style: usize,
    collection: usize,
    rng: &mut R,
) -> Product {
    let style = &STYLES[style];
    let (name, place) = style.collections[collection];
    let details: Vec<&str> = kind.details.split('|').collect();
    let detail = pick(&details, rng);
    let title = if kind.name.contains("{}") {
        kind.name.replace("{}", place)
    } else {
        format!("{name} {detail} {}", kind.name)
    };
    let (colour, hex, accent) = *pick(&style.colours, rng);
    // Whole pounds up to a quarter off or on, in fifties.
    let price = kind.price * rng.random_range(80..=125) / 100;
    Product {
        item_id: slug(&title),
        title,
        category: kind.category.clone(),
        theme: kind.theme.clone(),
        step,
        style: style.name.into(),
        motif: kind.motif.clone(),
        colour: colour.into(),
        hex: hex.into(),
        accent: accent.into(),
        pattern: (*pick(&style.patterns, rng)).into(),
        price: (price / 50).max(1) * 50,
        blurb: kind.blurb.clone(),
    }
}

fn pick<'a, T, R: Rng>(choices: &'a [T], rng: &mut R) -> &'a T {
    choices.choose(rng).expect("the word lists are never empty")
}

/// Lower-case words joined by hyphens, apostrophes dropped.
fn slug(title: &str) -> String {
    let spaced: String = title
        .chars()
        .filter(|c| *c != '\'')
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join("-")
}
