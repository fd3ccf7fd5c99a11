use super::markdown::markdown;
use super::*;
use crate::data::corrupt::Kind;
use crate::metrics::detection::detection;
use crate::metrics::paired::Difference;
use crate::report::measured::{BundleFiles, Drops, OfKind, OfNoise, OfSplit, SplitKey};
use crate::report::robustness::{RATES, Robustness};
use crate::training::Config;

/// A run of a method with a seed and a figure that all others follow.
pub(in crate::report) fn entry(method: &str, seed: u64, figure: f64, sets: &[&str]) -> Entry {
    let mut all = vec![format!("seed={seed}")];
    all.extend(sets.iter().map(|set| (*set).to_owned()));
    let config = Config::resolve(None, &all, Some(method)).expect("settings");
    let masked = [
        ("hr@10", 2.0),
        ("ndcg@10", 1.0),
        ("hr@20", 3.0),
        ("ndcg@20", 1.5),
    ];
    let masked = masked.map(|(name, times)| (name.to_owned(), times * figure));
    let split = OfSplit {
        users: 100,
        masked: masked.clone().into(),
        unmasked: masked.into(),
        robustness: RATES.map(|rate| robust(rate, figure)).to_vec(),
        gains: vec![OfNoise {
            name: "20 % inserted".to_owned(),
            all: figure,
            ..OfNoise::default()
        }],
        noise: if config.method.denoises() {
            vec![of_kind(figure)]
        } else {
            Vec::new()
        },
    };
    Entry {
        run: format!("runs/{method}-{seed}"),
        measured: Measured {
            key: String::new(),
            ingle: "0.0.0".to_owned(),
            dataset: "shop | <b>one</b>".to_owned(),
            data_hash: "0123456789abcdef".to_owned(),
            items: 1000,
            config,
            seconds: 100.0,
            peak_memory: Some(170_000_000),
            bundle: BundleFiles {
                bytes: 2_000_000,
                files: vec!["items-0.bin".to_owned()],
            },
            splits: [(SplitKey::Test, split)].into(),
        },
        browser: None,
    }
}

fn robust(rate: f64, figure: f64) -> Robustness {
    Robustness {
        rate,
        model: figure * (1.0 - rate),
        all: figure * (1.0 - 1.5 * rate),
        random: figure * (1.0 - 1.4 * rate),
        oracle: figure,
        gain: Difference::default(),
    }
}

fn of_kind(figure: f64) -> OfKind {
    OfKind {
        kind: Some(Kind::Uniform),
        detection: detection(&[0.2, 0.9, 0.3 + figure as f32], &[false, true, false])
            .expect("both"),
        drops: Drops {
            half: [Some(figure); 5],
            ..Drops::default()
        },
    }
}

/// Two methods of two seeds.
pub(in crate::report) fn two() -> Vec<Entry> {
    vec![
        entry("none", 1, 0.060, &[]),
        entry("dc4sr", 2, 0.072, &[]),
        entry("none", 2, 0.062, &[]),
        entry("dc4sr", 1, 0.070, &[]),
    ]
}

/// The row of a method in the first table whose title begins so.
fn row(markdown: &str, title: &str, method: &str) -> String {
    let (_, table) = markdown
        .split_once(&format!("### {title}"))
        .expect("a table");
    let row = table
        .lines()
        .find(|line| line.starts_with(&format!("| {method}")));
    row.expect("a row").to_owned()
}

#[test]
fn seeds_become_mean_and_deviation_and_the_clear_best_is_bold() {
    let methods = methods(two()).expect("alike");
    assert_eq!(methods.sets.len(), 1);
    let seeds = |method: &Method| -> Vec<u64> {
        let runs = method.runs.iter();
        runs.map(|run| run.measured.config.seed).collect()
    };
    let shown: Vec<_> = (methods.sets[0].methods.iter())
        .map(|method| (&*method.name, seeds(method)))
        .collect();
    assert_eq!(shown, [("none", vec![1, 2]), ("dc4sr", vec![1, 2])]);
    let text = markdown(&methods, 2);
    let plain = row(&text, "Ranking", "none, 2 seeds");
    assert!(
        plain.starts_with("| none, 2 seeds | .1220 ± .0028 | .0610 ± .0014 |"),
        "{plain}"
    );
    let dc4sr = row(&text, "Ranking", "dc4sr");
    assert!(dc4sr.contains("| **.0710 ± .0014** |"), "{dc4sr}");
}

#[test]
fn what_a_method_does_not_do_and_what_was_not_measured_is_told_apart() {
    let text = markdown(&methods(two()).expect("alike"), 2);
    assert!(row(&text, "Finding noise", "none").contains("| – | – |"));
    let cost = row(&text, "Time, memory", "dc4sr");
    assert!(cost.ends_with("| not measured |"), "{cost}");
    let mut entries = two();
    for entry in &mut entries {
        entry.browser = Some(Browser {
            ms: 1.5,
            history: 50,
            files: entry.measured.bundle.files.clone(),
        });
    }
    entries[0].browser.as_mut().expect("just set").files = vec!["of another bundle".to_owned()];
    let text = markdown(&methods(entries).expect("alike"), 2);
    assert!(row(&text, "Time, memory", "dc4sr").ends_with("| 1.50 ms ± 0.00 ms |"));
    assert!(row(&text, "Time, memory", "none").ends_with("| not measured |"));
}

#[test]
fn runs_of_other_data_or_another_backbone_are_not_compared() {
    let mut entries = two();
    entries.push(entry("none", 1, 0.1, &["backbone.width=64"]));
    let mut other = entry("none", 1, 0.2, &[]);
    other.measured.data_hash = "fedcba".to_owned();
    entries.push(other);
    let methods = methods(entries).expect("no run is there twice");
    let sizes: Vec<usize> = methods.sets.iter().map(|set| set.methods.len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
    assert!(
        methods.sets[1].backbone.contains("width 64"),
        "{}",
        methods.sets[1].backbone
    );
}

#[test]
fn rows_of_one_method_say_in_what_they_differ() {
    let mut entries = two();
    entries.push(entry("dc4sr", 1, 0.07, &["denoising.dynamics=0.2"]));
    let methods = methods(entries).expect("alike");
    let names: Vec<&str> = methods.sets[0]
        .methods
        .iter()
        .map(|method| &*method.name)
        .collect();
    assert_eq!(names[0], "none");
    assert!(names[1].contains("(denoising.dynamics=0)"), "{names:?}");
    assert_eq!(names[2], "dc4sr (denoising.dynamics=0.2)");
}

#[test]
fn the_same_seed_twice_is_refused() {
    let mut entries = two();
    entries.push(entry("dc4sr", 2, 0.1, &[]));
    let error = methods(entries).expect_err("twice").to_string();
    assert!(
        error.contains("runs/dc4sr-2") && error.contains("same seed"),
        "{error}"
    );
}

#[test]
fn names_from_data_stay_text_in_markdown() {
    let text = markdown(&methods(two()).expect("alike"), 2);
    assert!(text.starts_with("## shop \\| \\<b\\>one"), "{text}");
    assert!(text.contains("width 128"), "{text}");
}
