//! Compares hand-written gradients with Burn's autodiff.

use super::*;
use crate::training::on_device::{CatalogueSoftmax, unit_rows};
use crate::training::samples::{longest, next_items};
use burn::module::{Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use ingle_model::backbone::Kind;
use ingle_model::methods::objective::recommendation;
use ingle_model::methods::{MethodConfig, Step};
use ingle_model::{Batch, ItemFeatures, ModelConfig, weights};

const ITEMS: usize = 11;
const RATE: f64 = 0.01;

fn config(kind: Kind, dropout: f32) -> ModelConfig {
    ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            kind,
            width: 12,
            heads: 3,
            feed_forward: 20,
            max_len: 6,
            dropout,
            ..Default::default()
        },
        method: MethodConfig::named("none").expect("a method"),
        gate: ingle_model::gate::GateConfig::default(),
        keep: None,
    }
}

/// A model whose parameters all have an effect: initial biases are 0 and norms are 1.
fn model(dropout: f32) -> Model {
    model_of(Kind::SASREC, dropout)
}

fn model_of(kind: Kind, dropout: f32) -> Model {
    let device = Device::flex().autodiff();
    let model = Model::new(&config(kind, dropout), 1, &device);
    let mut rng = Rng::new(2, &[]);
    let mut weights = weights::collect(&model);
    for weight in weights.values_mut() {
        weight.data.iter_mut().for_each(|x| *x += rng.normal(0.3));
    }
    weights::load(model, weights).expect("the same shapes")
}

fn how(negatives: usize, unit: bool) -> Schedule {
    Schedule {
        negatives,
        unit,
        ..Default::default()
    }
}

fn learner(model: &Model, dropout: f32, how: &Schedule) -> Learner {
    learner_of(Kind::SASREC, model, dropout, how)
}

fn learner_of(kind: Kind, model: &Model, dropout: f32, how: &Schedule) -> Learner {
    Learner::new(model, &config(kind, dropout).backbone, how, &[1; ITEMS + 1])
}

const WINDOWS: [&[u32]; 4] = [
    &[3, 1, 4, 1, 5, 9, 2],
    &[6, 5],
    &[3, 5, 8, 9],
    &[7, 9, 3, 2, 3],
];

fn lessons() -> Vec<Lesson> {
    WINDOWS.iter().map(|window| Lesson::of(window)).collect()
}

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
    for &kind in Kind::ALL {
        let model = model_of(kind, 0.5);
        let learner = learner_of(kind, &model, 0.5, &how(0, false));
        let histories = WINDOWS.map(|window| &window[..window.len() - 1]);
        let lessons = lessons();
        let pass = learner.pass(&[]);
        let ours = pass
            .forward(&Shard::of(&lessons.iter().collect::<Vec<_>>()), None)
            .hidden;
        let len = longest(&histories);
        let features = ItemFeatures::popularity(vec![0.0; ITEMS + 1]);
        let batch = Batch::new(&histories, len, &features, &Device::flex());
        let backbone = burn::module::Module::valid(&model).backbone;
        let theirs = backbone.forward(backbone.embed(batch.items), &batch.real, None);
        let theirs: Vec<f32> = theirs.into_data().iter::<f32>().collect();
        let mut real = Vec::new();
        for (history, rows) in histories.iter().zip(theirs.chunks_exact(len * 12)) {
            real.extend(&rows[(len - history.len()) * 12..]);
        }
        close(&ours, &real, "hidden");
    }
}

/// Loss and gradients by autodiff.
fn by_graph(model: &Model, how: &Schedule) -> (f32, GradientsParams) {
    let device = Device::flex().autodiff();
    let (batch, targets) = next_items(
        &lessons(),
        &ItemFeatures::popularity(vec![0.0; ITEMS + 1]),
        &device,
    );
    let mut backbone = model.backbone.clone();
    if how.unit {
        backbone.items = Param::initialized(ParamId::new(), unit_rows(backbone.items.val()));
    }
    let mut rank = CatalogueSoftmax::new(backbone.items.val());
    let mut step = Step {
        backbone: &backbone,
        histories: Some(batch),
        targets: &targets,
        labelled: None,
        consistency: 0.0,
        rank: &mut rank,
        rng: &mut Rng::new(1, &[]),
    };
    let loss = recommendation(&mut step);
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    (loss.into_scalar::<f32>(), gradients)
}

#[test]
fn the_gradient_is_that_of_autodiff() {
    for &kind in Kind::ALL {
        agree_on_the_gradient(kind);
    }
}

fn agree_on_the_gradient(kind: Kind) {
    let model = model_of(kind, 0.0);
    for unit in [false, true] {
        let how = how(0, unit);
        let mut by_hand = learner_of(kind, &model, 0.0, &how);
        let found = by_hand.gradient(&lessons(), &mut Rng::new(1, &[]));
        let (loss, gradients) = by_graph(&model, &how);
        assert!((found.loss - loss).abs() < 1e-5);

        // One step of plain gradient descent by both, through the same interface.
        let descent = burn::optim::SgdConfig::new();
        let expected = weights::collect(&descent.init().step(1.0, model.clone(), gradients));
        by_hand.directions = None;
        for (part, gradient) in [
            (&mut by_hand.table, &found.table),
            (&mut by_hand.values, &found.values),
        ] {
            let weights = part.weights.iter_mut().zip(gradient);
            weights.for_each(|(weight, gradient)| *weight -= gradient);
        }
        for (name, weight) in weights::collect(&by_hand.write(model.clone())) {
            close(&weight.data, &expected[&name].data, &name);
        }
    }
}

#[test]
fn threads_change_nothing() {
    for &kind in Kind::ALL {
        train_by_some_threads(kind);
    }
}

fn train_by_some_threads(kind: Kind) {
    let lessons: Vec<Lesson> = lessons().into_iter().cycle().take(400).collect();
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| {
            let mut learner = learner_of(kind, &model_of(kind, 0.3), 0.3, &how(0, true));
            for step in 0..3 {
                let gradient = learner.gradient(&lessons, &mut Rng::new(step, &[]));
                learner.step(&gradient, RATE);
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
    let ways = [how(0, false), how(0, true), how(3, false), how(3, true)];
    for (kind, how) in (Kind::ALL.iter()).flat_map(|&kind| ways.clone().map(|how| (kind, how))) {
        let steps = |learner: &mut Learner, range: std::ops::Range<u64>| {
            for step in range {
                let gradient = learner.gradient(&lessons(), &mut Rng::new(step, &[]));
                learner.step(&gradient, RATE);
            }
        };
        let mut through = learner_of(kind, &model_of(kind, 0.3), 0.3, &how);
        steps(&mut through, 0..2);
        through.save(&path).expect("written");
        let mut resumed = learner_of(kind, &through.write(model_of(kind, 0.3)), 0.3, &how);
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
    let mut small = learner(&model(0.0), 0.0, &how(0, false));
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
    for unit in [false, true] {
        let gradient = |negatives| {
            let mut learner = learner(&model, 0.0, &how(negatives, unit));
            learner.gradient(&lessons(), &mut Rng::new(1, &[]))
        };
        // With so many draws every item is a candidate with probability 1.
        let [full, drawn] = [0, 2000].map(gradient);
        assert!((full.loss - drawn.loss).abs() < 1e-5);
        close(&drawn.values, &full.values, "values");
        let rows = drawn.rows.expect("some rows");
        assert_eq!(rows.len(), ITEMS + 1);
        for (&row, gradient) in rows.iter().zip(drawn.table.chunks_exact(12)) {
            close(gradient, &full.table[row as usize * 12..][..12], "table");
        }
    }
}

#[test]
fn descends_with_all_items_and_with_some_and_keeps_lengths_at_1() {
    for how in [how(0, false), how(0, true), how(4, false), how(4, true)] {
        let mut learner = learner(&model(0.0), 0.0, &how);
        let mut losses = Vec::new();
        for step in 0..100 {
            let gradient = learner.gradient(&lessons(), &mut Rng::new(step, &[]));
            learner.step(&gradient, RATE);
            losses.push(gradient.loss);
        }
        assert!(losses[99] < 0.4 * losses[0], "{losses:?}");
        if how.unit {
            for row in learner.item_table().chunks_exact(12) {
                let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                assert!((length - 1.0).abs() < 1e-5, "{length}");
            }
        }
    }
}

#[test]
fn an_encoder_alone_leaves_the_table_as_it_is() {
    let mut learner = learner(&model(0.0), 0.0, &how(0, true)).encoder_only();
    let before = learner.item_table().to_vec();
    let mut losses = Vec::new();
    for step in 0..20 {
        let gradient = learner.gradient(&lessons(), &mut Rng::new(step, &[]));
        learner.step(&gradient, RATE);
        losses.push(gradient.loss);
    }
    assert_eq!(learner.item_table(), before);
    assert!(losses[19] < losses[0], "{losses:?}");
}
