//! The golden bundle in `tests/data/golden`, and the answers that every engine must give for it.
//!
//! The bundle is committed, so that the browser's engines are compared with numbers that this build did
//! not make. `INGLE_BLESS=1 cargo test --test browser_golden` writes it anew, after a change that is meant
//! to change answers; without that, this holds both native engines to it, that on tensors and that on slices.
#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use ingle_bundle::{
    Adapter, Bundle, Calibration, Gain, ItemTable, Learning, Manifest, MethodSpec, Scale,
    ViewScales, dir,
};
use ingle_model::engine::shipped_weights;
use ingle_model::gate::GateConfig;
use ingle_model::methods::{MethodConfig, Views};
use ingle_model::{
    BackboneConfig, Click, Engine, Model, ModelConfig, RecommendOptions, Recommendation, Rng,
    SliceEngine,
};
use serde::{Deserialize, Serialize};

const ITEMS: usize = 300;
const WIDTH: usize = 32;
const BLOCK_ROWS: usize = 128;
/// How far an engine may be from the native scores.
const BOUND: f32 = 1e-4;
const K: usize = 10;

#[derive(Serialize, Deserialize)]
struct Golden {
    bound: f32,
    /// For the bundle's manifest, which has none: what is learnt with it is `learnt`.
    adapter: Adapter,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    history: Vec<String>,
    recommend: Vec<Recommendation>,
    explain: Vec<Click>,
    /// The adapter that the history teaches; empty if it has too few clicks.
    learnt: Vec<f32>,
    /// Scores of the best items with it.
    adapted: Vec<f32>,
}

#[test]
fn the_native_engines_give_the_golden_answers() {
    if std::env::var_os("INGLE_BLESS").is_some() {
        bless();
    }
    let golden = std::fs::read(folder().join("expected.json")).expect("reads");
    let golden: Golden = serde_json::from_slice(&golden).expect("is JSON");
    assert!(golden.cases.len() >= 20);
    assert!(golden.cases.iter().any(|case| !case.learnt.is_empty()));
    let read = || dir::read_dir(&folder()).expect("opens");
    let tensors = [read(), teaching(read(), &golden.adapter)]
        .map(|bundle| Engine::new(bundle, &Device::flex()).expect("fits"));
    hold(&golden, |want| {
        answers(&tensors, want.history.clone(), Some(&want.learnt))
    });
    let [plain, teaching] = [read(), teaching(read(), &golden.adapter)]
        .map(|bundle| SliceEngine::new(bundle).expect("fits"));
    let recommend = |engine: &SliceEngine, history: &[String], options| {
        pollster::block_on(engine.recommend(history, &options)).expect("answers")
    };
    hold(&golden, |want| Case {
        history: want.history.clone(),
        recommend: recommend(&plain, &want.history, options()),
        explain: plain.explain(&want.history),
        learnt: pollster::block_on(teaching.adapt(&want.history, None, &async || Ok(())))
            .expect("learns"),
        adapted: scores(&recommend(&teaching, &want.history, with(&want.learnt))),
    });
}

/// The bundle with something to learn.
fn teaching(mut bundle: Bundle, adapter: &Adapter) -> Bundle {
    bundle.manifest.adapter = Some(adapter.clone());
    bundle
}

/// Holds an engine to the golden answers.
fn hold(golden: &Golden, answers: impl Fn(&Case) -> Case) {
    for want in &golden.cases {
        let got = answers(want);
        let items = |list: &[Recommendation]| -> Vec<String> {
            list.iter().map(|one| one.item.clone()).collect()
        };
        assert_eq!(
            items(&got.recommend),
            items(&want.recommend),
            "{:?}",
            want.history
        );
        for (got, want) in got.recommend.iter().zip(&want.recommend) {
            assert!(
                (got.score - want.score).abs() <= golden.bound,
                "{got:?} {want:?}"
            );
            assert!((got.probability - want.probability).abs() <= golden.bound);
            let reasons = [&got.because, &want.because];
            let [got, want] = reasons.map(|because| because.as_ref().map_or(0.0, |b| b.share));
            assert!((got - want).abs() <= golden.bound, "{reasons:?}");
        }
        for (got, want) in got.explain.iter().zip(&want.explain) {
            assert_eq!((&got.item, got.known), (&want.item, want.known));
            let apart = (got.noise - want.noise)
                .abs()
                .max((got.keep - want.keep).abs());
            assert!(apart <= golden.bound, "{got:?} {want:?}");
            assert_eq!(got.views.is_some(), want.views.is_some());
            for (got, want) in got.views.iter().zip(&want.views) {
                let apart = (got.prior - want.prior)
                    .abs()
                    .max((got.posterior - want.posterior).abs());
                assert!(apart <= golden.bound, "{got:?} {want:?}");
            }
        }
        let size = want.learnt.iter().fold(1.0f32, |size, x| size.max(x.abs()));
        for (got, want, size) in [
            (&got.learnt, &want.learnt, size),
            (&got.adapted, &want.adapted, 1.0),
        ] {
            assert_eq!(got.len(), want.len());
            for (got, want) in got.iter().zip(want) {
                assert!((got - want).abs() <= golden.bound * size, "{got} {want}");
            }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn options() -> RecommendOptions {
    RecommendOptions {
        k: K,
        ..RecommendOptions::default()
    }
}

/// The same with a vector that was learnt.
fn with(learnt: &[f32]) -> RecommendOptions {
    RecommendOptions {
        adapter: (!learnt.is_empty()).then(|| learnt.to_vec()),
        ..options()
    }
}

fn scores(list: &[Recommendation]) -> Vec<f32> {
    list.iter().map(|one| one.score).collect()
}

/// The answers of an engine on tensors, and of the same that has something to learn; `adapted` with that vector, or else
/// with what is learnt.
fn answers([plain, teaching]: &[Engine; 2], history: Vec<String>, vector: Option<&[f32]>) -> Case {
    let recommend = |engine: &Engine, options| {
        pollster::block_on(engine.recommend(&history, &options)).expect("answers")
    };
    let learnt = pollster::block_on(teaching.adapt(&history, None, &async || Ok(())));
    let learnt = learnt.expect("learns");
    Case {
        recommend: recommend(plain, options()),
        explain: pollster::block_on(plain.explain(&history)).expect("answers"),
        adapted: scores(&recommend(teaching, with(vector.unwrap_or(&learnt)))),
        learnt,
        history,
    }
}

fn adapter() -> Adapter {
    Adapter {
        popularity: 0.3,
        learning: Some(Learning {
            bias_rate: 2.0,
            weight_rate: 0.1,
            steps: 6,
            half_life: 10.0,
            window: 40,
            clicks: 3,
        }),
        gain: Gain {
            value: 0.01,
            error: 0.001,
        },
    }
}

/// Writes the bundle and the answers of the native engine.
fn bless() {
    let _ = std::fs::remove_dir_all(folder());
    std::fs::create_dir_all(folder()).expect("creates the folder");
    let mut files = bundle().write(BLOCK_ROWS).expect("writes");
    let mut listing = "// Written by tests/browser_golden.rs.\n&[\n".to_owned();
    for (name, _) in &files {
        writeln!(listing, "    ({name:?}, include_bytes!({name:?})),").expect("text grows");
    }
    listing.push_str("]\n");
    files.push(("files.rs".into(), listing.into_bytes()));
    for (name, bytes) in files {
        std::fs::write(folder().join(name), bytes).expect("writes");
    }
    let read = || dir::read_dir(&folder()).expect("opens");
    let engines = [read(), teaching(read(), &adapter())]
        .map(|bundle| Engine::new(bundle, &Device::flex()).expect("fits"));
    let cases = histories()
        .into_iter()
        .map(|history| answers(&engines, history, None))
        .collect();
    let golden = serde_json::to_string_pretty(&Golden {
        bound: BOUND,
        adapter: adapter(),
        cases,
    })
    .expect("is JSON");
    std::fs::write(folder().join("expected.json"), golden + "\n").expect("writes");
}

/// Histories of every length up to past the model's, with unknown items among them.
fn histories() -> Vec<Vec<String>> {
    let mut rng = Rng::new(20, &[]);
    let ids = ids();
    let mut histories: Vec<Vec<String>> = (0..24)
        .map(|len| (0..len).map(|_| ids[rng.below(ITEMS)].clone()).collect())
        .collect();
    histories.push(vec![
        "an item of last year's".into(),
        ids[7].clone(),
        "💥".into(),
    ]);
    histories.push(vec!["an item of last year's".into()]);
    histories.push(vec![ids[1].clone(); 30]);
    histories
}

/// Ids as shops have them, awkward ones included.
fn ids() -> Vec<String> {
    let awkward = [
        "a,comma",
        "a \"quote\"",
        "a\\backslash",
        "émoji 🧦",
        " space ",
        "<b>bold</b>",
    ];
    let plain = (awkward.len()..ITEMS).map(|item| format!("sku-{item}"));
    awkward
        .iter()
        .map(|&id| id.to_owned())
        .chain(plain)
        .collect()
}

fn bundle() -> Bundle {
    let gate = GateConfig {
        tau_low: 0.3,
        tau_high: 0.7,
        scale: Scale {
            temperature: 0.8,
            shift: 0.1,
        },
        views: Some(Views {
            prior: Scale {
                temperature: 1.5,
                shift: -0.2,
            },
            posterior: Scale::default(),
        }),
    };
    let config = ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            width: WIDTH,
            heads: 2,
            feed_forward: 64,
            max_len: 20,
            ..BackboneConfig::default()
        },
        method: MethodConfig::named("dc4sr").expect("a method"),
        gate,
        keep: None,
    };
    let model = Model::new(&config, 11, &Device::flex());
    let mut rng = Rng::new(11, &[2]);
    // Wider apart than fresh parameters, so that ranks are decided by more than rounding.
    let table: Vec<f32> = (0..ITEMS * WIDTH).map(|_| rng.normal(0.3)).collect();
    let mut method = serde_json::to_value(&config.method).expect("is JSON");
    method.as_object_mut().expect("is an object").remove("name");
    let method = MethodSpec {
        name: config.method.name().into(),
        config: method,
    };
    let backbone = serde_json::to_value(&config.backbone).expect("is JSON");
    let calibration = Calibration {
        temperature: gate.scale.temperature,
        shift: gate.scale.shift,
        tau_low: gate.tau_low,
        tau_high: gate.tau_high,
        keep: None,
        views: gate.views.map(|views| ViewScales {
            prior: views.prior,
            posterior: views.posterior,
        }),
    };
    let code_width = config.method.code_width().unwrap_or(0);
    Bundle {
        manifest: Manifest::new("golden", method, backbone, calibration),
        weights: shipped_weights(&model),
        items: ItemTable::quantize(&table, WIDTH),
        popularity: (0..ITEMS)
            .map(|item| ((item * 37 % ITEMS) as f32).ln_1p())
            .collect(),
        codes: (0..ITEMS * code_width)
            .map(|_| rng.below(255) as i8)
            .collect(),
        ids: ids().iter().collect(),
    }
}
