//! Encoders on slices: inference for the small engines, and training and its gradient on the CPU.

use super::{Kind, gru4rec, sasrec};
use crate::config::BackboneConfig;
use ingle_layers::{Dropout, Packed, Parameters, Places, Values, Weights, WeightsError};

/// An encoder on slices. It knows the names and places of its parameters, not their values.
pub trait EncodeSlices: Sized {
    /// What the backward pass needs from the forward pass.
    type Tape;

    /// Adds the encoder's parameters.
    fn new(config: &BackboneConfig, places: &mut Places) -> Self;

    /// The user vector of a history.
    ///
    /// # Shapes
    /// - `embedded`: `[len, width]`, `1 <= len <= max_len`
    /// - `keep`: `[len]`, `0..=1`
    /// - output: `[width]`
    fn user(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32>;

    /// The hidden state of every click, which is what predicts the click after it; the last one is the user vector.
    ///
    /// # Shapes
    /// - `embedded`, output: `[len, width]`, `1 <= len <= max_len`
    /// - `keep`: `[len]`, `0..=1`
    fn states(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32>;

    /// Hidden states of several histories, whose clicks all count fully, for training.
    ///
    /// # Shapes
    /// - `embedded`, output: `[clicks, width]`
    fn forward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        embedded: Vec<f32>,
        dropout: &mut impl Dropout,
    ) -> (Vec<f32>, Self::Tape);

    /// Adds the gradients of all parameters to `gradient`; returns those of the embeddings.
    ///
    /// # Shapes
    /// - `hidden`: gradient of the hidden states, `[clicks, width]`
    /// - output: `[clicks, width]`
    fn backward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        tape: &Self::Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32>;
}

/// Declares the encoders: a variant, its [`Kind`] and the module that implements it.
macro_rules! registry {
    ($($variant:ident: $kind:ident => $folder:ident),+ $(,)?) => {
        /// An encoder on slices of any kind.
        #[derive(Clone, Debug)]
        pub enum Layers {
            $(#[doc = concat!("`Kind::", stringify!($kind), "`")] $variant($folder::Layers)),+
        }

        /// What its backward pass needs.
        #[derive(Debug)]
        pub enum Tape {
            $(#[doc = concat!("of `Kind::", stringify!($kind), "`")]
            $variant(<$folder::Layers as EncodeSlices>::Tape)),+
        }

        impl Layers {
            /// Adds the encoder's parameters; `None` for kinds that exist on tensors only.
            pub fn of(config: &BackboneConfig, places: &mut Places) -> Option<Self> {
                match config.kind {
                    $(Kind::$kind => Some(Self::$variant(EncodeSlices::new(config, places))),)+
                    _ => None,
                }
            }

            /// Hidden states of several histories: [`EncodeSlices::forward`].
            pub fn forward(
                &self,
                values: &Values<'_>,
                packed: &Packed,
                embedded: Vec<f32>,
                dropout: &mut impl Dropout,
            ) -> (Vec<f32>, Tape) {
                match self {
                    $(Self::$variant(layers) => {
                        let (hidden, tape) = layers.forward(values, packed, embedded, dropout);
                        (hidden, Tape::$variant(tape))
                    }),+
                }
            }

            /// Gradients: [`EncodeSlices::backward`].
            pub fn backward(
                &self,
                values: &Values<'_>,
                packed: &Packed,
                tape: &Tape,
                hidden: &[f32],
                gradient: &mut [f32],
            ) -> Vec<f32> {
                match (self, tape) {
                    $((Self::$variant(layers), Tape::$variant(tape)) => {
                        layers.backward(values, packed, tape, hidden, gradient)
                    }),+
                    _ => unreachable!("a tape is its own encoder's"),
                }
            }

            fn user(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
                match self { $(Self::$variant(layers) => layers.user(parameters, embedded, keep)),+ }
            }

            fn states(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
                match self { $(Self::$variant(layers) => layers.states(parameters, embedded, keep)),+ }
            }
        }
    };
}

registry! {
    Sasrec: SASREC => sasrec,
    Gru4rec: GRU4REC => gru4rec,
}

/// A backbone on slices, for inference.
#[derive(Debug)]
pub struct OnSlices {
    pub(crate) encoder: SliceEncoder,
    /// Item embeddings, `[items + 1, width]`; row 0 belongs to padding.
    pub table: Vec<f32>,
    pub(crate) width: usize,
}

impl OnSlices {
    /// The user vector of a history, `[width]`.
    ///
    /// # Panics
    /// If the history is empty, longer than the backbone reads, or has an unknown item.
    pub fn user(&self, items: &[u32]) -> Vec<f32> {
        let rows = items
            .iter()
            .map(|&item| &self.table[item as usize * self.width..][..self.width]);
        let embedded: Vec<&[f32]> = rows.collect();
        self.encoder
            .user(&embedded.concat(), &vec![1.0; items.len()])
    }
}

/// An encoder with its parameters, for inference.
#[derive(Debug)]
pub(crate) struct SliceEncoder {
    pub(crate) layers: Layers,
    pub(crate) parameters: Parameters,
}

impl SliceEncoder {
    /// The encoder of that shape, from weights under `path`; `None` for encoders that exist on tensors only.
    pub(crate) fn read(
        weights: &mut Weights,
        path: &str,
        config: &BackboneConfig,
    ) -> Result<Option<Self>, WeightsError> {
        let mut places = Places::under(path);
        let Some(layers) = Layers::of(config, &mut places) else {
            return Ok(None);
        };
        let parameters = Parameters::read(&places, weights)?;
        Ok(Some(Self { layers, parameters }))
    }

    /// The user vector of a history: [`EncodeSlices::user`].
    pub(crate) fn user(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        self.layers.user(&self.parameters, embedded, keep)
    }

    /// The hidden state of every click: [`EncodeSlices::states`].
    pub(crate) fn states(&self, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        self.layers.states(&self.parameters, embedded, keep)
    }
}
