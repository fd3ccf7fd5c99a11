//! Where each parameter of the backbone lies in one flat vector, and how it gets there from a model
//! and back.

use ingle_model::weights::{self, ITEM_TABLE, Weights};
use ingle_model::{BackboneConfig, Model};
use std::ops::Range;

/// A linear layer: weights `[input, output]` and a bias `[output]`.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    /// Where its weights lie.
    pub(super) weight: Range<usize>,
    /// Where its bias lies.
    pub(super) bias: Range<usize>,
    /// Width of what goes in.
    pub(super) input: usize,
    /// Width of what comes out.
    pub(super) output: usize,
}

/// Factor and offset of a layer normalisation, each `[width]`.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    /// Where the factors lie.
    pub(super) gamma: Range<usize>,
    /// Where the offsets lie.
    pub(super) beta: Range<usize>,
}

/// One Transformer block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Before the attention.
    pub(super) attention_norm: Norm,
    /// Query, key and value.
    pub(super) projections: [Linear; 3],
    /// After the heads.
    pub(super) output: Linear,
    /// Before the feed-forward layer.
    pub(super) feed_norm: Norm,
    /// Into the feed-forward layer.
    pub(super) widen: Linear,
    /// Out of it.
    pub(super) narrow: Linear,
}

/// All parameters but the item table, by place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Sizes of the backbone.
    pub(super) config: BackboneConfig,
    /// Position embeddings, `[max_len, width]`.
    pub(super) positions: Range<usize>,
    /// The Transformer blocks.
    pub(super) blocks: Vec<Block>,
    /// After the last block.
    pub(super) norm: Norm,
    /// Every parameter's name in the model, in the order of the vector.
    names: Vec<(String, Range<usize>)>,
}

/// Hands out the places of the vector one after the other.
#[derive(Default)]
struct Places(Vec<(String, Range<usize>)>);

impl Places {
    fn next(&mut self, name: String, size: usize) -> Range<usize> {
        let start = self.0.last().map_or(0, |(_, place)| place.end);
        self.0.push((name, start..start + size));
        start..start + size
    }

    fn linear(&mut self, name: &str, input: usize, output: usize) -> Linear {
        Linear {
            weight: self.next(format!("{name}.weight"), input * output),
            bias: self.next(format!("{name}.bias"), output),
            input,
            output,
        }
    }

    fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gamma: self.next(format!("{name}.gamma"), width),
            beta: self.next(format!("{name}.beta"), width),
        }
    }

    fn block(&mut self, name: &str, width: usize, feed_forward: usize) -> Block {
        let attention = format!("{name}.attention");
        Block {
            attention_norm: self.norm(&format!("{name}.attention_norm"), width),
            projections: ["query", "key", "value"]
                .map(|part| self.linear(&format!("{attention}.{part}"), width, width)),
            output: self.linear(&format!("{attention}.output"), width, width),
            feed_norm: self.norm(&format!("{name}.feed_norm"), width),
            widen: self.linear(&format!("{name}.widen"), width, feed_forward),
            narrow: self.linear(&format!("{name}.narrow"), feed_forward, width),
        }
    }
}

impl Layout {
    /// The places of a backbone of these sizes.
    pub(super) fn new(config: &BackboneConfig) -> Self {
        let mut places = Places::default();
        let positions = places.next("backbone.positions".into(), config.max_len * config.width);
        let blocks = (0..config.blocks).map(|block| {
            let name = format!("backbone.blocks.{block}");
            places.block(&name, config.width, config.feed_forward)
        });
        let blocks = blocks.collect();
        let norm = places.norm("backbone.norm", config.width);
        Self {
            config: config.clone(),
            positions,
            blocks,
            norm,
            names: places.0,
        }
    }

    /// Floats of the vector.
    pub(super) fn len(&self) -> usize {
        self.norm.beta.end
    }

    /// The item table and the other parameters of a model's backbone.
    ///
    /// # Panics
    /// If the model has other sizes.
    pub(super) fn read(&self, model: &Model) -> [Vec<f32>; 2] {
        let mut weights = weights::collect(model);
        let table = weights
            .remove(ITEM_TABLE)
            .expect("a model has an item table");
        let mut values = vec![0.0; self.len()];
        for (name, place) in &self.names {
            let weight = &weights[name];
            values[place.clone()].copy_from_slice(&weight.data);
        }
        [table.data, values]
    }

    /// The model with these parameters in its backbone.
    ///
    /// # Panics
    /// If the model has other sizes.
    pub(super) fn write(&self, model: Model, table: &[f32], values: &[f32]) -> Model {
        let mut weights: Weights = weights::collect(&model);
        (weights
            .get_mut(ITEM_TABLE)
            .expect("a model has an item table")
            .data)
            .copy_from_slice(table);
        for (name, place) in &self.names {
            let weight = weights.get_mut(name).expect("the model has these sizes");
            weight.data.copy_from_slice(&values[place.clone()]);
        }
        weights::load(model, weights).expect("the shapes are the model's own")
    }

    /// All linear layers.
    pub(super) fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.blocks.iter().flat_map(|block| {
            (block.projections.iter()).chain([&block.output, &block.widen, &block.narrow])
        })
    }
}
