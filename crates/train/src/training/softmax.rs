//! Full cross-entropy over the catalogue, fused with its linear layer and with a backward pass
//! written by hand: see [`kernel`] for how. Memory does not grow with `tokens x items`.

mod exp;
mod kernel;

use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_model::methods::RankLoss;
use kernel::{ITEMS, LogSum, Operands, ROWS, STRIP, Token};
use rayon::prelude::*;
use std::ops::Range;

/// Parts that the catalogue is worked on in: enough for the cores of a large machine. What is added
/// up depends on them and not on the threads.
const PARTS: usize = 32;

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
    let (hidden, padded) = pad(hidden, ROWS);
    let (table, _) = pad(table, ITEMS);
    let packed = pack(&hidden, padded);
    let operands = Operands {
        width: padded,
        hidden: &hidden,
        packed: &packed,
        table: &table,
        rows,
    };
    let blocks = table.len() / (ITEMS * padded);
    let part = blocks.div_ceil(PARTS);

    let parts: Vec<Range<usize>> = (0..blocks)
        .step_by(part)
        .map(|start| start..blocks.min(start + part))
        .collect();
    let sums: Vec<Vec<LogSum>> = (parts.par_iter())
        .map(|blocks| kernel::log_sums(&operands, blocks.clone()))
        .collect();
    let scale = 1.0 / tokens as f32;
    let (loss, shares) = losses(&operands, &sums, targets, scale);

    let mut table_gradient = vec![0.0; table.len()];
    let hidden_parts: Vec<Vec<f32>> = (table_gradient.par_chunks_mut(part * ITEMS * padded))
        .zip(&parts)
        .map(|(gradient, blocks)| kernel::gradients(&operands, blocks.clone(), &shares, gradient))
        .collect();
    let hidden_gradient = sum(hidden_parts);
    Fused {
        loss: loss * scale,
        hidden: unpad(hidden_gradient, padded, [tokens, width], &device),
        table: unpad(table_gradient, padded, [rows, width], &device),
    }
}

/// The rows of a tensor as one slice, filled up with zeros to whole groups of `group` rows and to a
/// width that is a multiple of [`STRIP`], and that width.
fn pad(matrix: &Tensor<2>, group: usize) -> (Vec<f32>, usize) {
    let [rows, width] = matrix.dims();
    let data = matrix.clone().into_data();
    let values = data.as_slice::<f32>().expect("rows are floats");
    let padded = width.next_multiple_of(STRIP);
    let mut filled = vec![0.0; rows.next_multiple_of(group) * padded];
    for (to, from) in filled
        .chunks_exact_mut(padded)
        .zip(values.chunks_exact(width))
    {
        to[..width].copy_from_slice(from);
    }
    (filled, padded)
}

/// The first rows and columns of rows that are `padded` wide.
fn unpad(values: Vec<f32>, padded: usize, [rows, width]: [usize; 2], device: &Device) -> Tensor<2> {
    let all = values.len() / padded;
    tensor(values, [all, padded], device).slice([0..rows, 0..width])
}

/// `[tokens, width]` to `[tokens / ROWS, width, ROWS]`.
fn pack(hidden: &[f32], width: usize) -> Vec<[f32; ROWS]> {
    let mut packed = Vec::with_capacity(hidden.len() / ROWS);
    for group in hidden.chunks_exact(ROWS * width) {
        packed.extend((0..width).map(|k| std::array::from_fn(|row| group[row * width + k])));
    }
    packed
}

/// The sum of all losses, and what each token's gradient is made of.
fn losses(
    operands: &Operands<'_>,
    sums: &[Vec<LogSum>],
    targets: &[u32],
    scale: f32,
) -> (f32, Vec<Token>) {
    let width = operands.width;
    let mut loss = 0.0;
    let hidden = operands.hidden.chunks_exact(width).enumerate();
    let tokens = hidden.map(|(token, hidden)| {
        let over_all = sums
            .iter()
            .fold(LogSum::NONE, |all, part| all.and(part[token]));
        let log_sum = over_all.value();
        let Some(&target) = targets.get(token) else {
            return Token {
                log_sum,
                target: 0,
                scale: 0.0,
            };
        };
        let target = target as usize;
        let row = &operands.table[target * width..(target + 1) * width];
        let logit: f32 = hidden.iter().zip(row).map(|(a, b)| a * b).sum();
        loss += f64::from(log_sum - logit);
        Token {
            log_sum,
            target,
            scale,
        }
    });
    let tokens = tokens.collect();
    (loss as f32, tokens)
}

/// The sum of vectors of one length, in order.
fn sum(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    total
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
