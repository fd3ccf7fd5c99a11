//! Publishes a release: files first, each read back and hashed, the channel last and only if nobody else has changed
//! it. Whoever ends it at any moment leaves the release before or the new one, whole.

use ingle_bundle::{BundleError, FileEntry, MANIFEST, MAX_MANIFEST_BYTES, Manifest, sha256_hex};

use crate::channel::{CHANNEL, Channel, ManifestRef, Previous, archive_name, archived};
use crate::delta::{DeltaRef, MAX_DELTAS, apply, delta};
use crate::envelope::{Envelope, Kind, MAX_NUMBER};
use crate::keys::{KeySet, Pins, keys_name};
use crate::manifest::SignedManifest;
use crate::read::chain;
use crate::signer::Signer;
use crate::{DeliveryError, Source, Store, Stored};

/// What a new release changes.
pub enum Move<'a> {
    /// The bundle of a folder that `ingle sign` has signed, for this share of visits.
    Bundle {
        /// Where its files are.
        from: &'a dyn Source,
        /// Name and hash of its signed manifest.
        manifest: ManifestRef,
        /// Above 0, at most 1.
        share: f64,
    },
    /// Another share of visits for the release that is being rolled out.
    Share(f64),
    /// Everyone gets the release before the one that is being rolled out.
    Halt,
    /// Everyone gets the manifest of an earlier release.
    To(u64),
    /// The same release, with a later expiry.
    Renew,
}

/// How to publish.
pub struct Plan<'a> {
    /// Where the key files are, from `pins.epoch` to `epoch`.
    pub keys: &'a dyn Source,
    /// The root keys of the first epoch.
    pub pins: &'a Pins,
    /// The epoch whose keys sign.
    pub epoch: u64,
    /// What signs the channel.
    pub signers: &'a [Box<dyn Signer>],
    /// When the channel expires, in seconds since 1970.
    pub expires: u64,
}

/// What was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The channel.
    pub channel: Channel,
    /// Names and bytes of the files that the store did not have.
    pub sent: Vec<(String, u64)>,
}

/// Publishes a release.
pub fn publish(
    store: &dyn Store,
    change: &Move<'_>,
    plan: &Plan<'_>,
) -> Result<Published, DeliveryError> {
    let keys = chain(plan.keys, plan.pins, plan.epoch)?;
    let found = store.read(CHANNEL, Kind::Channel.limit())?;
    let unsigned = store.read(MANIFEST, usize::MAX - 1)?;
    let current = current(store, found.as_ref(), plan)?;
    let mut channel = next(store, change, plan, (&keys, current.as_ref()))?;
    channel.release = next_number(store, current.as_ref(), plan.epoch)?;

    let mut sent = Vec::new();
    for epoch in plan.pins.epoch..=plan.epoch {
        let name = keys_name(epoch);
        let bytes = plan.keys.need(&name, Kind::Keys.limit())?;
        put(store, &name, &bytes, &mut sent)?;
    }
    let from: &dyn Source = match change {
        Move::Bundle { from, .. } => *from,
        _ => store,
    };
    // Whatever the channel will name is verified first, and what is older than this release is looked at again: a
    // file that has gone or was damaged must not be named once more.
    let (manifest, bytes) = SignedManifest::open(from, &channel.manifest, "this release", &keys)?;
    for entry in &manifest.manifest.files {
        put_file(store, from, entry, &mut sent)?;
    }
    put(store, &channel.manifest.name, &bytes, &mut sent)?;
    if let Some(Previous { manifest }) = &channel.previous {
        let (previous, _) = SignedManifest::open(store, manifest, CHANNEL, &keys)?;
        for entry in &previous.manifest.files {
            check_file(store, entry)?;
        }
    }

    channel.deltas = deltas(store, current.as_ref(), &channel, &mut sent)?;

    let mut envelope = channel.envelope()?;
    sign(&mut envelope, &keys, plan.signers)?;
    Channel::open(CHANNEL, &envelope, &keys)?;
    let bytes = envelope.to_bytes(CHANNEL, Kind::Channel)?;
    let archive = archive_name(channel.epoch, channel.release);
    store.create(&archive, &bytes)?;
    confirm(store, &archive, &bytes)?;
    if channel.rollout == 1.0 {
        // For readers that know no keys. If it is not as it was, somebody else has published meanwhile.
        let text = manifest.text().as_bytes();
        if unsigned.as_ref().is_none_or(|found| found.bytes != text) {
            let version = unsigned.as_ref().map(|found| &*found.version);
            store.replace(MANIFEST, text, version)?;
            confirm(store, MANIFEST, text)?;
            sent.push((MANIFEST.to_owned(), text.len() as u64));
        }
    }
    let version = found.as_ref().map(|found| &*found.version);
    store.replace(CHANNEL, &bytes, version)?;
    confirm(store, CHANNEL, &bytes)?;
    Ok(Published { channel, sent })
}

/// Whether a store has what it said that it wrote.
fn confirm(store: &dyn Store, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
    if store.need(name, MAX_MANIFEST_BYTES)? == bytes {
        return Ok(());
    }
    Err(DeliveryError::Conflict {
        what: format!("{name} is not what was written"),
    })
}

/// Signs with every signer, and checks that they are enough.
fn sign(
    envelope: &mut Envelope,
    keys: &KeySet,
    signers: &[Box<dyn Signer>],
) -> Result<(), DeliveryError> {
    for signer in signers {
        envelope.sign(Kind::Channel, &**signer, keys.of(&keys.roles.channel))?;
    }
    Ok(())
}

/// The channel in the store, verified by the keys of its epoch.
fn current(
    store: &dyn Store,
    found: Option<&Stored>,
    plan: &Plan<'_>,
) -> Result<Option<Channel>, DeliveryError> {
    let Some(found) = found else { return Ok(None) };
    // After a new start with other keys the channel before it cannot be verified, and says nothing.
    if Envelope::parse(CHANNEL, Kind::Channel, &found.bytes)?.epoch < plan.pins.epoch {
        return Ok(None);
    }
    let channel = read(CHANNEL, &found.bytes, plan)?;
    let archive = archive_name(channel.epoch, channel.release);
    if store.get(&archive, Kind::Channel.limit())?.is_none() {
        store.create(&archive, &found.bytes)?;
    }
    Ok(Some(channel))
}

fn read(file: &str, bytes: &[u8], plan: &Plan<'_>) -> Result<Channel, DeliveryError> {
    let envelope = Envelope::parse(file, Kind::Channel, bytes)?;
    if envelope.epoch > plan.epoch {
        return Err(DeliveryError::refused(format!(
            "{file} is of epoch {}, and the keys here end at epoch {}: fetch {} first",
            envelope.epoch,
            plan.epoch,
            keys_name(envelope.epoch)
        )));
    }
    Channel::open(
        file,
        &envelope,
        &chain(plan.keys, plan.pins, envelope.epoch)?,
    )
}

/// One more than every release that was ever begun here, so that no number is used twice. A number that a stolen key
/// has driven up counts in the epoch of that key alone: in the next one there must be room.
fn next_number(
    store: &dyn Store,
    current: Option<&Channel>,
    epoch: u64,
) -> Result<u64, DeliveryError> {
    let names = store.list()?;
    let begun = names.iter().filter_map(|(name, _)| archived(name));
    let begun = begun.chain(current.map(Channel::number));
    let counts = begun.filter(|&(of, release)| of == epoch || release < MAX_NUMBER / 2);
    Ok(1 + counts.map(|(_, release)| release).max().unwrap_or(0))
}

/// The channel that a change leads to; its release is yet to be numbered.
fn next(
    store: &dyn Store,
    change: &Move<'_>,
    plan: &Plan<'_>,
    (keys, current): (&KeySet, Option<&Channel>),
) -> Result<Channel, DeliveryError> {
    let whole = |manifest: ManifestRef| Channel {
        shop: keys.shop.clone(),
        epoch: keys.epoch,
        release: 1,
        manifest,
        expires: plan.expires,
        rollout: 1.0,
        previous: None,
        deltas: Vec::new(),
    };
    let out = || current.ok_or_else(|| DeliveryError::refused("nothing is published there yet"));
    let running = || {
        let found = out()?;
        let previous = found.previous.as_ref();
        let previous = previous.ok_or_else(|| {
            DeliveryError::refused(format!(
                "release {} is out for everyone: there is no rollout to change or to halt",
                found.release
            ))
        })?;
        Ok::<_, DeliveryError>((found, previous))
    };
    let shared = |manifest: &ManifestRef, share: f64, previous: &ManifestRef| {
        if !(share > 0.0 && share <= 1.0) {
            return Err(DeliveryError::refused(
                "a rollout is above 0 % and at most 100 %; to take a release back, halt it",
            ));
        }
        let mut channel = whole(manifest.clone());
        if share < 1.0 {
            channel.rollout = share;
            channel.previous = Some(Previous {
                manifest: previous.clone(),
            });
        }
        Ok(channel)
    };
    match change {
        Move::Bundle {
            manifest, share, ..
        } if *share == 1.0 => Ok(whole(manifest.clone())),
        Move::Bundle {
            manifest, share, ..
        } => {
            let found = out().map_err(|_| {
                DeliveryError::refused(
                    "the first release is for everyone: publish it without a rollout",
                )
            })?;
            // What everybody had: not a release whose rollout never ended.
            let before = found.previous.as_ref();
            let before = before.map_or(&found.manifest, |previous| &previous.manifest);
            if before == manifest {
                return Err(DeliveryError::refused("everyone has this bundle already"));
            }
            shared(manifest, *share, before)
        }
        Move::Share(share) => {
            let (found, previous) = running()?;
            shared(&found.manifest, *share, &previous.manifest)
        }
        Move::Halt => Ok(whole(running()?.1.manifest.clone())),
        Move::To(release) => {
            let names = store.list()?;
            let mut named = names
                .iter()
                .filter(|(name, _)| archived(name).is_some_and(|(_, found)| found == *release));
            let Some((name, _)) = named.next_back() else {
                return Err(DeliveryError::refused(format!(
                    "there is no release {release}"
                )));
            };
            let bytes = store.need(name, Kind::Channel.limit())?;
            Ok(whole(read(name, &bytes, plan)?.manifest))
        }
        Move::Renew => {
            let found = out()?;
            Ok(Channel {
                rollout: found.rollout,
                previous: found.previous.clone(),
                ..whole(found.manifest.clone())
            })
        }
    }
}

/// What readers of what is out, and of a release that is being rolled out, can fetch instead of the files that differ:
/// new deltas, and those in the channel before that still lead to what it names now.
fn deltas(
    store: &dyn Store,
    current: Option<&Channel>,
    channel: &Channel,
    sent: &mut Vec<(String, u64)>,
) -> Result<Vec<DeltaRef>, DeliveryError> {
    let due = manifests(store, Some(channel))?;
    let mut known = due.clone();
    known.extend(manifests(store, current)?);
    let before = current.map_or(&[][..], |current| &current.deltas);
    let mut found: Vec<DeltaRef> = Vec::new();
    let mut pairs: Vec<[String; 2]> = Vec::new();
    for (to, new) in &due {
        for (from, old) in &known {
            let pair = [from, to].map(|text| sha256_hex(text.as_bytes()));
            if from == to || pairs.contains(&pair) {
                continue;
            }
            pairs.push(pair.clone());
            let same = |one: &&DeltaRef| [&one.from, &one.to] == [&pair[0], &pair[1]];
            if before.iter().any(|one| same(&one)) {
                continue;
            }
            let read = |entry: &FileEntry| get_file(store, entry);
            // A bundle that is no longer whole has no delta; those who have it fetch the files.
            let made = match delta([old, new], read) {
                Err(DeliveryError::Bundle(_)) => None,
                made => made?,
            };
            let Some(bytes) = made else { continue };
            apply(&bytes, new, |name| {
                let entry = old.files.iter().find(|entry| entry.name == name);
                get_file(
                    store,
                    entry.expect("deltas are from the old bundle's files"),
                )
            })?;
            let named = DeltaRef::new([from, to], &bytes);
            put(store, &named.name, &bytes, sent)?;
            found.push(named);
        }
    }
    let still = before.iter().filter(|one| {
        let leads = |(to, _): &(String, Manifest)| sha256_hex(to.as_bytes()) == one.to;
        due.iter().any(leads)
    });
    for one in still {
        if one.is_at(store)? {
            found.push(one.clone());
        }
    }
    found.truncate(MAX_DELTAS);
    Ok(found)
}

/// Payload and manifest of each bundle that a channel names, as far as they are there.
fn manifests(
    store: &dyn Store,
    channel: Option<&Channel>,
) -> Result<Vec<(String, Manifest)>, DeliveryError> {
    let previous = channel.and_then(|channel| channel.previous.as_ref());
    let named = [
        channel.map(|channel| &channel.manifest),
        previous.map(|previous| &previous.manifest),
    ];
    let mut found = Vec::new();
    for named in named.into_iter().flatten() {
        let bytes = store.get(&named.name, Kind::Manifest.limit())?;
        // The channel, which was verified, has its hash: keys of an earlier epoch may have signed it.
        let Some(bytes) = bytes.filter(|bytes| sha256_hex(bytes) == named.sha256) else {
            continue;
        };
        let envelope = Envelope::parse(&named.name, Kind::Manifest, &bytes)?;
        let text = envelope.unverified().to_owned();
        let manifest = SignedManifest::parse(&named.name, text.clone())?.manifest;
        found.push((text, manifest));
    }
    Ok(found)
}

/// Writes a file that the store does not have in this form, and reads it back.
fn put(
    store: &dyn Store,
    name: &str,
    bytes: &[u8],
    sent: &mut Vec<(String, u64)>,
) -> Result<(), DeliveryError> {
    let limit = bytes.len();
    let is_there =
        || Ok::<_, DeliveryError>(store.get(name, limit)?.is_some_and(|found| found == bytes));
    if is_there().unwrap_or(false) {
        return Ok(());
    }
    store.put(name, bytes)?;
    if !is_there()? {
        return Err(DeliveryError::Io {
            action: format!("publish {name}"),
            reason: "what was written is not what is read back".to_owned(),
        });
    }
    sent.push((name.to_owned(), bytes.len() as u64));
    Ok(())
}

/// The same for a file that a manifest names.
fn put_file(
    store: &dyn Store,
    from: &dyn Source,
    entry: &FileEntry,
    sent: &mut Vec<(String, u64)>,
) -> Result<(), DeliveryError> {
    ingle_bundle::check_name(&entry.name, &entry.sha256)?;
    if check_file(store, entry).is_ok() {
        return Ok(());
    }
    let bytes = from.need(&entry.name, entry.bytes as usize)?;
    entry.verify_hashed(bytes.len() as u64, || sha256_hex(&bytes))?;
    put(store, &entry.name, &bytes, sent)
}

/// Whether a store has the file that a manifest names.
fn check_file(source: &dyn Source, entry: &FileEntry) -> Result<(), DeliveryError> {
    get_file(source, entry).map(drop)
}

/// The file that a manifest names.
fn get_file(source: &dyn Source, entry: &FileEntry) -> Result<Vec<u8>, DeliveryError> {
    let Some(bytes) = source.get(&entry.name, entry.bytes as usize)? else {
        let what = entry.name.clone();
        return Err(BundleError::Missing { what }.into());
    };
    entry.verify_hashed(bytes.len() as u64, || sha256_hex(&bytes))?;
    Ok(bytes)
}
