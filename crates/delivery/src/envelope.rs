//! A signed file: the exact text that was signed, and the signatures.

use std::collections::BTreeSet;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::keys::{KeySet, Role};
use crate::signer::Signer;
use crate::{DeliveryError, keys};

/// The version of the signed files that this crate writes and reads.
const FORMAT: u32 = 1;
/// Most signatures in a file.
const MAX_SIGNATURES: usize = 16;
/// Largest epoch, release or time: what JavaScript counts exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The kinds of signed files. What is signed begins with the kind, so that a signature of one file is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `keys-<epoch>.json`
    Keys,
    /// `manifest-<hash>.json`
    Manifest,
    /// `channel.json`
    Channel,
}

impl Kind {
    fn domain(self) -> &'static str {
        match self {
            Self::Keys => "ingle keys 1\n",
            Self::Manifest => "ingle manifest 1\n",
            Self::Channel => "ingle channel 1\n",
        }
    }

    /// A longer file is rejected before it is parsed.
    pub fn limit(self) -> usize {
        match self {
            Self::Keys => 32 << 10,
            Self::Manifest => 2 << 20,
            Self::Channel => 8 << 10,
        }
    }
}

/// A signed file as it is stored. Nothing in it is to be believed before [`Envelope::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    format: u32,
    /// The epoch of the keys that signed it: says which keys to fetch, and is compared with the payload's afterwards.
    pub epoch: u64,
    payload: String,
    signatures: Vec<Signature>,
}

/// One signature over a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The key's id.
    pub key: String,
    /// 64 bytes in lower-case hex.
    pub signature: String,
}

impl Envelope {
    /// A payload without signatures.
    pub fn new(epoch: u64, payload: String) -> Self {
        Self {
            format: FORMAT,
            epoch,
            payload,
            signatures: Vec::new(),
        }
    }

    /// Parses a file. Its length is checked first.
    pub fn parse(file: &str, kind: Kind, bytes: &[u8]) -> Result<Self, DeliveryError> {
        if bytes.len() > kind.limit() {
            let (found, most) = (bytes.len(), kind.limit());
            return Err(DeliveryError::format(
                file,
                format!("{found} bytes, and it may have {most}"),
            ));
        }
        let envelope: Self = serde_json::from_slice(bytes)
            .map_err(|error| DeliveryError::format(file, format!("no signed file: {error}")))?;
        if envelope.format != FORMAT {
            let found = envelope.format;
            let reason = format!("format {found}, and this version of Ingle reads {FORMAT}");
            return Err(DeliveryError::format(file, reason));
        }
        if envelope.signatures.len() > MAX_SIGNATURES {
            return Err(DeliveryError::format(
                file,
                format!("more than {MAX_SIGNATURES} signatures"),
            ));
        }
        check_number(file, "epoch", envelope.epoch)?;
        Ok(envelope)
    }

    /// The file's bytes.
    pub fn to_bytes(&self, file: &str, kind: Kind) -> Result<Vec<u8>, DeliveryError> {
        let mut bytes = serde_json::to_vec(self).expect("texts and numbers are JSON");
        bytes.push(b'\n');
        if bytes.len() > kind.limit() {
            let (found, most) = (bytes.len(), kind.limit());
            return Err(DeliveryError::format(
                file,
                format!("{found} bytes, and it may have {most}"),
            ));
        }
        Ok(bytes)
    }

    /// Adds a signature, which replaces an earlier one of the same key. `keys` are those that it may be of: a signer
    /// that is a command does not say which key it has.
    pub fn sign<'a>(
        &mut self,
        kind: Kind,
        signer: &dyn Signer,
        keys: impl IntoIterator<Item = &'a keys::Key>,
    ) -> Result<String, DeliveryError> {
        let message = self.message(kind);
        let signature = signer.sign(&message)?;
        let mut keys = keys.into_iter();
        let Some(key) = keys.find(|key| is_valid(&key.verifying, &message, &signature)) else {
            return Err(DeliveryError::Signer {
                signer: signer.name(),
                reason: "its signature is of none of the keys that may sign this file".to_owned(),
            });
        };
        self.signatures.retain(|known| known.key != key.id);
        self.signatures.push(Signature {
            key: key.id.clone(),
            signature: hex(&signature),
        });
        self.signatures.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(key.id.clone())
    }

    /// Takes over the signatures of the same payload in another file.
    pub fn merge(&mut self, other: &Self) {
        if other.payload != self.payload {
            return;
        }
        for signature in &other.signatures {
            if self.signatures.iter().all(|own| own.key != signature.key) {
                self.signatures.push(signature.clone());
            }
        }
        self.signatures.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// The payload, if enough keys of a role have signed it. Signatures of other keys are passed over.
    pub fn verify(
        &self,
        file: &str,
        kind: Kind,
        keys: &KeySet,
        role: &Role,
        name: &'static str,
    ) -> Result<&str, DeliveryError> {
        let message = self.message(kind);
        let mut valid = BTreeSet::new();
        let mut why = String::new();
        for Signature { key: id, signature } in &self.signatures {
            let Some(key) = keys.of(role).find(|key| key.id == *id) else {
                continue;
            };
            match from_hex(signature) {
                Some(bytes) if is_valid(&key.verifying, &message, &bytes) => {
                    valid.insert(id);
                }
                Some(_) if why.is_empty() => {
                    why = format!("; that of {id} is not of this text");
                }
                None if why.is_empty() => {
                    why = format!("; that of {id} is not of 64 bytes in hex");
                }
                _ => {}
            }
        }
        if valid.len() < role.threshold {
            return Err(DeliveryError::Signature {
                file: file.to_owned(),
                role: name,
                valid: valid.len(),
                needed: role.threshold,
                why,
            });
        }
        Ok(&self.payload)
    }

    /// The payload, unverified: to sign it, or to compare it.
    pub fn unverified(&self) -> &str {
        &self.payload
    }

    fn message(&self, kind: Kind) -> Vec<u8> {
        [kind.domain().as_bytes(), self.payload.as_bytes()].concat()
    }
}

/// The id of a public key: the first 16 hex digits of its SHA-256.
pub fn key_id(public: &[u8; 32]) -> String {
    ingle_bundle::sha256_hex(public)[..16].to_owned()
}

/// Whether a signature is of this key and text. Keys and points of small order are refused.
pub(crate) fn is_valid(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(message, &signature).is_ok()
}

/// Checks a number that JavaScript must count exactly.
pub(crate) fn check_number(file: &str, what: &str, number: u64) -> Result<(), DeliveryError> {
    if (1..=MAX_NUMBER).contains(&number) {
        return Ok(());
    }
    let reason = format!("{what} is {number}, and must be from 1 to {MAX_NUMBER}");
    Err(DeliveryError::format(file, reason))
}

/// Checks that a file is of the expected shop.
pub(crate) fn check_shop(file: &str, found: &str, expected: &str) -> Result<(), DeliveryError> {
    if found == expected {
        return Ok(());
    }
    Err(DeliveryError::Shop {
        file: file.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from lower-case hex of exactly their length.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.iter().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every encoding of a point of small order, the ones that are not canonical included.
    const SMALL: [&str; 14] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    /// Project Wycheproof's vectors for Ed25519 (Apache-2.0): public key, message and signature in hex, and whether
    /// the signature is valid.
    const VECTORS: &str = include_str!("../../../tests/data/ed25519.json");

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    #[test]
    fn signatures_are_judged_as_wycheproof_says() {
        let vectors: Vec<(String, String, String, bool)> = serde_json::from_str(VECTORS).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for (public, message, signature, expected) in vectors {
            let key = VerifyingKey::from_bytes(&from_hex(&public).unwrap()).unwrap();
            let signed = from_hex(&signature);
            let found = signed.is_some_and(|signed| is_valid(&key, &bytes(&message), &signed));
            assert_eq!(found, expected, "{message} {signature}");
            *(if expected { &mut valid } else { &mut invalid }) += 1;
        }
        assert!(
            valid > 50 && invalid > 50,
            "{valid} valid, {invalid} invalid"
        );
    }

    #[test]
    fn keys_of_small_order_are_no_keys() {
        for text in SMALL {
            let public = from_hex(text).unwrap();
            let error = keys::Key::new("keys-1.json", "small", &public).unwrap_err();
            assert_eq!(error.code(), "delivery/format", "{text}");
        }
    }

    #[test]
    fn signatures_whose_point_is_of_small_order_are_refused() {
        let key = crate::SecretKey::from_seed("test", [7; 32]);
        let verifying = VerifyingKey::from_bytes(&key.public()).unwrap();
        for text in SMALL {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&from_hex::<32>(text).unwrap());
            assert!(!is_valid(&verifying, b"text", &signature), "{text}");
        }
    }

    #[test]
    fn hex_is_of_one_length_and_lower_case() {
        assert_eq!(from_hex::<2>("0aff"), Some([10, 255]));
        for text in ["", "0af", "0aff0", "0AFF", "0ag0", "+a+f", "é0"] {
            assert_eq!(from_hex::<2>(text), None, "{text:?}");
        }
    }
}
