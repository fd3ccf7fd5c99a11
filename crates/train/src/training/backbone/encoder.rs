//! The one list of encoders that are trained by hand, as [`ingle_model::backbone`] lists them on tensors.

use super::layout::{Linear, Places};
use super::pass::{Dropout, Packed, Pass};
use super::{gru4rec, sasrec};
use ingle_model::BackboneConfig;
use ingle_model::backbone::Kind;

/// Where an encoder's parameters lie, and its passes over them.
pub(super) trait Encoder: Sized {
    /// What the way back needs of the way forwards.
    type Tape;

    /// Its places in the vector.
    fn new(config: &BackboneConfig, places: &mut Places) -> Self;

    /// All linear layers that the way back needs transposed.
    fn linears(&self) -> Vec<&Linear>;

    /// Hidden states of every click, `[clicks, width]`.
    fn forward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        dropout: &mut Dropout<'_>,
    ) -> (Vec<f32>, Self::Tape);

    /// Adds the gradients of all parameters but the item table to `gradient` and gives those of the
    /// clicks' embeddings, `[clicks, width]`.
    fn backward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        tape: &Self::Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32>;
}

/// Declares the encoders: a variant of [`Kind`], and the file of what it is here.
macro_rules! registry {
    ($($variant:ident => $folder:ident),+ $(,)?) => {
        /// An encoder's parameters by place.
        #[derive(Clone, Debug)]
        pub(super) enum Net {
            $($variant($folder::Net)),+
        }

        /// What the way back of an encoder needs.
        #[derive(Debug)]
        pub(super) enum NetTape {
            $($variant(<$folder::Net as Encoder>::Tape)),+
        }

        impl Encoder for Net {
            type Tape = NetTape;

            fn new(config: &BackboneConfig, places: &mut Places) -> Self {
                match config.kind {
                    $(Kind::$variant => Self::$variant(Encoder::new(config, places))),+
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
    Sasrec => sasrec,
    Gru4rec => gru4rec,
}
