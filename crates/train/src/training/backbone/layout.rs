//! The backbone's parameters in one flat vector, and the conversion from and to a model.

use ingle_layers::Places;
use ingle_model::backbone::Layers;
use ingle_model::weights::{self, ITEM_TABLE, Weights};
use ingle_model::{BackboneConfig, Model};

/// The encoder, and the places of all parameters except the item table.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Sizes of the backbone.
    pub(super) config: BackboneConfig,
    /// The encoder.
    pub(super) layers: Layers,
    /// Every parameter's name in the model, in the order of the vector.
    pub(super) places: Places,
}

impl Layout {
    /// The layout of a backbone of these sizes.
    ///
    /// # Panics
    /// If the encoder exists on tensors only.
    pub(super) fn new(config: &BackboneConfig) -> Self {
        let mut places = Places::under("backbone");
        let layers = Layers::of(config, &mut places);
        Self {
            config: config.clone(),
            layers: layers.expect("others are trained by autodiff"),
            places,
        }
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
        let mut values = vec![0.0; self.places.len()];
        for (name, place) in self.places.names() {
            let weight = &weights[name];
            values[place].copy_from_slice(&weight.data);
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
        for (name, place) in self.places.names() {
            let weight = weights.get_mut(name).expect("the model has these sizes");
            weight.data.copy_from_slice(&values[place]);
        }
        weights::load(model, weights).expect("the shapes are the model's own")
    }
}
