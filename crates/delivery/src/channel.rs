//! `channel.json`: which release pages shall use now.

use ingle_bundle::check_name;
use serde::{Deserialize, Serialize};

use crate::DeliveryError;
use crate::delta::{DeltaRef, MAX_DELTAS};
use crate::envelope::{Envelope, Kind, check_number, check_shop};
use crate::keys::KeySet;

/// The channel's file name.
pub const CHANNEL: &str = "channel.json";

/// The name under which a copy of a channel stays, so that a later release can name its manifest again.
pub fn archive_name(epoch: u64, release: u64) -> String {
    format!("channel-{epoch}-{release}.json")
}

/// The epoch and release in the name of such a copy.
pub fn archived(name: &str) -> Option<(u64, u64)> {
    let numbers = name.strip_prefix("channel-")?.strip_suffix(".json")?;
    let (epoch, release) = numbers.split_once('-')?;
    let found = (epoch.parse().ok()?, release.parse().ok()?);
    (archive_name(found.0, found.1) == name).then_some(found)
}

/// A signed manifest by its name and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRef {
    /// `manifest-<first 16 digits of the hash>.json`
    pub name: String,
    /// SHA-256 of the file in lower-case hex.
    pub sha256: String,
}

impl ManifestRef {
    /// The reference to a signed manifest with these bytes.
    pub fn to(bytes: &[u8]) -> Self {
        Self::of(&ingle_bundle::sha256_hex(bytes))
    }

    fn of(sha256: &str) -> Self {
        Self {
            name: format!("manifest-{}.json", &sha256[..16]),
            sha256: sha256.to_owned(),
        }
    }

    fn check(&self, file: &str) -> Result<(), DeliveryError> {
        check_name(&self.name, &self.sha256)?;
        if *self == Self::of(&self.sha256) {
            return Ok(());
        }
        let reason = format!("it names {} as a manifest", self.name);
        Err(DeliveryError::format(file, reason))
    }
}

/// The release of those to whom a new one has not come yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Its manifest.
    pub manifest: ManifestRef,
}

/// Which release pages shall use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The shop.
    pub shop: String,
    /// The epoch of the keys that sign it.
    pub epoch: u64,
    /// Number of the release; only rises.
    pub release: u64,
    /// The manifest of the release.
    pub manifest: ManifestRef,
    /// When the channel is no longer valid, in seconds since 1970.
    pub expires: u64,
    /// Share of visits that get `manifest`, above 0 and at most 1; the others get `previous`.
    pub rollout: f64,
    /// What the others get; there if `rollout` is below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// What readers who have another release can fetch instead of the files that differ.
    #[serde(default)]
    pub deltas: Vec<DeltaRef>,
}

impl Channel {
    /// Its place in the order of releases.
    pub fn number(&self) -> (u64, u64) {
        (self.epoch, self.release)
    }

    /// The payload of a file with this channel. Signs nothing.
    pub fn envelope(&self) -> Result<Envelope, DeliveryError> {
        self.check(CHANNEL)?;
        let payload = serde_json::to_string(self).expect("texts and finite numbers are JSON");
        Ok(Envelope::new(self.epoch, payload))
    }

    /// Reads a channel that the keys of its epoch have signed.
    pub fn open(file: &str, envelope: &Envelope, keys: &KeySet) -> Result<Self, DeliveryError> {
        let role = &keys.roles.channel;
        let payload = envelope.verify(file, Kind::Channel, keys, role, "the channel")?;
        let channel: Self = serde_json::from_str(payload)
            .map_err(|error| DeliveryError::format(file, format!("no channel: {error}")))?;
        check_shop(file, &channel.shop, &keys.shop)?;
        if channel.epoch != keys.epoch {
            let (found, signed) = (channel.epoch, keys.epoch);
            return Err(DeliveryError::format(
                file,
                format!("its epoch is {found}, and keys of epoch {signed} signed it"),
            ));
        }
        channel.check(file)?;
        Ok(channel)
    }

    fn check(&self, file: &str) -> Result<(), DeliveryError> {
        check_number(file, "epoch", self.epoch)?;
        check_number(file, "release", self.release)?;
        check_number(file, "expires", self.expires)?;
        self.manifest.check(file)?;
        if let Some(previous) = &self.previous {
            previous.manifest.check(file)?;
        }
        if self.deltas.len() > MAX_DELTAS || !self.deltas.iter().all(DeltaRef::is_well_formed) {
            let reason = "its deltas are too many, or not named as deltas are";
            return Err(DeliveryError::format(file, reason));
        }
        let shared = self.rollout > 0.0 && self.rollout < 1.0 && self.previous.is_some();
        if shared || self.rollout == 1.0 {
            return Ok(());
        }
        let reason = format!(
            "a rollout of {} {} a release before it",
            self.rollout,
            if self.previous.is_some() {
                "with"
            } else {
                "without"
            }
        );
        Err(DeliveryError::format(file, reason))
    }
}
