//! Parameters and dropout masks drawn as tensors.

use super::{Rng, dropout_mask};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::{module::Param, tensor::TensorData};

/// A parameter of that shape with normally distributed values.
pub fn normal<const D: usize>(
    shape: [usize; D],
    deviation: f32,
    rng: &mut Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| rng.normal(deviation))
        .collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// A linear layer, Xavier-normal weights `[input, output]` and zero bias `[output]`.
pub fn linear(input: usize, output: usize, rng: &mut Rng, device: &Device) -> Linear {
    let deviation = (2.0 / (input + output) as f32).sqrt();
    Linear {
        weight: normal([input, output], deviation, rng, device),
        bias: Some(Param::from_tensor(Tensor::zeros([output], device))),
    }
}

/// Layer normalisation over the last axis, `width` wide.
pub fn layer_norm(width: usize, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width).with_epsilon(1e-8).init(device)
}

/// Inverted dropout: each element is dropped with probability `rate`, the rest is scaled by `1 / (1 - rate)`.
/// Without a generator (inference) the input is returned unchanged.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f32, rng: Option<&mut Rng>) -> Tensor<D> {
    let Some(rng) = rng.filter(|_| rate > 0.0) else {
        return x;
    };
    let shape = x.dims();
    let mask = dropout_mask(shape.iter().product(), rate, rng);
    let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropout_keeps_the_mean_and_drops_the_rate() {
        let device = Device::flex();
        let x = Tensor::<2>::ones([100, 100], &device);
        let mut rng = Rng::new(5, &[]);
        let y = dropout(x.clone(), 0.6, Some(&mut rng));
        let values: Vec<f32> = y.into_data().try_to_vec().expect("floats");
        let dropped = values.iter().filter(|v| **v == 0.0).count() as f32 / 10_000.0;
        let mean = values.iter().sum::<f32>() / 10_000.0;
        assert!((dropped - 0.6).abs() < 0.02, "dropped {dropped}");
        assert!((mean - 1.0).abs() < 0.05, "mean {mean}");
        let same = dropout(x.clone(), 0.6, None);
        assert_eq!(same.into_data(), x.into_data());
    }
}
