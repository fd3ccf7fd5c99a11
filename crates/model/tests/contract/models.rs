//! What every model keeps to.

use crate::support::*;
use burn::prelude::*;
use ingle_model::Model;
use ingle_model::weights::collect;

#[test]
fn keep_is_a_weight_and_padding_keeps_nothing() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 1, &device);
        let batch = batch(&config, &histories(1), 12, &device);
        let real = floats(batch.real.clone());
        let Some(verdict) = model.encode(batch, Some(&config.gate)).verdict else {
            continue;
        };
        let (keep, noise) = (floats(verdict.keep), floats(verdict.noise));
        assert!(keep.iter().all(|k| (0.0..=1.0).contains(k)), "{name}");
        assert!(noise.iter().all(|p| (0.0..=1.0).contains(p)), "{name}");
        for ((keep, noise), real) in keep.iter().zip(&noise).zip(&real) {
            assert!(*real == 1.0 || (*keep == 0.0 && *noise == 0.0), "{name}");
        }
        for history in keep.chunks(12) {
            assert!(
                history.iter().sum::<f32>() > 0.0,
                "{name}: a history was dropped whole"
            );
        }
    }
}

#[test]
fn more_padding_changes_nothing() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 2, &device);
        for history in histories(2) {
            let len = history.len();
            let histories = [history];
            let tight = model.encode(batch(&config, &histories, len, &device), Some(&config.gate));
            let padded = model.encode(batch(&config, &histories, 12, &device), Some(&config.gate));
            assert_close(&floats(tight.user), &floats(padded.user), 1e-4, name);
            if let (Some(tight), Some(padded)) = (tight.verdict, padded.verdict) {
                let padded = floats(padded.noise);
                assert_close(&floats(tight.noise), &padded[12 - len..], 1e-4, name);
            }
        }
    }
}

#[test]
fn later_clicks_never_reach_back_in_the_backbone() {
    let device = Device::flex();
    for config in encoders() {
        let model = Model::new(&config, 3, &device);
        let states = |history: Vec<u32>| {
            let batch = batch(&config, &[history], 3, &device);
            let embedded = model.backbone.embed(batch.items);
            floats(model.backbone.forward(embedded, &batch.real, None))
        };
        let (a, b) = (states(vec![1, 2, 3]), states(vec![1, 2, 30]));
        assert_close(&a[..32], &b[..32], 0.0, config.backbone.kind.name());
        assert!(a[32..] != b[32..], "the last click must matter");
    }
}

#[test]
fn a_click_that_keeps_nothing_is_as_if_any_item_stood_there() {
    let device = Device::flex();
    for config in encoders() {
        let model = Model::new(&config, 3, &device);
        let user = |item: u32, keep: f32| {
            let batch = batch(&config, &[vec![1, item, 3]], 4, &device);
            let keep = Tensor::from_floats([[0.0, 1.0, keep, 1.0]], &device);
            let embedded = model.backbone.embed(batch.items);
            floats(model.attend(embedded, Some(&keep), &batch.real))
        };
        assert_eq!(user(2, 0.0), user(30, 0.0));
        assert_ne!(user(2, 0.5), user(30, 0.5));
        assert_ne!(user(2, 0.5), user(2, 1.0));
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    let device = Device::flex();
    for config in configs() {
        let weights = |seed| collect(&Model::new(&config, seed, &device));
        assert_eq!(weights(4), weights(4), "{}", config.method.name());
        assert_ne!(weights(4), weights(5), "{}", config.method.name());
    }
}
