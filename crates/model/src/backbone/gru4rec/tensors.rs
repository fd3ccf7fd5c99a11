//! The recurrent network on tensors.

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
