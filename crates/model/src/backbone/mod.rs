//! The backbone: item embeddings, an encoder of click histories, and the kinds of encoders. The item table
//! is tied to the output: `logits = h · Eᵀ`. Methods do not depend on the encoder.
//!
//! An encoder on tensors ([`Encode`]) is complete: Burn trains it, and the browser's general engine runs it. It is
//! registered by its name, from any crate ([`Custom`], [`register`]). The built-in ones exist on slices as well
//! ([`EncodeSlices`]): the small engines run them, and the CPU trains them; tests compare both with the tensors.

pub mod gru4rec;
#[cfg(feature = "burn")]
mod registry;
pub mod sasrec;
mod slices;

#[cfg(feature = "burn")]
pub use registry::{Custom, register};
#[cfg(feature = "burn")]
pub use sasrec::Block;
pub(crate) use slices::SliceEncoder;
pub use slices::{EncodeSlices, Layers, OnSlices, Tape};

use crate::config::BackboneConfig;
#[cfg(feature = "burn")]
use crate::erased::{Does, Erased};
#[cfg(feature = "burn")]
use crate::rng::{Rng, normal};
#[cfg(feature = "burn")]
use burn::{
    module::{
        Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
        Param,
    },
    prelude::*,
    tensor::Int,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Standard deviation of random embeddings.
#[cfg(feature = "burn")]
pub const EMBEDDING_DEVIATION: f32 = 0.02;

/// An encoder on tensors.
#[cfg(feature = "burn")]
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
#[cfg(feature = "burn")]
pub type Encoder = Erased<dyn Encode>;

#[cfg(feature = "burn")]
impl<E: Encode + 'static> Does<dyn Encode> for E {
    fn does(&self) -> &(dyn Encode + 'static) {
        self
    }
}

/// The kind of encoder: a name that `backbone.kind` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(&'static str);

impl Kind {
    /// The Transformer, the default.
    pub const SASREC: Self = Self("sasrec");
    /// The recurrent network.
    pub const GRU4REC: Self = Self("gru4rec");
    /// The built-in encoders, which every engine has.
    pub const ALL: &[Self] = &[Self::SASREC, Self::GRU4REC];

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The kind of that name, built in or registered.
    pub fn named(name: &str) -> Option<Self> {
        Self::known().into_iter().find(|kind| kind.0 == name)
    }

    /// All kinds that this process knows.
    pub fn known() -> Vec<Self> {
        let built_in = Self::ALL.iter().copied();
        #[cfg(feature = "burn")]
        let built_in = built_in.chain(registry::registered().into_iter().map(Self));
        built_in.collect()
    }

    /// Whether it is the default, which is not serialised: older bundles and runs do not name it.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Kind {
    fn default() -> Self {
        Self::SASREC
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let known: Vec<&str> = Self::known().into_iter().map(Self::name).collect();
            Error::custom(format!(
                "unknown kind of encoder {name:?}, expected one of {}",
                known.join(", ")
            ))
        })
    }
}

/// An encoder and its item table.
#[cfg(feature = "burn")]
#[derive(Clone, Debug)]
pub struct Backbone {
    /// Item embeddings `[items + 1, width]`; row 0 belongs to padding.
    pub items: Param<Tensor<2>>,
    encoder: Encoder,
    config: BackboneConfig,
}

#[cfg(feature = "burn")]
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
#[cfg(feature = "burn")]
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

#[cfg(feature = "burn")]
impl ModuleDisplayDefault for Backbone {
    fn content(&self, content: Content) -> Option<Content> {
        content.add("items", &self.items).optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

#[cfg(feature = "burn")]
impl ModuleDisplay for Backbone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoder_is_found_by_its_name_and_round_trips() {
        for &kind in Kind::ALL {
            let text = serde_json::to_string(&kind).expect("JSON");
            assert_eq!(text, format!("\"{}\"", kind.name()));
            assert_eq!(serde_json::from_str::<Kind>(&text).expect("reads"), kind);
        }
    }

    #[test]
    fn an_unknown_encoder_is_refused_with_those_that_are_known() {
        let error = serde_json::from_str::<Kind>("\"gru5rec\"").expect_err("unknown");
        for kind in Kind::ALL {
            assert!(error.to_string().contains(kind.name()), "{error}");
        }
    }

    #[test]
    fn a_configuration_that_names_no_encoder_is_a_transformers_and_stays_so() {
        let config: BackboneConfig = serde_json::from_str("{\"width\":64}").expect("reads");
        assert_eq!(config.kind, Kind::SASREC);
        let text = serde_json::to_string(&config).expect("JSON");
        assert!(!text.contains("kind"), "{text}");
    }

    #[cfg(feature = "burn")]
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
