//! A shop's folder of key files.

use std::path::Path;

use crate::envelope::{Envelope, Kind};
use crate::keys::{KeySet, Pins, keys_name};
use crate::read::chain;
use crate::{DeliveryError, Folder, Source as _, Store as _};

/// A folder with the key files of every epoch since the shop last began anew. It is the shop's own and is believed.
pub struct Keyring {
    /// The folder.
    pub folder: Folder,
    /// The root keys of the first epoch.
    pub pins: Pins,
    /// The keys of the last.
    pub keys: KeySet,
}

impl Keyring {
    /// Opens a folder. Its first epoch is the earliest from which the last can be reached.
    pub fn open(dir: &Path) -> Result<Self, DeliveryError> {
        let folder = Folder::new(dir);
        let epochs = epochs(&folder)?;
        let Some(&last) = epochs.last() else {
            return Err(DeliveryError::Missing {
                file: dir.join(keys_name(1)).display().to_string(),
            });
        };
        let mut reason = None;
        for epoch in epochs {
            let pins = unverified(&folder, epoch)?.pins(1);
            match chain(&folder, &pins, last) {
                Ok(keys) => return Ok(Self { folder, pins, keys }),
                Err(error) => reason = Some(error),
            }
        }
        Err(reason.expect("there is an epoch"))
    }
}

/// The keys in a file of the shop's own folder, whether enough keys have signed it or not.
pub fn unverified(folder: &Folder, epoch: u64) -> Result<KeySet, DeliveryError> {
    let name = keys_name(epoch);
    let bytes = folder.need(&name, Kind::Keys.limit())?;
    let envelope = Envelope::parse(&name, Kind::Keys, &bytes)?;
    KeySet::parse(&name, envelope.unverified())
}

/// The epochs of the key files in a folder, ascending.
fn epochs(folder: &Folder) -> Result<Vec<u64>, DeliveryError> {
    let names = folder.list()?;
    let found = names.iter().filter_map(|(name, _)| {
        let epoch = name.strip_prefix("keys-")?.strip_suffix(".json")?;
        let epoch: u64 = epoch.parse().ok()?;
        (keys_name(epoch) == *name).then_some(epoch)
    });
    let mut epochs: Vec<u64> = found.collect();
    epochs.sort_unstable();
    Ok(epochs)
}
