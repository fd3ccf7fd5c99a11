//! The backbone: item embeddings, an encoder of click histories, and the registry of encoders. The item table
//! is tied to the output: `logits = h · Eᵀ`.
//!
//! An encoder has two implementations here: on tensors ([`Encode`]) and on slices ([`EncodeSlices`]), which the
//! browser's CPU engine runs. The trainer has hand-written gradients as well. Methods do not depend on the
//! encoder. To add one: a module with both implementations and one line in the registry below; its gradient
//! and one line in the trainer's registry. The contract tests cover it by its registration.

pub mod gru4rec;
pub mod sasrec;

#[cfg(feature = "burn")]
pub use sasrec::Block;

use crate::config::BackboneConfig;
#[cfg(feature = "burn")]
use crate::rng::{Rng, normal};
use crate::slices::Source;
use crate::weights::WeightsError;
#[cfg(feature = "burn")]
use burn::{
    module::{
        Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
        Param,
    },
    prelude::*,
    tensor::Int,
};
use serde::{Deserialize, Serialize};

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

/// An encoder on slices.
pub(crate) trait EncodeSlices {
    /// The user vector of a history.
    ///
    /// # Shapes
    /// - `embedded`: `[len, width]`, `1 <= len <= max_len`
    /// - `keep`: `[len]`, `0..=1`
    /// - output: `[width]`
    fn user(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32>;
}

/// Declares the encoders: name, file, module.
macro_rules! registry {
    ($($(#[$attribute:meta])* $variant:ident: $name:literal => $folder:ident),+ $(,)?) => {
        /// Names of all encoders, as `backbone.kind` takes them.
        pub const NAMES: &[&str] = &[$($name),+];

        /// The kind of encoder.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$attribute])* #[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $variant),+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        /// An encoder on slices, as exported.
        #[derive(Debug)]
        pub(crate) enum SliceEncoder {
            $($variant($folder::SliceEncoder)),+
        }

        impl SliceEncoder {
            /// The encoder of that shape, from weights under `path`.
            pub(crate) fn read(
                source: &mut Source,
                path: &str,
                config: &BackboneConfig,
            ) -> Result<Self, WeightsError> {
                match config.kind {
                    $(Kind::$variant => {
                        $folder::SliceEncoder::read(source, path, config).map(Self::$variant)
                    }),+
                }
            }
        }

        impl EncodeSlices for SliceEncoder {
            fn user(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
                match self { $(Self::$variant(encoder) => encoder.user(embedded, keep)),+ }
            }
        }

        /// An encoder on tensors.
        #[cfg(feature = "burn")]
        #[derive(Clone, Debug)]
        pub enum Encoder {
            $(#[doc = concat!("`", $name, "`")] $variant($folder::$variant)),+
        }

        #[cfg(feature = "burn")]
        impl Encoder {
            fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
                match config.kind {
                    $(Kind::$variant => Self::$variant($folder::$variant::new(config, rng, device))),+
                }
            }

            /// The encoder itself.
            fn get(&self) -> &dyn Encode {
                match self { $(Self::$variant(encoder) => encoder),+ }
            }

            fn collect_devices(&self, devices: Devices) -> Devices {
                match self { $(Self::$variant(encoder) => encoder.collect_devices(devices)),+ }
            }

            fn visit(&self, visitor: &mut impl ModuleVisitor) {
                match self { $(Self::$variant(encoder) => encoder.visit(visitor)),+ }
            }

            fn map(self, mapper: &mut impl ModuleMapper) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.map(mapper))),+ }
            }

            fn fork(self, device: &Device) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.fork(device))),+ }
            }

            fn moved(self, device: &Device) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.to_device(device))),+ }
            }

            fn train(self) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.train())),+ }
            }

            fn valid(&self) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.valid())),+ }
            }

            fn materialize(self) -> Self {
                match self { $(Self::$variant(encoder) => Self::$variant(encoder.materialize())),+ }
            }
        }
    };
}

registry! {
    #[default]
    Sasrec: "sasrec" => sasrec,
    Gru4rec: "gru4rec" => gru4rec,
}

impl Kind {
    /// Whether it is the default, which is not serialised: older bundles and runs do not name it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An encoder and its item table.
#[cfg(feature = "burn")]
#[derive(Clone, Debug)]
pub struct Backbone {
    /// Item embeddings `[items + 1, width]`; row 0 belongs to padding.
    pub items: Param<Tensor<2>>,
    encoder: Encoder,
}

#[cfg(feature = "burn")]
impl Backbone {
    /// A backbone with random weights for a catalogue of `items`.
    pub fn new(config: &BackboneConfig, items: usize, rng: &mut Rng, device: &Device) -> Self {
        Self {
            items: normal([items + 1, config.width], EMBEDDING_DEVIATION, rng, device),
            encoder: Encoder::new(config, rng, device),
        }
    }

    /// The number of clicks that the backbone can read.
    pub fn max_len(&self) -> usize {
        self.encoder.get().max_len()
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
        }
    }

    fn to_device(self, device: &Device) -> Self {
        Self {
            items: self.items.to_device(device),
            encoder: self.encoder.moved(device),
        }
    }

    fn train(self) -> Self {
        Self {
            items: self.items.train(),
            encoder: self.encoder.train(),
        }
    }

    fn valid(&self) -> Self {
        Self {
            items: self.items.valid(),
            encoder: self.encoder.valid(),
        }
    }

    fn materialize(self) -> Self {
        Self {
            items: self.items.materialize(),
            encoder: self.encoder.materialize(),
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
        assert_eq!(NAMES.len(), Kind::ALL.len());
        for (kind, name) in Kind::ALL.iter().zip(NAMES) {
            assert_eq!(kind.name(), *name);
            let text = serde_json::to_string(kind).expect("JSON");
            assert_eq!(text, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Kind>(&text).expect("reads"), *kind);
        }
    }

    #[test]
    fn an_unknown_encoder_is_refused_with_those_that_are_known() {
        let error = serde_json::from_str::<Kind>("\"gru5rec\"").expect_err("unknown");
        for name in NAMES {
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_configuration_that_names_no_encoder_is_a_transformers_and_stays_so() {
        let config: BackboneConfig = serde_json::from_str("{\"width\":64}").expect("reads");
        assert_eq!(config.kind, Kind::Sasrec);
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
