//! Deleting what no recent release names.

use std::fs;
use std::time::{Duration, SystemTime};

use ingle_delivery::{Folder, Move, Store as _, garbage};

use crate::support::Shop;

const WEEK: Duration = Duration::from_hours(7 * 24);

#[test]
fn what_no_recent_release_names_goes_and_all_else_stays() {
    let shop = Shop::new();
    for value in 1..=5 {
        shop.release(value as f32);
    }
    let path = shop.folder.path();
    for name in [
        ".items-0123456789abcdef.safetensors.4711-2",
        "items-0123456789abcdef.safetensors.br",
    ] {
        fs::write(path.join(name), "left").unwrap();
    }
    for name in [
        "robots.txt",
        ".htaccess",
        "model.safetensors",
        "keys-1.json",
    ] {
        if !path.join(name).exists() {
            fs::write(path.join(name), "the shop's").unwrap();
        }
    }
    let store = Folder::new(path);
    let names = || {
        store
            .list()
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    let now = SystemTime::now();
    let young = garbage(&store, 2, WEEK, now).unwrap();
    assert_eq!(young.files, [""; 0]);
    let found = garbage(&store, 2, WEEK, now + 2 * WEEK).unwrap();
    assert_eq!(found.kept, [(1, 5), (1, 4)]);
    assert_eq!(found.files.len(), young.young);
    for name in &found.files {
        store.delete(name).unwrap();
    }
    // Three releases with a manifest, a block and a copy of the channel each, and what was left.
    assert_eq!(found.files.len(), 3 * 3 + 2, "{:?}", found.files);
    for name in [
        "robots.txt",
        ".htaccess",
        "model.safetensors",
        "keys-1.json",
        "channel.json",
    ] {
        assert!(names().contains(&name.to_owned()), "{name}");
    }
    shop.found().unwrap();
    ingle_bundle::dir::read_dir(path).unwrap();
    assert_eq!(shop.publish(&Move::To(4)).unwrap().channel.release, 6);
    assert_eq!(
        shop.publish(&Move::To(1)).unwrap_err().code(),
        "delivery/refused"
    );
    shop.found().unwrap();
}

#[test]
fn what_a_rollout_still_gives_stays() {
    let shop = Shop::new();
    shop.release(1.0);
    let (bundle, manifest) = shop.bundle(2.0);
    let from = Folder::new(bundle.path());
    shop.publish(&Move::Bundle {
        from: &from,
        manifest,
        share: 0.1,
    })
    .unwrap();
    let store = Folder::new(shop.folder.path());
    let found = garbage(&store, 1, Duration::ZERO, SystemTime::now() + WEEK).unwrap();
    for name in &found.files {
        store.delete(name).unwrap();
    }
    assert!(shop.found().unwrap().previous.is_some());
}

#[test]
fn nothing_goes_where_it_is_not_known_what_is_named() {
    let shop = Shop::new();
    let store = Folder::new(shop.folder.path());
    let all = |store: &Folder| garbage(store, 1, Duration::ZERO, SystemTime::now() + WEEK);
    assert_eq!(all(&store).unwrap_err().code(), "delivery/missing");
    let named = shop.release(1.0).channel.manifest.name;
    fs::write(shop.folder.path().join(named), "{}").unwrap();
    assert_eq!(all(&store).unwrap_err().code(), "delivery/format");
}
