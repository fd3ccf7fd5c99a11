//! Alignment of two kinds of interests by a contrastive loss: within a batch, each should be most similar to
//! its counterpart ([InfoNCE](https://arxiv.org/abs/1807.03748), van den Oord et al.).

use super::tensors::unit;
use burn::prelude::*;
use burn::tensor::Int;
use burn::tensor::activation::log_softmax;

/// Temperature by which cosines are divided.
const TEMPERATURE: f32 = 0.2;
/// Most interests in a contrast. All pairs of a batch would cost more than the rest of a step, and improve
/// little.
const GROUP: usize = 256;
/// Added to the logit of a pair that is excluded as a negative.
const BARRED: f32 = -1e4;

/// The contrastive loss of corresponding rows of `a` and `b`: the mean over the rows, weighted by `weights`.
/// Rows with the same name are not negatives of each other, and rows named 0 are never negatives.
///
/// # Shapes
/// - `a`, `b`: `[count, width]`
/// - `names`, `weights`: `[count]`
pub(super) fn contrast(
    a: Tensor<2>,
    b: Tensor<2>,
    names: Tensor<1, Int>,
    weights: Tensor<1>,
) -> Tensor<1> {
    let [count, _width] = a.dims();
    let size = count.min(GROUP);
    let groups = count / size;
    // Groups take every n-th row, so that those of one history are spread over the groups.
    let part = |x: Tensor<2>| {
        let [_, columns] = x.dims();
        let x = x.slice([0..groups * size, 0..columns]);
        x.reshape([size, groups, columns]).swap_dims(0, 1)
    };
    let names = part(names.float().reshape([count, 1]));
    let weights = part(weights.reshape([count, 1]));
    let square = [groups, size, size];
    let own = Tensor::<2>::eye(size, &names.device())
        .unsqueeze::<3>()
        .expand(square);
    let across = names.clone().swap_dims(1, 2).expand(square);
    let other = across.clone().equal(names.expand(square)).float().neg() + 1.0;
    let somebody = across.greater_scalar(0.5).float();
    let free = (other * somebody + own.clone()).clamp_max(1.0);
    let cosines = unit(part(a)).matmul(unit(part(b)).swap_dims(1, 2));
    let logits = cosines / TEMPERATURE + (free.neg() + 1.0) * BARRED;
    let right = (log_softmax(logits, 2) * own).sum_dim(2);
    let all = weights.clone().sum().clamp_min(1.0);
    (right * weights).sum().neg() / all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, normal};

    fn loss(a: &Tensor<2>, b: &Tensor<2>, names: &[i32], weights: &[f32]) -> f32 {
        let device = a.device();
        let names = Tensor::<1, Int>::from_ints(names, &device);
        let weights = Tensor::<1>::from_floats(weights, &device);
        contrast(a.clone(), b.clone(), names, weights).into_scalar::<f32>()
    }

    fn directions(count: usize) -> Tensor<2> {
        let device = Device::flex();
        normal([count, 16], 1.0, &mut Rng::new(1, &[]), &device).val()
    }

    #[test]
    fn counterparts_cost_less_than_strangers_and_chance_costs_the_logarithm() {
        let a = directions(300);
        let turned = Tensor::cat(
            vec![
                a.clone().slice([7..300, 0..16]),
                a.clone().slice([0..7, 0..16]),
            ],
            0,
        );
        let names: Vec<i32> = (1..=300).collect();
        let of = |b: &Tensor<2>| loss(&a, b, &names, &[1.0; 300]);
        assert!(of(&a) < 2.5, "{}", of(&a));
        assert!(of(&turned) > 5.0, "{}", of(&turned));
        let alike = a.clone() * 0.0 + 1.0;
        assert!((of(&alike) - 256f32.ln()).abs() < 1e-3, "{}", of(&alike));
    }

    #[test]
    fn the_same_item_and_padding_are_nothing_to_be_told_apart_from() {
        let a = directions(3);
        assert!(loss(&a, &a, &[5, 5, 0], &[1.0, 1.0, 0.0]).abs() < 1e-5);
        assert!(loss(&a, &a, &[5, 6, 0], &[1.0, 1.0, 0.0]) > 1e-5);
        assert_eq!(loss(&a, &a, &[5, 6, 7], &[0.0; 3]), 0.0);
    }
}
