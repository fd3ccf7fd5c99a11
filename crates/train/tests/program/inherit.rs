//! Runs that begin with the backbone of another one.

use crate::pipeline::SMALL;
use crate::shop::Shop;

const SHORT: &str =
    "--set training.epochs=3 --set denoising.epochs=2 --set denoising.round_epochs=1";

#[test]
fn a_run_that_takes_over_all_it_can_ends_where_one_that_learnt_it_does() {
    let shop = Shop::new();
    shop.ok(&format!("train --data data --out whole {SMALL} {SHORT}"));
    shop.ok(&format!(
        "train --data data --from whole --out again {SMALL} {SHORT}"
    ));
    assert_eq!(shop.losses("whole"), shop.losses("again"));
    assert_eq!(shop.figures("whole"), shop.figures("again"));

    // Only the last phases differ, and only they are trained anew.
    shop.ok(&format!(
        "train --data data --from whole --out other {SMALL} {SHORT} --set denoising.dynamics=0"
    ));
    let (whole, other) = (shop.losses("whole"), shop.losses("other"));
    assert_eq!(whole.len(), other.len());
    let same = whole.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let next = &other[same].0;
    assert!(next.contains("scorer"), "{next} is the first that differs");
}

#[test]
fn a_baseline_lends_its_backbone_and_folds_of_another_number_are_trained() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method sasrec --out plain {SMALL} {SHORT}"
    ));
    let sets = format!("{SMALL} {SHORT} --set denoising.dynamics=0 --set denoising.folds=3");
    shop.ok(&format!(
        "train --data data --from plain --out three {sets}"
    ));
    shop.ok(&format!("train --data data --out anew {sets}"));
    assert_eq!(shop.losses("three"), shop.losses("anew"));
}

#[test]
fn the_encoder_learns_to_read_the_mean_of_all_tables_unless_the_backbone_keeps_its_own() {
    let shop = Shop::new();
    let phases = |run: &str| -> Vec<String> {
        let mut phases: Vec<String> = shop.losses(run).into_iter().map(|line| line.0).collect();
        phases.dedup();
        phases
    };
    for (epochs, run) in [(2, "mean"), (0, "own")] {
        shop.ok(&format!(
            "train --data data --out {run} {SMALL} {SHORT} --set denoising.folds=2 \
             --set denoising.consensus_epochs={epochs}"
        ));
    }
    let [mean, own] = ["mean", "own"].map(phases);
    assert_eq!(mean[3], "\"encoder\"", "{mean:?}");
    let others: Vec<&String> = mean.iter().filter(|name| *name != "\"encoder\"").collect();
    assert_eq!(others, own.iter().collect::<Vec<_>>());
    assert_ne!(shop.losses("mean").last(), shop.losses("own").last());

    // What judges clicks learns after the encoder: it is the same for a run that takes the encoder over.
    shop.ok(&format!(
        "train --data data --from mean --out again {SMALL} {SHORT} --set denoising.folds=2 \
         --set denoising.consensus_epochs=2 --set denoising.dynamics=0"
    ));
    let (mean, again) = (shop.losses("mean"), shop.losses("again"));
    let encoder = |lines: &[(String, f64)]| -> Vec<f64> {
        let own = lines.iter().filter(|line| line.0.contains("encoder"));
        own.map(|line| line.1).collect()
    };
    assert_eq!(encoder(&mean), encoder(&again));
    assert_eq!(encoder(&mean).len(), 2);
}

#[test]
fn a_run_that_was_trained_otherwise_lends_nothing() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method sasrec --out plain {SMALL} {SHORT}"
    ));
    for (set, told) in [
        ("seed=2", "another seed"),
        ("training.epochs=2", "another [training]"),
        ("backbone.width=8", "another [backbone]"),
        ("denoising.dynamics=0.2", "no learning dynamics"),
    ] {
        let message = shop.refused(&format!(
            "train --data data --from plain --out other {SMALL} {SHORT} --set {set}"
        ));
        assert!(message.contains(told), "{set}: {message}");
        assert!(!shop.path("other").exists(), "nothing is begun");
    }
    let message = shop.refused(&format!(
        "train --data data --from data --out other {SMALL}"
    ));
    assert!(message.contains("no run folder"), "{message}");
}

#[test]
fn the_language_model_of_the_first_round_is_taken_over_whatever_the_number_of_rounds() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    let reader = "--set denoising.language_model=lm --set denoising.reader_histories=20 \
                  --set denoising.reader_epochs=1";
    let once = format!("{SMALL} {SHORT} {reader}");
    shop.ok(&format!("train --data data --out one {once}"));
    shop.ok(&format!(
        "train --data data --from one --out two {once} --rounds 2"
    ));
    shop.ok(&format!("train --data data --out anew {once} --rounds 2"));
    assert_eq!(shop.losses("two"), shop.losses("anew"));
    shop.ok(&format!("train --data data --from two --out again {once}"));
    assert_eq!(shop.losses("again"), shop.losses("one"));
    let read = |run: &str| {
        std::fs::read(shop.path(run).join("reader-1/train.safetensors")).expect("scores")
    };
    assert_eq!(read("again"), read("one"));
}

#[test]
fn which_clicks_count_is_chosen_where_the_settings_leave_it_open() {
    let shop = Shop::new();
    shop.ok(&format!("train --data data --out open {SMALL} {SHORT}"));
    shop.ok(&format!(
        "train --data data --from open --out set {SMALL} {SHORT} --set keep=[0.25,0.5]"
    ));
    let about = |run: &str| -> serde_json::Value {
        let text = std::fs::read(shop.path(run).join("run.json")).expect("a run");
        serde_json::from_slice(&text).expect("JSON")
    };
    assert!(about("set")["keep"].is_null());
    let mut open = about("open");
    let choice = open["keep"].take();
    let noise = serde_json::json!(["clean", { "replaced": 0.1 }, { "replaced": 0.2 }, { "inserted": 0.1 }, { "inserted": 0.2 }, "session"]);
    assert_eq!(choice["noise"], noise);
    assert_eq!(choice["tried"][0]["keep"], serde_json::json!([1.0]));
    let taken = choice["taken"].as_u64().expect("a place") as usize;
    let chosen = &choice["tried"][taken]["keep"];
    let set = serde_json::json!([0.25, 0.5]);
    let several = serde_json::json!([0.125, 0.5]);
    for (run, flags, keep) in [
        ("open", "", chosen),
        ("open", "--thresholds 0.125,0.5", &several),
        ("set", "", &set),
    ] {
        shop.ok(&format!("export {run} --out {run}-bundle {flags}"));
        let manifest =
            std::fs::read(shop.path(&format!("{run}-bundle/manifest.json"))).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["calibration"]["keep"], *keep, "{run} {flags}");
    }
    // A run of a version that chose something else makes the choice when it goes on, and the same.
    open.as_object_mut().expect("an object").remove("keep");
    open["gate"] = serde_json::json!({ "rates": [0.0], "open": [0.1], "tried": [], "taken": 0 });
    let text = serde_json::to_vec(&open).expect("JSON");
    std::fs::write(shop.path("open/run.json"), text).expect("writes");
    let error = shop.refused("evaluate open");
    assert!(error.contains("train --resume --out open"), "{error}");
    shop.ok("train --resume --out open");
    let again = about("open");
    assert_eq!(again["keep"], choice);
    shop.ok("evaluate open");
}
