//! What every bundle keeps to.

use crate::support::*;
use burn::prelude::*;
use ingle_bundle::Bundle;
use ingle_model::backbone::Kind;
use ingle_model::{Click, Engine, Model, RecommendOptions, SliceEngine};

#[test]
fn a_bundle_scores_like_the_model_it_was_made_from() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 6, &device);
        let engine = Engine::new(reopened(&bundle(&config, &model)), &device).expect(name);
        assert_eq!(engine.info().method, name);
        let options = RecommendOptions {
            k: ITEMS,
            include_seen: true,
            ..Default::default()
        };
        for history in histories(6) {
            let encoded = model.encode(
                batch(&config, std::slice::from_ref(&history), 12, &device),
                Some(&config.gate),
            );
            let scores = floats(encoded.user.matmul(model.backbone.items.val().transpose()));
            let got = pollster::block_on(engine.recommend(&ids(&history), &options)).expect(name);
            assert_eq!(got.len(), ITEMS);
            for recommendation in got {
                let item: usize = recommendation.item[5..].parse().expect("a number");
                assert_close(&[recommendation.score], &[scores[item]], 1e-4, name);
            }
        }
    }
}

#[test]
fn odd_requests_get_sensible_answers() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let recommend = |history: &[&str], options: RecommendOptions| -> Vec<String> {
            let history: Vec<String> = history.iter().map(|&id| id.into()).collect();
            let answer = pollster::block_on(engine.recommend(&history, &options)).expect("answers");
            answer.into_iter().map(|r| r.item).collect()
        };
        let options = |k| RecommendOptions {
            k,
            ..Default::default()
        };
        // The most popular items are those of the highest number.
        assert_eq!(recommend(&[], options(2)), ["item 40", "item 39"]);
        assert_eq!(recommend(&["gone", "💥"], options(1)), ["item 40"]);
        assert_eq!(
            recommend(&["gone", "item 3"], options(5)),
            recommend(&["item 3"], options(5))
        );
        assert_eq!(recommend(&["item 3"], options(1000)).len(), ITEMS - 1);
        assert!(recommend(&["item 3"], options(0)).is_empty());
        let all: Vec<String> = ids(&(1..=ITEMS as u32).collect::<Vec<_>>());
        let everything = RecommendOptions {
            k: 5,
            exclude: all,
            ..RecommendOptions::default()
        };
        assert!(recommend(&["item 3"], everything).is_empty());
        let long: Vec<&str> = std::iter::repeat_n("item 9", 500).collect();
        assert_eq!(recommend(&long, options(3)).len(), 3);
    }
}

#[test]
fn every_click_is_explained_in_its_place() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 8, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let mut history = ids(&(1..=14).collect::<Vec<_>>());
        history.insert(13, "gone".into());
        let clicks = pollster::block_on(engine.explain(&history)).expect("explains");
        // A method has two views of every click or of none, and so it is with interests.
        let judges = config.method.denoises();
        for told in [
            |c: &Click| c.views.is_some(),
            |c: &Click| c.interest.is_some(),
        ] {
            let any = clicks.iter().any(told);
            assert!(judges || !any);
            assert!(clicks.iter().all(|c| told(c) == (c.known && any)));
        }
        let items: Vec<&String> = clicks.iter().map(|click| &click.item).collect();
        assert_eq!(items, history.iter().collect::<Vec<_>>());
        // Twelve known clicks fit the model; the two oldest and the unknown one are not seen.
        let unseen: Vec<usize> = (0..15).filter(|&i| !clicks[i].known).collect();
        assert_eq!(unseen, [0, 1, 13]);
        assert!(
            clicks
                .iter()
                .all(|c| c.known || (c.noise, c.keep) == (0.0, 0.0))
        );
    }
}

#[test]
fn a_bundle_that_is_no_model_of_ours_is_refused_with_a_code() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 9, &device);
        let refused = |change: &dyn Fn(&mut Bundle)| {
            let mut bundle = bundle(&config, &model);
            change(&mut bundle);
            let due = Engine::new(bundle.clone(), &device).expect_err("refused");
            let found = SliceEngine::new(bundle).expect_err("refused");
            assert_eq!(found.code(), due.code());
            due.code()
        };
        assert_eq!(
            refused(&|b| b.manifest.method.name = "dc5sr".into()),
            "method/unknown"
        );
        assert_eq!(
            refused(&|b| b.manifest.backbone = "wide".into()),
            "model/config"
        );
        assert_eq!(
            refused(&|b| b.manifest.backbone["heads"] = 5.into()),
            "model/config"
        );
        assert_eq!(
            refused(&|b| b.manifest.calibration.temperature = 0.0),
            "model/config"
        );
        assert_eq!(
            refused(&|b| b.manifest.backbone["blocks"] = 3.into()),
            "model/tensor"
        );
        assert_eq!(
            refused(&|b| b.manifest.backbone["kind"] = "gru5rec".into()),
            "backbone/unknown"
        );
        // Only the Transformer learns where a click is.
        if config.backbone.kind == Kind::SASREC {
            assert_eq!(
                refused(&|b| b.manifest.backbone["max_len"] = 13.into()),
                "model/tensor"
            );
        }
        let others = Kind::ALL
            .iter()
            .filter(|&&kind| kind != config.backbone.kind);
        for kind in others {
            assert_eq!(
                refused(&|b| b.manifest.backbone["kind"] = kind.name().into()),
                "model/tensor"
            );
        }
    }
}
