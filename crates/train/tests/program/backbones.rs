//! Every method over every other backbone than the default, through the program.

use super::pipeline::{SMALL, recommends_from_a_bundle};
use super::shop::Shop;
use ingle_model::backbone::Kind;
use ingle_model::methods::NAMES;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn every_method_runs_over_every_other_backbone() {
    let shop = Shop::new();
    shop.ok("corrupt --data data --rate 0.2 --seed 7 --out noisy");
    for kind in Kind::ALL.iter().filter(|&&kind| kind != Kind::default()) {
        let kind = kind.name();
        let settings = format!(
            "{SMALL} --set backbone.kind={kind} --set training.epochs=3 --set denoising.epochs=2"
        );
        for (at, method) in NAMES.iter().enumerate() {
            let run = format!("{kind}-{method}");
            // The first one's backbone is the others' as well.
            let from = match at {
                0 => String::new(),
                _ => format!("--from {kind}-{}", NAMES[0]),
            };
            shop.ok(&format!(
                "train --data data --method {method} --out {run} {from} {settings}"
            ));
            for epochs in shop.losses(&run).chunk_by(|a, b| a.0 == b.0) {
                assert!(epochs[epochs.len() - 1].1 < epochs[0].1, "{epochs:?}");
            }
            let figures = shop.json(&format!("evaluate {run} --json"));
            let found = figures["masked"]["ndcg@10"].as_f64().expect("a figure");
            assert!(found > 0.05, "{run}: {found} is no better than chance");
            if *method != "none" {
                let found = shop.json(&format!("denoise {run} --data noisy --evaluate --json"));
                assert!(found["auc"].as_f64() > Some(0.5), "{run}: {found}");
            }
            shop.ok(&format!("export {run} --out bundle-{run}"));
            let bundle = shop.json(&format!("inspect bundle-{run} --json"));
            assert_eq!(bundle["backbone"]["kind"], kind);
            assert!(shop.ok(&format!("inspect bundle-{run}")).contains(kind));
            recommends_from_a_bundle(&shop, &format!("bundle-{run}"));
        }
        let message = shop.refused(&format!(
            "train --data data --method none --from {kind}-none --out other {SMALL} \
             --set training.epochs=3"
        ));
        assert!(message.contains("another [backbone]"), "{message}");
    }
}

#[test]
fn a_recurrent_training_that_was_killed_ends_where_an_undisturbed_one_does() {
    let shop = Shop::new();
    let settings = format!(
        "--method none {SMALL} --set backbone.kind=gru4rec --set training.epochs=30 \
         --set training.patience=30"
    );
    shop.ok(&format!("train --data data --out whole {settings}"));
    let mut command = shop.command(&format!("train --data data --out cut {settings}"));
    let mut training = (command.stderr(Stdio::null()).spawn()).expect("the program starts");
    while shop.metrics("cut").len() < 2 {
        let ended = training.try_wait().expect("a status");
        assert!(ended.is_none(), "too fast to be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    training.kill().expect("kills");
    training.wait().expect("a status");
    shop.ok("train --out cut --resume");
    assert_eq!(shop.losses("cut"), shop.losses("whole"));
    assert_eq!(shop.figures("cut"), shop.figures("whole"));
}
