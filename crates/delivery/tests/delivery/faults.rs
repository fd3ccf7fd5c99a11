//! A publisher that ends at any step, or meets another, leaves the release before or the new one, whole, and the next
//! one goes on. The same for every kind of store.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use ingle_bundle::{MANIFEST, MAX_MANIFEST_BYTES};
use ingle_delivery::{CHANNEL, DeliveryError, Folder, Kind, Move, Source, Store, Stored, garbage};

use crate::support::{Place, Shop, found, unsigned};

/// The number of steps of a change in a place that is made for it.
fn steps_of<P: Place>(make: impl Fn(&Shop, &P), change: impl Fn(&Shop, &dyn Store)) -> usize {
    let (shop, place) = (Shop::new(), P::new());
    make(&shop, &place);
    let (store, steps) = place.ends_after(usize::MAX);
    change(&shop, &*store);
    steps.load(Ordering::SeqCst)
}

pub(crate) fn ended_at_any_step_the_first_release_is_whole_or_not_there<P: Place>() {
    let all = steps_of(
        |_, _: &P| {},
        |shop, store| drop(shop.release_to(store, 1.0, 1.0).unwrap()),
    );
    assert!(all > 15, "{all} steps");
    for last in 0..all {
        let (shop, place) = (Shop::new(), P::new());
        let ended = shop.release_to(&*place.ends_after(last).0, 1.0, 1.0);
        assert!(ended.is_err(), "{last}");
        let store = place.store();
        match found(&*store, &shop.pins()) {
            Ok(release) => assert_eq!(release.channel.release, 1),
            Err(error) => assert_eq!(error.code(), "delivery/missing", "{last}: {error}"),
        }
        shop.release_to(&*store, 1.0, 1.0).unwrap();
        found(&*store, &shop.pins()).unwrap();
    }
}

pub(crate) fn ended_at_any_step_the_release_before_or_the_new_one_is_there_whole<P: Place>() {
    for share in [1.0, 0.1] {
        let all = steps_of(
            |shop, place: &P| drop(shop.release_to(&*place.store(), 1.0, 1.0).unwrap()),
            |shop, store| drop(shop.release_to(store, 2.0, share).unwrap()),
        );
        let mut seen = [0, 0];
        for last in 0..all {
            let (shop, place) = (Shop::new(), P::new());
            let before = shop.release_to(&*place.store(), 1.0, 1.0);
            let before = before.unwrap().channel;
            let (bundle, manifest) = shop.bundle(2.0);
            let from = Folder::new(bundle.path());
            let change = Move::Bundle {
                from: &from,
                manifest: manifest.clone(),
                share,
            };
            let ended = shop.publish_to(&*place.ends_after(last).0, &change);
            assert!(ended.is_err(), "{last}");
            let store = place.store();
            let release = found(&*store, &shop.pins()).unwrap();
            let is_new = release.channel.release == 2;
            assert!(is_new || release.channel == before, "{last}");
            assert!(!is_new || release.channel.manifest == manifest, "{last}");
            seen[usize::from(is_new)] += 1;
            // Pages without keys and `ingle serve` read a whole bundle too.
            unsigned(&*store);
            let next = shop.publish_to(&*store, &change).unwrap().channel;
            assert!(next.release > release.channel.release);
            found(&*store, &shop.pins()).unwrap();
        }
        assert!(seen[0] > 10 && seen[1] >= 1, "{seen:?}");
    }
}

pub(crate) fn ended_at_any_step_rolling_back_and_halting_leave_a_whole_release<P: Place>() {
    for halts in [false, true] {
        let make = |shop: &Shop, place: &P| {
            let share = if halts { 0.5 } else { 1.0 };
            shop.release_to(&*place.store(), 1.0, 1.0).unwrap();
            shop.release_to(&*place.store(), 2.0, share).unwrap();
        };
        let change = if halts { Move::Halt } else { Move::To(1) };
        let all = steps_of(make, |shop, store| {
            shop.publish_to(store, &change).unwrap();
        });
        for last in 0..all {
            let (shop, place) = (Shop::new(), P::new());
            make(&shop, &place);
            let ended = shop.publish_to(&*place.ends_after(last).0, &change);
            assert!(ended.is_err());
            let release = found(&*place.store(), &shop.pins()).unwrap();
            let release = release.channel.release;
            assert!([2, 3].contains(&release), "{release}");
        }
    }
}

/// A store with something that happens before it is changed on a condition.
struct Meanwhile<'a> {
    store: &'a dyn Store,
    happens: &'a dyn Fn(&str),
}

impl Source for Meanwhile<'_> {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError> {
        self.store.get(name, limit)
    }
}

impl Store for Meanwhile<'_> {
    fn read(&self, name: &str, limit: usize) -> Result<Option<Stored>, DeliveryError> {
        self.store.read(name, limit)
    }
    fn list(&self) -> Result<Vec<(String, SystemTime)>, DeliveryError> {
        self.store.list()
    }
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        self.store.put(name, bytes)
    }
    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        (self.happens)(name);
        self.store.create(name, bytes)
    }
    fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        version: Option<&str>,
    ) -> Result<(), DeliveryError> {
        (self.happens)(name);
        self.store.replace(name, bytes, version)
    }
    fn delete(&self, name: &str) -> Result<(), DeliveryError> {
        self.store.delete(name)
    }
}

pub(crate) fn a_publisher_that_another_one_overtakes_is_refused_and_changes_nothing<P: Place>() {
    for (is_first, value) in [
        // Another one publishes the first release, another bundle, or the same one twice.
        (true, 3.0),
        (false, 3.0),
        (false, 2.0),
    ] {
        for before in ["channel-1-", MANIFEST, CHANNEL] {
            let (shop, place) = (Shop::new(), P::new());
            let (mine, other) = (place.store(), place.store());
            if !is_first {
                shop.release_to(&*mine, 1.0, 1.0).unwrap();
            }
            let is_done = Cell::new(false);
            let happens = |name: &str| {
                if name.starts_with(before) && !is_done.replace(true) {
                    shop.release_to(&*other, value, 1.0).unwrap();
                    if value == 2.0 {
                        shop.publish_to(&*other, &Move::Renew).unwrap();
                    }
                }
            };
            let store = Meanwhile {
                store: &*mine,
                happens: &happens,
            };
            let error = shop.release_to(&store, 2.0, 1.0).unwrap_err();
            assert_eq!(error.code(), "delivery/conflict", "{before}: {error}");
            let release = found(&*mine, &shop.pins()).unwrap();
            let theirs = shop.bundle(value).1;
            assert_eq!(release.channel.manifest, theirs, "{before}");
            let unsigned = mine.need(MANIFEST, MAX_MANIFEST_BYTES).unwrap();
            assert_eq!(release.manifest.text().as_bytes(), unsigned, "{before}");
            // It looks at what is there, and goes on.
            let next = shop.release_to(&*mine, 4.0, 1.0).unwrap().channel;
            assert_eq!(next.release, release.channel.release + 1);
            found(&*mine, &shop.pins()).unwrap();
        }
    }
}

pub(crate) fn a_release_is_rolled_out_halted_rolled_back_and_renewed<P: Place>() {
    let (shop, place) = (Shop::new(), P::new());
    let store = place.store();
    let first = shop.release_to(&*store, 1.0, 1.0).unwrap();
    assert!(
        first
            .sent
            .iter()
            .any(|(name, _)| name.ends_with(".safetensors"))
    );
    let second = shop.release_to(&*store, 2.0, 0.05).unwrap().channel;
    assert_eq!((second.release, second.rollout), (2, 0.05));
    assert_eq!(second.previous.unwrap().manifest, first.channel.manifest);
    let publish = |change: &Move<'_>| shop.publish_to(&*store, change).unwrap();
    assert_eq!(publish(&Move::Share(0.5)).channel.rollout, 0.5);
    let halted = publish(&Move::Halt).channel;
    assert_eq!(halted.manifest, first.channel.manifest);
    let third = shop.release_to(&*store, 2.0, 1.0).unwrap().channel;
    assert_eq!((third.release, &third.manifest), (5, &second.manifest));
    let back = publish(&Move::To(1)).channel;
    assert_eq!((back.release, &back.manifest), (6, &first.channel.manifest));
    let renewed = publish(&Move::Renew);
    assert_eq!((renewed.channel.release, renewed.sent), (7, Vec::new()));
    let none = shop.publish_to(&*store, &Move::To(99)).unwrap_err();
    assert_eq!(none.code(), "delivery/refused");
    assert_eq!(found(&*store, &shop.pins()).unwrap().channel.release, 7);
    unsigned(&*store);
}

pub(crate) fn what_no_recent_release_names_goes_and_all_else_stays<P: Place>() {
    const WEEK: Duration = Duration::from_hours(7 * 24);
    let (shop, place) = (Shop::new(), P::new());
    let store = place.store();
    for value in 1..=4 {
        shop.release_to(&*store, value as f32, 1.0).unwrap();
    }
    store.put("robots.txt", b"the shop's").unwrap();
    let now = SystemTime::now();
    let young = garbage(&*store, 1, WEEK, now).unwrap();
    assert_eq!((young.files.len(), young.young > 5), (0, true));
    let old = garbage(&*store, 1, WEEK, now + 2 * WEEK).unwrap();
    assert_eq!((&*old.kept, old.files.len()), (&[(1, 4)][..], young.young));
    for name in &old.files {
        store.delete(name).unwrap();
        store.delete(name).unwrap();
        assert!(store.read(name, usize::MAX - 1).unwrap().is_none());
    }
    assert!(store.get("robots.txt", 100).unwrap().is_some());
    found(&*store, &shop.pins()).unwrap();
    unsigned(&*store);
    let none = shop.publish_to(&*store, &Move::To(1)).unwrap_err();
    assert_eq!(none.code(), "delivery/refused");
}

pub(crate) fn a_file_is_written_on_the_conditions_that_hold<P: Place>() {
    let place = P::new();
    let store = place.store();
    let limit = Kind::Channel.limit();
    assert!(store.read(CHANNEL, limit).unwrap().is_none());
    assert_eq!(store.list().unwrap(), []);
    store.replace(CHANNEL, b"1", None).unwrap();
    let first = store.read(CHANNEL, limit).unwrap().unwrap();
    store.replace(CHANNEL, b"2", Some(&first.version)).unwrap();
    let second = store.read(CHANNEL, limit).unwrap().unwrap();
    assert_ne!(first.version, second.version);
    for version in [None, Some(&*first.version)] {
        let refused = store.replace(CHANNEL, b"3", version).unwrap_err();
        assert_eq!(refused.code(), "delivery/conflict", "{refused}");
    }
    assert_eq!(
        store.create(CHANNEL, b"3").unwrap_err().code(),
        "delivery/conflict"
    );
    assert_eq!(store.read(CHANNEL, limit).unwrap().unwrap(), second);
    store.delete(CHANNEL).unwrap();
    let gone = store.replace(CHANNEL, b"3", Some(&second.version));
    assert_eq!(gone.unwrap_err().code(), "delivery/conflict");
    assert_eq!(store.get(CHANNEL, limit).unwrap(), None);
    // What is longer than it may be is not read.
    store.put(CHANNEL, &[b' '; 9]).unwrap();
    assert_eq!(store.get(CHANNEL, 8).unwrap_err().code(), "delivery/format");
    assert_eq!(store.get(CHANNEL, 9).unwrap().unwrap().len(), 9);
    let names = store.list().unwrap().into_iter().map(|(name, _)| name);
    let names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    assert_eq!(names, [CHANNEL]);
}

/// All of them, as tests of one kind of store.
macro_rules! hold_for {
    ($place:ty: $($name:ident)*) => {
        $(#[test]
        fn $name() {
            crate::faults::$name::<$place>();
        })*
    };
    ($place:ty) => {
        crate::faults::hold_for! {
            $place:
            ended_at_any_step_the_first_release_is_whole_or_not_there
            ended_at_any_step_the_release_before_or_the_new_one_is_there_whole
            ended_at_any_step_rolling_back_and_halting_leave_a_whole_release
            a_publisher_that_another_one_overtakes_is_refused_and_changes_nothing
            a_release_is_rolled_out_halted_rolled_back_and_renewed
            what_no_recent_release_names_goes_and_all_else_stays
            a_file_is_written_on_the_conditions_that_hold
        }
    };
}
pub(crate) use hold_for;
