//! The places of the backbone's parameters in one flat vector, and the conversion from and to a model.

use super::encoder::{Encoder, Net};
use ingle_model::weights::{self, ITEM_TABLE, Weights};
use ingle_model::{BackboneConfig, Model};
use std::ops::Range;

/// A linear layer: weights `[input, output]` and a bias `[output]`.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    /// Place of the weights.
    pub(super) weight: Range<usize>,
    /// Place of the bias.
    pub(super) bias: Range<usize>,
    /// Input width.
    pub(super) input: usize,
    /// Output width.
    pub(super) output: usize,
}

/// Factor and offset of a layer normalisation, each `[width]`.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    /// Place of the factors.
    pub(super) gamma: Range<usize>,
    /// Place of the offsets.
    pub(super) beta: Range<usize>,
}

/// The places of all parameters except the item table.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Sizes of the backbone.
    pub(super) config: BackboneConfig,
    /// The encoder.
    pub(super) net: Net,
    /// Every parameter's name in the model, in the order of the vector.
    names: Vec<(String, Range<usize>)>,
}

/// Allocates consecutive places of the vector.
#[derive(Default)]
pub(super) struct Places(Vec<(String, Range<usize>)>);

impl Places {
    /// Allocates a parameter; `name` is its name in the model.
    pub(super) fn next(&mut self, name: String, size: usize) -> Range<usize> {
        let start = self.0.last().map_or(0, |(_, place)| place.end);
        self.0.push((name, start..start + size));
        start..start + size
    }

    /// Allocates a linear layer.
    pub(super) fn linear(&mut self, name: &str, input: usize, output: usize) -> Linear {
        Linear {
            weight: self.next(format!("{name}.weight"), input * output),
            bias: self.next(format!("{name}.bias"), output),
            input,
            output,
        }
    }

    /// Allocates a layer normalisation.
    pub(super) fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gamma: self.next(format!("{name}.gamma"), width),
            beta: self.next(format!("{name}.beta"), width),
        }
    }
}

impl Layout {
    /// The layout of a backbone of these sizes.
    pub(super) fn new(config: &BackboneConfig) -> Self {
        let mut places = Places::default();
        Self {
            config: config.clone(),
            net: Net::new(config, &mut places),
            names: places.0,
        }
    }

    /// Length of the vector.
    pub(super) fn len(&self) -> usize {
        self.names.last().map_or(0, |(_, place)| place.end)
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

    /// The model with its backbone replaced by these parameters.
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
}
