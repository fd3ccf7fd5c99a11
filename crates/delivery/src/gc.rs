//! What can be deleted from a store: files that no recent release names.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ingle_bundle::{MANIFEST, MAX_MANIFEST_BYTES, Manifest, is_delta_name, is_file_name};
use serde::Deserialize;

use crate::channel::{CHANNEL, Channel, archived};
use crate::envelope::{Envelope, Kind};
use crate::manifest::SignedManifest;
use crate::{DeliveryError, Store};

/// What of a store can go, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Names of files that no kept release names.
    pub files: Vec<String>,
    /// Number of files that stay because they are younger.
    pub young: usize,
    /// The releases that are kept, latest first.
    pub kept: Vec<(u64, u64)>,
}

/// What can be deleted: bundles' files, signed manifests and copies of channels that are of none of the last `keep`
/// releases, nor of the present one, and that were last changed more than `age` before `now`; and what publishers
/// that were ended left behind. Files of other names are never among them.
///
/// Signatures are not checked: what is named is kept, and nothing else follows from it. A file that cannot be read is
/// an error, since it is not known then what it names.
pub fn garbage(
    store: &dyn Store,
    keep: usize,
    age: Duration,
    now: SystemTime,
) -> Result<Garbage, DeliveryError> {
    let names = store.list()?;
    let mut numbers: Vec<(u64, u64)> = names
        .iter()
        .filter_map(|(name, _)| archived(name))
        .collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let mut needed: BTreeSet<String> = BTreeSet::new();
    let mut found = Garbage::default();
    let present = store.get(CHANNEL, Kind::Channel.limit())?;
    let present = present.map(|bytes| channel(CHANNEL, &bytes)).transpose()?;
    let Some(present) = present else {
        return Err(DeliveryError::Missing {
            file: CHANNEL.to_owned(),
        });
    };
    let mut channels = vec![(present.number(), present)];
    for &(epoch, release) in numbers.iter().take(keep.max(1)) {
        let name = crate::archive_name(epoch, release);
        let bytes = store.need(&name, Kind::Channel.limit())?;
        needed.insert(name.clone());
        channels.push(((epoch, release), channel(&name, &bytes)?));
    }
    for (number, channel) in channels {
        needed.insert(crate::archive_name(number.0, number.1));
        if !found.kept.contains(&number) {
            found.kept.push(number);
        }
        needed.extend(channel.deltas.into_iter().map(|delta| delta.name));
        let previous = channel.previous.map(|previous| previous.manifest);
        for named in [Some(channel.manifest), previous].into_iter().flatten() {
            let bytes = store.need(&named.name, Kind::Manifest.limit())?;
            let envelope = Envelope::parse(&named.name, Kind::Manifest, &bytes)?;
            let text = envelope.unverified().to_owned();
            let manifest = SignedManifest::parse(&named.name, text)?.manifest;
            needed.extend(manifest.files.into_iter().map(|entry| entry.name));
            needed.insert(named.name);
        }
    }
    // What pages without keys read.
    if let Some(bytes) = store.get(MANIFEST, MAX_MANIFEST_BYTES)? {
        let manifest = Manifest::parse(&bytes)?;
        needed.extend(manifest.files.into_iter().map(|entry| entry.name));
    }
    found.kept.sort_unstable_by(|a, b| b.cmp(a));
    for (name, changed) in names {
        let aside = (name.strip_prefix('.')).and_then(|rest| rest.rsplit_once('.'));
        let left = aside.is_some_and(|(of, process)| {
            is_ours(of) && process.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        });
        let ours = is_file_name(&name) || is_delta_name(&name) || archived(&name).is_some();
        // Compressed forms go with their file.
        let packed = [".br", ".gz"].iter().find_map(|end| name.strip_suffix(end));
        let ours = ours || packed.is_some_and(is_file_name);
        let named = needed.contains(packed.unwrap_or(&name));
        if !left && (!ours || named) {
            continue;
        }
        if now.duration_since(changed).unwrap_or_default() <= age {
            found.young += 1;
        } else {
            found.files.push(name);
        }
    }
    Ok(found)
}

/// Whether a publisher writes files of this name.
fn is_ours(name: &str) -> bool {
    let epoch = name
        .strip_prefix("keys-")
        .and_then(|rest| rest.strip_suffix(".json"));
    let keys = epoch.is_some_and(|epoch| epoch.parse::<u64>().is_ok());
    let content = is_file_name(name) || is_delta_name(name);
    content || archived(name).is_some() || keys || name == CHANNEL || name == MANIFEST
}

fn channel(file: &str, bytes: &[u8]) -> Result<Channel, DeliveryError> {
    let envelope = Envelope::parse(file, Kind::Channel, bytes)?;
    let mut payload = serde_json::Deserializer::from_str(envelope.unverified());
    Channel::deserialize(&mut payload)
        .map_err(|error| DeliveryError::format(file, format!("no channel: {error}")))
}
