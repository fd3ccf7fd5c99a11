//! The shop's releases: two bundles that it publishes in turn.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ingle_bundle::{MANIFEST, Manifest};
use ingle_delivery::{
    DeliveryError, Folder, Key, KeySet, Kind, ManifestRef, Move, Plan, Published, Role, Roles,
    SecretKey, SignedManifest, Signer, Store as _, apply, keys_name, publish,
};
use serde_json::json;

const DAYS: u64 = 24 * 60 * 60;

/// What is published, and with what.
pub(crate) struct Releases {
    keys: KeySet,
    channel: Arc<SecretKey>,
    /// What is served.
    folder: PathBuf,
    /// The second bundle, signed.
    next: (PathBuf, ManifestRef),
    number: u64,
}

impl Releases {
    /// Makes keys, and publishes the first bundle in a folder.
    pub(crate) fn begin(at: &Path, bundle: &Path, next: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(bundle.join(MANIFEST))?;
        let shop = SignedManifest::parse(MANIFEST, text.clone())?.shop;
        let (offline, ci) = (
            SecretKey::generate("offline")?,
            SecretKey::generate("channel")?,
        );
        let key =
            |secret: &SecretKey| Key::new("the demo's keys", &secret.name(), &secret.public());
        let keys = vec![key(&offline)?, key(&ci)?];
        let of = |key: &Key| Role {
            threshold: 1,
            keys: vec![key.id.clone()],
        };
        let roles = Roles {
            root: of(&keys[0]),
            manifest: of(&keys[0]),
            channel: of(&keys[1]),
        };
        let keys = KeySet {
            shop,
            epoch: 1,
            expires: now() + 365 * DAYS,
            keys,
            roles,
        };
        let folder = at.join("bundle");
        let mut envelope = keys.envelope()?;
        envelope.sign(Kind::Keys, &offline, &keys.keys)?;
        let bytes = envelope.to_bytes("keys", Kind::Keys)?;
        Folder::new(&folder).put(&keys_name(1), &bytes)?;

        let first = at.join("first");
        let files = Manifest::parse(text.as_bytes())?.files;
        let whole = |name: &str| fs::read(bundle.join(name));
        let whole = files
            .iter()
            .map(|entry| Ok((entry.name.clone(), whole(&entry.name)?)));
        let whole = whole.collect::<Result<Vec<_>, std::io::Error>>()?;
        let named = sign(&first, &text, &whole, &keys, &offline)?;
        let second = at.join("second");
        let (text, files) = put_together(bundle, next)?;
        let next = (
            second.clone(),
            sign(&second, &text, &files, &keys, &offline)?,
        );
        let mut releases = Self {
            keys,
            channel: Arc::new(ci),
            folder,
            next,
            number: 0,
        };
        let from = Folder::new(&first);
        releases.say(&Move::Bundle {
            from: &from,
            manifest: named,
            share: 1.0,
        })?;
        Ok(releases)
    }

    /// Where they are published.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of the release that is out.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What a page that uses these releases says in its head, as JSON.
    pub(crate) fn trust(&self) -> String {
        let pins = self.keys.pins(1);
        json!({ "shop": pins.shop, "epoch": pins.epoch, "keys": pins.keys, "atLeast": 1 })
            .to_string()
    }

    /// Publishes the bundle that is not out; says what.
    pub(crate) fn publish(&mut self) -> Result<String, Box<dyn Error>> {
        let (path, manifest) = self.next.clone();
        let from = Folder::new(&path);
        let bundle = Move::Bundle {
            from: &from,
            manifest,
            share: 1.0,
        };
        // The second bundle first; afterwards back to the one before, as a shop does that takes a release back.
        let change = match self.number {
            1 => bundle,
            before => Move::To(before - 1),
        };
        let Published { channel, .. } = self.say(&change)?;
        let whole = fs::read_to_string(self.folder.join(MANIFEST))?;
        let whole: u64 = Manifest::parse(whole.as_bytes())?
            .files
            .iter()
            .map(|entry| entry.bytes)
            .sum();
        let delta = channel.deltas.first().map_or(whole, |delta| delta.bytes);
        let (which, other) = if channel.release % 2 == 0 {
            ("with the second model", "takes it back")
        } else {
            ("with the first model again", "has the second model again")
        };
        let [delta, whole] = [delta, whole].map(|bytes| (bytes + 500) / 1000);
        Ok(format!(
            "Release {} is out, {which}. Open pages move to it; who allowed it to be remembered fetches {delta} of {whole} kB.\n\
             Enter publishes release {}, which {other}.",
            channel.release,
            channel.release + 1,
        ))
    }

    fn say(&mut self, change: &Move<'_>) -> Result<Published, Box<dyn Error>> {
        let folder = Folder::new(&self.folder);
        let plan = Plan {
            keys: &folder,
            pins: &self.keys.pins(1),
            epoch: 1,
            signers: &[Box::new(Shared(self.channel.clone()))],
            expires: now() + 30 * DAYS,
        };
        let published = publish(&folder, change, &plan)?;
        self.number = published.channel.release;
        Ok(published)
    }
}

/// A key that signs more than once.
struct Shared(Arc<SecretKey>);

impl Signer for Shared {
    fn name(&self) -> String {
        self.0.name()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], DeliveryError> {
        self.0.sign(message)
    }
}

/// Writes a bundle's folder with its signed manifest.
fn sign(
    folder: &Path,
    text: &str,
    files: &[(String, Vec<u8>)],
    keys: &KeySet,
    offline: &SecretKey,
) -> Result<ManifestRef, Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes)?;
    }
    let manifest = SignedManifest::parse(MANIFEST, text.to_owned())?;
    let mut envelope = manifest.envelope(keys.epoch);
    envelope.sign(Kind::Manifest, offline, &keys.keys)?;
    let bytes = envelope.to_bytes("manifest", Kind::Manifest)?;
    let named = ManifestRef::to(&bytes);
    fs::write(folder.join(&named.name), bytes)?;
    Ok(named)
}

/// A bundle's manifest and its files.
type Whole = (String, Vec<(String, Vec<u8>)>);

/// The second bundle, of the first one's files and a delta. All of it is what its manifest says.
fn put_together(bundle: &Path, next: &Path) -> Result<Whole, Box<dyn Error>> {
    let text = fs::read_to_string(next.join(MANIFEST))?;
    let manifest = Manifest::parse(text.as_bytes())?;
    let mut names = fs::read_dir(next)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    names.retain(|path| path.extension().is_some_and(|extension| extension == "bin"));
    let [delta] = &names[..] else {
        return Err(format!("{} has not one delta", next.display()).into());
    };
    let old = |name: &str| {
        fs::read(bundle.join(name)).map_err(|error| DeliveryError::Io {
            action: format!("read {name}"),
            reason: error.to_string(),
        })
    };
    let mut files = apply(&fs::read(delta)?, &manifest, old)?;
    for entry in &manifest.files {
        if !files.iter().any(|(name, _)| *name == entry.name) {
            files.push((entry.name.clone(), old(&entry.name)?));
        }
    }
    Ok((text, files))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}
