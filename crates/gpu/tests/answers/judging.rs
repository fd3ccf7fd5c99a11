//! Clicks that the GPU judges itself, and rankings by the histories that it keeps.

use crate::support::{assert_within, invented_dc4sr, numbers};
use ingle_bundle::Bundle;
use ingle_gpu::Gpu;
use ingle_model::backbone::Kind;
use ingle_model::methods::dc4sr;
use ingle_model::{
    BackboneConfig, Judged, RecommendOptions, Recommendation, Rule, Scorer, SliceEngine,
};
use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

/// Sizes that fit no group of four.
fn odd() -> (BackboneConfig, dc4sr::Config) {
    let backbone = BackboneConfig {
        width: 30,
        blocks: 2,
        heads: 3,
        feed_forward: 70,
        max_len: 11,
        ..BackboneConfig::default()
    };
    let scorer = dc4sr::Config {
        scorer_width: 18,
        scorer_heads: 3,
        view_blocks: 2,
        fusion_blocks: 3,
        code_width: 13,
        ..dc4sr::Config::default()
    };
    (backbone, scorer)
}

/// The sizes of most bundles.
fn usual() -> (BackboneConfig, dc4sr::Config) {
    let backbone = BackboneConfig {
        width: 64,
        ..BackboneConfig::default()
    };
    (backbone, dc4sr::Config::default())
}

fn engines(bundle: &Bundle) -> (SliceEngine, SliceEngine<Gpu>) {
    let (host, gpu) = crate::support::engines(bundle.clone());
    assert_eq!(
        (host.scorer(), gpu.scorer()),
        (Some(Scorer::Cpu), Some(Scorer::Gpu))
    );
    (host, gpu)
}

/// What the GPU and the processor recommend where the GPU does not judge.
fn left_to_the_processor(
    host: &SliceEngine,
    gpu: &SliceEngine<Gpu>,
    history: &[String],
) -> [Vec<Recommendation>; 2] {
    let options = RecommendOptions::default();
    let judged = block_on(gpu.judged(history, &options)).expect("answers");
    assert!(judged.is_none());
    let found = block_on(gpu.recommend(history, &options)).expect("answers");
    let due = block_on(host.recommend(history, &options)).expect("answers");
    [found, due]
}

/// Both engines of a bundle with this keep rule and this calibration.
fn by_rule(
    keep: Option<Vec<f32>>,
    shift: f32,
    sizes: (BackboneConfig, dc4sr::Config),
) -> (SliceEngine, SliceEngine<Gpu>) {
    let (backbone, scorer) = sizes;
    let mut bundle = invented_dc4sr(700, &backbone, &scorer);
    bundle.manifest.calibration.keep = keep;
    (
        bundle.manifest.calibration.shift,
        bundle.manifest.calibration.temperature,
    ) = (shift, 0.7);
    (
        bundle.manifest.calibration.tau_low,
        bundle.manifest.calibration.tau_high,
    ) = (0.2, 0.8);
    engines(&bundle)
}

/// Whether a probability is so close to a threshold that devices may differ.
fn on_the_edge(rule: &[f32], noise: &[f32], weights: Option<&[f32]>) -> bool {
    let weight = |at: usize| weights.map_or(1.0, |weights| weights[at]);
    let against = |at: usize| noise[at] + (1.0 - weight(at)) * (1.0 - noise[at]);
    (0..noise.len()).any(|at| {
        rule.iter().any(|threshold| {
            let apart = (against(at) - threshold).abs();
            apart > 0.0 && apart < 1e-4
        })
    })
}

/// Asks both engines, and compares noise probabilities, weights of clicks and recommendations. `None` if a probability
/// is too close to a threshold.
#[track_caller]
fn compare(
    (host, gpu): &(SliceEngine, SliceEngine<Gpu>),
    rule: &[f32],
    history: &[String],
    weights: Option<Vec<f32>>,
) -> Option<Judged> {
    let explained = host.explain(history);
    let known = || explained.iter().zip(0..).filter(|(click, _)| click.known);
    let noise: Vec<f32> = known().map(|(click, _)| click.noise).collect();
    let of_known: Option<Vec<f32>> =
        (weights.as_ref()).map(|all| known().map(|(_, at)| all[at]).collect());
    if on_the_edge(rule, &noise, of_known.as_deref()) {
        return None;
    }
    let options = RecommendOptions {
        weights,
        ..RecommendOptions::default()
    };
    let judged = block_on(gpu.judged(history, &options))
        .expect("answers")
        .expect("judged by the GPU");
    assert_eq!(judged.noise.len(), noise.len());
    for (found, due) in judged.noise.iter().zip(&noise) {
        assert!((found - due).abs() <= 1e-4, "{found} {due}");
    }
    if rule.is_empty() {
        if of_known.is_none() {
            for (found, (due, _)) in judged.keep.iter().zip(known()) {
                assert!((found - due.keep).abs() <= 1e-3, "{found} {due:?}");
            }
        }
    } else {
        let rule = Rule::new(rule.to_vec()).expect("a rule");
        let kept = rule.histories(&noise, of_known.as_deref());
        assert_eq!(judged.best.is_none(), kept.sets.is_empty());
        for (found, due) in judged.keep.iter().zip(kept.shares(noise.len())) {
            assert!((found - due).abs() <= 1e-5, "{found} {due}");
        }
    }
    let due = block_on(host.recommend(history, &options)).expect("answers");
    let found = block_on(gpu.recommend(history, &options)).expect("answers");
    assert_within(&found, &due, [4e-4, 4e-4]);
    for (found, due) in found.iter().zip(&due).filter(|(a, b)| a.item == b.item) {
        let reasons =
            [found, due].map(|one| one.because.as_ref().map_or(0.0, |because| because.share));
        assert!(
            (reasons[0] - reasons[1]).abs() <= 1e-3,
            "{found:?}, {due:?}"
        );
    }
    Some(judged)
}

/// A history of `len` clicks on items of the catalogue, and one that is not in it.
fn history(len: usize, seed: u32) -> Vec<String> {
    let rows = numbers(len, seed).map(|x| (x.abs() * 699.0) as usize);
    let mut history: Vec<String> = rows.map(|row| format!("item {row}")).collect();
    history.insert(len / 2, "gone".into());
    history
}

fn even(n: usize) -> Vec<f32> {
    Rule::even(n).thresholds().to_vec()
}

#[test]
fn judges_as_the_processor_does_at_every_length() {
    for sizes in [odd(), usual()] {
        let max_len = sizes.0.max_len;
        let engines = by_rule(Some(even(8)), 0.3, sizes);
        let lengths = [
            1,
            2,
            3,
            4,
            5,
            max_len - 1,
            max_len,
            max_len + 1,
            3 * max_len,
        ];
        let compared = lengths
            .into_iter()
            .filter(|&len| compare(&engines, &even(8), &history(len, len as u32), None).is_some());
        assert!(compared.count() >= 7, "too many on the edge");
    }
}

#[test]
fn a_gate_weights_the_clicks_of_a_single_history() {
    let engines = by_rule(None, 0.3, odd());
    for len in 1..14 {
        let history = history(len, 7 * len as u32);
        compare(&engines, &[], &history, None);
        let weights = (0..=len).map(|at| (at % 4) as f32 / 3.0).collect();
        compare(&engines, &[], &history, Some(weights));
    }
    // The latest click, which an all noisy history is left with, does not count either.
    let engines = by_rule(None, -1e4, odd());
    let judged = compare(
        &engines,
        &[],
        &history(5, 1),
        Some(vec![1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
    );
    assert!(judged.expect("no thresholds").best.is_none());
    let judged = compare(&engines, &[], &history(5, 1), None);
    assert_eq!(
        judged.expect("no thresholds").keep,
        [0.0, 0.0, 0.0, 0.0, 1.0]
    );
}

#[test]
fn certain_noise_and_certain_clicks_are_kept_as_the_rule_says() {
    for rule in [vec![0.0], vec![0.0, 0.5, 1.0]] {
        // Noise probabilities are 1, then 0.
        for shift in [-1e4, 1e4] {
            let engines = by_rule(Some(rule.clone()), shift, odd());
            for len in [1, 2, 6, 11, 20] {
                let history = history(len, len as u32);
                let judged = compare(&engines, &rule, &history, None).expect("certain");
                let due = if shift < 0.0 { 1.0 } else { 0.0 };
                assert!(judged.noise.iter().all(|&noise| noise == due));
                // No click counts, one does, or all do for certain or by half.
                for weights in [vec![0.0; len + 1], vec![1.0; len + 1], vec![0.4; len + 1]] {
                    compare(&engines, &rule, &history, Some(weights)).expect("certain");
                }
                let mut one = vec![0.0; len + 1];
                one[0] = 1.0;
                compare(&engines, &rule, &history, Some(one)).expect("certain");
            }
        }
    }
}

#[test]
fn clicks_of_equal_probability_stand_or_fall_together() {
    let (backbone, scorer) = odd();
    let mut bundle = invented_dc4sr(700, &backbone, &scorer);
    for name in ["prior", "posterior", "fusion"] {
        let weight = format!("method.Dc4sr.{name}.output.weight");
        bundle
            .weights
            .get_mut(&weight)
            .expect("there")
            .data
            .fill(0.0);
    }
    bundle.manifest.calibration.keep = Some(even(4));
    let engines = engines(&bundle);
    let judged = compare(&engines, &even(4), &history(7, 3), None).expect("not on the edge");
    assert!(
        judged
            .noise
            .iter()
            .all(|&noise| noise == judged.noise[0] && noise > 0.0 && noise < 1.0)
    );
    assert!(judged.keep[..6].iter().all(|&keep| keep == judged.keep[0]));
}

#[test]
fn an_item_that_is_no_number_is_judged_by_the_processor() {
    let (backbone, scorer) = odd();
    let mut bundle = invented_dc4sr(700, &backbone, &scorer);
    let ingle_bundle::TableValues::Int8 { scales, .. } = &mut bundle.items.values else {
        panic!("bytes")
    };
    scales[4] = f32::NAN;
    bundle.manifest.calibration.keep = Some(even(4));
    let (host, gpu) = engines(&bundle);
    let history = ["item 1", "item 4"].map(String::from);
    let [found, due] = left_to_the_processor(&host, &gpu, &history);
    assert_eq!(found.len(), due.len());
}

#[test]
fn other_methods_and_encoders_leave_judging_to_the_processor() {
    let (backbone, scorer) = odd();
    let recurrent = BackboneConfig {
        kind: Kind::GRU4REC,
        ..backbone.clone()
    };
    let plain = crate::support::invented(60, &backbone);
    for (bundle, due) in [
        (invented_dc4sr(60, &recurrent, &scorer), Some(Scorer::Cpu)),
        (plain, None),
    ] {
        let (host, gpu) = crate::support::engines(bundle);
        assert_eq!((host.scorer(), gpu.scorer()), (due, due));
        let history = [host.items()[1].clone()];
        let [found, due] = left_to_the_processor(&host, &gpu, &history);
        assert_within(&found, &due, [4e-4, 4e-4]);
    }
}

#[test]
fn any_history_with_any_weights_gets_the_processors_answer() {
    let rules = [None, Some(even(8)), Some(vec![0.0, 0.3, 0.6, 1.0])];
    for rule in rules {
        // Opening a GPU takes long, so all histories of a rule are asked of one.
        let engines = by_rule(rule.clone(), 0.1, odd());
        let any_weight = prop_oneof![Just(0f32), Just(1.0), 0f32..=1.0];
        // Items from 700 on are not in the catalogue.
        let history = (
            prop::collection::vec((0usize..800).prop_map(|row| format!("item {row}")), 1..30),
            prop::option::of(prop::collection::vec(any_weight, 30)),
        );
        // Some have a probability too close to a threshold.
        let compared = Cell::new(0);
        let mut runner = TestRunner::new_with_rng(
            ProptestConfig::with_cases(48),
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        );
        let outcome = runner.run(&history, |(history, weights)| {
            let weights = weights.map(|weights| weights[..history.len()].to_vec());
            prop_assume!(engines.0.explain(&history).iter().any(|click| click.known));
            let rule = rule.as_deref().unwrap_or_default();
            let asked = compare(&engines, rule, &history, weights).is_some();
            compared.set(compared.get() + usize::from(asked));
            Ok(())
        });
        outcome.expect("the same answers");
        let compared = compared.get();
        assert!(
            compared >= 40,
            "only {compared} histories were not on the edge"
        );
    }
}
