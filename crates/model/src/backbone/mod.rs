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
mod tensors;

pub(crate) use slices::SliceEncoder;
pub use slices::{EncodeSlices, Layers, OnSlices, Tape};
#[cfg(feature = "burn")]
pub use {
    registry::{Custom, register},
    sasrec::Block,
    tensors::{Backbone, EMBEDDING_DEVIATION, Encode, Encoder},
};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BackboneConfig;

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
}
