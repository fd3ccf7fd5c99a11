//! Rotation, thresholds, revocation and recovery of keys.

use std::collections::BTreeMap;

use ingle_delivery::{DeliveryError, KeySet, Pins, SecretKey, chain, keys_name};

use crate::support::{Fake, key, key_file, key_set, role, secret};

fn host(files: Vec<(u64, Vec<u8>)>) -> Fake {
    let files = files
        .into_iter()
        .map(|(epoch, bytes)| (keys_name(epoch), bytes));
    Fake {
        files: files.collect::<BTreeMap<_, _>>(),
        asked: std::cell::RefCell::default(),
    }
}

/// Two epochs: the offline key is replaced, and these sign the second file.
fn rotated(signers: &[&SecretKey]) -> (Fake, Pins) {
    let (old, new, ci) = (secret("old", 1), secret("new", 4), secret("ci", 2));
    let (first, second) = (key_set(1, &old, &ci), key_set(2, &new, &ci));
    let one = key_file(&first, None, &[&old]);
    let two = key_file(&second, Some(&first), signers);
    (host(vec![(1, one), (2, two)]), first.pins(1))
}

#[test]
fn a_page_with_old_pins_follows_a_rotation() {
    let (old, new) = (secret("old", 1), secret("new", 4));
    let (host, pins) = rotated(&[&old, &new]);
    let keys = chain(&host, &pins, 2).unwrap();
    assert_eq!(keys.pins(1).keys, [key(&new).public()]);
}

#[test]
fn a_rotation_needs_old_and_new_keys() {
    for (signer, by) in [("old", "its own keys"), ("new", "the keys before it")] {
        let seed = if signer == "old" { 1 } else { 4 };
        let (host, pins) = rotated(&[&secret(signer, seed)]);
        let error = chain(&host, &pins, 2).unwrap_err();
        assert_eq!(error.code(), "delivery/signature");
        assert!(error.to_string().contains(by), "{error}");
    }
}

#[test]
fn a_threshold_counts_keys_and_not_signatures() {
    let secrets = [secret("a", 1), secret("b", 2), secret("c", 3)];
    let [a, b, c] = &secrets;
    let mut keys = key_set(1, a, c);
    keys.keys = secrets.iter().map(key).collect();
    keys.roles.root = role(2, &[a, b, c]);
    let pins = keys.pins(1);
    let code = |signers: &[&SecretKey]| {
        let host = host(vec![(1, key_file(&keys, None, signers))]);
        chain(&host, &pins, 1).map_err(|error| error.code())
    };
    assert_eq!(code(&[a]).unwrap_err(), "delivery/signature");
    assert_eq!(code(&[a, a]).unwrap_err(), "delivery/signature");
    code(&[a, c]).unwrap();
    code(&[b, c]).unwrap();
    // The same signature twice is of one key.
    let mut host = host(vec![(1, key_file(&keys, None, &[a]))]);
    let text = String::from_utf8(host.files[&keys_name(1)].clone()).unwrap();
    let start = text.find("[{\"key\"").unwrap() + 1;
    let end = text.rfind(']').unwrap();
    let one = text[start..end].to_owned();
    host.change(&keys_name(1), &one, &format!("{one},{one}"));
    assert_eq!(
        chain(&host, &pins, 1).unwrap_err().code(),
        "delivery/signature"
    );
}

#[test]
fn a_key_file_with_an_unknown_algorithm_says_so() {
    let (offline, ci) = (secret("offline", 1), secret("ci", 2));
    let keys = key_set(1, &offline, &ci);
    let text = keys
        .envelope()
        .unwrap()
        .unverified()
        .replacen("ed25519", "mldsa65", 1);
    let mut envelope = ingle_delivery::Envelope::new(1, text);
    envelope
        .sign(ingle_delivery::Kind::Keys, &offline, [&key(&offline)])
        .unwrap();
    let bytes = envelope
        .to_bytes("keys", ingle_delivery::Kind::Keys)
        .unwrap();
    let error = chain(&host(vec![(1, bytes)]), &keys.pins(1), 1).unwrap_err();
    assert_eq!(error.code(), "delivery/algorithm");
    assert!(error.to_string().contains("mldsa65"), "{error}");
}

#[test]
fn key_files_that_contradict_themselves_are_refused() {
    let (offline, ci) = (secret("offline", 1), secret("ci", 2));
    let refused = |change: &dyn Fn(&mut KeySet)| {
        let mut keys = key_set(1, &offline, &ci);
        change(&mut keys);
        matches!(keys.envelope(), Err(DeliveryError::Format { .. }))
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|keys| keys.roles.root.threshold = 0));
    assert!(refused(&|keys| keys.roles.channel.threshold = 2));
    assert!(refused(&|keys| keys.roles.channel.keys.clear()));
    assert!(refused(&|keys| keys
        .roles
        .channel
        .keys
        .push("0000000000000000".to_owned())));
    assert!(refused(&|keys| keys
        .roles
        .root
        .keys
        .extend(keys.roles.root.keys.clone())));
    assert!(refused(&|keys| keys.keys.extend(keys.keys.clone())));
    assert!(refused(&|keys| keys.shop.clear()));
    assert!(refused(&|keys| keys.epoch = 0));
}

#[test]
fn a_new_start_with_other_keys_is_believed_by_new_pins_alone() {
    let (old, ci) = (secret("old", 1), secret("ci", 2));
    let (new, new_ci) = (secret("new", 4), secret("new ci", 5));
    let (first, again) = (key_set(1, &old, &ci), key_set(2, &new, &new_ci));
    let files = vec![
        (1, key_file(&first, None, &[&old])),
        (2, key_file(&again, None, &[&new])),
    ];
    let host = host(files);
    assert_eq!(
        chain(&host, &first.pins(1), 2).unwrap_err().code(),
        "delivery/signature"
    );
    chain(&host, &again.pins(1), 2).unwrap();
    assert_eq!(
        chain(&host, &again.pins(1), 1).unwrap_err().code(),
        "delivery/rollback"
    );
}

#[test]
fn a_private_key_is_written_for_its_owner_alone_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("offline.pem");
    let made = SecretKey::generate("offline").unwrap();
    made.write(&path).unwrap();
    assert_eq!(SecretKey::read(&path).unwrap().public(), made.public());
    assert_ne!(
        SecretKey::generate("offline").unwrap().public(),
        made.public()
    );
    // A key is never overwritten.
    assert_eq!(made.write(&path).unwrap_err().code(), "delivery/io");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(
        &path,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    assert_eq!(
        SecretKey::read(&path).err().unwrap().code(),
        "delivery/signer"
    );
}
