//! Publishing: rollouts, halting, rolling back, renewing, and publishers that meet.

use std::fs;

use ingle_delivery::{
    CHANNEL, Channel, Command, Folder, Kind, MAX_NUMBER, Move, Signer as _, archive_name,
    keys_name, resolve,
};

use crate::support::{NOW, Shop, found, key, key_file, key_set};

#[test]
fn a_rollout_begins_grows_and_ends() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    let (folder, manifest) = shop.bundle(2.0);
    let from = Folder::new(folder.path());
    let change = Move::Bundle {
        from: &from,
        manifest: manifest.clone(),
        share: 0.05,
    };
    let second = shop.publish(&change).unwrap().channel;
    assert_eq!((second.release, second.rollout), (2, 0.05));
    assert_eq!(second.previous.as_ref().unwrap().manifest, first.manifest);
    // Pages without keys have the release that is out for everyone.
    let unsigned = || fs::read(shop.folder.path().join("manifest.json")).unwrap();
    let before = unsigned();
    let third = shop.publish(&Move::Share(0.5)).unwrap().channel;
    assert_eq!((third.release, third.rollout), (3, 0.5));
    assert_eq!(unsigned(), before);
    let fourth = shop.publish(&Move::Share(1.0)).unwrap().channel;
    assert_eq!((fourth.release, fourth.previous), (4, None));
    assert_eq!(fourth.manifest, manifest);
    assert_eq!(unsigned(), shop.found().unwrap().manifest.text().as_bytes());
    ingle_bundle::dir::read_dir(shop.folder.path()).unwrap();
}

#[test]
fn a_halted_rollout_gives_everyone_the_release_before() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    assert_eq!(
        shop.publish(&Move::Halt).unwrap_err().code(),
        "delivery/refused"
    );
    let (folder, manifest) = shop.bundle(2.0);
    let from = Folder::new(folder.path());
    shop.publish(&Move::Bundle {
        from: &from,
        manifest,
        share: 0.05,
    })
    .unwrap();
    let halted = shop.publish(&Move::Halt).unwrap().channel;
    assert_eq!((halted.release, &halted.manifest), (3, &first.manifest));
    assert_eq!(halted.previous, None);
}

#[test]
fn rolling_back_is_a_higher_release_that_names_an_older_manifest() {
    let shop = Shop::new();
    let first = shop.release(1.0).channel;
    shop.release(2.0);
    let back = shop.publish(&Move::To(1)).unwrap();
    assert_eq!(back.channel.release, 3);
    assert_eq!(back.channel.manifest, first.manifest);
    let unsigned = back.sent.iter().map(|(name, _)| &**name);
    assert_eq!(unsigned.collect::<Vec<_>>(), ["manifest.json"]);
    assert_eq!(
        shop.publish(&Move::To(9)).unwrap_err().code(),
        "delivery/refused"
    );
}

#[test]
fn renewing_changes_the_expiry_alone() {
    let shop = Shop::new();
    let first = shop.release(1.0);
    assert!(!first.sent.is_empty());
    let again = shop.publish(&Move::Renew).unwrap();
    assert_eq!(again.channel.release, 2);
    assert_eq!(again.channel.manifest, first.channel.manifest);
    assert_eq!(again.sent, []);
}

#[test]
fn only_what_is_not_there_is_sent_and_what_is_damaged_is_replaced() {
    let shop = Shop::new();
    let first = shop.release(1.0);
    let name = &first
        .sent
        .iter()
        .find(|(name, _)| name.starts_with("model-"))
        .unwrap()
        .0;
    let second = shop.release(2.0);
    assert!(second.sent.iter().all(|(sent, _)| sent != name));
    fs::write(shop.folder.path().join(name), "damaged").unwrap();
    let third = shop.release(2.0);
    assert!(third.sent.iter().any(|(sent, _)| sent == name));
    shop.found().unwrap();
}

#[test]
fn a_release_whose_files_are_damaged_is_not_published() {
    let shop = Shop::new();
    shop.release(1.0);
    let (folder, manifest) = shop.bundle(2.0);
    let entry = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let model = entry
        .into_iter()
        .find(|path| path.to_string_lossy().contains("items-"))
        .unwrap();
    fs::write(&model, "damaged").unwrap();
    let from = Folder::new(folder.path());
    let change = Move::Bundle {
        from: &from,
        manifest,
        share: 1.0,
    };
    assert_eq!(shop.publish(&change).unwrap_err().code(), "bundle/size");
    assert_eq!(shop.found().unwrap().channel.release, 1);
}

#[test]
fn publishers_at_once_make_one_release_each_or_say_that_they_were_overtaken() {
    let shop = Shop::new();
    shop.release(1.0);
    let path = shop.folder.path().to_owned();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let publish = || {
            let shop = &path;
            scope.spawn(move || {
                let of = Shop::new();
                let mut done = 0;
                for _ in 0..10 {
                    match of.publish_to(&Folder::new(shop), &Move::Renew) {
                        Ok(_) => done += 1,
                        Err(error) => assert_eq!(error.code(), "delivery/conflict"),
                    }
                }
                done
            })
        };
        let threads = [publish(), publish(), publish()];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let done: u64 = outcomes.iter().sum();
    assert!(done >= 1);
    let release = shop.found().unwrap().channel.release;
    assert!(release > done, "{release} after {done} releases more");
}

#[test]
fn a_channel_signed_by_a_command_is_read() {
    let shop = Shop::new();
    // Neither its own signature nor one of another key is let through.
    for (line, reason) in [
        ("cat > /dev/null; printf abc", "neither a signature"),
        ("exit 3", "ended with"),
    ] {
        let error = Command::new(line).sign(b"text").unwrap_err();
        assert_eq!(error.code(), "delivery/signer");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let signature = shop.ci.sign(b"text").unwrap();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let command = Command::new(&format!("cat > /dev/null; echo {hex}"));
    assert_eq!(command.sign(b"text").unwrap(), signature);
    let mut envelope = shop.release(1.0).channel.envelope().unwrap();
    let error = envelope
        .sign(Kind::Channel, &command, [&key(&shop.ci)])
        .unwrap_err();
    assert_eq!(error.code(), "delivery/signer");
}

#[test]
fn a_rollout_needs_a_release_before_it() {
    let shop = Shop::new();
    let (folder, manifest) = shop.bundle(1.0);
    let from = Folder::new(folder.path());
    for (share, there) in [(0.5, false), (0.0, false), (1.0, true)] {
        let change = Move::Bundle {
            from: &from,
            manifest: manifest.clone(),
            share,
        };
        assert_eq!(shop.publish(&change).is_ok(), there, "{share}");
    }
    assert!(found(&Folder::new(shop.folder.path()), &shop.pins()).is_ok());
    for share in [-0.1, 0.0, 1.1, f64::NAN] {
        assert!(shop.publish(&Move::Share(share)).is_err());
    }
}

#[test]
fn a_number_that_a_stolen_key_drove_up_is_left_behind_with_its_epoch() {
    let mut shop = Shop::new();
    let channel = shop.release(1.0).channel;
    let far = Channel {
        release: MAX_NUMBER,
        ..channel
    };
    let bytes = Shop::signed(&far, &[&shop.ci]);
    for name in [CHANNEL.to_owned(), archive_name(1, MAX_NUMBER)] {
        fs::write(shop.folder.path().join(name), &bytes).unwrap();
    }
    assert_eq!(
        shop.publish(&Move::To(1)).unwrap_err().code(),
        "delivery/format",
        "no number is left in this epoch"
    );
    let next = key_set(2, &shop.offline, &shop.ci);
    let file = key_file(&next, Some(&shop.keys[0]), &[&shop.offline]);
    fs::write(shop.key_files.path().join(keys_name(2)), file).unwrap();
    shop.keys.push(next);
    let recovered = shop.publish(&Move::To(1)).unwrap().channel;
    assert_eq!(recovered.number(), (2, 2));
    let pins = shop.keys[0].pins(1);
    let seen = resolve(
        &Folder::new(shop.folder.path()),
        &pins,
        (1, MAX_NUMBER),
        NOW,
    );
    assert_eq!(seen.unwrap().channel, recovered);
}
