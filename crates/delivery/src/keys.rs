//! `keys-<epoch>.json`: the shop's public keys, and how many of them must sign what.

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Kind, check_number, check_shop, from_hex, hex, key_id};
use crate::{DeliveryError, MAX_NUMBER};

/// The one algorithm.
pub const ALGORITHM: &str = "ed25519";
/// Most keys in a file.
const MAX_KEYS: usize = 32;
/// Longest name of a shop or a key, in bytes.
const MAX_NAME: usize = 64;

/// The name of an epoch's file of keys.
pub fn keys_name(epoch: u64) -> String {
    format!("keys-{epoch}.json")
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// [`key_id`] of the public key.
    pub id: String,
    /// Name for people, such as `offline`.
    pub name: String,
    pub(crate) verifying: VerifyingKey,
}

impl Key {
    /// A key from its public half. Keys of small order, whose signatures fit every text, are refused.
    pub fn new(file: &str, name: &str, public: &[u8; 32]) -> Result<Self, DeliveryError> {
        let id = key_id(public);
        let verifying = VerifyingKey::from_bytes(public).ok();
        let verifying = verifying.filter(|key| !key.is_weak()).ok_or_else(|| {
            DeliveryError::format(file, format!("the key {name:?} is no public key"))
        })?;
        if name.is_empty() || name.len() > MAX_NAME {
            let reason = format!("the name of the key {id} has no byte, or more than {MAX_NAME}");
            return Err(DeliveryError::format(file, reason));
        }
        Ok(Self {
            id,
            name: name.to_owned(),
            verifying,
        })
    }

    /// The public key in hex.
    pub fn public(&self) -> String {
        hex(self.verifying.as_bytes())
    }
}

/// The keys that may sign something, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Number of keys that must sign.
    pub threshold: usize,
    /// Ids of the keys that may.
    pub keys: Vec<String>,
}

/// Who signs what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Signs this file and the next epoch's. Pages know these keys.
    pub root: Role,
    /// Signs manifests.
    pub manifest: Role,
    /// Signs the channel.
    pub channel: Role,
}

impl Roles {
    /// The roles with their names.
    pub fn each(&self) -> [(&'static str, &Role); 3] {
        [
            ("root", &self.root),
            ("manifest", &self.manifest),
            ("channel", &self.channel),
        ]
    }

    /// The same, to change them.
    pub fn each_mut(&mut self) -> [(&'static str, &mut Role); 3] {
        [
            ("root", &mut self.root),
            ("manifest", &mut self.manifest),
            ("channel", &mut self.channel),
        ]
    }
}

/// The keys of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    /// The shop that the keys are of.
    pub shop: String,
    /// Number of the key file; rises by 1 with every change.
    pub epoch: u64,
    /// When the file is no longer valid, in seconds since 1970.
    pub expires: u64,
    /// All keys.
    pub keys: Vec<Key>,
    /// Who signs what.
    pub roles: Roles,
}

/// The payload as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    shop: String,
    epoch: u64,
    expires: u64,
    keys: Vec<WrittenKey>,
    roles: Roles,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    id: String,
    name: String,
    algorithm: String,
    public: String,
}

/// What a page knows from the start: keys that it trusts without a file that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    /// The shop.
    pub shop: String,
    /// The epoch whose root keys these are.
    pub epoch: u64,
    /// Number of root keys that must sign.
    pub threshold: usize,
    /// The root keys in hex.
    pub keys: Vec<String>,
    /// The lowest release of this epoch that is accepted.
    pub at_least: u64,
}

impl KeySet {
    /// The keys of a role.
    pub fn of<'a>(&'a self, role: &'a Role) -> impl Iterator<Item = &'a Key> {
        let has = |key: &&Key| role.keys.contains(&key.id);
        self.keys.iter().filter(has)
    }

    /// The key with this id or name.
    pub fn find(&self, which: &str) -> Option<&Key> {
        let is = |key: &&Key| key.id == which || key.name == which;
        self.keys.iter().find(is)
    }

    /// What a page that knows this epoch needs to know.
    pub fn pins(&self, at_least: u64) -> Pins {
        Pins {
            shop: self.shop.clone(),
            epoch: self.epoch,
            threshold: self.roles.root.threshold,
            keys: self.of(&self.roles.root).map(Key::public).collect(),
            at_least,
        }
    }

    /// The payload of a file with these keys. Signs nothing.
    pub fn envelope(&self) -> Result<Envelope, DeliveryError> {
        let file = keys_name(self.epoch);
        self.check(&file)?;
        let keys = self.keys.iter().map(|key| WrittenKey {
            id: key.id.clone(),
            name: key.name.clone(),
            algorithm: ALGORITHM.to_owned(),
            public: key.public(),
        });
        let written = Written {
            shop: self.shop.clone(),
            epoch: self.epoch,
            expires: self.expires,
            keys: keys.collect(),
            roles: self.roles.clone(),
        };
        let payload = serde_json::to_string(&written).expect("texts and numbers are JSON");
        Ok(Envelope::new(self.epoch, payload))
    }

    /// The keys of the epoch that pins are of, from its file.
    pub fn first(pins: &Pins, bytes: &[u8]) -> Result<Self, DeliveryError> {
        let file = keys_name(pins.epoch);
        let keys = pins.keys.iter().enumerate().map(|(n, public)| {
            let name = format!("pinned key {}", n + 1);
            let public = from_hex(public).ok_or_else(|| {
                DeliveryError::format("pins", format!("{name} is not 64 hex digits"))
            })?;
            Key::new("pins", &name, &public)
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let root = Role {
            threshold: pins.threshold,
            keys: keys.iter().map(|key| key.id.clone()).collect(),
        };
        let trusted = Self {
            shop: pins.shop.clone(),
            epoch: pins.epoch,
            expires: MAX_NUMBER,
            keys,
            roles: Roles {
                manifest: root.clone(),
                channel: root.clone(),
                root,
            },
        };
        trusted.check("pins")?;
        trusted.read(&file, pins.epoch, bytes)
    }

    /// The next epoch's keys, from a file that enough of these and enough of its own root keys have signed.
    pub fn next(&self, bytes: &[u8]) -> Result<Self, DeliveryError> {
        let epoch = self.epoch + 1;
        self.read(&keys_name(epoch), epoch, bytes)
    }

    fn read(&self, file: &str, epoch: u64, bytes: &[u8]) -> Result<Self, DeliveryError> {
        let envelope = Envelope::parse(file, Kind::Keys, bytes)?;
        let root = &self.roles.root;
        let payload = envelope.verify(file, Kind::Keys, self, root, "the keys before it")?;
        let read = Self::parse(file, payload)?;
        check_shop(file, &read.shop, &self.shop)?;
        if read.epoch != epoch {
            return Err(DeliveryError::format(
                file,
                format!("its epoch is {}", read.epoch),
            ));
        }
        envelope.verify(file, Kind::Keys, &read, &read.roles.root, "its own keys")?;
        Ok(read)
    }

    /// Reads a payload, which must have been verified unless its own keys are all that there is.
    pub fn parse(file: &str, payload: &str) -> Result<Self, DeliveryError> {
        let written: Written = serde_json::from_str(payload)
            .map_err(|error| DeliveryError::format(file, format!("no key file: {error}")))?;
        if written.keys.len() > MAX_KEYS {
            return Err(DeliveryError::format(
                file,
                format!("more than {MAX_KEYS} keys"),
            ));
        }
        let keys = written.keys.into_iter().map(|key| {
            if key.algorithm != ALGORITHM {
                return Err(DeliveryError::Algorithm {
                    file: file.to_owned(),
                    key: key.id,
                    found: key.algorithm,
                });
            }
            let public = from_hex(&key.public);
            match public.map(|public| Key::new(file, &key.name, &public)) {
                Some(Ok(read)) if read.id == key.id => Ok(read),
                Some(Err(error)) => Err(error),
                _ => {
                    let reason = format!("the key {:?} does not have the id {}", key.name, key.id);
                    Err(DeliveryError::format(file, reason))
                }
            }
        });
        let read = Self {
            shop: written.shop,
            epoch: written.epoch,
            expires: written.expires,
            keys: keys.collect::<Result<_, _>>()?,
            roles: written.roles,
        };
        read.check(file)?;
        Ok(read)
    }

    fn check(&self, file: &str) -> Result<(), DeliveryError> {
        check_number(file, "epoch", self.epoch)?;
        check_number(file, "expires", self.expires)?;
        if self.shop.is_empty() || self.shop.len() > MAX_NAME {
            let reason = format!("the shop's name has no byte, or more than {MAX_NAME}");
            return Err(DeliveryError::format(file, reason));
        }
        let names: BTreeSet<_> = self.keys.iter().map(|key| &key.name).collect();
        let ids: BTreeSet<_> = self.keys.iter().map(|key| &key.id).collect();
        if names.len() < self.keys.len() || ids.len() < self.keys.len() {
            return Err(DeliveryError::format(file, "two keys are the same"));
        }
        for (name, Role { threshold, keys }) in self.roles.each() {
            let distinct: BTreeSet<_> = keys.iter().collect();
            let known = distinct.iter().all(|id| ids.contains(*id));
            if !known || distinct.len() < keys.len() || *threshold < 1 || *threshold > keys.len() {
                let reason = format!(
                    "{threshold} of {} keys for {name}: each must be listed once, and at least one sign",
                    keys.len()
                );
                return Err(DeliveryError::format(file, reason));
            }
        }
        Ok(())
    }
}
