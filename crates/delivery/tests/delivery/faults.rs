//! A publisher that ends at any system call leaves the release before or the new one, whole, and the next one goes on.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use ingle_delivery::{Folder, Move};

use crate::support::Shop;

/// A folder in which the `last` changes happen and no further one, as if the process had been killed; and their number.
fn ends_after(shop: &Shop, last: usize) -> (Folder, Rc<Cell<usize>>) {
    let steps = Rc::new(Cell::new(0));
    let counted = steps.clone();
    let folder = Folder::watched(shop.folder.path(), move |step| {
        counted.set(counted.get() + 1);
        if counted.get() > last {
            return Err(io::Error::other(format!("ended before: {step}")));
        }
        Ok(())
    });
    (folder, steps)
}

fn steps_of(shop: &Shop, change: &Move<'_>) -> usize {
    let (folder, steps) = ends_after(shop, usize::MAX);
    shop.publish_to(&folder, change).unwrap();
    steps.get()
}

#[test]
fn ended_at_any_step_the_first_release_is_whole_or_not_there() {
    let all = {
        let shop = Shop::new();
        let (bundle, manifest) = shop.bundle(1.0);
        let from = Folder::new(bundle.path());
        steps_of(
            &shop,
            &Move::Bundle {
                from: &from,
                manifest,
                share: 1.0,
            },
        )
    };
    assert!(all > 40, "{all} steps");
    for last in 0..all {
        let shop = Shop::new();
        let (bundle, manifest) = shop.bundle(1.0);
        let from = Folder::new(bundle.path());
        let change = Move::Bundle {
            from: &from,
            manifest,
            share: 1.0,
        };
        let ended = shop.publish_to(&ends_after(&shop, last).0, &change);
        assert!(ended.is_err(), "{last}");
        match shop.found() {
            Ok(release) => assert_eq!(release.channel.release, 1),
            Err(error) => assert_eq!(error.code(), "delivery/missing", "{last}: {error}"),
        }
        shop.publish(&change).unwrap();
        shop.found().unwrap();
    }
}

#[test]
fn ended_at_any_step_the_release_before_or_the_new_one_is_there_whole() {
    let second = |shop: &Shop, share| {
        let (bundle, manifest) = shop.bundle(2.0);
        (Folder::new(bundle.path()), manifest, share, bundle)
    };
    for share in [1.0, 0.1] {
        let all = {
            let shop = Shop::new();
            shop.release(1.0);
            let (from, manifest, share, _bundle) = second(&shop, share);
            steps_of(
                &shop,
                &Move::Bundle {
                    from: &from,
                    manifest,
                    share,
                },
            )
        };
        let mut seen = [0, 0];
        for last in 0..all {
            let shop = Shop::new();
            let before = shop.release(1.0).channel;
            let (from, manifest, share, _bundle) = second(&shop, share);
            let change = Move::Bundle {
                from: &from,
                manifest: manifest.clone(),
                share,
            };
            assert!(
                shop.publish_to(&ends_after(&shop, last).0, &change)
                    .is_err()
            );
            let release = shop.found().unwrap();
            let is_new = release.channel.release == 2;
            assert!(is_new || release.channel == before, "{last}");
            assert!(!is_new || release.channel.manifest == manifest, "{last}");
            seen[usize::from(is_new)] += 1;
            // Pages without keys and `ingle serve` read a whole bundle too.
            ingle_bundle::dir::read_dir(shop.folder.path()).unwrap();
            let next = shop.publish(&change).unwrap().channel;
            assert!(next.release > release.channel.release);
            shop.found().unwrap();
        }
        assert!(seen[0] > 10 && seen[1] >= 1, "{seen:?}");
    }
}

#[test]
fn ended_at_any_step_rolling_back_and_halting_leave_a_whole_release() {
    let make = |halts: bool| {
        let shop = Shop::new();
        shop.release(1.0);
        if halts {
            let (bundle, manifest) = shop.bundle(2.0);
            let from = Folder::new(bundle.path());
            shop.publish(&Move::Bundle {
                from: &from,
                manifest,
                share: 0.5,
            })
            .unwrap();
        } else {
            shop.release(2.0);
        }
        shop
    };
    for halts in [false, true] {
        let change = if halts { Move::Halt } else { Move::To(1) };
        let all = steps_of(&make(halts), &change);
        for last in 0..all {
            let shop = make(halts);
            assert!(
                shop.publish_to(&ends_after(&shop, last).0, &change)
                    .is_err()
            );
            let release = shop.found().unwrap().channel.release;
            assert!([2, 3].contains(&release), "{release}");
        }
    }
}
