//! Signed files: arbitrary bytes in a file's place, and arbitrary texts that the right key has signed.

#![no_main]

use ingle_delivery::{
    Channel, Envelope, Key, KeySet, Kind, Pins, Role, Roles, SecretKey, SignedManifest,
};
use ingle_fuzz::{json, tells, within};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const KINDS: [Kind; 3] = [Kind::Keys, Kind::Manifest, Kind::Channel];

fuzz_target!(|bytes: &[u8]| {
    let keys = keys();
    within(bytes.len(), || {
        for kind in KINDS {
            match Envelope::parse("file", kind, bytes) {
                Err(error) => tells(&error),
                Ok(envelope) => {
                    let written = envelope.to_bytes("file", kind);
                    // Written anew it may need more escapes than it had, and so too many bytes.
                    if let Ok(written) = written {
                        assert_eq!(Envelope::parse("file", kind, &written).unwrap(), envelope);
                    }
                    let all = &keys.roles.channel;
                    tells(
                        &envelope
                            .verify("file", kind, &keys, all, "all")
                            .expect_err("nobody signed it"),
                    );
                }
            }
        }
        if let Err(error) = KeySet::first(&keys.pins(1), bytes) {
            tells(&error);
        }
    });
    if let Ok(text) = std::str::from_utf8(bytes) {
        within(bytes.len(), || signed(text, &keys));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    json::mutate(data, size, max_size, seed)
});

/// A text that the shop's own key has signed.
fn signed(text: &str, keys: &KeySet) {
    match KeySet::parse("file", text) {
        Err(error) => tells(&error),
        Ok(set) => {
            let written = set.envelope().expect("what was read can be written");
            assert_eq!(KeySet::parse("file", written.unverified()).unwrap(), set);
            let Pins {
                keys, threshold, ..
            } = set.pins(1);
            assert!(threshold >= 1 && threshold <= keys.len());
        }
    }
    let mut envelope = Envelope::new(keys.epoch, text.to_owned());
    envelope
        .sign(Kind::Channel, &secret(), &keys.keys)
        .expect("it may sign");
    match Channel::open("file", &envelope, keys) {
        Err(error) => tells(&error),
        Ok(channel) => {
            assert!(channel.rollout > 0.0 && channel.rollout <= 1.0);
            assert!(channel.rollout == 1.0 || channel.previous.is_some());
            assert!(ingle_bundle::is_file_name(&channel.manifest.name));
            channel.envelope().expect("what was read can be written");
        }
    }
    match SignedManifest::parse("file", text.to_owned()) {
        Err(error) => tells(&error),
        Ok(manifest) => {
            assert_eq!(manifest.text(), text);
            assert!((1..=10).contains(&manifest.self_test.items.len()));
        }
    }
}

fn secret() -> SecretKey {
    SecretKey::from_seed("key", [7; 32])
}

/// A shop with one key for everything.
fn keys() -> KeySet {
    let key = Key::new("keys", "key", &secret().public()).expect("a key");
    let role = Role {
        threshold: 1,
        keys: vec![key.id.clone()],
    };
    KeySet {
        shop: "shoes".to_owned(),
        epoch: 1,
        expires: 1_900_000_000,
        keys: vec![key],
        roles: Roles {
            root: role.clone(),
            manifest: role.clone(),
            channel: role,
        },
    }
}
