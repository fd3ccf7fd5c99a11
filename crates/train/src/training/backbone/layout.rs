//! Where each parameter of the backbone lies in one flat vector, and how it gets there from a model
//! and back.

use super::encoder::{Encoder, Net};
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

/// All parameters but the item table, by place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Sizes of the backbone.
    pub(super) config: BackboneConfig,
    /// The encoder.
    pub(super) net: Net,
    /// Every parameter's name in the model, in the order of the vector.
    names: Vec<(String, Range<usize>)>,
}

/// Hands out the places of the vector one after the other.
#[derive(Default)]
pub(super) struct Places(Vec<(String, Range<usize>)>);

impl Places {
    /// Room for a parameter of that name in the model.
    pub(super) fn next(&mut self, name: String, size: usize) -> Range<usize> {
        let start = self.0.last().map_or(0, |(_, place)| place.end);
        self.0.push((name, start..start + size));
        start..start + size
    }

    /// Room for a linear layer.
    pub(super) fn linear(&mut self, name: &str, input: usize, output: usize) -> Linear {
        Linear {
            weight: self.next(format!("{name}.weight"), input * output),
            bias: self.next(format!("{name}.bias"), output),
            input,
            output,
        }
    }

    /// Room for a layer normalisation.
    pub(super) fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gamma: self.next(format!("{name}.gamma"), width),
            beta: self.next(format!("{name}.beta"), width),
        }
    }
}

impl Layout {
    /// The places of a backbone of these sizes.
    pub(super) fn new(config: &BackboneConfig) -> Self {
        let mut places = Places::default();
        Self {
            config: config.clone(),
            net: Net::new(config, &mut places),
            names: places.0,
        }
    }

    /// Floats of the vector.
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
}
