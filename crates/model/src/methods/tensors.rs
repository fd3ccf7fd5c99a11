//! Methods on tensors.

use super::{
    Clicks, Interest, MethodConfig, Objective, Part, Scorer, Step, Views, dc4sr, iadsr, mgsd_wss,
    none, with_methods,
};
use crate::config::BackboneConfig;
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;

/// The scorer of a method, on tensors.
pub trait ScoreTensors {
    /// Noise logits of every click of a batch of histories; `None` if the method has no scorer.
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits>;

    /// The interest of each click, each `[batch, len]`, for methods with interests; values on padding are
    /// undefined.
    fn interests(&self, clicks: &Clicks) -> Option<Interest<Tensor<2>>> {
        let _ = clicks;
        None
    }
}

/// Noise logits before calibration, each `[batch, len]`; values on padding are undefined.
#[derive(Clone, Debug)]
pub struct NoiseLogits {
    /// The logits that decide.
    pub fused: Tensor<2>,
    /// The logits of each view, for methods with two views.
    pub views: Option<Views<Tensor<2>>>,
}

/// Declares the methods, as the registry lists them.
macro_rules! tensors {
    ($($variant:ident: $name:literal $(| $former:literal)? => $folder:ident::$module:ident),+ $(,)?) => {
        impl MethodConfig {
            /// The method with random weights, for a backbone of that shape.
            pub fn init(&self, backbone: &BackboneConfig, rng: &mut Rng, device: &Device) -> Method {
                match self {
                    $(Self::$variant(config) => Method::$variant(
                        $folder::$module::new(config, backbone, rng, device)
                    ),)+
                    Self::Registered(method) => Method::Registered(method.init(backbone, rng, device)),
                }
            }
        }

        /// A method's parameters.
        #[derive(Module, Debug)]
        #[expect(clippy::large_enum_variant, reason = "there is one of them, and it is never moved in a loop")]
        pub enum Method {
            $(#[doc = concat!("`", $name, "`")] $variant($folder::$module),)+
            /// A method of another package
            Registered(Scorer),
        }

        impl ScoreTensors for Method {
            fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
                match self {
                    $(Self::$variant(method) => method.noise_logits(clicks),)+
                    Self::Registered(method) => method.noise_logits(clicks),
                }
            }

            fn interests(&self, clicks: &Clicks) -> Option<Interest<Tensor<2>>> {
                match self {
                    $(Self::$variant(method) => method.interests(clicks),)+
                    Self::Registered(method) => method.interests(clicks),
                }
            }
        }

        impl Objective for Method {
            fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
                match self {
                    $(Self::$variant(method) => method.loss(part, step),)+
                    Self::Registered(method) => method.loss(part, step),
                }
            }
        }
    };
}

with_methods!(tensors);
