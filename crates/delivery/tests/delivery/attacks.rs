//! The attacks that The Update Framework lists: none of them gives a reader another bundle than the shop's.

use ingle_delivery::{CHANNEL, Channel, Kind, MAX_NUMBER, Pins, keys_name, resolve};

use crate::support::{DAY, NOW, Shop, key_file, key_set, payload, secret};

#[test]
fn a_signed_release_is_read() {
    let shop = Shop::new();
    let published = shop.release(1.0);
    let release = shop.found().unwrap();
    assert_eq!(release.channel, published.channel);
    assert_eq!(release.channel.number(), (1, 1));
    assert_eq!(release.manifest.shop, "shoes");
    assert_eq!(release.expired, None);
}

#[test]
fn arbitrary_software_is_refused() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    // Another manifest under the name that the channel says.
    let mut host = shop.copy();
    host.change(&first.manifest.name, "dc4sr", "dc4sd");
    assert_eq!(host.code(&shop), "delivery/hash");
    // A channel that names another manifest, with the signature of the first.
    let mut host = shop.copy();
    host.change(CHANNEL, &first.manifest.sha256[1..16], "000000000000000");
    assert_eq!(host.code(&shop), "delivery/signature");
    // Files that are not those of the manifest.
    let mut host = shop.copy();
    let release = shop.found().unwrap();
    let name = &release.manifest.manifest.files[0].name;
    host.files.get_mut(name).unwrap()[100] ^= 1;
    assert_eq!(
        crate::support::found(&host, &shop.pins())
            .unwrap_err()
            .code(),
        "bundle/hash"
    );
}

#[test]
fn a_freeze_is_noticed_when_the_channel_expires() {
    let shop = Shop::new();
    shop.release(1.0);
    let host = shop.copy();
    let at = |now| resolve(&host, &shop.pins(), (0, 0), now).unwrap().expired;
    assert_eq!(at(NOW + 30 * DAY - 1), None);
    let expired = at(NOW + 33 * DAY).unwrap();
    assert!(
        expired.contains("channel.json expired 3 days ago"),
        "{expired}"
    );
    // Keys expire as well.
    let expired = at(NOW + 400 * DAY).unwrap();
    assert!(expired.contains("expired"), "{expired}");
}

#[test]
fn a_clock_that_is_wrong_refuses_nothing() {
    let shop = Shop::new();
    shop.release(1.0);
    for now in [0, NOW - 365 * DAY, NOW + 365 * DAY, MAX_NUMBER] {
        resolve(&shop.copy(), &shop.pins(), (0, 0), now).unwrap();
    }
}

#[test]
fn a_rollback_is_refused() {
    let shop = Shop::new();
    shop.release(1.0);
    let old = shop.copy();
    let second = shop.release(2.0).channel;
    // By what was seen before, and by what the page says.
    for (seen, at_least) in [(second.number(), 1), ((0, 0), 2)] {
        let pins = Pins {
            at_least,
            ..shop.pins()
        };
        let error = resolve(&old, &pins, seen, NOW).unwrap_err();
        assert_eq!(error.code(), "delivery/rollback");
        resolve(&shop.copy(), &pins, seen, NOW).unwrap();
    }
}

#[test]
fn a_release_far_ahead_does_not_outlive_the_key_that_signed_it() {
    let mut shop = Shop::new();
    let channel = shop.release(1.0).channel;
    let far = Channel {
        release: MAX_NUMBER,
        ..channel
    };
    let mut host = shop.copy();
    host.files
        .insert(CHANNEL.to_owned(), Shop::signed(&far, &[&shop.ci]));
    let seen = resolve(&host, &shop.pins(), (0, 0), NOW)
        .unwrap()
        .channel
        .number();
    // The shop revokes that key: the next epoch's first release is above every one before it.
    let (before, next) = (
        shop.keys[0].clone(),
        key_set(2, &shop.offline, &secret("ci 2", 3)),
    );
    let bytes = key_file(&next, Some(&before), &[&shop.offline]);
    host.files.insert(keys_name(2), bytes);
    let recovered = Channel {
        epoch: 2,
        release: 2,
        ..far.clone()
    };
    host.files.insert(
        CHANNEL.to_owned(),
        Shop::signed(&recovered, &[&secret("ci 2", 3)]),
    );
    shop.keys.push(next);
    let release = resolve(&host, &shop.pins(), seen, NOW).unwrap();
    assert_eq!(release.channel.number(), (2, 2));
    // A number that JavaScript cannot count is none.
    let mut host = shop.copy();
    host.change(CHANNEL, "\"epoch\":1", "\"epoch\":9007199254740992");
    assert_eq!(host.code(&shop), "delivery/format");
}

#[test]
fn parts_of_two_releases_do_not_mix() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    let second = shop.release(2.0).channel;
    let mut host = shop.copy();
    let old = host.files[&first.manifest.name].clone();
    host.files.insert(second.manifest.name.clone(), old);
    assert_eq!(host.code(&shop), "delivery/hash");
    // A signature of one kind of file is none of another.
    let channel = String::from_utf8(host.files[CHANNEL].clone()).unwrap();
    for (name, kind) in [
        (&second.manifest.name, Kind::Manifest),
        (&keys_name(1), Kind::Keys),
    ] {
        let mut host = shop.copy();
        host.files
            .insert(name.clone(), channel.clone().into_bytes());
        assert!(
            ["delivery/hash", "delivery/signature"].contains(&host.code(&shop)),
            "{kind:?}"
        );
    }
}

#[test]
fn endless_data_is_refused_before_it_is_parsed() {
    let shop = Shop::new();
    let named = shop.release(1.0).channel.manifest.name;
    for name in [CHANNEL.to_owned(), keys_name(1), named] {
        let mut host = shop.copy();
        host.files
            .get_mut(&name)
            .unwrap()
            .extend(vec![b' '; 4 << 20]);
        assert!(
            ["delivery/format", "delivery/hash"].contains(&host.code(&shop)),
            "{name}"
        );
    }
    // Nor are epochs followed without end.
    let mut host = shop.copy();
    host.change(CHANNEL, "\"epoch\":1", "\"epoch\":1000");
    host.asked.borrow_mut().clear();
    assert_eq!(host.code(&shop), "delivery/format");
    assert_eq!(*host.asked.borrow(), [CHANNEL]);
}

#[test]
fn nothing_is_fetched_that_the_release_does_not_name() {
    let shop = Shop::new();
    shop.release(1.0);
    let channel = shop.release(2.0).channel;
    let mut host = shop.copy();
    host.files
        .insert("model-0000000000000000.safetensors".to_owned(), vec![0; 9]);
    resolve(&host, &shop.pins(), (0, 0), NOW).unwrap();
    let expected = [CHANNEL.to_owned(), keys_name(1), channel.manifest.name];
    assert_eq!(*host.asked.borrow(), expected);
}

#[test]
fn other_keys_are_refused() {
    let shop = Shop::new();
    let channel = shop.release(1.0).channel;
    let stranger = secret("stranger", 9);
    let mut host = shop.copy();
    host.files
        .insert(CHANNEL.to_owned(), Shop::signed(&channel, &[&stranger]));
    assert_eq!(host.code(&shop), "delivery/signature");
    // The stranger's own key file does not help.
    let keys = key_set(1, &stranger, &stranger_ci());
    host.files
        .insert(keys_name(1), key_file(&keys, None, &[&stranger]));
    assert_eq!(host.code(&shop), "delivery/signature");
    // The key for manifests is not one for channels.
    let mut host = shop.copy();
    host.files
        .insert(CHANNEL.to_owned(), Shop::signed(&channel, &[&shop.offline]));
    assert_eq!(host.code(&shop), "delivery/signature");
}

fn stranger_ci() -> ingle_delivery::SecretKey {
    secret("stranger's ci", 10)
}

#[test]
fn a_leaked_channel_key_signs_no_manifest() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    let mut host = shop.copy();
    let text = payload("m", Kind::Manifest, &host.files[&first.manifest.name]);
    let text = text.replace("\"dc4sr\"", "\"dc4sd\"");
    let mut forged = ingle_delivery::Envelope::new(1, text);
    forged
        .sign(Kind::Manifest, &shop.ci, [&crate::support::key(&shop.ci)])
        .unwrap();
    let bytes = forged.to_bytes("m", Kind::Manifest).unwrap();
    let named = ingle_delivery::ManifestRef::to(&bytes);
    let channel = Channel {
        release: 2,
        manifest: named.clone(),
        ..first
    };
    host.files.insert(named.name, bytes);
    host.files
        .insert(CHANNEL.to_owned(), Shop::signed(&channel, &[&shop.ci]));
    assert_eq!(host.code(&shop), "delivery/signature");
}

#[test]
fn a_channel_of_another_shop_is_refused() {
    let shop = Shop::new();
    let channel = shop.release(1.0).channel;
    let mut host = shop.copy();
    let other = Channel {
        shop: "hats".to_owned(),
        ..channel
    };
    host.files
        .insert(CHANNEL.to_owned(), Shop::signed(&other, &[&shop.ci]));
    assert_eq!(host.code(&shop), "delivery/shop");
}

#[test]
fn signatures_of_a_wrong_length_do_not_count() {
    let shop = Shop::new();
    shop.release(1.0);
    let host = shop.copy();
    let text = String::from_utf8(host.files[CHANNEL].clone()).unwrap();
    let start = text.find("\"signature\":\"").unwrap() + 13;
    let signature = &text[start..start + 128];
    for wrong in [
        "",
        &signature[2..],
        &format!("{signature}00"),
        &signature.to_uppercase(),
    ] {
        let mut host = shop.copy();
        host.change(CHANNEL, signature, wrong);
        let error = resolve(&host, &shop.pins(), (0, 0), NOW).unwrap_err();
        assert_eq!(error.code(), "delivery/signature");
        assert!(error.to_string().contains("not of 64 bytes"), "{error}");
    }
}

#[test]
fn any_damage_of_a_signed_file_is_an_error_and_no_panic() {
    let shop = Shop::new();
    let named = shop.release(1.0).channel.manifest.name;
    for name in [CHANNEL.to_owned(), keys_name(1), named] {
        let whole = shop.copy().files[&name].clone();
        let step = (whole.len() / 150).max(1);
        for at in (0..whole.len()).step_by(step) {
            let mut host = shop.copy();
            host.files.insert(name.clone(), whole[..at].to_vec());
            host.code(&shop);
            let mut changed = whole.clone();
            changed[at] ^= 1;
            host.files.insert(name.clone(), changed);
            // A change of a byte that is not signed, in `epoch` or a key's id, is refused as well.
            let found = resolve(&host, &shop.pins(), (0, 0), NOW);
            assert!(found.is_err(), "{name} with byte {at} changed");
        }
    }
}
