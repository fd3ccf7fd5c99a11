//! The simulated shop: products made from the stock list, four styles and their colours.

use std::collections::BTreeMap;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::SimulateError;
use super::styles::STYLES;

/// One line of `stock.csv`: a kind of product. The kinds of a theme are in the order in which shoppers want them.
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

/// A product of the simulated shop, with everything that a page needs to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    /// Made from the title, in a form for addresses.
    pub item_id: String,
    /// Unique title.
    pub title: String,
    /// Its department.
    pub category: String,
    /// The theme that it belongs to.
    pub theme: String,
    /// Its step in the theme, from 0.
    pub step: usize,
    /// The style of its collection.
    pub style: String,
    /// Name of its picture.
    pub motif: String,
    /// The name of its colour.
    pub colour: String,
    /// The colour as hex.
    pub hex: String,
    /// A matching colour.
    pub accent: String,
    /// Pattern of its surface.
    pub pattern: String,
    /// In pence.
    pub price: u32,
    /// One line for the product's page.
    pub blurb: String,
}

/// The products, by theme and step.
#[derive(Debug, Clone, PartialEq)]
pub struct Shop {
    /// Every product; clicks refer to products by index.
    pub products: Vec<Product>,
    /// Relative click frequency of each product.
    pub(super) appeal: Vec<f64>,
    /// Products by theme and step.
    pub(super) themes: Vec<Vec<Vec<usize>>>,
    /// The theme of each product.
    pub(super) theme_of: Vec<usize>,
}

impl Shop {
    /// Makes `count` products, spread evenly over all kinds.
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
            // Heavy-tailed: a few popular products and a long tail.
            shop.appeal.push((1.0 - rng.random::<f64>()).powf(-0.45));
            shop.products
                .push(compose(&themes[theme][step], step, style, collection, rng));
        }
        // A small shop uses only a part of the list: empty steps and themes are removed.
        for steps in &mut shop.themes {
            steps.retain(|shelf| !shelf.is_empty());
        }
        shop.themes.retain(|steps| !steps.is_empty());
        Ok(shop)
    }
}

/// The most themes of one shopper; at least one more is needed for gifts.
const LARGEST_INTEREST: usize = 4;

/// The stock list by theme: one theme of every department, then the second of each, and so on, so that a small shop
/// has complete themes of different departments.
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

/// For one kind, the collections of each style in random order.
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
    // Prices vary by up to a quarter, in steps of fifty pence.
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

/// Lower-case words joined by hyphens, without apostrophes.
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
