//! `ingle publish`: puts a signed bundle where pages fetch it, and says which release they shall use.

use super::place::{store, told};
use super::sign::signed_before;
use super::signing::{DAY, SigningArgs, now};
use crate::data::InputError;
use crate::say::say;
use anyhow::{Result, bail};
use ingle_bundle::dir::read_manifest;
use ingle_delivery::{
    Envelope, Folder, Keyring, Kind, ManifestRef, Move, Plan, SignedManifest, Source as _, publish,
};
use std::path::{Path, PathBuf};

/// Publish a signed bundle, roll it out, halt it or go back
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle publish /var/www/bundle --bundle bundle --keys keys
  ingle publish /var/www/bundle --bundle bundle --keys keys --rollout 5%     for one visit of twenty
  ingle publish /var/www/bundle --keys keys --rollout 100%                   now for all
  ingle publish /var/www/bundle --keys keys --halt                           all back to the release before
  ingle publish /var/www/bundle --keys keys --to 12                          all back to release 12
  ingle publish /var/www/bundle --keys keys                                  nothing new: the channel expires later
  ingle publish s3://shop-bundle/v1 --bundle bundle --keys keys              to a bucket

Files first, each read back, channel.json last and in one piece: whoever ends this at any moment leaves the release
before or the new one, whole. Every call is a new release with a higher number, going back too. The channel expires
(--expires), so publish regularly. manifest.json, for pages that know no keys, follows when a release is for all.

Buckets need a program with the feature `object-stores`. What they are reached with is taken from the environment:
  s3://   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION; AWS_ENDPOINT for another server than Amazon's
  gs://   GOOGLE_SERVICE_ACCOUNT, a key file
  az://   AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY")]
pub struct Args {
    /// Folder that pages fetch from, or the address of one in a bucket (s3, gs, az)
    #[arg(value_name = "DIR|URL")]
    dest: String,
    /// Folder of keys
    #[arg(long)]
    keys: PathBuf,
    /// Signed bundle folder
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Share of visits that get the release, as 5% [default: all]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    rollout: Option<f64>,
    /// Give everyone the release before the one that is being rolled out
    #[arg(long, conflicts_with_all = ["bundle", "rollout", "to"])]
    halt: bool,
    /// Give everyone this earlier release
    #[arg(long, value_name = "RELEASE", conflicts_with_all = ["bundle", "rollout"])]
    to: Option<u64>,
    /// Days until the channel expires
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    expires: u64,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let ring = Keyring::open(&args.keys).map_err(told)?;
    let signers = args
        .signing
        .signers(&args.keys, &[(&ring.keys, &ring.keys.roles.channel)])?;
    let from = args.bundle.as_deref().map(Folder::new);
    let change = match (&from, args.rollout, args.to) {
        (Some(from), share, _) => Move::Bundle {
            from,
            manifest: signed(from.dir())?,
            share: share.unwrap_or(1.0),
        },
        (None, Some(share), _) => Move::Share(share),
        (None, None, Some(release)) => Move::To(release),
        (None, None, None) if args.halt => Move::Halt,
        (None, None, None) => Move::Renew,
    };
    let plan = Plan {
        keys: &ring.folder,
        pins: &ring.pins,
        epoch: ring.keys.epoch,
        signers: &signers,
        expires: now() + args.expires * DAY,
    };
    let done = publish(&*store(&args.dest)?, &change, &plan).map_err(told)?;
    let bytes: u64 = done.sent.iter().map(|(_, bytes)| bytes).sum();
    let channel = &done.channel;
    say!(
        "release {} of {} (epoch {}) is out for {} % of visits, until {} days from now",
        channel.release,
        channel.shop,
        channel.epoch,
        (channel.rollout * 1e4).round() / 1e2,
        args.expires
    );
    say!(
        "{} files were new, {:.2} MB",
        done.sent.len(),
        bytes as f64 / 1e6
    );
    say!(
        "next: ingle verify {} --keys {}",
        args.dest,
        args.keys.display()
    );
    Ok(())
}

/// The signed manifest of a bundle's folder.
fn signed(dir: &Path) -> Result<ManifestRef> {
    let manifest = read_manifest(dir).map_err(|error| InputError::other(error.to_string()))?;
    let folder = Folder::new(dir);
    for (name, envelope) in signed_before(&folder)? {
        if is_of(&name, &envelope, &manifest) {
            let bytes = folder.need(&name, Kind::Manifest.limit()).map_err(told)?;
            return Ok(ManifestRef::to(&bytes));
        }
    }
    bail!(InputError::other(format!(
        "{dir} is not signed, or has changed since: `ingle sign {dir} --keys KEYS`",
        dir = dir.display()
    )))
}

fn is_of(name: &str, envelope: &Envelope, manifest: &[u8]) -> bool {
    let text = envelope.unverified().to_owned();
    SignedManifest::parse(name, text).is_ok_and(|signed| signed.is_of(manifest))
}

/// A share of visits: `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, of) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = number.trim().parse::<f64>().map(|number| number / of);
    share
        .ok()
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| format!("{text:?} is no share above 0 % and up to 100 %"))
}
