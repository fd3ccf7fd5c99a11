use std::collections::{BTreeMap, HashSet};

use super::*;

const OPTIONS: Options = Options {
    products: 400,
    shoppers: 4000,
    noise: 0.1,
    seed: 7,
};

fn shop() -> Simulation {
    simulate(&OPTIONS).unwrap()
}

fn files(options: &Options) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    write(&simulate(options).unwrap(), &dir.path().join("new/folder")).unwrap();
    std::fs::read_dir(dir.path().join("new/folder"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| {
            (
                e.file_name().into_string().unwrap(),
                std::fs::read(e.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_same_seed_writes_the_same_bytes_and_another_seed_does_not() {
    let small = Options {
        products: 160,
        shoppers: 200,
        ..OPTIONS
    };
    let (first, again) = (files(&small), files(&small));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["interactions.csv", "items.csv", "items.json", "labels.csv"]
    );
    assert!(first == again);
    let other = files(&Options { seed: 8, ..small });
    assert!(other["interactions.csv"] != first["interactions.csv"]);
}

#[test]
fn the_whole_demo_stays_within_a_few_megabytes() {
    let bytes: usize = files(&OPTIONS).values().map(Vec::len).sum();
    assert!((1_000_000..9_000_000).contains(&bytes), "{bytes} bytes");
}

#[test]
fn titles_and_ids_are_unique_even_when_every_word_is_used() {
    let most = Options {
        products: 144 * 16,
        shoppers: 1,
        ..OPTIONS
    };
    for options in [OPTIONS, most] {
        let shop = simulate(&options).unwrap().shop;
        let titles: HashSet<_> = shop.products.iter().map(|p| &p.title).collect();
        let ids: HashSet<_> = shop.products.iter().map(|p| &p.item_id).collect();
        assert_eq!(
            (titles.len(), ids.len()),
            (options.products, options.products)
        );
    }
}

#[test]
fn the_stock_spans_twelve_departments_of_three_themes() {
    let shop = shop().shop;
    let mut themes: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for product in &shop.products {
        themes
            .entry(&product.category)
            .or_default()
            .insert(&product.theme);
    }
    assert_eq!(themes.len(), 12);
    assert!(
        themes.values().all(|themes| themes.len() == 3),
        "{themes:?}"
    );
    assert!(shop.themes.iter().flatten().all(|shelf| !shelf.is_empty()));
}

#[test]
fn every_product_is_clicked() {
    let simulation = shop();
    let clicked: HashSet<_> = simulation
        .clicks
        .iter()
        .map(|click| click.product)
        .collect();
    assert_eq!(clicked.len(), simulation.shop.products.len());
}

#[test]
fn the_share_of_noise_is_near_the_rate_asked_for() {
    for rate in [0.0, 0.1, 0.3] {
        let clicks = simulate(&Options {
            noise: rate,
            ..OPTIONS
        })
        .unwrap()
        .clicks;
        let share =
            clicks.iter().filter(|c| c.noise.is_some()).count() as f64 / clicks.len() as f64;
        // A shopper's first click is always meant, which takes a little off.
        assert!(
            (rate * 0.85..=rate * 1.02).contains(&share),
            "asked {rate}, got {share}"
        );
    }
}

#[test]
fn noise_lies_outside_the_themes_its_shopper_follows() {
    let simulation = shop();
    let mut own: BTreeMap<usize, HashSet<usize>> = BTreeMap::new();
    let theme = |click: &Click| simulation.shop.theme_of[click.product];
    for click in simulation
        .clicks
        .iter()
        .filter(|click| click.noise.is_none())
    {
        own.entry(click.shopper).or_default().insert(theme(click));
    }
    assert!(own.values().all(|themes| (1..=3).contains(&themes.len())));
    let strays = simulation
        .clicks
        .iter()
        .filter(|click| click.noise.is_some());
    assert!(
        strays
            .into_iter()
            .all(|click| !own[&click.shopper].contains(&theme(click)))
    );
}

#[test]
fn the_next_click_is_the_next_step_far_more_often_than_by_chance() {
    let simulation = shop();
    let meant: Vec<_> = simulation
        .clicks
        .iter()
        .filter(|c| c.noise.is_none())
        .collect();
    let product = |click: &Click| &simulation.shop.products[click.product];
    let same_theme: Vec<_> = meant
        .windows(2)
        .filter(|pair| pair[0].shopper == pair[1].shopper)
        .map(|pair| (product(pair[0]), product(pair[1])))
        .filter(|(from, to)| from.theme == to.theme)
        .collect();
    let on = same_theme
        .iter()
        .filter(|(from, to)| to.step == (from.step + 1) % 4)
        .count();
    let share = on as f64 / same_theme.len() as f64;
    assert!(
        (0.6..0.8).contains(&share),
        "{share} of {}",
        same_theme.len()
    );
}

#[test]
fn clicks_are_in_order_of_time_for_every_shopper() {
    let clicks = shop().clicks;
    let mut pairs = clicks
        .windows(2)
        .filter(|pair| pair[0].shopper == pair[1].shopper);
    assert!(pairs.all(|pair| pair[0].timestamp < pair[1].timestamp));
}

#[test]
fn the_smallest_shop_still_has_something_outside_every_interest() {
    let small = Options {
        products: 16,
        shoppers: 500,
        noise: 0.5,
        seed: 1,
    };
    let clicks = simulate(&small).unwrap().clicks;
    assert!(clicks.iter().any(|click| click.noise == Some(Noise::Gift)));
    assert!(
        clicks
            .iter()
            .any(|click| click.noise == Some(Noise::MisTap))
    );
}

#[test]
fn refuses_what_it_cannot_invent() {
    let said = |options: Options| simulate(&options).unwrap_err().to_string();
    assert!(
        said(Options {
            products: 15,
            ..OPTIONS
        })
        .contains("between 16 and 2304")
    );
    assert!(
        said(Options {
            products: 2305,
            ..OPTIONS
        })
        .contains("--products 2305")
    );
    assert!(
        said(Options {
            shoppers: 0,
            ..OPTIONS
        })
        .contains("--shoppers")
    );
    assert!(
        said(Options {
            noise: 0.7,
            ..OPTIONS
        })
        .contains("--noise 0.7")
    );
    assert!(
        said(Options {
            noise: f64::NAN,
            ..OPTIONS
        })
        .contains("--noise")
    );
}

#[test]
fn says_which_file_it_could_not_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    std::fs::write(&path, "a file where the folder should be").unwrap();
    let error = write(
        &simulate(&Options {
            products: 16,
            shoppers: 1,
            ..OPTIONS
        })
        .unwrap(),
        &path,
    );
    assert!(error.unwrap_err().to_string().contains("taken"));
}
