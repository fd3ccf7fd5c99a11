//! `manifest-<hash>.json`: a bundle's manifest with a self-test, signed.

use ingle_bundle::{MANIFEST, MAX_MANIFEST_BYTES, Manifest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::channel::ManifestRef;
use crate::envelope::{Envelope, Kind, check_shop};
use crate::keys::KeySet;
use crate::{DeliveryError, Source};

/// Most items in a self-test.
pub const SELF_TEST_ITEMS: usize = 10;

/// A history and what is recommended after it, best first. A reader asks its engine before it uses the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Item ids, oldest first.
    pub history: Vec<String>,
    /// Ids of the best items that are not in the history.
    pub items: Vec<String>,
}

/// A manifest that was signed, or is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedManifest {
    /// The shop.
    pub shop: String,
    /// The manifest.
    pub manifest: Manifest,
    /// What its engine must answer.
    pub self_test: SelfTest,
    text: String,
}

impl SignedManifest {
    /// A bundle's manifest, as it is to be signed for a shop.
    pub fn new(shop: &str, manifest: &[u8], self_test: &SelfTest) -> Result<Self, DeliveryError> {
        Manifest::parse(manifest)?;
        let mut object: Map<String, Value> = serde_json::from_slice(manifest)
            .map_err(|error| DeliveryError::format(MANIFEST, error.to_string()))?;
        let test = serde_json::to_value(self_test).expect("texts are JSON");
        object.insert("shop".to_owned(), Value::from(shop));
        object.insert("self_test".to_owned(), test);
        let text = serde_json::to_string(&object).expect("JSON stays JSON");
        Self::parse(MANIFEST, text)
    }

    /// Its payload. Signs nothing.
    pub fn envelope(&self, epoch: u64) -> Envelope {
        Envelope::new(epoch, self.text.clone())
    }

    /// The manifest as engines read it: the exact text that was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is of the same bundle as an unsigned manifest.
    pub fn is_of(&self, manifest: &[u8]) -> bool {
        Manifest::parse(manifest).is_ok_and(|found| found == self.manifest)
    }

    /// Reads the manifest that a channel names.
    pub fn open(
        source: &dyn Source,
        named: &ManifestRef,
        by: &str,
        keys: &KeySet,
    ) -> Result<(Self, Vec<u8>), DeliveryError> {
        let file = &named.name;
        let bytes = source.need(file, Kind::Manifest.limit())?;
        let found = ingle_bundle::sha256_hex(&bytes);
        if found != named.sha256 {
            return Err(DeliveryError::Hash {
                file: file.clone(),
                by: by.to_owned(),
                found,
            });
        }
        Ok((Self::verify(file, &bytes, keys)?, bytes))
    }

    /// Reads a signed manifest from its bytes.
    pub fn verify(file: &str, bytes: &[u8], keys: &KeySet) -> Result<Self, DeliveryError> {
        let envelope = Envelope::parse(file, Kind::Manifest, bytes)?;
        let role = &keys.roles.manifest;
        let payload = envelope.verify(file, Kind::Manifest, keys, role, "manifests")?;
        let read = Self::parse(file, payload.to_owned())?;
        check_shop(file, &read.shop, &keys.shop)?;
        Ok(read)
    }

    /// Reads a payload, which must have been verified unless it is to be signed.
    pub fn parse(file: &str, text: String) -> Result<Self, DeliveryError> {
        #[derive(Deserialize)]
        struct Added {
            shop: String,
            self_test: SelfTest,
        }
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(DeliveryError::format(file, "the manifest is too long"));
        }
        let manifest = Manifest::parse(text.as_bytes())?;
        let Added { shop, self_test } = serde_json::from_str(&text)
            .map_err(|error| DeliveryError::format(file, error.to_string()))?;
        if self_test.items.is_empty() || self_test.items.len() > SELF_TEST_ITEMS {
            let reason = format!("its self-test has {} items", self_test.items.len());
            return Err(DeliveryError::format(file, reason));
        }
        Ok(Self {
            shop,
            manifest,
            self_test,
            text,
        })
    }
}
