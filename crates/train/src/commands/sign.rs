//! `ingle sign`: signs a bundle's manifest, or adds a signature to a key file.

use super::answering::Answering;
use super::keys::{missing, sign};
use super::place::told;
use super::signing::SigningArgs;
use super::{bad_bundle, read_bundle};
use crate::data::InputError;
use crate::say::say;
use anyhow::{Result, bail};
use ingle_bundle::{Bundle, MANIFEST};
use ingle_delivery::{
    Envelope, Folder, Keyring, Kind, ManifestRef, SELF_TEST_ITEMS, SelfTest, SignedManifest,
    Source as _, Store as _, unverified,
};
use ingle_model::engine::RecommendOptions;
use std::path::{Path, PathBuf};

/// Histories of which the one with the clearest answer becomes the self-test.
const TRIALS: usize = 32;
/// Clicks of such a history.
const CLICKS: usize = 3;
/// Two items whose probabilities are closer than this may change places on another processor.
const APART: f32 = 0.01;

/// Sign a bundle, so that pages which know the shop's keys use it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle sign bundle --keys keys
  ingle sign bundle --keys keys --key /media/usb/offline.pem
  ingle sign bundle --keys keys --signer-command 'kms-sign offline'
  ingle sign keys/keys-2.json --key offline-2.pem      one more signature on a file of keys

Writes manifest-....json into the bundle's folder: the manifest with a self-test, a history and what is recommended
after it, which every page asks its engine before it uses the bundle. Where several keys must sign, sign in turn, each
time the folder that was signed before. Then `ingle publish`.")]
pub struct Args {
    /// Bundle folder, or a file of keys
    #[arg(value_name = "BUNDLE|FILE")]
    what: PathBuf,
    /// Folder of keys [default: for a file of keys, its own folder]
    #[arg(long)]
    keys: Option<PathBuf>,
    #[command(flatten)]
    signing: SigningArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    if args.what.is_file() {
        return sign_keys(args);
    }
    let Some(dir) = &args.keys else {
        bail!(InputError::other("a bundle is signed with --keys KEYS"));
    };
    let ring = Keyring::open(dir).map_err(told)?;
    let bundle = read_bundle(&args.what)?;
    let manifest = ingle_bundle::dir::read_manifest(&args.what)?;
    let engine = Answering::new(bundle.clone()).map_err(|error| bad_bundle(&args.what, &error))?;
    let test = self_test(&bundle, &engine)?;
    let signed = SignedManifest::new(&ring.keys.shop, &manifest, &test).map_err(told)?;
    let mut envelope = signed.envelope(ring.keys.epoch);
    let folder = Folder::new(&args.what);
    let before = signed_before(&folder)?;
    for (_, other) in &before {
        envelope.merge(other);
    }
    let role = &ring.keys.roles.manifest;
    for signer in args.signing.signers(dir, &[(&ring.keys, role)])? {
        let may = ring.keys.of(role);
        envelope.sign(Kind::Manifest, &*signer, may).map_err(told)?;
    }
    let bytes = envelope.to_bytes(MANIFEST, Kind::Manifest).map_err(told)?;
    let named = ManifestRef::to(&bytes);
    folder.put(&named.name, &bytes).map_err(told)?;
    // Signatures are part of a file's name: what was signed before goes, so that one is left.
    for (name, _) in before.iter().filter(|(name, _)| *name != named.name) {
        folder.delete(name).map_err(told)?;
    }
    let path = args.what.join(&named.name);
    say!(
        "wrote {}: {} items follow {} clicks",
        path.display(),
        test.items.len(),
        test.history.len()
    );
    match SignedManifest::verify(&named.name, &bytes, &ring.keys) {
        Ok(_) => say!(
            "next: ingle publish DEST --bundle {} --keys {}",
            args.what.display(),
            dir.display()
        ),
        Err(error) => say!("not finished: {error}"),
    }
    Ok(())
}

fn sign_keys(args: &Args) -> Result<()> {
    let path = &args.what;
    let name = super::file_name(path);
    let dir = match (&args.keys, path.parent()) {
        (Some(dir), _) => dir.clone(),
        (None, Some(parent)) if parent != Path::new("") => parent.to_owned(),
        (None, _) => PathBuf::from("."),
    };
    let folder = Folder::new(&dir);
    let bytes = folder.need(&name, Kind::Keys.limit()).map_err(told)?;
    let mut envelope = Envelope::parse(&name, Kind::Keys, &bytes).map_err(told)?;
    let epoch = envelope.epoch;
    let set = unverified(&folder, epoch).map_err(told)?;
    let before = (epoch > 1)
        .then(|| unverified(&folder, epoch - 1).ok())
        .flatten();
    let mut may = vec![(&set, &set.roles.root)];
    may.extend(before.as_ref().map(|before| (before, &before.roles.root)));
    sign(&mut envelope, &dir, &may, &args.signing)?;
    let bytes = envelope.to_bytes(&name, Kind::Keys).map_err(told)?;
    folder.put(&name, &bytes).map_err(told)?;
    say!("signed {}", path.display());
    missing(&dir, &name);
    Ok(())
}

/// The signed manifests in a bundle's folder, with their names.
pub(super) fn signed_before(folder: &Folder) -> Result<Vec<(String, Envelope)>> {
    let names = folder.list().map_err(told)?;
    let names = names.into_iter().map(|(name, _)| name);
    let named =
        names.filter(|name| name.starts_with("manifest-") && ingle_bundle::is_file_name(name));
    named
        .map(|name| {
            let bytes = folder.need(&name, Kind::Manifest.limit()).map_err(told)?;
            let envelope = Envelope::parse(&name, Kind::Manifest, &bytes).map_err(told)?;
            Ok((name, envelope))
        })
        .collect()
}

/// A history and what is recommended after it: the one of a few among popular items whose answer is clearest, so that
/// every right engine gives the same.
fn self_test(bundle: &Bundle, engine: &Answering) -> Result<SelfTest> {
    let mut rows: Vec<usize> = (0..bundle.ids.len()).collect();
    rows.sort_by(|&a, &b| {
        bundle.popularity[b]
            .total_cmp(&bundle.popularity[a])
            .then(a.cmp(&b))
    });
    let mut best: Option<SelfTest> = None;
    for trial in 0..TRIALS.min(rows.len()) {
        let clicks =
            (0..CLICKS.min(rows.len() - 1)).map(|n| rows[(trial * CLICKS + n) % rows.len()]);
        let history: Vec<String> = clicks.map(|row| bundle.ids[row].to_owned()).collect();
        let items = clear(engine, &history)?;
        if best
            .as_ref()
            .is_none_or(|best| items.len() > best.items.len())
        {
            best = Some(SelfTest { history, items });
        }
        if best
            .as_ref()
            .is_some_and(|best| best.items.len() == SELF_TEST_ITEMS)
        {
            break;
        }
    }
    let found = best.filter(|best| !best.items.is_empty());
    Ok(found.ok_or_else(|| {
        InputError::other(
            "the bundle recommends nothing clearly: every item is as likely as the next, so that nothing can test it",
        )
    })?)
}

/// The best items after a history, as far as each is clearly ahead of the next.
pub(super) fn clear(engine: &Answering, history: &[String]) -> Result<Vec<String>> {
    let options = RecommendOptions {
        k: SELF_TEST_ITEMS + 1,
        ..RecommendOptions::default()
    };
    let ranked = engine.recommend(history, &options)?;
    let ahead = |n: usize| match ranked.get(n + 1) {
        Some(next) => ranked[n].probability > next.probability * (1.0 + APART),
        None => true,
    };
    let count = (0..ranked.len().min(SELF_TEST_ITEMS))
        .take_while(|&n| ahead(n))
        .count();
    Ok(ranked
        .into_iter()
        .take(count)
        .map(|item| item.item)
        .collect())
}
