//! Full cross-entropy over the catalogue, fused with its linear layer and with a backward pass
//! written by hand: the logits exist only one tile of tokens at a time, and a tile is turned in
//! place from logits to probabilities to gradients before the next is computed. Memory is
//! `tile x items` instead of `tokens x items`.

use super::exp::softmax_gradient;
use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_model::methods::RankLoss;
use rayon::prelude::*;

/// Tokens whose logits exist at the same time: few enough that a tile over ten thousand items
/// stays near the core, many enough that the matrix products are efficient.
const TILE: usize = 128;

/// Loss and gradients of one batch.
pub struct Fused {
    /// Mean cross-entropy.
    pub loss: f32,
    /// Gradient with respect to the hidden states, `[tokens, width]`.
    pub hidden: Tensor<2>,
    /// Gradient with respect to the item table, `[items + 1, width]`; its padding row is 0.
    pub table: Tensor<2>,
}

/// Mean cross-entropy of `targets` under `softmax(hidden · tableᵀ)`, padding row left out, with
/// gradients. Tensors are without autodiff.
///
/// # Panics
/// If a target is padding or not in the table, or `targets` and `hidden` differ in length.
pub fn cross_entropy(hidden: &Tensor<2>, table: &Tensor<2>, targets: &[u32]) -> Fused {
    let [tokens, width] = hidden.dims();
    let [rows, _] = table.dims();
    assert_eq!(tokens, targets.len(), "one target a token");
    assert!(
        targets.iter().all(|&t| t > 0 && (t as usize) < rows),
        "targets are items"
    );
    let device = hidden.device();
    let transposed = table.clone().transpose();
    let scale = 1.0 / tokens as f32;
    let mut loss = 0.0;
    let mut hidden_parts = Vec::with_capacity(tokens.div_ceil(TILE));
    let mut table_gradient = Tensor::zeros([rows, width], &device);
    for (tile, targets) in targets.chunks(TILE).enumerate() {
        let start = tile * TILE;
        let part = hidden
            .clone()
            .slice([start..start + targets.len(), 0..width]);
        let mut logits = part.clone().matmul(transposed.clone()).into_data();
        let values = logits.as_mut_slice::<f32>().expect("logits are floats");
        // Rows are independent and summed in order: the result does not depend on the threads.
        let losses: Vec<f32> = (values.par_chunks_exact_mut(rows).zip(targets))
            .map(|(row, &target)| softmax_gradient(row, target as usize, scale))
            .collect();
        loss += losses.iter().map(|&loss| f64::from(loss)).sum::<f64>();
        let gradient = Tensor::<2>::from_data(logits, &device);
        hidden_parts.push(gradient.clone().matmul(table.clone()));
        table_gradient = table_gradient + gradient.transpose().matmul(part);
    }
    Fused {
        loss: (loss * f64::from(scale)) as f32,
        hidden: Tensor::cat(hidden_parts, 0),
        table: table_gradient,
    }
}

/// The trainer's [`RankLoss`]: [`cross_entropy`] spliced into the autodiff graph.
pub struct FullSoftmax {
    table: Tensor<2>,
    /// Losses of the step so far, for the progress report.
    pub loss: f32,
}

impl FullSoftmax {
    /// Ranks by the item table `[items + 1, width]`, which is on the autodiff device.
    pub fn new(table: Tensor<2>) -> Self {
        Self { table, loss: 0.0 }
    }
}

impl RankLoss for FullSoftmax {
    fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1> {
        let fused = cross_entropy(
            &hidden.clone().inner(),
            &self.table.clone().inner(),
            targets,
        );
        self.loss += fused.loss;
        // A linear function of both inputs that has the value of the loss and its gradients.
        let splice = (hidden * Tensor::from_inner(fused.hidden)).sum()
            + (self.table.clone() * Tensor::from_inner(fused.table)).sum();
        splice.clone() - splice.detach() + fused.loss
    }
}

/// Host floats as a tensor.
pub fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Int, activation::log_softmax};
    use ingle_model::Rng;
    use proptest::prelude::*;

    fn random(shape: [usize; 2], rng: &mut Rng, device: &Device) -> Tensor<2> {
        let values = (0..shape[0] * shape[1]).map(|_| rng.normal(1.0)).collect();
        tensor(values, shape, device)
    }

    /// The plain way: all logits at once, gradients by autodiff.
    fn plain(hidden: &Tensor<2>, table: &Tensor<2>, targets: &[u32]) -> Fused {
        let hidden = Tensor::from_inner(hidden.clone()).require_grad();
        let table = Tensor::from_inner(table.clone()).require_grad();
        let [rows, width] = table.dims();
        let [tokens, _] = hidden.dims();
        let logits = hidden
            .clone()
            .matmul(table.clone().slice([1..rows, 0..width]).transpose());
        let targets: Vec<i32> = targets.iter().map(|&t| t as i32 - 1).collect();
        let index =
            Tensor::<2, Int>::from_data(TensorData::new(targets, [tokens, 1]), &hidden.device());
        let loss = log_softmax(logits, 1).gather(1, index).mean().neg();
        let gradients = loss.backward();
        Fused {
            loss: loss.into_scalar::<f32>(),
            hidden: hidden.grad(&gradients).expect("gradient"),
            table: table.grad(&gradients).expect("gradient"),
        }
    }

    fn close(a: &Tensor<2>, b: &Tensor<2>) -> f32 {
        (a.clone() - b.clone()).abs().max().into_scalar::<f32>()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_the_plain_loss_in_value_and_gradient(
            seed in 0u64..1000,
            tokens in 1usize..300,
            items in 1usize..80,
            width in 1usize..20,
        ) {
            let device = Device::flex();
            let mut rng = Rng::new(seed, &[]);
            let hidden = random([tokens, width], &mut rng, &device);
            let table = random([items + 1, width], &mut rng, &device);
            let targets: Vec<u32> = (0..tokens).map(|_| 1 + rng.below(items) as u32).collect();
            let ours = cross_entropy(&hidden, &table, &targets);
            let plain = plain(&hidden, &table, &targets);
            prop_assert!((ours.loss - plain.loss).abs() < 1e-4, "{} {}", ours.loss, plain.loss);
            prop_assert!(close(&ours.hidden, &plain.hidden) < 1e-5);
            prop_assert!(close(&ours.table, &plain.table) < 1e-5);
        }
    }

    #[test]
    fn the_splice_hands_both_gradients_to_autodiff() {
        let device = Device::flex();
        let mut rng = Rng::new(1, &[]);
        let (hidden, table) = (
            random([5, 4], &mut rng, &device),
            random([8, 4], &mut rng, &device),
        );
        let targets = [1, 7, 3, 3, 2];
        let expected = cross_entropy(&hidden, &table, &targets);
        let hidden = Tensor::from_inner(hidden).require_grad();
        let table = Tensor::from_inner(table).require_grad();
        let mut rank = FullSoftmax::new(table.clone());
        let loss = rank.cross_entropy(hidden.clone(), &targets) * 2.0;
        let gradients = loss.backward();
        assert!((loss.into_scalar::<f32>() - 2.0 * expected.loss).abs() < 1e-5);
        let got = hidden.grad(&gradients).expect("gradient");
        assert!(close(&got, &(expected.hidden * 2.0)) < 1e-6);
        let got = table.grad(&gradients).expect("gradient");
        assert!(close(&got, &(expected.table * 2.0)) < 1e-6);
    }
}
