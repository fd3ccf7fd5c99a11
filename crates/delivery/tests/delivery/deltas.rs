//! Deltas: what makes a bundle's files from those of the bundle before.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use ingle_bundle::{Bundle, ItemTable, MANIFEST, Manifest, TableValues, Tensor, dir};
use ingle_delivery::{
    DeliveryError, Folder, Move, Source as _, Store as _, apply, delta, follow, garbage,
};
use proptest::prelude::*;

use crate::support::Shop;

const WIDTH: usize = 16;

/// Numbers that look like weights, the same for the same seed.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 2_f32.powi(23) - 1.0
    };
    // Sums of uniform numbers are close to normal ones.
    (0..count)
        .map(|_| (0..6).map(|_| next()).sum::<f32>() / 10.0)
        .collect()
}

/// A bundle of these items with an exact table, trained from `seed` and moved by `drift` times other numbers.
fn trained(ids: &[String], (seed, drift): (u64, f32)) -> Bundle {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundle/tests/data/v1");
    let mut bundle = dir::read_dir(&golden).unwrap();
    let moved = |count: usize, at: u64| -> Vec<f32> {
        let start = numbers(count, at).into_iter();
        let by = numbers(count, at ^ seed).into_iter();
        start.zip(by).map(|(x, by)| x + drift * by).collect()
    };
    let table = ids.iter().flat_map(|id| {
        let at = id
            .bytes()
            .fold(7_u64, |sum, byte| sum * 31 + u64::from(byte));
        moved(WIDTH, at)
    });
    bundle.items = ItemTable::f32(table.collect(), WIDTH);
    bundle.manifest.items.appended = 0;
    bundle.popularity = vec![1.0; ids.len()];
    bundle.codes = Vec::new();
    bundle.ids = ids.iter().collect();
    let tensor = |shape: Vec<usize>, at| Tensor {
        data: moved(shape.iter().product(), at),
        shape,
    };
    bundle.weights = BTreeMap::from([
        ("blocks.0.weight".to_owned(), tensor(vec![40, 50], 1)),
        ("blocks.0.bias".to_owned(), tensor(vec![50], 2)),
    ]);
    bundle
}

/// The same as pages have it, with the table in bytes.
fn stored(mut bundle: Bundle) -> Bundle {
    bundle.items = ItemTable::quantize(&bundle.items.dequantize(), WIDTH);
    bundle
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|at| format!("sku-{at}")).collect()
}

/// A bundle's files by name, and its manifest.
struct Files(BTreeMap<String, Vec<u8>>, Manifest);

impl Files {
    fn of(bundle: &Bundle) -> Self {
        let files: BTreeMap<String, Vec<u8>> = bundle.write(64).unwrap().into_iter().collect();
        let manifest = Manifest::parse(&files[MANIFEST]).unwrap();
        Self(files, manifest)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, DeliveryError> {
        let file = name.to_owned();
        (self.0.get(name).cloned()).ok_or(DeliveryError::Missing { file })
    }

    fn delta_to(&self, new: &Self) -> Option<Vec<u8>> {
        let read = |entry: &ingle_bundle::FileEntry| {
            self.read(&entry.name).or_else(|_| new.read(&entry.name))
        };
        delta([&self.1, &new.1], read).unwrap()
    }

    fn bytes(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

#[test]
fn items_keep_their_rows_and_newcomers_take_what_is_free() {
    let old = stored(trained(&ids(0..6), (1, 0.0)));
    let mut now: Vec<String> = ids(0..8).into_iter().rev().collect();
    now.retain(|id| id != "sku-2" && id != "sku-5");
    let new = trained(&now, (2, 0.1));
    let after = follow(&new, &old);
    let found: Vec<&str> = after.ids.iter().collect();
    assert_eq!(
        found,
        ["sku-0", "sku-1", "sku-7", "sku-3", "sku-4", "sku-6"]
    );
    after.write(64).unwrap();

    // With fewer rows than before, those behind move up.
    let new = trained(&["sku-5".to_owned(), "sku-1".to_owned()], (2, 0.1));
    let found: Vec<String> = follow(&new, &old).ids.iter().map(str::to_owned).collect();
    assert_eq!(found, ["sku-5", "sku-1"]);

    // What was added without training stays behind.
    let mut new = trained(&ids(0..6), (2, 0.1));
    new.manifest.items.appended = 3;
    let mut before = old.clone();
    before.ids = ["sku-5", "sku-4", "sku-3", "sku-2", "sku-1", "sku-0"]
        .into_iter()
        .collect();
    let found: Vec<String> = follow(&new, &before)
        .ids
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        found[..3]
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        3
    );
    assert!(
        ["sku-0", "sku-1", "sku-2"]
            .iter()
            .all(|id| found[..3].contains(&(*id).to_owned()))
    );
}

#[test]
fn no_error_adds_up_over_a_hundred_releases() {
    let all = ids(0..30);
    let mut before = stored(trained(&all, (0, 0.0)));
    for release in 1..=100 {
        let new = trained(&all, (release, 0.05));
        let after = follow(&new, &before);
        let exact = new.items.dequantize();
        for (row, id) in after.ids.iter().enumerate() {
            let (mut found, at) = (vec![0.0; WIDTH], new.ids.row(id).unwrap());
            after.items.row(row, &mut found);
            let exact = &exact[at * WIDTH..(at + 1) * WIDTH];
            let largest = exact.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            for (found, exact) in found.iter().zip(exact) {
                // Half of two units of a scale, or what is cut off from a row's largest values.
                let bound = largest / 64.0 * 1.001 + largest * 0.032;
                assert!((found - exact).abs() <= bound, "{release}: {found} {exact}");
            }
        }
        for (name, tensor) in &new.weights {
            let finest = if tensor.shape.len() > 1 { 64.0 } else { 256.0 };
            for (found, exact) in after.weights[name].data.iter().zip(&tensor.data) {
                assert!(
                    (found - exact).abs() <= 0.3 / finest,
                    "{release}: {found} {exact}"
                );
            }
        }
        before = after;
    }
}

#[test]
fn a_row_with_a_value_that_is_no_number_is_not_written_as_one() {
    let old = stored(trained(&ids(0..6), (1, 0.0)));
    let mut new = trained(&ids(0..6), (2, 0.1));
    let TableValues::F32(values) = &mut new.items.values else {
        unreachable!()
    };
    values[20] = f32::NAN;
    assert!(follow(&new, &old).write(64).is_err());
    let mut new = trained(&ids(0..6), (2, 0.1));
    new.weights.get_mut("blocks.0.bias").unwrap().data[3] = f32::NAN;
    assert!(follow(&new, &old).write(64).is_err());
}

#[test]
fn a_bundle_that_follows_another_has_a_small_delta_and_one_that_does_not_may_have_none() {
    let all = ids(0..300);
    let old = stored(trained(&all, (1, 0.0)));
    let new = trained(&ids(0..310), (2, 0.1));
    let [old, after, apart] = [&old, &follow(&new, &old), &stored(new)].map(Files::of);
    let small = old.delta_to(&after).unwrap().len();
    assert!(small * 3 < after.bytes(), "{small} of {}", after.bytes());
    let large = old.delta_to(&apart).map_or(usize::MAX, |delta| delta.len());
    assert!(large > 2 * small, "{large} {small}");
    assert_eq!(old.delta_to(&old), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_delta_makes_exactly_the_new_files(
        (first, second) in (1_usize..150, 1_usize..150),
        skipped in 0_usize..40,
        drift in prop_oneof![Just(0.0_f32), 0.001_f32..0.5],
        follows in any::<bool>(),
    ) {
        let old = stored(trained(&ids(0..first), (1, 0.0)));
        let new = trained(&ids(skipped..skipped + second), (2, drift));
        let new = if follows { follow(&new, &old) } else { stored(new) };
        let [old, new] = [&old, &new].map(Files::of);
        if let Some(delta) = old.delta_to(&new) {
            let made = apply(&delta, &new.1, |name| old.read(name)).unwrap();
            for (name, bytes) in &made {
                prop_assert_eq!(bytes, &new.0[name]);
            }
            // With the files that both have it is the whole bundle.
            let missing = new.1.files.iter().filter(|entry| !old.0.contains_key(&entry.name));
            prop_assert!(missing.into_iter().all(|entry| made.iter().any(|(name, _)| *name == entry.name)));
        }
    }

    #[test]
    fn a_damaged_delta_is_an_error_or_makes_what_it_should(at in 0_usize..20_000, by in 1_u8..=255, cut in any::<bool>()) {
        let old = stored(trained(&ids(0..60), (1, 0.0)));
        let new = follow(&trained(&ids(0..61), (2, 0.1)), &old);
        let [old, new] = [&old, &new].map(Files::of);
        let mut delta = old.delta_to(&new).unwrap();
        let at = at % delta.len();
        if cut { delta.truncate(at) } else { delta[at] ^= by }
        match apply(&delta, &new.1, |name| old.read(name)) {
            Ok(made) => for (name, bytes) in made { prop_assert_eq!(&bytes, &new.0[&name]) },
            Err(error) => prop_assert!(["delivery/delta", "delivery/missing", "bundle/hash", "bundle/size"].contains(&error.code()), "{}", error),
        }
    }
}

/// A delta with this header and body.
fn written(header: &str, body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed
        .write_all(&(header.len() as u32).to_le_bytes())
        .unwrap();
    packed.write_all(header.as_bytes()).unwrap();
    packed.write_all(body).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_delta_against_another_base_that_is_endless_or_makes_too_much_is_refused() {
    let old = stored(trained(&ids(0..60), (1, 0.0)));
    let new = follow(&trained(&ids(0..61), (2, 0.1)), &old);
    let other = Files::of(&stored(trained(&ids(0..60), (3, 0.2))));
    let [old, new] = [&old, &new].map(Files::of);
    let right = old.delta_to(&new).unwrap();
    let code = |delta: &[u8], read: &dyn Fn(&str) -> Result<Vec<u8>, DeliveryError>| {
        apply(delta, &new.1, read).unwrap_err().code()
    };
    // Files of another bundle under the names of those it is for.
    let prefix = |name: &str| name.split('-').next().unwrap().to_owned();
    let another = |name: &str| {
        let found = other
            .0
            .iter()
            .find(|(found, _)| prefix(found) == prefix(name));
        Ok(found.unwrap().1.clone())
    };
    assert!(["bundle/hash", "delivery/delta"].contains(&code(&right, &another)));

    let plain = |name: &str| old.read(name);
    let name = &new.1.files[0].name;
    let most = new.bytes() + (2 << 20);
    let endless = written("{\"format\":1,\"files\":[]}", &vec![0; 4 * most]);
    assert_eq!(code(&endless, &plain), "delivery/delta");
    for (header, body) in [
        (format!(r#"{{"format":1,"files":[{{"name":"{name}","from":"","ops":[[0,{most}]]}}]}}"#), most),
        (format!(r#"{{"format":1,"files":[{{"name":"{name}","from":"","ops":[[1,1e300,1]]}}]}}"#), 1),
        (format!(r#"{{"format":1,"files":[{{"name":"{name}","from":"","ops":[[2,9007199254740991,0,1]]}}]}}"#), 1),
        (format!(r#"{{"format":1,"files":[{{"name":"{name}","from":"","ops":[[7,1]]}}]}}"#), 1),
        (r#"{"format":1,"files":[{"name":"model-0000000000000000.safetensors","from":"","ops":[]}]}"#.to_owned(), 0),
        (r#"{"format":2,"files":[]}"#.to_owned(), 0),
        ("no JSON".to_owned(), 0),
    ] {
        assert_eq!(code(&written(&header, &vec![0; body]), &plain), "delivery/delta", "{header}");
    }
}

/// Publishes a bundle for a share of visits.
fn release(shop: &Shop, bundle: &Bundle, share: f64) -> ingle_delivery::Channel {
    let (folder, manifest) = shop.sign(bundle);
    let from = Folder::new(folder.path());
    let change = Move::Bundle {
        from: &from,
        manifest,
        share,
    };
    shop.publish(&change).unwrap().channel
}

/// Whether a channel has a delta between the bundles of two releases, by their payloads.
fn leads(channel: &ingle_delivery::Channel, from: &str, to: &str) -> bool {
    let hash = |text: &str| ingle_bundle::sha256_hex(text.as_bytes());
    let mut deltas = channel.deltas.iter();
    deltas.any(|delta| delta.from == hash(from) && delta.to == hash(to))
}

#[test]
fn a_release_names_deltas_from_the_one_before_as_long_as_they_lead_to_what_is_out() {
    let shop = Shop::new();
    let text = || shop.found().unwrap().manifest.text().to_owned();
    let first = stored(trained(&ids(0..300), (1, 0.0)));
    assert_eq!(release(&shop, &first, 1.0).deltas, []);
    let a = text();
    let second = follow(&trained(&ids(0..301), (2, 0.1)), &first);
    let channel = release(&shop, &second, 1.0);
    let b = text();
    assert!(leads(&channel, &a, &b));
    assert_eq!(channel.deltas.len(), 1);
    // A later expiry changes nothing of it.
    let renewed = shop.publish(&Move::Renew).unwrap().channel;
    assert_eq!(renewed.deltas, channel.deltas);

    // While a release is rolled out, visits go back and forth.
    let third = follow(&trained(&ids(0..302), (3, 0.1)), &second);
    let channel = release(&shop, &third, 0.1);
    let c = text();
    assert!(leads(&channel, &b, &c) && leads(&channel, &c, &b) && leads(&channel, &a, &b));
    let halted = shop.publish(&Move::Halt).unwrap().channel;
    assert!(leads(&halted, &c, &b) && leads(&halted, &a, &b) && !leads(&halted, &b, &c));

    // What is kept is kept with its deltas.
    let store = Folder::new(shop.folder.path());
    let week = SystemTime::now() + Duration::from_hours(168);
    for name in garbage(&store, 1, Duration::ZERO, week).unwrap().files {
        store.delete(&name).unwrap();
    }
    for delta in &halted.deltas {
        assert!(delta.is_at(&store).unwrap(), "{}", delta.name);
    }
    shop.found().unwrap();
}

#[test]
fn a_base_that_is_damaged_or_gone_has_no_delta_and_does_not_hinder_the_release() {
    let first = stored(trained(&ids(0..300), (1, 0.0)));
    let second = follow(&trained(&ids(0..301), (2, 0.1)), &first);
    for gone in [false, true] {
        let shop = Shop::new();
        release(&shop, &first, 1.0);
        let model = shop.found().unwrap().manifest.manifest.files[0]
            .name
            .clone();
        let path = shop.folder.path().join(&model);
        if gone {
            fs::remove_file(path).unwrap();
        } else {
            fs::write(path, "damaged").unwrap();
        }
        let channel = release(&shop, &second, 1.0);
        assert_eq!((channel.release, channel.deltas.len()), (2, 0));
        shop.found().unwrap();
    }
}

#[test]
fn a_delta_that_went_missing_is_not_named_again() {
    let shop = Shop::new();
    let first = stored(trained(&ids(0..300), (1, 0.0)));
    release(&shop, &first, 1.0);
    let second = follow(&trained(&ids(0..301), (2, 0.1)), &first);
    let channel = release(&shop, &second, 1.0);
    let store = Folder::new(shop.folder.path());
    assert!(
        store
            .get(&channel.deltas[0].name, 1 << 20)
            .unwrap()
            .is_some()
    );
    store.delete(&channel.deltas[0].name).unwrap();
    assert_eq!(shop.publish(&Move::Renew).unwrap().channel.deltas, []);
}

/// What browsers are tested with, too: `tests/data/delta.json`. `INGLE_BLESS=1` writes it anew.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/delta.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

#[test]
fn the_delta_that_browsers_are_tested_with_makes_what_they_must_make() {
    if std::env::var_os("INGLE_BLESS").is_some() {
        bless();
    }
    let shared: serde_json::Value = serde_json::from_slice(&fs::read(SHARED).unwrap()).unwrap();
    let manifest = Manifest::parse(shared["manifest"].as_str().unwrap().as_bytes()).unwrap();
    let read = |name: &str| Ok(unhex(shared["old"][name].as_str().unwrap()));
    let delta = unhex(shared["delta"].as_str().unwrap());
    let made = apply(&delta, &manifest, read).unwrap();
    assert_eq!(made.len(), shared["made"].as_object().unwrap().len());
    for (name, bytes) in made {
        assert_eq!(
            ingle_bundle::sha256_hex(&bytes),
            shared["made"][&name].as_str().unwrap()
        );
    }
}

fn bless() {
    let old = stored(trained(&ids(0..40), (1, 0.0)));
    let new = follow(&trained(&ids(0..41), (2, 0.2)), &old);
    let [old, new] = [&old, &new].map(Files::of);
    let delta = old.delta_to(&new).unwrap();
    let read = |name: &str| old.read(name);
    let made = apply(&delta, &new.1, read).unwrap().into_iter();
    let made: BTreeMap<String, String> = made
        .map(|(name, bytes)| (name, ingle_bundle::sha256_hex(&bytes)))
        .collect();
    let bases = old.0.iter().filter(|(name, _)| *name != MANIFEST);
    let bases: BTreeMap<&String, String> = bases.map(|(name, bytes)| (name, hex(bytes))).collect();
    let text = |files: &Files| String::from_utf8(files.0[MANIFEST].clone()).unwrap();
    let shared = serde_json::json!({
        "old": bases, "kept": text(&old), "manifest": text(&new), "delta": hex(&delta), "made": made,
    });
    fs::write(
        SHARED,
        serde_json::to_string_pretty(&shared).unwrap() + "\n",
    )
    .unwrap();
}
