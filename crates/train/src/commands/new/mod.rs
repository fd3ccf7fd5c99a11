//! `ingle new`: writes a working folder to start from: a log, a configuration and a page.

use crate::data::InputError;
use crate::say::say;
use crate::simulate::{self, Options, Simulation};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Files that are copied unchanged.
const FILES: [(&str, &str); 5] = [
    ("README.md", include_str!("README.md")),
    ("ingle.toml", include_str!("ingle.toml")),
    ("page/index.html", include_str!("page/index.html")),
    ("page/shop.js", include_str!("page/shop.js")),
    ("page/shop.css", include_str!("page/shop.css")),
];
/// Where the npm package is looked for.
const USUAL: [&str; 2] = ["node_modules/ingle", "pkg"];
/// Files of the npm package that the page needs.
const PACKAGE: [&str; 5] = [
    "ingle.iife.js",
    "worker-cpu.js",
    "worker-gpu.js",
    "cpu.wasm",
    "gpu.wasm",
];

/// Write a folder that works: a small log, a configuration and a page, to put your own in their place
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle new shop
  ingle new shop --package node_modules/ingle

The folder's README.md has the five commands that lead from the log to the page. The log is invented (`ingle
simulate`).")]
pub struct Args {
    /// Folder to write, which must not hold anything yet
    dir: PathBuf,
    /// Folder of the npm package, whose files the page loads [default: the installed one, or that of a clone]
    #[arg(long, value_name = "DIR")]
    package: Option<PathBuf>,
    /// How many products are invented
    #[arg(long, default_value_t = 120)]
    products: usize,
    /// How many shoppers are invented
    #[arg(long, default_value_t = 800)]
    shoppers: usize,
    /// The seed of every random choice
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let dir = &args.dir;
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        bail!(InputError::other(format!(
            "{} holds something already: give the name of a new folder",
            dir.display()
        )));
    }
    let package = package(args.package.as_deref())?;
    let simulation = simulate::simulate(&Options {
        products: args.products,
        shoppers: args.shoppers,
        noise: 0.1,
        seed: args.seed,
    })?;
    simulate::write(&simulation, dir)?;
    for (name, text) in FILES {
        write(&dir.join(name), text)?;
    }
    let products = serde_json::to_string_pretty(&products(&simulation))?;
    write(&dir.join("page/products.json"), &products)?;
    // A shop does not know which clicks are noise, and the products are in the page's file.
    for name in ["labels.csv", "items.json"] {
        fs::remove_file(dir.join(name))?;
    }
    let (at, clicks) = (dir.display(), simulation.clicks.len());
    say!(
        "{at}: {} products, {clicks} clicks, a configuration and a page",
        args.products
    );
    if let Some(package) = &package {
        copy(package, &dir.join("page/ingle"))?;
    }
    say!("next: cd {at}, and the five commands in README.md");
    if package.is_none() {
        say!(
            "{at}/page/ingle is missing: the npm package ingle, whose files the page loads, is not in {}. All commands \
             work without it. For the page copy the package's folder dist to {at}/page/ingle, or name the package's \
             folder by --package",
            USUAL.join(" or ")
        );
    }
    Ok(())
}

/// The folder `dist` of the npm package; `None` if it was not named and is not in its usual places.
fn package(given: Option<&Path>) -> Result<Option<PathBuf>> {
    let whole = |package: &Path| {
        let dist = package.join("dist");
        PACKAGE
            .iter()
            .all(|name| dist.join(name).is_file())
            .then_some(dist)
    };
    let Some(given) = given else {
        return Ok(USUAL.iter().find_map(|usual| whole(Path::new(usual))));
    };
    let Some(dist) = whole(given) else {
        bail!(InputError::other(format!(
            "{} is not the npm package: it should have dist/{}",
            given.display(),
            PACKAGE.join(", dist/")
        )));
    };
    Ok(Some(dist))
}

/// The products' data for the page, by id.
fn products(simulation: &Simulation) -> Map<String, Value> {
    let products = simulation.shop.products.iter();
    products
        .map(|product| {
            let (pounds, pence) = (product.price / 100, product.price % 100);
            let shown = json!({
                "title": product.title,
                "url": format!("#{}", product.item_id),
                "price": format!("£{pounds}.{pence:02}"),
            });
            (product.item_id.clone(), shown)
        })
        .collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::write(path, text).with_context(failed)
}

fn copy(dist: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for name in PACKAGE {
        fs::copy(dist.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name} to {}", to.display()))?;
    }
    Ok(())
}
