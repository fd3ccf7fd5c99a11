//! Prints what simple recommenders reach on a dataset, by the protocol of `ingle evaluate`.
//!
//! ```sh
//! cargo run --package ingle-baselines --example table -- data/beauty
//! cargo run --package ingle-baselines --example table -- data/beauty --json --method ease
//! cargo run --package ingle-baselines --example table -- data/beauty --settings '{"method":"ease","ridge":500}'
//! ```
//!
//! Every setting is chosen on the validation split, or given. What was tried is told on standard error, and is in the JSON.

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use ingle_baselines::{Baseline, Evaluation, Method, Settings, Trial, evaluate, tune};
use ingle_data::{Dataset, Split};
use ingle_metrics::ranking::names;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::Instant;

const USE: &str = "use: table DATA [--json] [--method NAME | --settings JSON] [--seed N]";
/// Most targets of an unseen user, as in `ingle evaluate`.
const LATEST: usize = 6;
/// Figures of the table; the JSON has all.
const SHOWN: [&str; 4] = ["HR@10", "NDCG@10", "HR@20", "NDCG@20"];

fn main() -> Result<()> {
    let (mut folder, mut json, mut seed) = (None, false, 1);
    let (mut methods, mut given) = (Method::ALL.to_vec(), None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => json = true,
            "--seed" => seed = words.next().and_then(|n| n.parse().ok()).context(USE)?,
            "--settings" => {
                let settings: Settings = serde_json::from_str(&words.next().context(USE)?)?;
                methods = vec![settings.method()];
                given = Some(settings);
            }
            "--method" => {
                let name = words.next().context(USE)?;
                methods.retain(|method| method.name() == name);
                if methods.is_empty() {
                    let all = Method::ALL.map(Method::name).join(", ");
                    bail!("there is no method {name}; there are {all}");
                }
            }
            _ if folder.is_none() && !word.starts_with('-') => folder = Some(PathBuf::from(word)),
            _ => bail!("{USE}"),
        }
    }
    let data = Dataset::open(&folder.context(USE)?)?;
    let mut table = Table::new();
    let head = ["method", "split"].into_iter().chain(SHOWN);
    table.set_header(head.chain([
        "± NDCG@10",
        "coverage",
        "diversity",
        "novelty",
        "clicks",
        "head",
        "Gini",
    ]));
    let mut rows = Vec::new();
    for method in methods {
        let started = Instant::now();
        let (settings, tried) = if let Some(settings) = given.clone() {
            (settings, Vec::new())
        } else {
            let tuned = tune(&data, method, seed, &mut |trial| {
                let settings = serde_json::to_string(&trial.settings).unwrap_or_default();
                eprintln!("{settings}: validation NDCG@10 {:.4}", trial.ndcg);
            })?;
            (tuned.settings, tuned.trials)
        };
        let chosen = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let baseline = Baseline::fit(&data, &settings, seed)?;
        let fitted = started.elapsed().as_secs_f64();
        let started = Instant::now();
        for (name, split) in [
            ("valid", Split::Valid),
            ("test", Split::Test),
            ("unseen", Split::Unseen),
        ] {
            let found = evaluate(&baseline, &data, split, LATEST);
            if found.ranks.is_empty() {
                continue;
            }
            table.add_row(row(method, name, &found));
            rows.push(to_json(&settings, &tried, name, &found));
        }
        let asked = started.elapsed().as_secs_f64();
        eprintln!(
            "{}: chosen in {chosen:.0} s, fitted in {fitted:.1} s, evaluated in {asked:.1} s",
            method.name()
        );
    }
    if json {
        let report = json!({ "data": data.hash(), "protocol": data.meta().split, "seed": seed, "rows": rows });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{table}");
    }
    Ok(())
}

fn row(method: Method, split: &str, found: &Evaluation) -> Vec<String> {
    let names = names();
    let figure = |name: &&str| {
        let at = names.iter().position(|of| of == name);
        at.map_or_else(String::new, |at| format!("{:.4}", found.masked[at]))
    };
    let beyond = &found.beyond;
    let mut row = vec![method.name().to_owned(), split.to_owned()];
    row.extend(SHOWN.iter().map(figure));
    let error = found.ndcg().error;
    row.push(error.map_or_else(String::new, |error| format!("{error:.4}")));
    row.extend([beyond.coverage, beyond.diversity].map(|share| format!("{share:.3}")));
    row.push(format!("{:.2} bits", beyond.novelty));
    row.push(format!("{:.1}", beyond.popularity));
    row.extend([beyond.head, beyond.gini].map(|share| format!("{share:.3}")));
    row
}

fn to_json(settings: &Settings, tried: &[Trial], split: &str, found: &Evaluation) -> Value {
    let named = |values: &[f64]| -> Map<String, Value> {
        let names = names().into_iter().map(|name| name.to_lowercase());
        names
            .zip(values.iter().map(|&value| json!(value)))
            .collect()
    };
    json!({
        "settings": settings,
        "split": split,
        "cases": found.ranks.len(),
        "users": found.users,
        "ndcg@10": found.ndcg(),
        "masked": named(&found.masked),
        "unmasked": named(&found.unmasked),
        "beyond": found.beyond,
        "tried": tried,
    })
}
