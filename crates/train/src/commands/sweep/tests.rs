use super::*;
use serde_json::json;

fn sweep(text: &str) -> Result<Sweep, InputError> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("sweep.toml");
    std::fs::write(&file, text).expect("writes");
    Sweep::read(&file)
}

const BASE: Base<'static> = Base {
    config: None,
    sets: &[],
    method: None,
    compute: Compute::Cpu,
    from: None,
};

fn outcome(rate: f64, seed: u64, figures: &[f64]) -> Outcome {
    let settings = json!({"rate": rate, "seed": seed});
    Outcome {
        run: format!("rate-{rate}_seed-{seed}"),
        settings: settings.as_object().expect("an object").clone(),
        figures: figures.iter().map(|f| ("ndcg@10".to_owned(), *f)).collect(),
        seconds: 1.0,
    }
}

#[test]
fn every_combination_is_planned_once_with_a_name_that_says_what_it_is() {
    let text =
        "[grid]\nseed = [1, 2]\n\"training.learning_rate\" = [0.001, 0.002]\ntraining.epochs = [3]";
    let planned = sweep(text).expect("reads").plan(&BASE).expect("plans");
    let names: Vec<&str> = planned.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names.len(), 4);
    assert!(
        names.contains(&"epochs-3_learning_rate-0.002_seed-1"),
        "{names:?}"
    );
    let (.., config) = &planned[3];
    assert_eq!((config.seed, config.training.learning_rate), (2, 0.002));
}

#[test]
fn keys_that_end_alike_are_named_in_full_and_methods_can_vary() {
    let text = "[grid]\nmethod = [\"none\", \"dc4sr\"]\n\
                \"training.epochs\" = [1]\n\"denoising.epochs\" = [2]";
    let planned = sweep(text).expect("reads").plan(&BASE).expect("plans");
    let (name, _, config) = &planned[0];
    assert!(
        name.contains("training.epochs-1") && name.contains("method-"),
        "{name}"
    );
    let methods: Vec<&str> = planned.iter().map(|(.., c)| c.method.name()).collect();
    assert_eq!(methods, ["none", "dc4sr"]);
    assert_eq!((config.training.epochs, config.denoising.epochs), (1, 2));
}

#[test]
fn what_is_wrong_with_a_sweep_is_named() {
    for (text, part) in [
        ("", "[grid]"),
        ("[grid]\nseed = 3", "grid.seed must be a list"),
        ("[grid]\nseed = []", "grid.seed must be a list"),
        ("seeds = 1\n[grid]\nseed = [1]", "seeds"),
        ("config = 3\n[grid]\nseed = [1]", "config"),
    ] {
        let error = sweep(text).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
    let twice = sweep("[grid]\nseed = [1, 1]").expect("reads").plan(&BASE);
    assert!(twice.expect_err("twice").to_string().contains("seed-1"));
    let unknown = sweep("[grid]\n\"training.epoch\" = [1]").expect("reads");
    let error = unknown.plan(&BASE).expect_err("unknown");
    assert!(
        format!("{error:#}").contains("training.epochs"),
        "{error:#}"
    );
}

#[test]
fn the_best_comes_first_and_seeds_are_taken_together() {
    let mut outcomes = [
        outcome(0.1, 1, &[0.2]),
        outcome(0.1, 2, &[0.4]),
        outcome(0.3, 1, &[0.35]),
    ];
    sort(&mut outcomes);
    assert_eq!(outcomes[0].figures[0].1, 0.4);
    let groups = by_seed(&outcomes);
    assert_eq!(groups[0].settings["rate"], 0.3);
    assert_eq!(
        (groups[0].seeds, groups[0].figures[0].spread.deviation),
        (1, None)
    );
    let spread = &groups[1].figures[0].spread;
    assert!((spread.mean - 0.3).abs() < 1e-12);
    assert!((spread.deviation.expect("two") - 0.02f64.sqrt()).abs() < 1e-12);
}
