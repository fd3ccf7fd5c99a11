//! Similarity of the clicks of a history: the cosine of every pair, and statistics of each click's similarity
//! to the others. Noise is mainly a click that is similar to none of the others.

use super::SHARPNESS;
use burn::prelude::*;
use burn::tensor::activation::softmax;

/// Similarity of the clicks of a batch of histories, by one kind of vector.
#[derive(Clone, Debug)]
pub(super) struct Similarity {
    /// Cosine of each pair of clicks, `[batch, len, len]`; values on padding are undefined.
    pub(super) pairs: Tensor<3>,
    /// Statistics of each click's similarity to the others, `[batch, len, SUMMARY]`: mean, maximum,
    /// softmax-weighted mean, and sum over the two neighbours. They are scaled to the order of 1, and 0 if
    /// there is no other click.
    pub(super) summary: Tensor<3>,
}

impl Similarity {
    /// # Shapes
    /// - `directions`: `[batch, len, width]`, unit vectors or zeros
    /// - `real`: `[batch, len]`, 1 on clicks and 0 on padding
    pub(super) fn of(directions: &Tensor<3>, real: &Tensor<2>) -> Self {
        let [batch, len, _width] = directions.dims();
        let device = directions.device();
        let pairs = directions.clone().matmul(directions.clone().transpose());
        let real = real.clone().reshape([batch, len, 1]);
        let different = (Tensor::<2>::eye(len, &device).neg() + 1.0).unsqueeze::<3>();
        let others =
            real.clone().matmul(real.clone().transpose()) * different.expand([batch, len, len]);
        let barred = (others.clone() - 1.0) * 1e4;
        let count = others.clone().sum_dim(2);
        let any = count.clone().clamp(0.0, 1.0);
        let mean = (pairs.clone() * others.clone()).sum_dim(2) / count.clamp_min(1.0);
        let largest = (pairs.clone() + barred.clone()).max_dim(2).clamp_min(-1.0) * any;
        let weights = softmax(pairs.clone() * SHARPNESS + barred, 2) * others.clone();
        let sharp = (weights * pairs.clone()).sum_dim(2);
        let near = (pairs.clone() * others * neighbours(len, &device).expand([batch, len, len]))
            .sum_dim(2);
        let summary = Tensor::cat(vec![mean * 3.0, largest * 2.0, sharp * 2.0, near], 2);
        Self { pairs, summary }
    }
}

/// 1 for pairs of consecutive positions, `[1, len, len]`.
fn neighbours(len: usize, device: &Device) -> Tensor<3> {
    let near = |i: usize| f32::from(u8::from((i % len).abs_diff(i / len) == 1));
    let values: Vec<f32> = (0..len * len).map(near).collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape([1, len, len])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(tensor: Tensor<3>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_click_unlike_all_others_stands_out_and_padding_counts_for_nothing() {
        let device = Device::flex();
        let directions =
            Tensor::<3>::from_floats([[[9.0, 9.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], &device);
        let real = Tensor::<2>::from_floats([[0.0, 1.0, 1.0, 1.0]], &device);
        let summary = floats(Similarity::of(&directions, &real).summary);
        let [mean, largest, sharp, near] = summary[4..8] else {
            panic!("four numbers a click")
        };
        assert_eq!((mean, largest, near), (1.5, 2.0, 1.0));
        assert!(sharp > 1.99, "{sharp}");
        assert_eq!((summary[12], summary[13], summary[15]), (0.0, 0.0, 0.0));
    }

    #[test]
    fn a_single_click_is_like_nothing() {
        let device = Device::flex();
        let directions = Tensor::<3>::from_floats([[[0.0, 0.0], [1.0, 0.0]]], &device);
        let real = Tensor::<2>::from_floats([[0.0, 1.0]], &device);
        let summary = floats(Similarity::of(&directions, &real).summary);
        assert_eq!(summary[4..], [0.0; 4]);
    }
}
