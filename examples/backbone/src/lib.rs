//! A backbone of one's own: causal gated convolutions over the clicks ([Dauphin et al.,
//! 2017](https://arxiv.org/abs/1612.08083)). This file is all that a backbone needs.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use ingle_model::backbone::{Custom, Encode};
use ingle_model::rng::{dropout, layer_norm, linear};
use ingle_model::{BackboneConfig, Rng};

/// Clicks that one layer sees: the click itself and those just before it.
const REACH: usize = 3;

/// Layers of gated convolutions with residual connections.
#[derive(Module, Debug)]
pub struct GatedConvolution {
    layers: Vec<Linear>,
    norm: LayerNorm,
    max_len: usize,
    dropout: f32,
}

impl Custom for GatedConvolution {
    const NAME: &'static str = "gated-convolution";

    fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self {
        let width = config.width;
        let layer = |_| linear(REACH * width, 2 * width, rng, device);
        Self {
            layers: (0..config.blocks).map(layer).collect(),
            norm: layer_norm(width, device),
            max_len: config.max_len,
            dropout: config.dropout,
        }
    }
}

impl Encode for GatedConvolution {
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
        let [batch, len, width] = embedded.dims();
        let all = |x: &Tensor<2>| {
            x.clone()
                .reshape([batch, len, 1])
                .expand([batch, len, width])
        };
        // Padding is 0 in every layer, as what is before the first click is.
        let real = all(real);
        let weight = keep.map_or(real.clone(), |keep| real.clone() * all(keep));
        let mut x = embedded * (width as f32).sqrt() * weight;
        for layer in &self.layers {
            let before = Tensor::zeros([batch, REACH - 1, width], &x.device());
            let padded = Tensor::cat(vec![before, x.clone()], 1);
            let shifted = |by| padded.clone().slice([0..batch, by..by + len, 0..width]);
            let seen = Tensor::cat((0..REACH).map(shifted).collect(), 2);
            let out = layer.forward(dropout(seen, self.dropout, rng.as_deref_mut()));
            let half = |at| {
                out.clone()
                    .slice([0..batch, 0..len, at * width..(at + 1) * width])
            };
            x = (x + half(0) * sigmoid(half(1))) * real.clone();
        }
        self.norm.forward(x)
    }
}

mod method;
pub use method::Agreement;

/// Makes the backbone and the method known: first thing in the program, and when the browser has loaded the engine.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen(start))]
pub fn register() {
    ingle_model::backbone::register::<GatedConvolution>();
    ingle_model::methods::register::<Agreement>();
}

// The engine's calls are exported from here as well.
#[cfg(target_arch = "wasm32")]
use ingle as _;

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;
    use ingle_model::backbone::{Backbone, Kind};
    use ingle_model::weights;

    fn encoder() -> GatedConvolution {
        let config = BackboneConfig {
            width: 4,
            blocks: 2,
            max_len: 8,
            ..BackboneConfig::default()
        };
        GatedConvolution::new(&config, &mut Rng::new(7, &[]), &Device::flex())
    }

    /// Hidden states `[len, 4]` of a history of distinct items, with padding before it.
    fn hidden(items: &[f32], padding: usize) -> Vec<Vec<f32>> {
        let device = Device::flex();
        let len = padding + items.len();
        let embedded = (0..padding).map(|_| 9.0).chain(items.iter().copied());
        let embedded: Vec<f32> = embedded.flat_map(|x| [x, -x, x * x, 1.0]).collect();
        let real: Vec<f32> = (0..len)
            .map(|at| f32::from(u8::from(at >= padding)))
            .collect();
        let embedded = Tensor::from_data(TensorData::new(embedded, [1, len, 4]), &device);
        let real = Tensor::from_data(TensorData::new(real, [1, len]), &device);
        let states = encoder().encode(embedded, None, &real, None).into_data();
        let states: Vec<f32> = states.iter().collect();
        states
            .chunks_exact(4)
            .skip(padding)
            .map(<[f32]>::to_vec)
            .collect()
    }

    #[test]
    fn padding_and_later_clicks_change_nothing() {
        let whole = hidden(&[0.1, 0.4, -0.3, 0.2], 0);
        assert_eq!(hidden(&[0.1, 0.4, -0.3, 0.2], 3), whole);
        assert_eq!(hidden(&[0.1, 0.4], 0), whole[..2]);
        assert_ne!(hidden(&[0.5, 0.4, -0.3, 0.2], 0)[1], whole[1]);
    }

    #[test]
    fn a_backbone_of_the_registered_kind_has_its_parameters_under_their_names() {
        register();
        let kind = Kind::named(GatedConvolution::NAME).expect("is registered");
        let config = BackboneConfig {
            kind,
            width: 4,
            blocks: 2,
            ..BackboneConfig::default()
        };
        let backbone = Backbone::new(&config, 3, &mut Rng::new(1, &[]), &Device::flex());
        let shapes: Vec<(String, Vec<usize>)> = (weights::collect(&backbone).into_iter())
            .map(|(name, weight)| (name, weight.shape))
            .collect();
        let expected = [
            ("items", vec![4, 4]),
            ("layers.0.bias", vec![8]),
            ("layers.0.weight", vec![12, 8]),
            ("layers.1.bias", vec![8]),
            ("layers.1.weight", vec![12, 8]),
            ("norm.beta", vec![4]),
            ("norm.gamma", vec![4]),
        ];
        assert_eq!(
            shapes,
            expected.map(|(name, shape)| (name.to_owned(), shape))
        );
    }
}
