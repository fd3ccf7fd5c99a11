//! `ingle verify`: looks at a published release from outside, as a page does.

use super::answering::Answering;
use super::place::{open, told};
use super::sign::clear;
use super::signing::{DAY, now};
use crate::data::InputError;
use crate::say::say;
use anyhow::{Result, bail};
use ingle_bundle::{Bundle, BundleError, sha256_hex};
use ingle_delivery::{Keyring, SignedManifest, Source, resolve};
use std::path::PathBuf;

/// Days before its expiry at which a channel is worth a word.
const SOON: u64 = 7;

/// Check a published release from outside: signatures, every file, the self-test
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle verify https://shop.example/bundle --keys keys
  ingle verify /var/www/bundle --keys keys
  ingle verify s3://shop-bundle/v1 --keys keys
  ingle verify https://shop.example/bundle --keys keys --at-least 12     an older release is a fault

Reads what a page reads, by the keys of the folder's first epoch, so that every rotation since is followed. Exit code
1 if a page would not use the release, and also if it has expired, which pages tell and use all the same.")]
pub struct Args {
    /// Address or folder that pages fetch from, or a bucket's: s3://..., gs://... or az://...
    #[arg(value_name = "URL|DIR")]
    place: String,
    /// Folder of keys; only its public files are read
    #[arg(long)]
    keys: PathBuf,
    /// Lowest release that is right
    #[arg(long, default_value_t = 1, value_name = "RELEASE")]
    at_least: u64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let ring = Keyring::open(&args.keys).map_err(told)?;
    let source = open(&args.place)?;
    let now = now();
    let seen = (ring.keys.epoch, args.at_least);
    let release = resolve(&*source, &ring.pins, seen, now).map_err(told)?;
    let channel = &release.channel;
    say!(
        "release {} of {} (epoch {}): every signature is right, {} % of visits get it",
        channel.release,
        channel.shop,
        channel.epoch,
        (channel.rollout * 1e4).round() / 1e2
    );
    test(&*source, &release.manifest)?;
    if let Some(previous) = &release.previous {
        test(&*source, previous)?;
    }
    for delta in &channel.deltas {
        if !delta.is_at(&*source).map_err(told)? {
            bail!(InputError::other(format!(
                "{} is not the file that the channel names: readers fetch whole files instead (delivery/delta)",
                delta.name
            )));
        }
    }
    if let Some(expired) = &release.expired {
        bail!("{expired}");
    }
    for (what, expires) in [
        ("the channel", channel.expires),
        ("the key file", release.keys.expires),
    ] {
        let days = expires.saturating_sub(now) / DAY;
        let hint = if days < SOON {
            ": publish again soon"
        } else {
            ""
        };
        say!("{what} expires in {days} days{hint}");
    }
    Ok(())
}

/// Checks every file of a manifest, and its self-test.
fn test(source: &dyn Source, signed: &SignedManifest) -> Result<()> {
    let fetch = |entry: &ingle_bundle::FileEntry| {
        let found = source.get(&entry.name, entry.bytes as usize);
        let found = found.map_err(|error| BundleError::Io {
            action: format!("read {}", entry.name),
            source: std::io::Error::other(error.to_string()),
        })?;
        let bytes = found.ok_or_else(|| BundleError::Missing {
            what: entry.name.clone(),
        })?;
        entry.verify_hashed(bytes.len() as u64, || sha256_hex(&bytes))?;
        Ok(bytes)
    };
    let bundle = Bundle::open(signed.text().as_bytes(), fetch);
    let bundle = bundle.map_err(|error| InputError::other(error.to_string()))?;
    let engine = Answering::new(bundle);
    let engine = engine.map_err(|error| InputError::other(error.to_string()))?;
    let found = clear(&engine, &signed.self_test.history)?;
    if !found.starts_with(&signed.self_test.items) {
        bail!(InputError::other(format!(
            "{}: the self-test expects {:?} and the engine recommends {found:?} (delivery/self-test)",
            signed.manifest.name, signed.self_test.items
        )));
    }
    say!(
        "{}: {} files are what the manifest says, and the self-test is right",
        signed.manifest.name,
        signed.manifest.files.len()
    );
    Ok(())
}
