//! The wasm engine in a real browser: its answers are the native engine's, and what is odd or broken
//! gets a sensible answer or an error with a code.
//!
//! Run by `wasm-pack test` once for each engine. The GPU build is run twice, in a browser that has a
//! WebGPU adapter and in one that has none: there opening a bundle must fail cleanly.
#![cfg(target_arch = "wasm32")]

use std::rc::Rc;

use ingle::Engine;
use js_sys::{Array, Float32Array, Function, Map, Promise, Reflect, Uint8Array};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const MANIFEST: &[u8] = include_bytes!("data/golden/manifest.json");
const FILES: &[(&str, &[u8])] = include!("data/golden/files.rs");
const EXPECTED: &str = include_str!("data/golden/expected.json");
const ITEMS: usize = 300;

#[derive(Deserialize)]
struct Golden {
    bound: f32,
    adapter: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    history: Vec<String>,
    recommend: Vec<Recommendation>,
    explain: Vec<Click>,
    learnt: Vec<f32>,
    adapted: Vec<f32>,
}

#[derive(Debug, Deserialize)]
struct Recommendation {
    item: String,
    score: f32,
    probability: f32,
    because: Option<Because>,
}

#[derive(Debug, Deserialize)]
struct Because {
    item: String,
    share: f32,
}

#[derive(Debug, Deserialize)]
struct Similar {
    item: String,
    score: f32,
}

#[derive(Debug, Deserialize)]
struct Click {
    item: String,
    known: bool,
    noise: f32,
    keep: f32,
    prior: Option<f32>,
    posterior: Option<f32>,
}

#[wasm_bindgen_test]
async fn gives_the_native_engines_answers() {
    let Some(engine) = engine().await else { return };
    let golden: Golden = serde_json::from_str(EXPECTED).expect("is JSON");
    for case in golden.cases {
        let got: Vec<Recommendation> = recommend(&engine, &case.history, json!({ "k": 10 })).await;
        let items = |list: &[Recommendation]| -> Vec<String> {
            list.iter().map(|one| one.item.clone()).collect()
        };
        assert_eq!(items(&got), items(&case.recommend), "{:?}", case.history);
        for (got, want) in got.iter().zip(&case.recommend) {
            assert!(
                (got.score - want.score).abs() <= golden.bound,
                "{got:?}, native {want:?}"
            );
            assert!((got.probability - want.probability).abs() <= golden.bound);
            let reasons = [&got.because, &want.because];
            let [got, want] = reasons.map(|because| because.as_ref().map_or(0.0, |b| b.share));
            assert!((got - want).abs() <= golden.bound, "{reasons:?}");
        }
        let got: Vec<Click> = decode(&engine.explain(case.history).await.expect("answers"));
        assert_eq!(got.len(), case.explain.len());
        for (got, want) in got.iter().zip(&case.explain) {
            assert_eq!((&got.item, got.known), (&want.item, want.known));
            let apart = (got.noise - want.noise)
                .abs()
                .max((got.keep - want.keep).abs());
            assert!(apart <= golden.bound, "{got:?}, native {want:?}");
            for (got, want) in [(got.prior, want.prior), (got.posterior, want.posterior)] {
                let both = got.zip(want).map(|(got, want)| (got - want).abs());
                assert_eq!(got.is_some(), want.is_some());
                assert!(
                    both.is_none_or(|apart| apart <= golden.bound),
                    "{got:?}, native {want:?}"
                );
            }
        }
    }
}

#[wasm_bindgen_test]
async fn learns_what_the_native_engine_learns_and_recommends_with_it() {
    let golden: Golden = serde_json::from_str(EXPECTED).expect("is JSON");
    let mut manifest: Value = serde_json::from_slice(MANIFEST).expect("is JSON");
    manifest["adapter"] = golden.adapter;
    let Some(engine) = open(manifest.to_string().as_bytes()).await else {
        return;
    };
    let rest = || Function::new_no_args("globalThis.rests = (globalThis.rests ?? 0) + 1");
    for case in golden.cases {
        let learnt = engine.adapt(case.history.clone(), None, rest()).await;
        let learnt = learnt.expect("learns");
        let size = case.learnt.iter().fold(1.0f32, |size, x| size.max(x.abs()));
        assert_near(&learnt, &case.learnt, golden.bound * size);
        let options = encode(&json!({ "k": 10 }));
        if !learnt.is_empty() {
            let vector = Float32Array::from(&case.learnt[..]).into();
            Reflect::set(&options, &"adapter".into(), &vector).expect("is an object");
        }
        let found = engine.recommend(case.history, options).await;
        let found: Vec<Recommendation> = decode(&found.expect("answers"));
        let scores: Vec<f32> = found.iter().map(|one| one.score).collect();
        assert_near(&scores, &case.adapted, golden.bound);
    }
    let rests = Reflect::get(&js_sys::global(), &"rests".into()).expect("is an object");
    assert!(rests.as_f64() > Some(0.0), "waits between pieces of work");
    // Too few clicks teach nothing, and what cannot be a vector of this model is dropped.
    for previous in [vec![1.0; 5], vec![f32::NAN; 33]] {
        let learnt = engine
            .adapt(vec!["sku-9".into()], Some(previous), rest())
            .await;
        assert!(learnt.expect("learns").is_empty());
    }
}

#[wasm_bindgen_test]
async fn odd_requests_get_sensible_answers() {
    let Some(engine) = engine().await else { return };
    let history = vec!["sku-9".to_owned(), "émoji 🧦".to_owned()];
    let all = recommend(&engine, &history, json!({ "k": 100_000 })).await;
    assert_eq!(all.len(), ITEMS - history.len());
    assert!(all.iter().all(|one| !history.contains(&one.item)));
    assert!(all.windows(2).all(|pair| pair[0].score >= pair[1].score));

    let seen = recommend(
        &engine,
        &history,
        json!({ "k": 100_000, "includeSeen": true }),
    )
    .await;
    assert_eq!(seen.len(), ITEMS);

    let excluded: Vec<String> = all.iter().map(|one| one.item.clone()).collect();
    let left = recommend(&engine, &history, json!({ "exclude": excluded })).await;
    assert!(left.is_empty(), "{left:?}");
    assert!(
        recommend(&engine, &history, json!({ "k": 0 }))
            .await
            .is_empty()
    );

    let cold = recommend(&engine, &[], json!({})).await;
    let strangers = recommend(&engine, &["gone".to_owned()], json!({})).await;
    assert_eq!(cold.len(), 10);
    assert_eq!(cold[0].item, strangers[0].item);
}

#[wasm_bindgen_test]
async fn filters_boosts_and_weights_come_as_typed_arrays() {
    let Some(engine) = engine().await else { return };
    let items = engine.items();
    assert_eq!(items.len(), ITEMS);
    let history = vec![items[9].clone(), items[70].clone()];
    let ask = async |entries: &[(&str, JsValue)]| -> Result<Vec<Recommendation>, String> {
        let options = encode(&json!({ "k": 5 }));
        for (name, value) in entries {
            Reflect::set(&options, &(*name).into(), value).expect("is an object");
        }
        let answer = engine.recommend(history.clone(), options).await;
        answer
            .map(|found| decode(&found))
            .map_err(|error| code(&error))
    };
    let all = ask(&[]).await.expect("answers");
    assert!(
        all.iter()
            .all(|one| one.probability > 0.0 && one.probability < 1.0)
    );
    assert!(all.iter().flat_map(|one| &one.because).all(|because| {
        history.contains(&because.item) && because.share > 0.0 && because.share <= 1.0
    }));

    let allow: Vec<u8> = (0..ITEMS).map(|row| u8::from(row % 100 == 50)).collect();
    let boost: Vec<f32> = (0..ITEMS).map(|row| row as f32).collect();
    let filters = [
        ("allow", Uint8Array::from(&allow[..]).into()),
        ("boost", Float32Array::from(&boost[..]).into()),
        ("weights", Float32Array::from(&[0.0f32, 1.0][..]).into()),
    ];
    let found = ask(&filters).await.expect("answers");
    let places: Vec<_> = found.iter().map(|one| one.item.as_str()).collect();
    assert_eq!(places, [&items[250], &items[150], &items[50]]);
    let reasons = found.iter().flat_map(|one| &one.because);
    assert!(reasons.into_iter().all(|because| because.item == items[70]));

    let wrong = [
        ("allow", Uint8Array::new_with_length(3).into()),
        ("allow", Float32Array::new_with_length(ITEMS as u32).into()),
        ("boost", Float32Array::from(&[f32::NAN; ITEMS][..]).into()),
        ("weights", Float32Array::from(&[1.0][..]).into()),
        ("weights", Float32Array::from(&[1.0, 2.0][..]).into()),
        ("weights", "all".into()),
    ];
    for (name, value) in wrong {
        let refused = ask(&[(name, value)]).await.expect_err(name);
        assert_eq!(refused, "input/options", "{name}");
    }
}

#[wasm_bindgen_test]
async fn similar_items_are_near_and_new() {
    let Some(engine) = engine().await else { return };
    let given = vec!["sku-9".to_owned(), "gone".to_owned(), "sku-40".to_owned()];
    let found = engine
        .similar(given.clone(), encode(&json!({ "k": ITEMS })))
        .await;
    let found: Vec<Similar> = decode(&found.expect("answers"));
    assert_eq!(found.len(), ITEMS - 2);
    assert!(
        found
            .iter()
            .all(|one| !given.contains(&one.item) && one.score.abs() <= 1.0)
    );
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    let none = engine
        .similar(vec!["gone".into()], JsValue::UNDEFINED)
        .await;
    assert!(decode::<Vec<Similar>>(&none.expect("answers")).is_empty());
}

#[wasm_bindgen_test]
async fn says_what_it_is() {
    let Some(engine) = engine().await else { return };
    let info: Value = decode(&engine.info().expect("answers"));
    assert_eq!(
        (&info["name"], &info["method"]),
        (&json!("golden"), &json!("dc4sr"))
    );
    assert_eq!(
        (&info["items"], &info["maxLen"]),
        (&json!(ITEMS), &json!(20))
    );
    assert_eq!(
        ingle::engine_kind(),
        if cfg!(feature = "burn-gpu") {
            "burn-gpu"
        } else if cfg!(feature = "burn-cpu") {
            "burn-cpu"
        } else if cfg!(feature = "gpu") {
            "gpu"
        } else {
            "cpu"
        }
    );
}

#[wasm_bindgen_test]
async fn calls_at_the_same_time_do_not_mix() {
    let Some(engine) = engine().await else { return };
    let golden: Golden = serde_json::from_str(EXPECTED).expect("is JSON");
    let [a, b] = [&golden.cases[5], &golden.cases[17]];
    let engine = Rc::new(engine);
    let ask = |case: &Case| {
        let (engine, history) = (Rc::clone(&engine), case.history.clone());
        async move { engine.recommend(history, JsValue::UNDEFINED).await }
    };
    let both: Vec<JsValue> = Box::pin(join(ask(a), ask(b))).await;
    for (got, want) in both.into_iter().zip([a, b]) {
        let got: Vec<Recommendation> = decode(&got);
        assert_eq!(got[0].item, want.recommend[0].item);
        assert!((got[0].score - want.recommend[0].score).abs() <= golden.bound);
    }
}

#[wasm_bindgen_test]
async fn options_of_the_wrong_type_are_refused_with_a_code() {
    let Some(engine) = engine().await else { return };
    let wrong = encode(&json!({ "k": "many" }));
    let error = engine
        .recommend(Vec::new(), wrong)
        .await
        .expect_err("refuses");
    assert_eq!(code(&error), "input/options");
}

#[wasm_bindgen_test]
async fn broken_bundles_are_refused_with_a_code() {
    let no_files = Map::new();
    assert_eq!(
        refusal(b"not a manifest", &no_files).await,
        "bundle/manifest"
    );
    assert_eq!(refusal(MANIFEST, &no_files).await, "bundle/missing");

    let newer = String::from_utf8_lossy(MANIFEST).replacen("\"format\": 1", "\"format\": 99", 1);
    assert_eq!(refusal(newer.as_bytes(), &files()).await, "bundle/format");

    let path = String::from_utf8_lossy(MANIFEST).replacen("model-", "../model-", 1);
    assert_eq!(refusal(path.as_bytes(), &files()).await, "bundle/name");

    let changed = files();
    let (name, bytes) = FILES
        .iter()
        .find(|(name, _)| name.starts_with("model"))
        .expect("a model");
    let mut bytes = bytes.to_vec();
    *bytes.last_mut().expect("not empty") ^= 1;
    changed.set(&(*name).into(), &Uint8Array::from(&bytes[..]));
    assert_eq!(refusal(MANIFEST, &changed).await, "bundle/hash");

    bytes.pop();
    changed.set(&(*name).into(), &Uint8Array::from(&bytes[..]));
    assert_eq!(refusal(MANIFEST, &changed).await, "bundle/size");
}

/// The golden bundle on this build's device; none, after checking that the refusal is clean, where the
/// build is for a GPU and the browser has none.
async fn engine() -> Option<Engine> {
    open(MANIFEST).await
}

/// The same with another manifest.
async fn open(manifest: &[u8]) -> Option<Engine> {
    let opened = Engine::load(Uint8Array::from(manifest), files(), Map::new(), false).await;
    if cfg!(any(feature = "gpu", feature = "burn-gpu")) && !has_adapter().await {
        let error = opened.expect_err("there is no GPU to open");
        assert_eq!(code(&error), "device/unavailable");
        return None;
    }
    Some(opened.expect("opens"))
}

async fn has_adapter() -> bool {
    let ask = Function::new_no_args("return navigator.gpu ? navigator.gpu.requestAdapter() : null");
    let adapter = Promise::resolve(&ask.call0(&JsValue::NULL).expect("runs"));
    !JsFuture::from(adapter).await.expect("resolves").is_null()
}

fn files() -> Map {
    let map = Map::new();
    for (name, bytes) in FILES {
        map.set(&(*name).into(), &Uint8Array::from(*bytes));
    }
    map
}

async fn refusal(manifest: &[u8], files: &Map) -> String {
    let opened = Engine::load(Uint8Array::from(manifest), files.clone(), Map::new(), false).await;
    code(&opened.expect_err("refuses"))
}

async fn recommend(engine: &Engine, history: &[String], options: Value) -> Vec<Recommendation> {
    let answer = engine.recommend(history.to_vec(), encode(&options)).await;
    decode(&answer.expect("answers"))
}

async fn join(
    a: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    b: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Vec<JsValue> {
    let promises = Array::new();
    promises.push(&wasm_bindgen_futures::future_to_promise(a));
    promises.push(&wasm_bindgen_futures::future_to_promise(b));
    let both = JsFuture::from(Promise::all(&promises))
        .await
        .expect("answers");
    Array::from(&both).to_vec()
}

fn assert_near(got: &[f32], want: &[f32], bound: f32) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= bound, "{got}, native {want}");
    }
}

fn code(error: &JsValue) -> String {
    let code = Reflect::get(error, &"code".into()).expect("is an object");
    code.as_string()
        .unwrap_or_else(|| panic!("{error:?} has no code"))
}

fn encode(value: &Value) -> JsValue {
    js_sys::JSON::parse(&value.to_string()).expect("is JSON")
}

fn decode<T: DeserializeOwned>(value: &JsValue) -> T {
    let text = js_sys::JSON::stringify(value).expect("is a value");
    serde_json::from_str(&String::from(text)).expect("has the shape")
}
