//! A recurrent network, `GRU4Rec` ([Session-based Recommendations with Recurrent Neural
//! Networks](https://arxiv.org/abs/1511.06939)): layers of gated recurrent units ([Cho et al.,
//! 2014](https://arxiv.org/abs/1406.1078)), one step per click.
//!
//! Differences: the item table is tied to the output, after a layer normalisation. Training uses the full
//! softmax over the catalogue instead of a ranking loss over the items of a batch ([the authors' later
//! paper](https://arxiv.org/abs/1706.03847) improves on that with more negatives and other losses). Dropout is
//! applied to a layer's input, never to its recurrent state ([Zaremba et al.,
//! 2014](https://arxiv.org/abs/1409.2329)). The units are `PyTorch`'s: the reset gate multiplies the state after
//! its linear layer.
//!
//! A click's keep weight scales the update of each layer's state; the embedding is not scaled. This is the
//! attentional update gate of [DIEN](https://arxiv.org/abs/1809.03672). With weight 0 the state does not change,
//! as if the click were missing; padding has weight 0. With weight one half the state moves half as far.

#[cfg(feature = "burn")]
pub use tensors::Gru4rec;

use super::EncodeSlices;
use crate::config::BackboneConfig;
use ingle_layers::{
    Dropout, Gru, GruTape, Norm, NormTape, Order, Packed, Parameters, Places, Values,
};

/// The network's layers.
#[derive(Clone, Debug)]
pub struct Layers {
    width: usize,
    units: Vec<Gru>,
    /// After the last layer.
    norm: Norm,
}

/// What the backward pass needs.
#[derive(Debug)]
pub struct Tape {
    order: Order,
    layers: Vec<GruTape>,
    norm: NormTape,
}

impl Layers {
    /// Scales embeddings, and their gradients.
    fn scaled(&self, mut x: Vec<f32>) -> Vec<f32> {
        let scale = (self.width as f32).sqrt();
        for x in &mut x {
            *x *= scale;
        }
        x
    }

    /// States of the last layer after each click, `[len, width]`.
    fn read_all(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = self.scaled(embedded.to_vec());
        for layer in &self.units {
            layer.infer(parameters, &mut x, keep);
        }
        x
    }
}

impl EncodeSlices for Layers {
    type Tape = Tape;

    fn new(config: &BackboneConfig, places: &mut Places) -> Self {
        let width = config.width;
        let units = (0..config.blocks)
            .map(|layer| Gru::new(places, &format!("layers.{layer}"), width))
            .collect();
        Self {
            width,
            units,
            norm: places.norm("norm", width),
        }
    }

    fn user(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let x = self.read_all(parameters, embedded, keep);
        self.norm.infer(parameters, &x[x.len() - self.width..])
    }

    fn states(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let x = self.read_all(parameters, embedded, keep);
        self.norm.infer(parameters, &x)
    }

    fn forward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        embedded: Vec<f32>,
        dropout: &mut impl Dropout,
    ) -> (Vec<f32>, Tape) {
        let order = Order::of(packed);
        let mut x = self.scaled(order.by_step(&embedded, self.width));
        let layers = (self.units.iter())
            .map(|layer| layer.forward(values, &order, &mut x, dropout))
            .collect();
        let (hidden, norm) = self.norm.forward(values, &x);
        let hidden = order.by_click(&hidden, self.width);
        let tape = Tape {
            order,
            layers,
            norm,
        };
        (hidden, tape)
    }

    fn backward(
        &self,
        values: &Values<'_>,
        _packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let hidden = tape.order.by_step(hidden, self.width);
        let mut x = vec![0.0; hidden.len()];
        (self.norm).backward(values, &tape.norm, &hidden, &mut x, gradient);
        for (layer, own) in self.units.iter().zip(&tape.layers).rev() {
            x = layer.backward(values, &tape.order, own, x, gradient);
        }
        tape.order.by_click(&self.scaled(x), self.width)
    }
}

#[cfg(feature = "burn")]
mod tensors {
    use super::super::{Custom, Encode, Kind};
    use crate::config::BackboneConfig;
    use crate::rng::{Rng, dropout, layer_norm, linear};
    use burn::module::Module;
    use burn::nn::{LayerNorm, Linear};
    use burn::prelude::*;
    use burn::tensor::activation::sigmoid;

    /// The network on tensors.
    #[derive(Module, Debug)]
    pub struct Gru4rec {
        layers: Vec<Layer>,
        norm: LayerNorm,
        max_len: usize,
        dropout: f32,
    }

    /// One layer; reset gate, update gate and candidate are concatenated.
    #[derive(Module, Debug)]
    struct Layer {
        input: Linear,
        hidden: Linear,
    }

    impl Layer {
        /// # Shapes
        /// - `x`, output: `[batch, len, width]`
        /// - `weight`: factor of the state's update at each click, `[batch, len]`, `0..=1`
        fn forward(&self, x: Tensor<3>, weight: &Tensor<2>) -> Tensor<3> {
            let [batch, len, width] = x.dims();
            let gates = self.input.forward(x);
            let mut state = Tensor::<2>::zeros([batch, width], &gates.device());
            let mut states = Vec::with_capacity(len);
            for at in 0..len {
                let read = gates.clone().slice([0..batch, at..at + 1]);
                let read = read.reshape([batch, 3 * width]);
                let held = self.hidden.forward(state.clone());
                let part = |x: &Tensor<2>, part: usize| {
                    x.clone()
                        .slice([0..batch, part * width..(part + 1) * width])
                };
                let gate = |at: usize| sigmoid(part(&read, at) + part(&held, at));
                let candidate = (part(&read, 2) + gate(0) * part(&held, 2)).tanh();
                let weight = weight.clone().slice([0..batch, at..at + 1]);
                let moves = (gate(1).neg() + 1.0) * weight.expand([batch, width]);
                state = state.clone() + moves * (candidate - state);
                states.push(state.clone().reshape([batch, 1, width]));
            }
            Tensor::cat(states, 1)
        }
    }

    impl Custom for Gru4rec {
        const NAME: &'static str = Kind::GRU4REC.name();

        fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
            let width = config.width;
            let layers = (0..config.blocks).map(|_| Layer {
                input: linear(width, 3 * width, rng, device),
                hidden: linear(width, 3 * width, rng, device),
            });
            Self {
                layers: layers.collect(),
                norm: layer_norm(width, device),
                max_len: config.max_len,
                dropout: config.dropout,
            }
        }
    }

    impl Encode for Gru4rec {
        fn max_len(&self) -> usize {
            self.max_len
        }

        fn encode(
            &self,
            embedded: Tensor<3>,
            keep: Option<&Tensor<2>>,
            real: &Tensor<2>,
            mut rng: Option<&mut Rng>,
        ) -> Tensor<3> {
            let [_batch, _len, width] = embedded.dims();
            let weight = match keep {
                None => real.clone(),
                Some(keep) => real.clone() * keep.clone(),
            };
            let mut x = embedded * (width as f32).sqrt();
            for layer in &self.layers {
                x = layer.forward(dropout(x, self.dropout, rng.as_deref_mut()), &weight);
            }
            self.norm.forward(x)
        }
    }
}
