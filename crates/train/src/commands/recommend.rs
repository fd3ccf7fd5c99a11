//! `ingle recommend`: recommends from a bundle, without a browser.

use super::answering::Answering;
use super::titles::Titles;
use super::{SplitName, bad_bundle, read_bundle, write_line};
use crate::data::{Dataset, InputError};
use crate::training::judge;
use anyhow::{Result, bail};
use ingle_model::engine::RecommendOptions;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// Unknown ids that are named.
const UNKNOWN_SHOWN: usize = 5;

/// Recommend from a bundle, one JSON line a history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle recommend bundle --history sku-1 sku-2 sku-9
  ingle recommend bundle --histories histories.jsonl --k 20 --explain
  ingle recommend bundle --data data/shop --split unseen --users 200
  ingle recommend bundle --history sku-1 sku-2 --titles items.csv      with titles beside the ids

A line of --histories is {\"history\": [\"sku-1\", ...]}, oldest click first. The answers are those that
the page gets, on either of its engines; ids that the bundle does not know are passed over.")]
#[command(group(clap::ArgGroup::new("whose").required(true).args(["history", "histories", "data"])))]
pub struct Args {
    /// Bundle folder
    bundle: PathBuf,
    /// One history, oldest click first
    #[arg(long, num_args = 0.., value_name = "ITEM")]
    history: Option<Vec<String>>,
    /// File of histories, one JSON object a line
    #[arg(long, value_name = "FILE")]
    histories: Option<PathBuf>,
    /// Dataset whose histories are taken
    #[arg(long)]
    data: Option<PathBuf>,
    /// With --data: whose histories
    #[arg(long, value_enum, default_value = "test", requires = "data")]
    split: SplitName,
    /// With --data: how many users, spread over all of them [default: all]
    #[arg(long, requires = "data")]
    users: Option<usize>,
    /// Items file or dataset with the titles [default: those of --data]
    #[arg(long, value_name = "FILE|DIR")]
    titles: Option<PathBuf>,
    /// Items wanted
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Also recommend items of the history
    #[arg(long)]
    include_seen: bool,
    /// Also print the verdict on every click
    #[arg(long)]
    explain: bool,
}

/// A line of a histories file.
#[derive(Debug, Deserialize)]
struct Asked {
    history: Vec<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let engine = Answering::new(read_bundle(&args.bundle)?)
        .map_err(|error| bad_bundle(&args.bundle, &error))?;
    let options = RecommendOptions {
        k: args.k,
        include_seen: args.include_seen,
        ..RecommendOptions::default()
    };
    let (histories, titles) = histories(args)?;
    tell_unknown(&histories, &engine.items());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for history in histories {
        let items = engine.recommend(&history, &options)?;
        let mut answer = json!({"history": history, "items": items});
        entitle(&mut answer["items"], &titles);
        if args.explain {
            answer["clicks"] = json!(engine.explain(&history)?);
            entitle(&mut answer["clicks"], &titles);
        }
        if !write_line(&mut out, &answer)? {
            return Ok(());
        }
    }
    out.flush()?;
    Ok(())
}

/// Prints ids of the histories that the bundle does not know, the first few by name.
fn tell_unknown(histories: &[Vec<String>], known: &[String]) {
    let known: HashSet<&String> = known.iter().collect();
    let asked: BTreeSet<&String> = histories.iter().flatten().collect();
    let unknown: Vec<&str> = (asked.into_iter())
        .filter(|id| !known.contains(id))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        let shown = &unknown[..unknown.len().min(UNKNOWN_SHOWN)];
        let more = if shown.len() < unknown.len() {
            ", ..."
        } else {
            ""
        };
        eprintln!(
            "{} of the histories' ids are not in the bundle and change nothing: {}{more}",
            unknown.len(),
            shown.join(", ")
        );
    }
}

/// Adds titles to a list of items with ids.
fn entitle(items: &mut Value, titles: &Titles) {
    for item in items.as_array_mut().into_iter().flatten() {
        let title = item["item"].as_str().and_then(|id| titles.get(id));
        if let Some(title) = title.map(str::to_owned) {
            item["title"] = Value::String(title);
        }
    }
}

/// The histories to answer, and the known titles.
fn histories(args: &Args) -> Result<(Vec<Vec<String>>, Titles)> {
    let data = (args.data.as_deref()).map(Dataset::open).transpose()?;
    let titles = match (&args.titles, &data) {
        (Some(path), _) => Titles::open(path)?,
        (None, Some(data)) => Titles::of(data),
        (None, None) => Titles::default(),
    };
    let histories = match (&args.histories, &data) {
        (Some(file), _) => from_file(file)?,
        (None, Some(data)) => from_dataset(data, args.split, args.users)?,
        (None, None) => vec![args.history.clone().unwrap_or_default()],
    };
    Ok((histories, titles))
}

fn from_file(file: &Path) -> Result<Vec<Vec<String>>> {
    let name = file.display();
    let opened = File::open(file).map_err(|e| InputError::other(format!("{name}: {e}")))?;
    let mut histories = Vec::new();
    for (at, line) in BufReader::new(opened).lines().enumerate() {
        let at = at + 1;
        let line = line.map_err(|e| InputError::other(format!("{name}:{at}: {e}")))?;
        if line.trim().is_empty() {
            continue;
        }
        let asked: Asked = serde_json::from_str(&line).map_err(|e| {
            let expected = r#"expected {"history": ["item", ...]}"#;
            InputError::other(format!("{name}:{at}: {e}; {expected}"))
        })?;
        histories.push(asked.history);
    }
    Ok(histories)
}

/// Histories of a split as item ids, of `users` users spread evenly over all.
fn from_dataset(
    data: &Dataset,
    split: SplitName,
    users: Option<usize>,
) -> Result<Vec<Vec<String>>> {
    let mut cases = judge::cases(data, split.split());
    cases.sort_by_key(|case| case.user);
    if cases.is_empty() {
        bail!(InputError::other(
            "the dataset has no history in this split"
        ));
    }
    let wanted = users.unwrap_or(cases.len()).min(cases.len());
    let id = |&item: &u32| data.items()[item as usize - 1].id.clone();
    let chosen = (0..wanted).map(|n| &cases[n * cases.len() / wanted]);
    Ok(chosen
        .map(|case| case.history.iter().map(id).collect())
        .collect())
}
