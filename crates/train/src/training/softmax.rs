//! Cross-entropy over the catalogue, fused with its linear layer and with hand-written gradients.
//! [`ingle_kernel::softmax`] has the arithmetic; this module runs it on all cores. Memory does not grow with `tokens x
//! items`.

use ingle_kernel::softmax::{LogSum, Operands, Ranking};
use rayon::prelude::*;

/// Number of parts of the catalogue that are computed in parallel. The order of additions depends on the parts, not on
/// the number of threads.
const PARTS: usize = 16;

/// Loss and gradients of one batch.
#[derive(Debug)]
pub struct Fused {
    /// Mean cross-entropy.
    pub loss: f32,
    /// Cross-entropy of each token.
    pub losses: Vec<f32>,
    /// Gradient with respect to the hidden states, `[tokens, width]`.
    pub hidden: Vec<f32>,
    /// Gradient with respect to the item table, `[rows, width]`; its padding row is 0.
    pub table: Vec<f32>,
}

/// Each token's weight divided by the sum of all weights; `1 / tokens` each without weights, and 0 each if all weights
/// are 0.
pub fn shares(weights: &[f32], tokens: usize) -> Vec<f32> {
    if weights.is_empty() {
        return vec![1.0 / tokens as f32; tokens];
    }
    let sum = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    weights.iter().map(|weight| weight / sum).collect()
}

/// The mean of the losses, weighted by `shares`.
pub fn mean(losses: &[f32], shares: &[f32]) -> f32 {
    let each = losses.iter().zip(shares);
    let each = each.map(|(&loss, &share)| f64::from(loss) * f64::from(share));
    each.sum::<f64>() as f32
}

/// The weighted mean cross-entropy over all tokens, with gradients. If `weights` is empty all tokens weigh the same.
///
/// # Panics
/// If the shapes do not fit each other, or a target is padding or not in the table.
pub fn cross_entropy(ranking: Ranking<'_>, weights: &[f32]) -> Fused {
    let Ranking {
        table,
        width,
        targets,
        ..
    } = ranking;
    let operands = Operands::new(ranking);
    let parts = operands.parts(PARTS);
    let sums: Vec<Vec<LogSum>> = (parts.par_iter())
        .map(|blocks| operands.log_sums(blocks.clone()))
        .collect();
    let log_sums: Vec<f32> = (0..targets.len())
        .map(|token| {
            sums.iter()
                .fold(LogSum::NONE, |all, part| all.and(part[token]))
        })
        .map(LogSum::value)
        .collect();
    let losses: Vec<f32> = (log_sums.iter().enumerate())
        .map(|(token, log_sum)| log_sum - operands.target_logit(token))
        .collect();
    let shares = shares(weights, targets.len());
    let loss = mean(&losses, &shares);

    let mut table_gradient = vec![0.0; table.len()];
    let rows = parts
        .first()
        .map_or(0, |blocks| operands.rows(blocks).len());
    let hidden_parts: Vec<Vec<f32>> = (table_gradient.par_chunks_mut((rows * width).max(1)))
        .zip(&parts)
        .map(|(gradient, blocks)| operands.gradients(blocks.clone(), &log_sums, &shares, gradient))
        .collect();
    Fused {
        loss,
        losses,
        hidden: operands.narrow(&sum(hidden_parts)),
        table: table_gradient,
    }
}

/// The sum of vectors of one length, added in order.
pub fn sum(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        ingle_kernel::vector::add(&mut total, &part);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::samples::tensor;
    use burn::prelude::*;
    use burn::tensor::{Int, TensorData, activation::log_softmax};
    use ingle_model::Rng;
    use proptest::prelude::*;

    fn random(n: usize, rng: &mut Rng) -> Vec<f32> {
        (0..n).map(|_| rng.normal(1.0)).collect()
    }

    /// The reference: all logits at once, gradients by autodiff.
    fn plain(ranking: Ranking<'_>, weights: &[f32]) -> Fused {
        let Ranking {
            hidden,
            table,
            width,
            targets,
            bias,
        } = ranking;
        let device = Device::flex().autodiff();
        let (tokens, rows) = (targets.len(), table.len() / width);
        let hidden = tensor(hidden.to_vec(), [tokens, width], &device).require_grad();
        let table = tensor(table.to_vec(), [rows, width], &device).require_grad();
        let mut added = vec![0.0; tokens * rows];
        if !bias.is_empty() {
            for (row, &target) in added.chunks_exact_mut(rows).zip(targets) {
                row.copy_from_slice(bias);
                row[target as usize] = 0.0;
            }
        }
        let logits = hidden.clone().matmul(table.clone().transpose());
        let logits = (logits + tensor(added, [tokens, rows], &device)).slice([0..tokens, 1..rows]);
        let targets: Vec<i32> = targets.iter().map(|&t| t as i32 - 1).collect();
        let index = Tensor::<2, Int>::from_data(TensorData::new(targets, [tokens, 1]), &device);
        let losses = log_softmax(logits, 1).gather(1, index).neg();
        let shares = shares(weights, tokens);
        let shares = tensor(shares, [tokens, 1], &device);
        let loss = (losses.clone() * shares).sum();
        let gradients = loss.backward();
        let floats =
            |t: Option<Tensor<2>>| t.expect("a gradient").into_data().iter::<f32>().collect();
        Fused {
            loss: loss.into_scalar::<f32>(),
            losses: losses.into_data().iter().collect(),
            hidden: floats(hidden.grad(&gradients)),
            table: floats(table.grad(&gradients)),
        }
    }

    fn apart(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .fold(0.0, |most, (a, b)| most.max((a - b).abs()))
    }

    #[test]
    fn a_target_of_weight_0_teaches_nothing() {
        let mut rng = Rng::new(1, &[]);
        let (hidden, table) = (random(3 * 4, &mut rng), random(6 * 4, &mut rng));
        let of = |hidden, targets, weights: &[f32]| {
            let ranking = Ranking {
                hidden,
                table: &table,
                width: 4,
                targets,
                bias: &[],
            };
            cross_entropy(ranking, weights)
        };
        let without = of(&hidden[..8], &[2, 5], &[]);
        let found = of(&hidden, &[2, 5, 1], &[0.5, 0.5, 0.0]);
        assert!((found.loss - without.loss).abs() < 1e-6);
        assert!(apart(&found.table, &without.table) < 1e-6);
        assert!(apart(&found.hidden[..8], &without.hidden) < 1e-6);
        let nothing = of(&hidden, &[2, 5, 1], &[0.0; 3]);
        assert_eq!(nothing.loss, 0.0);
        assert!(
            nothing
                .table
                .iter()
                .chain(&nothing.hidden)
                .all(|&x| x == 0.0)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn equals_the_plain_loss_in_value_and_gradient(
            seed in 0u64..1000,
            tokens in 1usize..300,
            items in 1usize..400,
            width in 1usize..40,
            biased: bool,
            weighted: bool,
        ) {
            let mut rng = Rng::new(seed, &[]);
            let hidden = random(tokens * width, &mut rng);
            let table = random((items + 1) * width, &mut rng);
            let bias = if biased { random(items + 1, &mut rng) } else { Vec::new() };
            let targets: Vec<u32> = (0..tokens).map(|_| 1 + rng.below(items) as u32).collect();
            let ranking = Ranking {
                hidden: &hidden,
                table: &table,
                width,
                targets: &targets,
                bias: &bias,
            };
            let weights: Vec<f32> = (0..if weighted { tokens } else { 0 })
                .map(|_| rng.uniform())
                .collect();
            let (ours, plain) = (cross_entropy(ranking, &weights), plain(ranking, &weights));
            prop_assert!((ours.loss - plain.loss).abs() < 1e-4, "{} {}", ours.loss, plain.loss);
            prop_assert!(apart(&ours.losses, &plain.losses) < 1e-4);
            prop_assert!(apart(&ours.hidden, &plain.hidden) < 1e-5);
            prop_assert!(apart(&ours.table, &plain.table) < 1e-5);
        }
    }
}
