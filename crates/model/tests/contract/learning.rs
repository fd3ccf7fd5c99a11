//! Learning on tensors, held to learning on slices, or to the definition where no slices are.

use crate::adapting::{adapter, ask, learn, learning, walk, with};
use crate::support::*;
use burn::prelude::*;
use ingle_bundle::{Bundle, ItemTable};
use ingle_model::adapter::{Adapter, Candidates, Example, Lesson, Rates};
use ingle_model::backbone::{Custom, Encode, Kind, register};
use ingle_model::{BackboneConfig, Engine, Model, RecommendOptions, Rng, SliceEngine};

fn learn_on_tensors(bundle: &Bundle, history: &[String], previous: Option<&[f32]>) -> Vec<f32> {
    let engine = Engine::new(bundle.clone(), &Device::flex()).expect("opens");
    pollster::block_on(engine.adapt(history, previous, &async || Ok(()))).expect("learns")
}

/// What both engines learn from a history, which must be the same up to rounding.
fn learnt_by_both(bundle: &Bundle, history: &[String], what: &str) -> Vec<f32> {
    let slices = SliceEngine::new(bundle.clone()).expect("opens");
    let learnt = learn(&slices, history, None);
    let other = learn_on_tensors(bundle, history, None);
    assert_same(&learnt, &other, what);
    learnt
}

/// Equal but for a ten thousandth of the largest number.
fn assert_same(one: &[f32], other: &[f32], what: &str) {
    let size = one.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    assert_close(one, other, 1e-4 * size, what);
}

#[test]
fn both_engines_learn_the_same_and_recommend_the_same_with_it() {
    let device = Device::flex();
    for config in configs().flat_map(|config| ways(&config)) {
        let model = Model::new(&config, 7, &device);
        let bundle = with(&bundle(&config, &model), None);
        let bundle = with(&spread(bundle), adapter(0.1, Some(learning())));
        let what = format!("{} {:?}", config.method.name(), config.keep);
        let mut rng = Rng::new(5, &[]);
        for len in [3, 8, 12, 13, 30, 45] {
            let items: Vec<u32> = (0..len).map(|_| 1 + rng.below(ITEMS) as u32).collect();
            let history = ids(&items);
            let learnt = learnt_by_both(&bundle, &history, &what);
            let tensors = Engine::new(bundle.clone(), &device).expect("opens");
            let slices = SliceEngine::new(bundle.clone()).expect("opens");
            let options = RecommendOptions {
                k: ITEMS,
                include_seen: true,
                adapter: Some(learnt.clone()),
                ..Default::default()
            };
            let one = ask(&slices, &history, Some(learnt));
            let other = pollster::block_on(tensors.recommend(&history, &options));
            let other = other.expect("answers");
            for one in one {
                let other = other.iter().find(|other| other.item == one.item);
                let other = other.expect("every item");
                assert_close(&[one.score], &[other.score], 1e-4, &what);
            }
        }
    }
}

#[test]
fn histories_that_teach_nothing_or_are_odd_teach_both_engines_the_same() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let bundle = with(&bundle(&config, &model), adapter(0.1, Some(learning())));
        let what = config.method.name();
        for history in [ids(&[]), ids(&[3]), ids(&[3, 4]), vec!["who".into(); 9]] {
            assert!(learnt_by_both(&bundle, &history, what).is_empty());
        }
        for history in [ids(&[3, 4, 5]), vec!["item 5".to_owned(); 40], walk(10_000)] {
            let learnt = learnt_by_both(&bundle, &history, what);
            assert_eq!(learnt.len(), config.backbone.width + 1);
            // Equal histories, equal vectors.
            let again = learn_on_tensors(&bundle, &history, Some(&vec![5.0; learnt.len()]));
            assert_eq!(learn_on_tensors(&bundle, &history, None), again);
        }
        let plain = with(&bundle, adapter(0.1, None));
        assert!(learnt_by_both(&plain, &walk(9), what).is_empty());
    }
}

#[test]
fn where_learning_fails_on_tensors_the_adapter_from_before_stays() {
    let device = Device::flex();
    for config in encoders() {
        let model = Model::new(&config, 7, &device);
        let mut broken = with(&bundle(&config, &model), adapter(0.1, Some(learning())));
        let width = config.backbone.width;
        let before = vec![0.25; width + 1];
        // Steps that are far too long, then a table that is no table.
        let mut rash = broken.clone();
        let steps = rash.manifest.adapter.as_mut().expect("an adapter");
        let steps = steps.learning.as_mut().expect("something to learn");
        (steps.bias_rate, steps.weight_rate) = (1e30, 1e30);
        assert!(
            learn_on_tensors(&rash, &walk(9), None)
                .iter()
                .all(|x| x.is_finite())
        );
        let mut table = broken.items.dequantize();
        table[3 * width] = f32::NAN;
        broken.items = ItemTable::f32(table, width);
        assert_eq!(learn_on_tensors(&broken, &walk(9), Some(&before)), before);
        assert!(learn_on_tensors(&broken, &walk(9), None).is_empty());
        let damaged = vec![f32::NAN; width + 1];
        assert!(learn_on_tensors(&broken, &walk(9), Some(&damaged)).is_empty());
    }
}

#[test]
fn a_large_catalogue_is_sampled_in_the_same_way() {
    const LARGE: usize = 40_000;
    let device = Device::flex();
    for config in encoders() {
        let model = Model::new(&config, 7, &device);
        let mut bundle = with(&bundle(&config, &model), adapter(0.1, Some(learning())));
        let width = config.backbone.width;
        let mut rng = Rng::new(3, &[]);
        bundle.items = ItemTable::f32((0..LARGE * width).map(|_| rng.normal(0.2)).collect(), width);
        bundle.manifest.items.count = LARGE;
        bundle.popularity = (0..LARGE).map(|row| (row as f32).ln_1p()).collect();
        bundle.codes = (0..LARGE * bundle.codes.len() / ITEMS)
            .map(|_| rng.below(255) as i8)
            .collect();
        bundle.ids = (1..=LARGE).map(|item| format!("item {item}")).collect();
        let items: Vec<u32> = (0..30).map(|_| 1 + rng.below(LARGE) as u32).collect();
        assert!(!learnt_by_both(&bundle, &ids(&items), "a large catalogue").is_empty());
    }
}

/// An encoder of one's own: the state after a click is the embedding of that click.
#[derive(burn::module::Module, Debug)]
struct Latest {
    max_len: usize,
}

impl Custom for Latest {
    const NAME: &'static str = "latest-click";

    fn new(config: &BackboneConfig, _: &mut Rng, _: &Device) -> Self {
        Self {
            max_len: config.max_len,
        }
    }
}

impl Encode for Latest {
    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(
        &self,
        embedded: Tensor<3>,
        _: Option<&Tensor<2>>,
        _: &Tensor<2>,
        _: Option<&mut Rng>,
    ) -> Tensor<3> {
        embedded
    }
}

/// A table in floats.
struct Table(Vec<f32>, usize);

impl Candidates for Table {
    fn scores(&self, vector: &[f32], out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(self.0.chunks_exact(self.1)) {
            *out = row.iter().zip(vector).map(|(a, b)| a * b).sum();
        }
    }

    fn add_scaled(&self, factors: &[f32], out: &mut [f32]) {
        for (factor, row) in factors.iter().zip(self.0.chunks_exact(self.1)) {
            for (out, x) in out.iter_mut().zip(row) {
                *out += factor * x;
            }
        }
    }
}

#[test]
fn an_encoder_that_is_registered_teaches_what_its_states_teach_by_the_definition() {
    register::<Latest>();
    let device = Device::flex();
    let mut config = encoders().next().expect("an encoder");
    config.backbone.kind = Kind::named(Latest::NAME).expect("is registered");
    let (width, learning) = (config.backbone.width, learning());
    let model = Model::new(&config, 7, &device);
    let bundle = with(
        &bundle(&config, &model),
        adapter(0.2, Some(learning.clone())),
    );
    let table = bundle.items.dequantize();
    for len in [3, 12, 13, 45] {
        let history = walk(len);
        let row = |item: &String| item[5..].parse::<usize>().expect("a number") - 1;
        let rows: Vec<usize> = history.iter().map(row).collect();
        let table = Table(table.clone(), width);
        let mut lesson = Lesson::new(table, bundle.popularity.clone(), vec![1.0; ITEMS]);
        for place in rows.len().saturating_sub(learning.window).max(1)..rows.len() {
            let embedded = bundle.items.dequantize();
            lesson.add(Example {
                user: &embedded[rows[place - 1] * width..][..width],
                target: rows[place],
                weight: (-((len - 1 - place) as f32) / learning.half_life).exp2(),
                hidden: &rows[..place],
            });
        }
        let rates = Rates {
            bias: learning.bias_rate,
            weight: learning.weight_rate,
        };
        let start = Adapter::of_popularity(width, 0.2);
        let due = lesson.learn(start, rates, learning.steps, &async || Ok::<(), ()>(()));
        let due = pollster::block_on(due)
            .expect("rests")
            .expect("learns")
            .into_values();
        assert_same(
            &due,
            &learn_on_tensors(&bundle, &history, None),
            "a registered encoder",
        );
    }
}
