//! Denoising methods, one folder each, and their registry.
//!
//! A method has two halves. The scorer gives each click of a history a noise logit. It is exported, and has
//! two implementations: on tensors (`ScoreTensors`) and on slices (`ScoreSlices`), which the browser's engines run. The
//! `Objective`, the loss of a training step, stays in the trainer. Methods use the backbone and the shared
//! [`Clicks`]; the backbone names no method, and no method names another. To add one: a folder with a
//! `Config`, the `PARTS` of its scorer, whether it is `TAUGHT`, a module type with both halves, a `SliceScorer`
//! type on slices, and one line in the registry below. The contract tests cover it by its registration.
//!
//! A method on tensors alone is complete as well: Burn trains it, and the browser's general engine runs it. Any package
//! can register one ([`Custom`], [`register`]).

#[cfg(feature = "burn")]
pub mod clicks;
pub mod dc4sr;
pub mod iadsr;
pub mod mgsd_wss;
pub mod none;
#[cfg(feature = "burn")]
pub mod objective;
#[cfg(feature = "burn")]
mod registry;
mod removed;
#[cfg(feature = "burn")]
mod tensors;

pub use removed::take_removed;
#[cfg(feature = "burn")]
pub use {
    clicks::Clicks,
    objective::{Labelled, Objective, RankLoss, Step},
    registry::{Custom, Registered, Scorer, register},
    tensors::{Method, NoiseLogits, ScoreTensors},
};

use crate::config::{BackboneConfig, ConfigError};
use crate::slices;
use ingle_layers::{Weights, WeightsError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Scales `ln(1 + clicks)` to the order of 1.
pub(crate) const FIFTH: f32 = 0.2;

/// The scorer of a method, on slices.
pub(crate) trait ScoreSlices {
    /// Noise logits of every click of a history; `None` if the method has no scorer.
    fn noise_logits(&self, clicks: &slices::Clicks) -> Option<slices::NoiseLogits>;

    /// The interest of each click, each `[len]`, for methods with interests.
    fn interests(&self, clicks: &slices::Clicks) -> Option<Interest<Vec<f32>>> {
        let _ = clicks;
        None
    }
}

/// A part of a scorer that is trained in a stage of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What judges by what the items are, with the semantic codes.
    Prior,
    /// The rest of the scorer.
    Scorer,
}

/// A value for each of a method's two views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Views<T> {
    /// Of the prior view, which judges by what the items are.
    pub prior: T,
    /// Of the posterior view, which judges by how shoppers use the items.
    pub posterior: T,
}

/// The interest with the largest share of a click, for methods with interests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interest<T> {
    /// Number of the interest, counted from 0.
    pub number: T,
    /// The click's share in it, `0..=1`.
    pub share: T,
    /// 1 if the method drops the whole interest, else 0.
    pub dropped: T,
}

/// Declares the methods: name (and former name), configuration, module.
macro_rules! registry {
    ($($variant:ident: $name:literal $(| $former:literal)? => $folder:ident::$module:ident),+ $(,)?) => {
        /// Names of all methods, as `--method` takes them.
        pub const NAMES: &[&str] = &[$($name),+];

        /// A method by name with its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name", remote = "Self")]
        pub enum MethodConfig {
            $(
                #[doc = concat!("`", $name, "`")]
                #[serde(rename = $name $(, alias = $former)?)]
                $variant($folder::Config),
            )+
            /// A method of another package
            #[cfg(feature = "burn")]
            #[serde(skip)]
            Registered(Registered),
        }

        impl MethodConfig {
            /// The method of that name, or formerly of that name, with default settings.
            pub fn named(name: &str) -> Option<Self> {
                let found = Self::built_in(name);
                #[cfg(feature = "burn")]
                let found = found.or_else(|| {
                    let found = Registered::read(name, serde_json::Map::new())?;
                    found.ok().map(Self::Registered)
                });
                found
            }

            /// The same of the methods that every engine has.
            pub fn built_in(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $former)? => Some(Self::$variant($folder::Config::default())),)+
                    _ => None,
                }
            }

            /// The method's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                    #[cfg(feature = "burn")]
                    Self::Registered(method) => method.name(),
                }
            }

            /// The parts of its scorer in the order of their training, each with the name of its stage; none for a
            /// method without a scorer.
            pub fn parts(&self) -> &'static [(&'static str, Part)] {
                match self {
                    $(Self::$variant(_) => $folder::PARTS,)+
                    #[cfg(feature = "burn")]
                    Self::Registered(method) => method.parts(),
                }
            }

            /// Whether the method has a scorer.
            pub fn denoises(&self) -> bool {
                !self.parts().is_empty()
            }

            /// Whether soft labels of clicks that were not replaced are learnt from, where the settings ask for any.
            pub fn taught(&self) -> bool {
                match self {
                    $(Self::$variant(_) => $folder::TAUGHT,)+
                    #[cfg(feature = "burn")]
                    Self::Registered(method) => method.taught(),
                }
            }

            /// Width of the items' semantic codes, if the method uses them.
            pub fn code_width(&self) -> Option<usize> {
                match self {
                    $(Self::$variant(config) => config.code_width(),)+
                    #[cfg(feature = "burn")]
                    Self::Registered(method) => method.code_width(),
                }
            }

            /// Checks the settings.
            ///
            /// # Errors
            /// The first setting out of its range.
            pub fn validate(&self) -> Result<(), ConfigError> {
                match self {
                    $(Self::$variant(config) => config.validate(),)+
                    #[cfg(feature = "burn")]
                    Self::Registered(method) => method.validate(),
                }
            }

            /// Its scorer on slices, from weights under `path`; `None` for methods that exist on tensors only.
            pub(crate) fn read(
                &self,
                backbone: &BackboneConfig,
                weights: &mut Weights,
                path: &str,
            ) -> Result<Option<SliceScorer>, WeightsError> {
                match self {
                    $(Self::$variant(config) => {
                        let path = format!("{path}.{}", stringify!($variant));
                        let scorer = $folder::SliceScorer::read(config, backbone, weights, &path)?;
                        Ok(Some(SliceScorer::$variant(scorer)))
                    })+
                    #[cfg(feature = "burn")]
                    Self::Registered(_) => Ok(None),
                }
            }
        }

        /// A method's scorer on slices.
        #[derive(Debug)]
        pub(crate) enum SliceScorer {
            $($variant($folder::SliceScorer)),+
        }

        impl ScoreSlices for SliceScorer {
            fn noise_logits(&self, clicks: &slices::Clicks) -> Option<slices::NoiseLogits> {
                match self { $(Self::$variant(method) => method.noise_logits(clicks)),+ }
            }

            fn interests(&self, clicks: &slices::Clicks) -> Option<Interest<Vec<f32>>> {
                match self { $(Self::$variant(method) => method.interests(clicks)),+ }
            }
        }

    };
}

/// Hands the list of methods to a macro.
macro_rules! with_methods {
    ($macro:ident) => {
        $macro! {
            NoDenoising: "none" | "sasrec" => none::NoDenoising,
            Dc4sr: "dc4sr" => dc4sr::Dc4sr,
            Iadsr: "iadsr" => iadsr::Iadsr,
            MgsdWss: "mgsd-wss" => mgsd_wss::MgsdWss,
        }
    };
}
#[cfg(feature = "burn")]
use with_methods;

with_methods!(registry);

/// Names of all methods that this process knows.
pub fn names() -> Vec<&'static str> {
    let names = NAMES.to_vec();
    #[cfg(feature = "burn")]
    let names = [names, registry::registered()].concat();
    names
}

impl Serialize for MethodConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "burn")]
        if let Self::Registered(method) = self {
            return method.serialize(serializer);
        }
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for MethodConfig {
    #[cfg(feature = "burn")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let all = serde_json::Map::deserialize(deserializer)?;
        let name = all.get("name").and_then(serde_json::Value::as_str);
        let registered = name.and_then(|name| Registered::read(name, all.clone()));
        let found = match registered {
            Some(found) => found.map(Self::Registered),
            None => Self::deserialize(serde_json::Value::Object(all)),
        };
        found.map_err(D::Error::custom)
    }

    #[cfg(not(feature = "burn"))]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_name_and_round_trips() {
        for &name in NAMES {
            let config = MethodConfig::named(name).expect(name);
            assert_eq!(config.name(), name);
            assert_eq!(config.validate(), Ok(()));
            let text = serde_json::to_string(&config).expect("JSON");
            assert!(text.contains(name), "{text}");
            let back: MethodConfig = serde_json::from_str(&text).expect("round trip");
            assert_eq!(back, config);
        }
    }

    #[test]
    fn the_method_without_a_scorer_is_found_by_its_former_name() {
        let plain = MethodConfig::named("sasrec").expect("none");
        assert_eq!(plain.name(), "none");
        let read: MethodConfig = serde_json::from_str(r#"{"name":"sasrec"}"#).expect("none");
        assert_eq!(read, plain);
    }

    #[test]
    fn an_unknown_method_has_no_configuration() {
        assert_eq!(MethodConfig::named("dc5sr"), None);
        assert!(serde_json::from_str::<MethodConfig>(r#"{"name":"dc5sr"}"#).is_err());
    }
}
