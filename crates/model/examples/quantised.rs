//! What the bytes of an item table cost in quality: `quantised EXACT SMALL [USERS] < HISTORIES`.
//!
//! `EXACT` and `SMALL` are bundles of one model with tables of different types (`ingle export --table`), and
//! `HISTORIES` has one `{"history": [...]}` a line, as `ingle recommend` prints and takes. The last
//! click of each is hidden and ranked by both among what the rest has not seen.

use ingle_bundle::dir;
use ingle_model::{RecommendOptions, SliceEngine};
use pollster::block_on;
use serde::Deserialize;
use std::path::Path;

const K: usize = 10;

#[derive(Deserialize)]
struct Asked {
    history: Vec<String>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [exact, small, users @ ..] = &args[..] else {
        panic!("quantised EXACT SMALL [USERS] < HISTORIES");
    };
    let [exact, small] = [exact, small].map(|folder| {
        let bundle = dir::read_dir(Path::new(folder)).expect("a bundle");
        SliceEngine::new(bundle).expect("a model")
    });
    let users = users
        .first()
        .map_or(usize::MAX, |n| n.parse().expect("a number of users"));
    let histories = std::io::read_to_string(std::io::stdin()).expect("histories");
    let (mut count, mut shared, mut gains) = (0usize, 0usize, [0.0f64; 2]);
    for line in histories.lines().take(users) {
        let Asked { history } = serde_json::from_str(line).expect("a history");
        let Some((hidden, seen)) = history.split_last().filter(|(_, seen)| !seen.is_empty()) else {
            continue;
        };
        let [a, b] = [&exact, &small].map(|engine| top(engine, seen));
        count += 1;
        shared += a.iter().filter(|item| b.contains(item)).count();
        for (gain, top) in gains.iter_mut().zip([&a, &b]) {
            let place = top.iter().position(|item| item == hidden);
            *gain += place.map_or(0.0, |place| 1.0 / (place as f64 + 2.0).log2());
        }
    }
    let [exact, small] = gains.map(|gain| gain / count as f64);
    println!("{count} users, top {K} of all items not seen");
    println!(
        "NDCG@{K} exact {exact:.5}, small {small:.5}: {:+.2} %",
        (small / exact - 1.0) * 100.0
    );
    println!(
        "overlap {:.2} %",
        shared as f64 / (count * K) as f64 * 100.0
    );
}

fn top(engine: &SliceEngine, history: &[String]) -> Vec<String> {
    let options = RecommendOptions {
        k: K,
        ..RecommendOptions::default()
    };
    let found = block_on(engine.recommend(history, &options)).expect("answers");
    found.into_iter().map(|one| one.item).collect()
}
