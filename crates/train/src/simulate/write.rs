//! Writes the files: those that a shop would have (items, interactions), and the labels that only a simulation has.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::shoppers::Noise;
use super::{SimulateError, Simulation};

#[derive(Serialize)]
struct Interaction<'a> {
    user_id: &'a str,
    item_id: &'a str,
    timestamp: i64,
}

#[derive(Serialize)]
struct Label<'a> {
    user_id: &'a str,
    item_id: &'a str,
    timestamp: i64,
    noise: u8,
    why: &'static str,
}

/// Writes `items.csv` and `items.json` (the products), `interactions.csv` (the clicks) and `labels.csv` (the same
/// clicks with their labels) into `dir`, which is created if it is missing.
pub fn write(simulation: &Simulation, dir: &Path) -> Result<(), SimulateError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| SimulateError::Write { path, source }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    let products = &simulation.shop.products;
    let path = dir.join("items.csv");
    rows(&path, products.iter()).map_err(failed(&path))?;
    let path = dir.join("items.json");
    json(&path, products).map_err(failed(&path))?;

    let users: Vec<String> = simulation
        .clicks
        .last()
        .map(|last| {
            (0..=last.shopper)
                .map(|number| format!("shopper-{:05}", number + 1))
                .collect()
        })
        .unwrap_or_default();
    let clicks = simulation.clicks.iter();
    let path = dir.join("interactions.csv");
    let log = clicks.clone().map(|click| Interaction {
        user_id: &users[click.shopper],
        item_id: &products[click.product].item_id,
        timestamp: click.timestamp,
    });
    rows(&path, log).map_err(failed(&path))?;
    let path = dir.join("labels.csv");
    let labels = clicks.map(|click| Label {
        user_id: &users[click.shopper],
        item_id: &products[click.product].item_id,
        timestamp: click.timestamp,
        noise: u8::from(click.noise.is_some()),
        why: match click.noise {
            None => "",
            Some(Noise::Gift) => "gift",
            Some(Noise::MisTap) => "mis-tap",
        },
    });
    rows(&path, labels).map_err(failed(&path))
}

fn rows<T: Serialize>(path: &Path, rows: impl Iterator<Item = T>) -> io::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    for row in rows {
        file.serialize(row)?;
    }
    file.flush()
}

fn json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    serde_json::to_writer(io::BufWriter::new(File::create(path)?), value).map_err(Into::into)
}
