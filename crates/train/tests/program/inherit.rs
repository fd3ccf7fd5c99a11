//! Runs that begin with the backbone of another one.

use crate::pipeline::SMALL;
use crate::shop::Shop;

const SHORT: &str = "--set training.epochs=3 --set denoising.epochs=2";
const DYNAMICS: &str = "--set denoising.dynamics=0.2";

#[test]
fn a_run_that_takes_over_all_it_can_ends_where_one_that_learnt_it_does() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --out whole {SMALL} {SHORT} {DYNAMICS}"
    ));
    shop.ok(&format!(
        "train --data data --from whole --out again {SMALL} {SHORT} {DYNAMICS}"
    ));
    assert_eq!(shop.losses("whole"), shop.losses("again"));
    assert_eq!(shop.figures("whole"), shop.figures("again"));

    // Only the last phases differ, and only they are trained anew.
    shop.ok(&format!(
        "train --data data --from whole --out other {SMALL} {SHORT}"
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
        "train --data data --method none --out plain {SMALL} {SHORT}"
    ));
    let sets = format!("{SMALL} {SHORT} --set denoising.folds=3");
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
            "train --data data --out {run} {SMALL} {SHORT} {DYNAMICS} --set denoising.folds=2 \
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
         --set denoising.consensus_epochs=2"
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
        "train --data data --method none --out plain {SMALL} {SHORT}"
    ));
    for (set, told) in [
        ("seed=2", "another seed"),
        ("training.epochs=2", "another [training]"),
        ("backbone.width=8", "another [backbone]"),
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
    assert!(message.contains("is no run"), "{message}");
}

#[test]
fn the_language_model_of_the_first_round_is_taken_over_whatever_the_number_of_rounds() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    let reader = "--set denoising.language_model=lm --set denoising.reader_histories=20";
    let once = format!("{SMALL} {SHORT} {reader}");
    shop.ok(&format!("train --data data --out one {once}"));
    shop.ok(&format!(
        "train --data data --from one --out two {once} --rounds 2"
    ));
    shop.ok(&format!("train --data data --out anew {once} --rounds 2"));
    assert_eq!(shop.losses("two"), shop.losses("anew"));
    shop.ok(&format!("train --data data --from two --out again {once}"));
    assert_eq!(shop.losses("again"), shop.losses("one"));
    let read = |run: &str, stage: &str| {
        let file = format!("{run}/stages/{stage}/train.safetensors");
        std::fs::read(shop.path(&file)).expect("scores")
    };
    assert_eq!(read("again", "reader"), read("one", "reader"));
    assert_eq!(read("two", "reader-1"), read("one", "reader"));
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
    // A training goes on with the first stage that is not finished, and chooses the same.
    let stages = open["stages"].as_array_mut().expect("stages");
    stages.retain(|done| done["stage"] != "gate");
    open["finished"] = false.into();
    let text = serde_json::to_vec(&open).expect("JSON");
    std::fs::write(shop.path("open/run.json"), text).expect("writes");
    let error = shop.refused("evaluate open");
    assert!(error.contains("train --resume --out open"), "{error}");
    let epochs = shop.losses("open");
    shop.ok("train --resume --out open");
    assert_eq!(about("open")["keep"], choice);
    assert_eq!(shop.losses("open"), epochs);
    shop.ok("evaluate open");
}

#[test]
fn a_backbone_is_lent_to_every_method_and_dynamics_are_recorded_for_those_that_learn_from_them() {
    let shop = Shop::new();
    let recorded =
        |run: &str| (shop.path(&format!("{run}/stages/backbone/dynamics.safetensors"))).exists();
    shop.ok(&format!(
        "train --data data --method none --out plain {SMALL} {SHORT}"
    ));
    let short = format!("{SMALL} {SHORT} --set denoising.folds=2");
    for method in ["dc4sr", "iadsr", "mgsd-wss"] {
        let train = format!("train --data data --method {method} {short}");
        shop.ok(&format!("{train} --from plain --out lent-{method}"));
        shop.ok(&format!("{train} --out anew-{method}"));
        let [lent, anew] = ["lent", "anew"].map(|run| shop.losses(&format!("{run}-{method}")));
        assert_eq!(lent, anew);
        assert!(!recorded(&format!("lent-{method}")));
    }
    let output = shop.run(&format!(
        "train --data data --from plain --out told {short} {DYNAMICS} --set denoising.epochs=1"
    ));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("plain recorded no learning dynamics"),
        "{told}"
    );
    for (method, sets, due) in [
        ("dc4sr", DYNAMICS, true),
        ("iadsr", "", false),
        ("mgsd-wss", "", false),
    ] {
        shop.ok(&format!(
            "train --data data --method {method} --out {method} {short} {sets}"
        ));
        assert_eq!(recorded(method), due, "{method}");
    }
    // What a run of another method trained alike is taken over, and nothing else.
    shop.ok(&format!(
        "train --data data --method dc4sr --from iadsr --out other {short}"
    ));
    assert_eq!(shop.losses("other"), shop.losses("anew-dc4sr"));
}

#[test]
fn a_run_of_another_layout_or_of_changed_settings_does_not_go_on() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --out run {SMALL} {SHORT} --set denoising.folds=2"
    ));
    let config = std::fs::read_to_string(shop.path("run/config.toml")).expect("settings");
    let other = config.replace("consensus_epochs = 6", "consensus_epochs = 5");
    assert_ne!(config, other);
    std::fs::write(shop.path("run/config.toml"), other).expect("writes");
    let message = shop.refused("train --out run --resume");
    assert!(
        message.contains("encoder was trained with other settings"),
        "{message}"
    );
    let text = std::fs::read(shop.path("run/run.json")).expect("a run");
    let mut about: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let about = about.as_object_mut().expect("an object");
    about["version"] = 7.into();
    about.remove("stages");
    let text = serde_json::to_vec(about).expect("JSON");
    std::fs::write(shop.path("run/run.json"), text).expect("writes");
    let output = shop.run("evaluate run");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && message.contains("another version"),
        "{message}"
    );
}
