//! Tests that the losses fall and that training finds the noise.

use super::*;
use crate::methods::mgsd_wss::Config;
use crate::methods::{RankLoss, ScoreTensors};
use crate::rng::Rng;
use crate::{BackboneConfig, Batch, ItemFeatures, backbone::Backbone};
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::TensorData;

/// Items 1 to 6 are of one kind and 7 to 12 of another.
const ITEMS: usize = 12;

/// No loss of a scorer ranks items.
struct Unused;

impl RankLoss for Unused {
    fn cross_entropy(&mut self, _hidden: Tensor<2>, _targets: &[u32]) -> Tensor<1> {
        unreachable!("the scorer does not rank")
    }
}

fn backbone(device: &Device) -> Backbone {
    let config = BackboneConfig {
        width: 8,
        feed_forward: 16,
        max_len: 6,
        dropout: 0.0,
        ..BackboneConfig::default()
    };
    let mut rng = Rng::new(1, &[]);
    let mut backbone = Backbone::new(&config, ITEMS, &mut rng, device);
    let table = (0..=ITEMS).flat_map(|item| {
        let side = if item > 6 { -1.0 } else { 1.0 };
        (0..8).map(move |at| side + 0.1 * ((item * 8 + at) as f32).sin())
    });
    let table = TensorData::new(table.collect::<Vec<f32>>(), [ITEMS + 1, 8]);
    backbone.items = burn::module::Param::from_tensor(Tensor::from_data(table, device));
    backbone
}

/// Histories of one kind with a click of the other.
fn labelled(step: usize, device: &Device) -> Labelled {
    let mut rng = Rng::new(3, &[step as u64]);
    let (mut histories, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..16 {
        let kind = rng.below(2) as u32;
        let odd = rng.below(5);
        let item = |kind: u32, rng: &mut Rng| kind * 6 + 1 + rng.below(6) as u32;
        histories.push(
            (0..5)
                .map(|at| item(if at == odd { 1 - kind } else { kind }, &mut rng))
                .collect::<Vec<_>>(),
        );
        labels.extend((0..5).map(|at| f32::from(u8::from(at == odd))));
    }
    let features = ItemFeatures::popularity(vec![0.5; ITEMS + 1]);
    let batch = Batch::new(&histories, 5, &features, device);
    Labelled {
        labels: Tensor::from_data(TensorData::new(labels, [16, 5]), device),
        judged: batch.real.clone(),
        batch,
        beliefs: None,
    }
}

fn small() -> Config {
    Config {
        scorer_width: 8,
        scorer_blocks: 1,
        scorer_dropout: 0.0,
        interests: 3,
        ..Config::default()
    }
}

fn trained(config: &Config) -> (Vec<f32>, MgsdWss, Backbone) {
    let device = Device::flex();
    let backbone = backbone(&device);
    let sizes = BackboneConfig {
        width: 8,
        max_len: 6,
        ..BackboneConfig::default()
    };
    let autodiff = device.clone().autodiff();
    let mut model = MgsdWss::new(config, &sizes, &mut Rng::new(2, &[]), &autodiff);
    let mut optimizer = AdamConfig::new().init();
    let mut losses = Vec::new();
    for step in 0..150 {
        let mut rng = Rng::new(4, &[step as u64]);
        let mut step = Step {
            backbone: &backbone,
            histories: None,
            targets: &[],
            labelled: Some(labelled(step, &device)),
            consistency: 0.0,
            rank: &mut Unused,
            rng: &mut rng,
        };
        let loss = model.loss(Part::Scorer, &mut step);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        losses.push(loss.inner().into_scalar::<f32>());
        model = optimizer.step(0.01, model, gradients);
    }
    (losses, model.valid(), backbone)
}

#[test]
fn the_loss_falls_and_clicks_of_another_kind_are_found() {
    let (losses, model, backbone) = trained(&small());
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    let (before, after) = (mean(&losses[..10]), mean(&losses[140..]));
    assert!(after < 0.9 * before, "{before} {after}");
    let test = labelled(999, &Device::flex());
    let clicks = Clicks::of(&backbone, test.batch);
    let fused = model.noise_logits(&clicks).expect("noise logits").fused;
    let logits: Vec<f32> = fused.into_data().iter().collect();
    let labels: Vec<f32> = test.labels.into_data().iter().collect();
    let of = |label: f32| {
        let own = logits.iter().zip(&labels).filter(|(_, l)| **l == label);
        mean(&own.map(|(&logit, _)| logit).collect::<Vec<_>>())
    };
    assert!(of(1.0) > of(0.0) + 1.0, "{} {}", of(1.0), of(0.0));
}

#[test]
fn the_weak_signal_counts_judged_clicks_alone() {
    let row = |values: [f32; 3]| Tensor::<2>::from_floats([values], &Device::flex());
    let judged = row([1.0, 1.0, 0.0]);
    let loss = weak_signal(row([0.5, 0.0, 0.9]), &row([1.0, 0.0, 0.0]), &judged);
    assert!((loss.into_scalar::<f32>() - 0.125).abs() < 1e-6);
}

#[test]
fn every_click_serves_an_interest_by_a_share_even_where_interests_outnumber_clicks() {
    let config = Config {
        interests: 40,
        ..small()
    };
    let device = Device::flex();
    let backbone = backbone(&device);
    let sizes = BackboneConfig {
        width: 8,
        max_len: 6,
        ..BackboneConfig::default()
    };
    let model = MgsdWss::new(&config, &sizes, &mut Rng::new(2, &[]), &device);
    let features = ItemFeatures::popularity(vec![0.5; ITEMS + 1]);
    let batch = Batch::new(&[&[3u32][..], &[4, 9]], 2, &features, &device);
    let interest = model
        .interests(&Clicks::of(&backbone, batch))
        .expect("some");
    let floats = |x: Tensor<2>| x.into_data().iter::<f32>().collect::<Vec<_>>();
    let share = floats(interest.share);
    assert_eq!(share[0], 0.0, "padding serves none");
    assert!(
        share[1..].iter().all(|s| (1.0 / 40.0..=1.0).contains(s)),
        "{share:?}"
    );
    assert!(
        floats(interest.number)
            .iter()
            .all(|n| (0.0..40.0).contains(n))
    );
    assert!(
        floats(interest.dropped)
            .iter()
            .all(|d| *d == 0.0 || *d == 1.0)
    );
}
