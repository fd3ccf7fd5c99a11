//! `ingle import`: files of shop systems, trackers and data sets as the two files that `ingle prepare` reads.

use super::prepare::{noted, skipped};
use crate::data::import::{SOURCES, Source, import};
use crate::data::read::{Kind, files};
use crate::say::say;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Turn exports of shops, trackers and data sets into files for `ingle prepare`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle import shopify orders_export.csv products_export.csv --out shop
  ingle import ga4 events/ --out shop
  ingle import movielens ml-25m/ratings.csv ml-25m/movies.csv --out ml-25m
  ingle import --list

Writes interactions.csv (user_id, item_id, timestamp, event, rating, price, currency) and items.csv (item_id,
title, category, brand, price, currency), as far as the files have them, and prints the command that prepares
them. Kinds of events are view, cart, wish and purchase; what is no choice of an item, such as a list that was
shown, is passed over and counted. Files may be packed with gzip or zstd, and folders stand for their files.
For any other file: ingle prepare --check FILE.")]
pub struct Args {
    /// Where the files are from; --list names all
    #[arg(required_unless_present = "list", value_parser = named)]
    source: Option<&'static str>,
    /// Files and folders
    #[arg(required_unless_present = "list", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder to write
    #[arg(long, required_unless_present = "list")]
    out: Option<PathBuf>,
    /// List the sources and the files that are meant
    #[arg(long, exclusive = true)]
    list: bool,
    /// Stop at the first row that cannot be read
    #[arg(long)]
    strict: bool,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

fn named(name: &str) -> Result<&'static str, String> {
    let names = SOURCES.map(|source| source.name).join(", ");
    Source::named(name)
        .map(|source| source.name)
        .ok_or_else(|| format!("there is {names}"))
}

/// JSON output.
#[derive(Serialize)]
struct Report<'a> {
    interactions: usize,
    items: usize,
    events: &'a BTreeMap<String, usize>,
    skipped: &'a [Kind],
    notes: &'a [String],
    command: &'a str,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let (Some(source), Some(out)) = (args.source.and_then(Source::named), &args.out) else {
        for source in SOURCES {
            say!("{:16} {}", source.name, source.about);
        }
        return Ok(());
    };
    let imported = import(source, &files(&args.files)?, out, args.strict)?;
    noted(&imported.notes);
    let kinds = skipped(&[&imported.bad]);
    if args.json {
        let report = Report {
            interactions: imported.interactions,
            items: imported.items,
            events: &imported.events,
            skipped: &kinds,
            notes: &imported.notes,
            command: &imported.command,
        };
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let rows = kinds.iter().map(|kind| kind.rows).sum::<usize>();
    say!(
        "wrote {}: {} interactions, {} items; {rows} rows could not be used",
        out.display(),
        imported.interactions,
        imported.items
    );
    let events: Vec<String> = (imported.events.iter())
        .map(|(event, n)| format!("{event} {n}"))
        .collect();
    if !events.is_empty() {
        say!("events: {}", events.join(", "));
    }
    say!("next: {}", imported.command);
    if imported.events.len() > 1 {
        let kinds: Vec<String> = (imported.events.keys())
            .map(|event| format!("--weight-of {event}=WEIGHT"))
            .collect();
        say!("to weigh them: add --weight event {}", kinds.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn an_unknown_source_is_refused_with_those_there_are() {
        assert_eq!(named("otto"), Ok("otto"));
        let error = named("magento").expect_err("unknown");
        assert!(
            error.contains("shopify") && error.contains("yelp"),
            "{error}"
        );
    }
}
