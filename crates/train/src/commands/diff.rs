//! `ingle diff`: what a shopper who has one bundle fetches for another.

use super::place::{open, told};
use crate::data::InputError;
use crate::say::say;
use anyhow::Result;
use ingle_bundle::{MANIFEST, MAX_MANIFEST_BYTES, Manifest};
use ingle_delivery::{Change, Source, delta, diff};
use serde_json::json;

/// Say what a shopper who has one bundle fetches for another
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle diff bundle-old bundle
  ingle diff https://shop.example/bundle bundle
  ingle diff s3://shop-bundle/v1 bundle
  ingle diff bundle-old bundle --json

Compares the files by their hashes: those that both bundles have are not fetched again. `delta` is what is fetched
instead of the others by pages that check signatures, where `ingle publish` put one bundle after the other. Deltas are
small between bundles of which one was exported after the other: ingle export --after.")]
pub struct Args {
    /// Folder or address (http, https, s3, gs, az) of the bundle that the shopper has
    #[arg(value_name = "OLD")]
    old: String,
    /// Folder or address of the new one
    #[arg(value_name = "NEW")]
    new: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let (old, new) = (Place::open(&args.old)?, Place::open(&args.new)?);
    let change = diff(&old.manifest, &new.manifest);
    let delta = delta([&old.manifest, &new.manifest], |entry| {
        let place = if new.manifest.files.contains(entry) {
            &new
        } else {
            &old
        };
        place.source.need(&entry.name, entry.bytes as usize)
    });
    let delta = delta.map_err(told)?.map(|delta| delta.len() as u64);
    let sum = |files: &[(String, u64)]| files.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let (fetched, kept) = (sum(&change.fetched), sum(&change.kept));
    let whole = fetched + kept;
    if args.json {
        let Change {
            kept: both,
            fetched: new,
            dropped,
        } = &change;
        let named = |files: &[(String, u64)]| -> Vec<_> {
            let entry = |(name, bytes): &(String, u64)| json!({"name": name, "bytes": bytes});
            files.iter().map(entry).collect()
        };
        let report = json!({
            "fetched_bytes": fetched, "whole_bytes": whole, "delta_bytes": delta,
            "fetched": named(new), "kept": named(both), "dropped": named(dropped),
        });
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let groups = [
        ("fetched", &change.fetched),
        ("kept", &change.kept),
        ("dropped", &change.dropped),
    ];
    for (what, files) in groups {
        for (name, bytes) in files {
            say!("{what:8} {bytes:>12}  {name}");
        }
    }
    let share = 100.0 * fetched as f64 / whole.max(1) as f64;
    say!("\n{fetched} of {whole} bytes are fetched, {share:.1} %; compression not counted");
    if let Some(delta) = delta {
        let share = 100.0 * delta as f64 / whole.max(1) as f64;
        say!("as a delta: {delta} bytes, {share:.1} %");
    }
    Ok(())
}

/// Where a bundle is.
struct Place {
    source: Box<dyn Source>,
    manifest: Manifest,
}

impl Place {
    fn open(place: &str) -> Result<Self> {
        let source = open(place)?;
        let bytes = source.need(MANIFEST, MAX_MANIFEST_BYTES).map_err(told)?;
        let manifest = Manifest::parse(&bytes);
        let manifest = manifest.map_err(|error| InputError::other(format!("{place}: {error}")))?;
        Ok(Self { source, manifest })
    }
}
