//! A shop with keys and bundles, and a source that answers what a test wants.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use ingle_bundle::{BLOCK_ROWS, Bundle, MANIFEST, MAX_MANIFEST_BYTES, dir};
use ingle_delivery::{
    CHANNEL, Channel, DeliveryError, Envelope, Folder, Key, KeySet, Kind, ManifestRef, Move, Pins,
    Plan, Published, Release, Role, Roles, SecretKey, SelfTest, SignedManifest, Signer, Source,
    Store, keys_name, publish, resolve,
};
use tempfile::TempDir;

/// The time of the tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 86_400;

/// A shop: its private keys, its key files, bundles that it signs, and the folder that it publishes to.
pub(crate) struct Shop {
    pub(crate) offline: SecretKey,
    pub(crate) ci: SecretKey,
    pub(crate) keys: Vec<KeySet>,
    pub(crate) folder: TempDir,
    /// Where its key files are.
    pub(crate) key_files: TempDir,
}

pub(crate) fn secret(name: &str, seed: u8) -> SecretKey {
    SecretKey::from_seed(name, [seed; 32])
}

pub(crate) fn key(secret: &SecretKey) -> Key {
    Key::new("test", &secret.name(), &secret.public()).unwrap()
}

pub(crate) fn role(threshold: usize, secrets: &[&SecretKey]) -> Role {
    Role {
        threshold,
        keys: secrets.iter().map(|secret| key(secret).id).collect(),
    }
}

/// The keys of an epoch: one offline key, one for the channel.
pub(crate) fn key_set(epoch: u64, offline: &SecretKey, ci: &SecretKey) -> KeySet {
    KeySet {
        shop: "shoes".to_owned(),
        epoch,
        expires: NOW + 365 * DAY,
        keys: vec![key(offline), key(ci)],
        roles: Roles {
            root: role(1, &[offline]),
            manifest: role(1, &[offline]),
            channel: role(1, &[ci]),
        },
    }
}

/// A key file signed by these.
pub(crate) fn key_file(keys: &KeySet, before: Option<&KeySet>, signers: &[&SecretKey]) -> Vec<u8> {
    let mut envelope = keys.envelope().unwrap();
    let root = |keys: &KeySet| keys.of(&keys.roles.root).cloned().collect::<Vec<_>>();
    let mut may = root(keys);
    may.extend(before.map(root).unwrap_or_default());
    for signer in signers {
        envelope.sign(Kind::Keys, *signer, &may).unwrap();
    }
    envelope.to_bytes("keys", Kind::Keys).unwrap()
}

impl Shop {
    pub(crate) fn new() -> Self {
        let (offline, ci) = (secret("offline", 1), secret("ci", 2));
        let keys = key_set(1, &offline, &ci);
        let key_files = tempfile::tempdir().unwrap();
        let bytes = key_file(&keys, None, &[&offline]);
        fs::write(key_files.path().join(keys_name(1)), bytes).unwrap();
        Self {
            offline,
            ci,
            keys: vec![keys],
            folder: tempfile::tempdir().unwrap(),
            key_files,
        }
    }

    pub(crate) fn pins(&self) -> Pins {
        self.keys[0].pins(1)
    }

    /// A signed bundle whose popularities begin with `value`.
    pub(crate) fn bundle(&self, value: f32) -> (TempDir, ManifestRef) {
        let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let golden = above.find_map(|dir| {
            let golden = dir.join("crates/bundle/tests/data/v1");
            golden.is_dir().then_some(golden)
        });
        let mut bundle = dir::read_dir(&golden.unwrap()).unwrap();
        bundle.popularity[0] = value;
        self.sign(&bundle)
    }

    /// A bundle's folder, signed.
    pub(crate) fn sign(&self, bundle: &Bundle) -> (TempDir, ManifestRef) {
        let folder = tempfile::tempdir().unwrap();
        let files = bundle.write(BLOCK_ROWS).unwrap();
        dir::write_files(folder.path(), &files).unwrap();
        let test = SelfTest {
            history: vec![bundle.ids[0].to_owned()],
            items: vec![bundle.ids[1].to_owned()],
        };
        let keys = self.keys.last().unwrap();
        let signed = SignedManifest::new(&keys.shop, &files.last().unwrap().1, &test).unwrap();
        let mut envelope = signed.envelope(keys.epoch);
        envelope
            .sign(Kind::Manifest, &self.offline, keys.of(&keys.roles.manifest))
            .unwrap();
        let bytes = envelope.to_bytes("manifest", Kind::Manifest).unwrap();
        let named = ManifestRef::to(&bytes);
        fs::write(folder.path().join(&named.name), bytes).unwrap();
        (folder, named)
    }

    /// Publishes to a store.
    pub(crate) fn publish_to(
        &self,
        to: &dyn Store,
        change: &Move<'_>,
    ) -> Result<Published, DeliveryError> {
        let signers: Vec<Box<dyn Signer>> = vec![Box::new(secret("ci", 2))];
        let keys = Folder::new(self.key_files.path());
        let plan = Plan {
            keys: &keys,
            pins: &self.pins(),
            epoch: self.keys.last().unwrap().epoch,
            signers: &signers,
            expires: NOW + 30 * DAY,
        };
        publish(to, change, &plan)
    }

    pub(crate) fn publish(&self, change: &Move<'_>) -> Result<Published, DeliveryError> {
        self.publish_to(&Folder::new(self.folder.path()), change)
    }

    /// Publishes a bundle for everyone.
    pub(crate) fn release(&self, value: f32) -> Published {
        let store = Folder::new(self.folder.path());
        self.release_to(&store, value, 1.0).unwrap()
    }

    /// Publishes a bundle to a store, for a share of visits.
    pub(crate) fn release_to(
        &self,
        to: &dyn Store,
        value: f32,
        share: f64,
    ) -> Result<Published, DeliveryError> {
        let (folder, manifest) = self.bundle(value);
        let from = Folder::new(folder.path());
        let change = Move::Bundle {
            from: &from,
            manifest,
            share,
        };
        self.publish_to(to, &change)
    }

    /// What a page finds in the shop's folder, with every file of the bundle.
    pub(crate) fn found(&self) -> Result<Release, DeliveryError> {
        found(&Folder::new(self.folder.path()), &self.pins())
    }

    /// A copy of the shop's folder, to be tampered with.
    pub(crate) fn copy(&self) -> Fake {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read(path).unwrap());
        }
        Fake {
            files,
            asked: RefCell::default(),
        }
    }

    /// A channel signed by these keys.
    pub(crate) fn signed(channel: &Channel, signers: &[&SecretKey]) -> Vec<u8> {
        let mut envelope = channel.envelope().unwrap();
        let all: Vec<Key> = signers.iter().map(|signer| key(signer)).collect();
        for signer in signers {
            envelope.sign(Kind::Channel, *signer, &all).unwrap();
        }
        envelope.to_bytes(CHANNEL, Kind::Channel).unwrap()
    }
}

/// A store to publish to, in which nothing is yet.
pub(crate) trait Place {
    /// A new one.
    fn new() -> Self;

    /// What a publisher that comes now writes to.
    fn store(&self) -> Box<dyn Store> {
        self.ends_after(usize::MAX).0
    }

    /// The same, but the `last` steps happen and no further one, as if the process had been killed; and their number.
    fn ends_after(&self, last: usize) -> (Box<dyn Store>, Arc<AtomicUsize>);
}

/// A folder. Its steps are the system calls that change it.
pub(crate) struct FolderPlace(TempDir);

impl Place for FolderPlace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn ends_after(&self, last: usize) -> (Box<dyn Store>, Arc<AtomicUsize>) {
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = steps.clone();
        let folder = Folder::watched(self.0.path(), move |step| {
            if counted.fetch_add(1, Ordering::SeqCst) >= last {
                return Err(io::Error::other(format!("ended before: {step}")));
            }
            Ok(())
        });
        (Box::new(folder), steps)
    }
}

/// What a page that knows no keys finds.
pub(crate) fn unsigned(source: &dyn Source) -> Bundle {
    let manifest = source.need(MANIFEST, MAX_MANIFEST_BYTES).unwrap();
    let read = |entry: &ingle_bundle::FileEntry| {
        let bytes = source.need(&entry.name, entry.bytes as usize).unwrap();
        entry.verify(&bytes).map(|()| bytes)
    };
    Bundle::open(&manifest, read).unwrap()
}

/// What a page finds, with every file of the bundle.
pub(crate) fn found(source: &dyn Source, pins: &Pins) -> Result<Release, DeliveryError> {
    let release = resolve(source, pins, (0, 0), NOW)?;
    for manifest in [Some(&release.manifest), release.previous.as_ref()]
        .into_iter()
        .flatten()
    {
        for entry in &manifest.manifest.files {
            let bytes = source.need(&entry.name, entry.bytes as usize)?;
            entry.verify(&bytes)?;
        }
    }
    Ok(release)
}

/// A source in memory that remembers what it was asked for.
pub(crate) struct Fake {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) asked: RefCell<Vec<String>>,
}

impl Fake {
    /// Changes a signed file's payload or signatures as text.
    pub(crate) fn change(&mut self, name: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.files[name].clone()).unwrap();
        assert!(text.contains(from), "{text} has no {from}");
        let changed = text.replace(from, to).into_bytes();
        self.files.insert(name.to_owned(), changed);
    }

    pub(crate) fn code(&self, shop: &Shop) -> &'static str {
        resolve(self, &shop.pins(), (0, 0), NOW).unwrap_err().code()
    }
}

impl Source for Fake {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError> {
        self.asked.borrow_mut().push(name.to_owned());
        let found = self.files.get(name);
        Ok(found.map(|bytes| bytes[..bytes.len().min(limit + 1)].to_vec()))
    }
}

/// The unverified payload of a file, to look at.
pub(crate) fn payload(name: &str, kind: Kind, bytes: &[u8]) -> String {
    Envelope::parse(name, kind, bytes)
        .unwrap()
        .unverified()
        .to_owned()
}
