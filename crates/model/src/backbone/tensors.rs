//! The backbone on tensors.

use super::{OnSlices, SliceEncoder, registry};
use crate::config::BackboneConfig;
use crate::erased::{Does, Erased};
use crate::rng::{Rng, normal};
use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param,
};
use burn::prelude::*;
use burn::tensor::Int;

/// Standard deviation of random embeddings.
pub const EMBEDDING_DEVIATION: f32 = 0.02;

/// An encoder on tensors.
pub trait Encode {
    /// The number of clicks it can read.
    fn max_len(&self) -> usize;

    /// Hidden states of embedded clicks. Dropout is applied if there is a generator.
    ///
    /// # Shapes
    /// - `embedded`, output: `[batch, len, width]`, `len <= max_len`; values on padding are undefined
    /// - `keep`: weight of each click, `[batch, len]`, `0..=1`; `None` for 1
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    fn encode(
        &self,
        embedded: Tensor<3>,
        keep: Option<&Tensor<2>>,
        real: &Tensor<2>,
        rng: Option<&mut Rng>,
    ) -> Tensor<3>;
}

/// An encoder on tensors whose type is not known.
pub type Encoder = Erased<dyn Encode>;

impl<E: Encode + 'static> Does<dyn Encode> for E {
    fn does(&self) -> &(dyn Encode + 'static) {
        self
    }
}

/// An encoder and its item table.
#[derive(Clone, Debug)]
pub struct Backbone {
    /// Item embeddings `[items + 1, width]`; row 0 belongs to padding.
    pub items: Param<Tensor<2>>,
    encoder: Encoder,
    config: BackboneConfig,
}

impl Backbone {
    /// A backbone with random weights for a catalogue of `items`.
    pub fn new(config: &BackboneConfig, items: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            items: normal([items + 1, config.width], EMBEDDING_DEVIATION, rng, device),
            encoder: registry::make(config, rng, device),
            config: config.clone(),
        }
    }

    /// The number of clicks that the backbone can read.
    pub fn max_len(&self) -> usize {
        self.encoder.get().max_len()
    }

    /// The same on slices, for inference; `None` for encoders that exist on tensors only. Blocks until the device has
    /// computed the weights, so it is for native use only.
    pub fn on_slices(&self) -> Option<OnSlices> {
        let mut weights = crate::weights::collect(self);
        let table = weights.remove("items").expect("a backbone has items").data;
        let encoder = SliceEncoder::read(&mut weights, "", &self.config);
        Some(OnSlices {
            encoder: encoder.expect("the shapes are its own")?,
            table,
            width: self.config.width,
        })
    }

    /// Looks up item embeddings.
    ///
    /// # Shapes
    /// - `items`: `[batch, len]`
    /// - output: `[batch, len, width]`
    pub fn embed(&self, items: Tensor<2, Int>) -> Tensor<3> {
        let [batch, len] = items.dims();
        let [_rows, width] = self.items.dims();
        let rows = self.items.val().select(0, items.reshape([batch * len]));
        rows.reshape([batch, len, width])
    }

    /// Hidden states of embedded clicks that all have weight 1. Dropout is applied if there is a generator.
    ///
    /// # Shapes
    /// - `embedded`: `[batch, len, width]`, `len <= max_len`
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    /// - output: `[batch, len, width]`; values on padding are undefined
    ///
    /// # Panics
    /// If `len` is more than `max_len`.
    pub fn forward(
        &self,
        embedded: Tensor<3>,
        real: &Tensor<2>,
        rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        self.gated(embedded, None, real, rng)
    }

    /// The same with a weight of each click, `keep`: `[batch, len]`, `0..=1`.
    ///
    /// # Panics
    /// If there are more clicks than `max_len`.
    pub fn gated(
        &self,
        embedded: Tensor<3>,
        keep: Option<&Tensor<2>>,
        real: &Tensor<2>,
        rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let ([_batch, len, _width], max_len) = (embedded.dims(), self.max_len());
        assert!(
            len <= max_len,
            "{len} clicks, but the model looks at {max_len}"
        );
        self.encoder.get().encode(embedded, keep, real, rng)
    }
}

/// Names the encoder's parameters beside the item table, independent of its kind: `backbone.items`,
/// `backbone.norm.gamma`. Burn's derived names would contain the kind of encoder, which the names in older
/// bundles and checkpoints do not.
impl Module for Backbone {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.encoder
            .collect_devices(self.items.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        Self {
            items: self.items.fork(device),
            encoder: self.encoder.fork(device),
            config: self.config,
        }
    }

    fn to_device(self, device: &Device) -> Self {
        Self {
            items: self.items.to_device(device),
            encoder: self.encoder.to_device(device),
            config: self.config,
        }
    }

    fn train(self) -> Self {
        Self {
            items: self.items.train(),
            encoder: self.encoder.train(),
            config: self.config,
        }
    }

    fn valid(&self) -> Self {
        Self {
            items: self.items.valid(),
            encoder: self.encoder.valid(),
            config: self.config.clone(),
        }
    }

    fn materialize(self) -> Self {
        Self {
            items: self.items.materialize(),
            encoder: self.encoder.materialize(),
            config: self.config,
        }
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        visitor.enter_module("items", "Struct:Backbone");
        self.items.visit(visitor);
        visitor.exit_module("items", "Struct:Backbone");
        self.encoder.visit(visitor);
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        mapper.enter_module("items", "Struct:Backbone");
        let items = Module::map(self.items, mapper);
        mapper.exit_module("items", "Struct:Backbone");
        Self {
            items,
            encoder: self.encoder.map(mapper),
            config: self.config,
        }
    }
}

impl ModuleDisplayDefault for Backbone {
    fn content(&self, content: Content) -> Option<Content> {
        content.add("items", &self.items).optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for Backbone {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::Kind;

    #[test]
    fn no_parameter_is_named_after_its_encoder() {
        for &kind in Kind::ALL {
            let config = BackboneConfig {
                kind,
                width: 4,
                blocks: 1,
                ..BackboneConfig::default()
            };
            let backbone = Backbone::new(&config, 3, &mut Rng::new(1, &[]), &Device::flex());
            let names = crate::weights::collect(&backbone);
            assert!(names.contains_key("items"), "{kind:?}");
            assert!(names.contains_key("norm.gamma"), "{kind:?}");
        }
    }
}
