//! The registry of encoders with hand-written gradients. Encoders that are not in it are trained by Burn's autodiff.

use super::layout::{Linear, Places};
use super::pass::{Dropout, Packed, Pass};
use super::{gru4rec, sasrec};
use ingle_model::BackboneConfig;
use ingle_model::backbone::Kind;

/// The parameters of an encoder by their places in the flat vector, and its passes.
pub(super) trait Encoder: Sized {
    /// What the backward pass needs from the forward pass.
    type Tape;

    /// Reserves the encoder's places in the vector.
    fn new(config: &BackboneConfig, places: &mut Places) -> Self;

    /// All linear layers whose weights the backward pass needs transposed.
    fn linears(&self) -> Vec<&Linear>;

    /// Hidden states of every click, `[clicks, width]`.
    fn forward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        dropout: &mut Dropout<'_>,
    ) -> (Vec<f32>, Self::Tape);

    /// Adds the gradients of all parameters except the item table to `gradient`; returns those of the clicks'
    /// embeddings, `[clicks, width]`.
    fn backward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        tape: &Self::Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32>;
}

/// Declares the encoders: a variant of [`Kind`] and the module that implements it here.
macro_rules! registry {
    ($($variant:ident: $kind:ident => $folder:ident),+ $(,)?) => {
        /// Whether an encoder of that kind has a hand-written gradient; others are trained by Burn.
        pub fn by_hand(kind: Kind) -> bool {
            [$(Kind::$kind),+].contains(&kind)
        }

        /// An encoder's parameters by place.
        #[derive(Clone, Debug)]
        pub(super) enum Net {
            $($variant($folder::Net)),+
        }

        /// What an encoder's backward pass needs.
        #[derive(Debug)]
        pub(super) enum NetTape {
            $($variant(<$folder::Net as Encoder>::Tape)),+
        }

        impl Encoder for Net {
            type Tape = NetTape;

            fn new(config: &BackboneConfig, places: &mut Places) -> Self {
                match config.kind {
                    $(Kind::$kind => Self::$variant(Encoder::new(config, places)),)+
                    kind => unreachable!("{} has no gradient by hand", kind.name()),
                }
            }

            fn linears(&self) -> Vec<&Linear> {
                match self { $(Self::$variant(net) => net.linears()),+ }
            }

            fn forward(
                &self,
                pass: &Pass<'_>,
                packed: &Packed,
                dropout: &mut Dropout<'_>,
            ) -> (Vec<f32>, NetTape) {
                match self {
                    $(Self::$variant(net) => {
                        let (hidden, tape) = net.forward(pass, packed, dropout);
                        (hidden, NetTape::$variant(tape))
                    }),+
                }
            }

            fn backward(
                &self,
                pass: &Pass<'_>,
                packed: &Packed,
                tape: &NetTape,
                hidden: &[f32],
                gradient: &mut [f32],
            ) -> Vec<f32> {
                match (self, tape) {
                    $((Self::$variant(net), NetTape::$variant(tape)) => {
                        net.backward(pass, packed, tape, hidden, gradient)
                    }),+
                    _ => unreachable!("a tape is its own encoder's"),
                }
            }
        }
    };
}

registry! {
    Sasrec: SASREC => sasrec,
    Gru4rec: GRU4REC => gru4rec,
}
