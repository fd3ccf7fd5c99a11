//! The backbone by hand against the same backbone through Burn's autodiff.

use super::*;
use crate::training::on_device::CatalogueSoftmax;
use crate::training::samples::longest;
use burn::optim::GradientsParams;
use burn::prelude::*;
use ingle_model::methods::{MethodConfig, Objective, Step};
use ingle_model::{Batch, ModelConfig, weights};

const ITEMS: usize = 11;
const PACE: Pace = Pace {
    rate: 0.01,
    weight_decay: 0.0,
};

fn config(dropout: f32) -> ModelConfig {
    ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            width: 12,
            heads: 3,
            feed_forward: 20,
            max_len: 6,
            dropout,
            ..Default::default()
        },
        method: MethodConfig::named("sasrec").expect("a method"),
        gate: ingle_model::gate::GateConfig::default(),
    }
}

/// A model whose parameters are all at work: fresh ones have biases of 0 and norms of 1.
fn model(dropout: f32) -> Model {
    let device = Device::flex().autodiff();
    let model = Model::new(&config(dropout), 1, &device);
    let mut rng = Rng::new(2, &[]);
    let mut weights = weights::collect(&model);
    for weight in weights.values_mut() {
        weight.data.iter_mut().for_each(|x| *x += rng.normal(0.3));
    }
    weights::load(model, weights).expect("the same shapes")
}

fn learner(model: &Model, dropout: f32, negatives: usize) -> Learner {
    Learner::new(model, &config(dropout).backbone, negatives, &[1; ITEMS + 1])
}

const WINDOWS: [&[u32]; 4] = [
    &[3, 1, 4, 1, 5, 9, 2],
    &[6, 5],
    &[3, 5, 8, 9],
    &[7, 9, 3, 2, 3],
];

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!(
            (a - b).abs() < 1e-5 * b.abs().max(1.0),
            "{what}: {a} and not {b}"
        );
    }
}

#[test]
fn hidden_states_are_those_of_the_model() {
    let model = model(0.5);
    let learner = learner(&model, 0.5, 0);
    let histories = WINDOWS.map(|window| &window[..window.len() - 1]);
    let pass = Pass {
        layout: &learner.layout,
        values: &learner.values.weights,
        transposed: &[],
        table: &learner.table.weights,
    };
    let ours = pass.forward(&Packed::of(&histories), None).hidden;
    let len = longest(&histories);
    let batch = Batch::new(&histories, len, &[0.0; ITEMS + 1], &Device::flex());
    let backbone = burn::module::Module::valid(&model).backbone;
    let theirs = backbone.forward(backbone.embed(batch.items), &batch.real, None);
    let theirs: Vec<f32> = theirs.into_data().iter::<f32>().collect();
    let mut real = Vec::new();
    for (history, rows) in histories.iter().zip(theirs.chunks_exact(len * 12)) {
        real.extend(&rows[(len - history.len()) * 12..]);
    }
    close(&ours, &real, "hidden");
}

#[test]
fn the_gradient_is_that_of_autodiff() {
    let model = model(0.0);
    let mut by_hand = learner(&model, 0.0, 0);
    let found = by_hand.gradient(&WINDOWS, &mut Rng::new(1, &[]));

    let histories = WINDOWS.map(|window| &window[..window.len() - 1]);
    let len = longest(&histories);
    let mut targets = vec![0; WINDOWS.len() * len];
    for (row, window) in targets.chunks_exact_mut(len).zip(WINDOWS) {
        row[len + 1 - window.len()..].copy_from_slice(&window[1..]);
    }
    let device = Device::flex().autodiff();
    let mut rank = CatalogueSoftmax::new(model.backbone.items.val());
    let mut step = Step {
        backbone: &model.backbone,
        histories: Some(Batch::new(&histories, len, &[0.0; ITEMS + 1], &device)),
        targets: &targets,
        labelled: None,
        rank: &mut rank,
        rng: &mut Rng::new(1, &[]),
    };
    let phase = &config(0.0).method.phases()[0];
    let loss = model.method.loss(phase, &mut step);
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    assert!((found.loss - loss.into_scalar::<f32>()).abs() < 1e-5);

    // One step of plain descent by each, through the same door.
    let burn = burn::optim::SgdConfig::new()
        .init()
        .step(1.0, model.clone(), gradients);
    by_hand
        .table
        .weights
        .iter_mut()
        .zip(&found.table)
        .for_each(|(w, g)| *w -= g);
    by_hand
        .values
        .weights
        .iter_mut()
        .zip(&found.values)
        .for_each(|(w, g)| *w -= g);
    let expected = weights::collect(&burn);
    for (name, weight) in weights::collect(&by_hand.write(model)) {
        close(&weight.data, &expected[&name].data, &name);
    }
}

#[test]
fn threads_change_nothing() {
    let windows: Vec<&[u32]> = WINDOWS.iter().copied().cycle().take(400).collect();
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| {
            let mut learner = learner(&model(0.3), 0.3, 0);
            for step in 0..3 {
                let gradient = learner.gradient(&windows, &mut Rng::new(step, &[]));
                learner.step(&gradient, PACE);
            }
            [learner.table.weights, learner.values.weights]
        })
    };
    assert_eq!(train(1), train(5));
}

#[test]
fn a_stored_learner_goes_on_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("moments.safetensors");
    for negatives in [0, 3] {
        let steps = |learner: &mut Learner, range: std::ops::Range<u64>| {
            for step in range {
                let gradient = learner.gradient(&WINDOWS, &mut Rng::new(step, &[]));
                learner.step(&gradient, PACE);
            }
        };
        let mut through = learner(&model(0.3), 0.3, negatives);
        steps(&mut through, 0..2);
        through.save(&path).expect("written");
        let mut resumed = learner(&through.write(model(0.3)), 0.3, negatives);
        resumed.load(&path).expect("read");
        steps(&mut through, 2..5);
        steps(&mut resumed, 2..5);
        assert_eq!(through.table.weights, resumed.table.weights);
        assert_eq!(through.values.weights, resumed.values.weights);
    }
}

#[test]
fn refuses_moments_of_another_size_or_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("moments.safetensors");
    let mut small = learner(&model(0.0), 0.0, 0);
    small.save(&path).expect("written");
    small.table.moments.first.push(0.0);
    let error = small.load(&path).expect_err("another size").to_string();
    assert!(error.contains("does not fit"), "{error}");
    std::fs::write(&path, b"no moments").expect("written");
    let error = small.load(&path).expect_err("no moments").to_string();
    assert!(error.contains("damaged"), "{error}");
}

#[test]
fn all_items_drawn_make_the_sampled_gradient_the_full_one() {
    let model = model(0.0);
    let full = learner(&model, 0.0, 0).gradient(&WINDOWS, &mut Rng::new(1, &[]));
    // So many draws that every item is there, with a chance of 1.
    let drawn = learner(&model, 0.0, 2000).gradient(&WINDOWS, &mut Rng::new(1, &[]));
    assert!(
        (full.loss - drawn.loss).abs() < 1e-5,
        "{} {}",
        full.loss,
        drawn.loss
    );
    close(&drawn.values, &full.values, "values");
    let rows = drawn.rows.expect("some rows");
    assert_eq!(rows.len(), ITEMS + 1);
    for (&row, gradient) in rows.iter().zip(drawn.table.chunks_exact(12)) {
        close(gradient, &full.table[row as usize * 12..][..12], "table");
    }
}

#[test]
fn descends_with_all_items_and_with_some() {
    for negatives in [0, 4] {
        let mut learner = learner(&model(0.0), 0.0, negatives);
        let mut losses = Vec::new();
        for step in 0..60 {
            let gradient = learner.gradient(&WINDOWS, &mut Rng::new(step, &[]));
            learner.step(&gradient, PACE);
            losses.push(gradient.loss);
        }
        assert!(losses[59] < 0.3 * losses[0], "{losses:?}");
    }
}
