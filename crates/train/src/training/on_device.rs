//! The full softmax on a device with Burn's autodiff, such as a GPU. On the CPU, [`super::softmax`] is
//! faster.

use super::samples::tensor;
use super::softmax::shares;
use burn::prelude::*;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, TensorData};
use ingle_model::methods::RankLoss;

/// Tokens whose logits over the catalogue are in memory at once in the forward pass.
const TOKENS: usize = 4096;

/// Scales rows to length 1.
pub fn unit_rows(table: Tensor<2>) -> Tensor<2> {
    let [rows, width] = table.dims();
    let lengths = table.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    table / lengths.expand([rows, width])
}

/// Ranks targets by the item table.
pub struct CatalogueSoftmax {
    table: Tensor<2>,
    /// Weight of each token's loss; empty if all weigh the same.
    weights: Vec<f32>,
    /// Cross-entropy of each token of the latest call, in chunks of tokens.
    losses: Vec<Tensor<2>>,
}

impl CatalogueSoftmax {
    /// `table`: `[items + 1, width]`, the first row for padding, on the autodiff device.
    pub fn new(table: Tensor<2>) -> Self {
        Self {
            table,
            weights: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// Sets the weight of each token's loss; without weights all weigh the same.
    #[must_use]
    pub fn weighted(self, weights: Vec<f32>) -> Self {
        Self { weights, ..self }
    }

    /// Cross-entropy of each token of the latest call, copied from the device.
    pub fn losses(&self) -> Vec<f32> {
        let parts = self.losses.iter().map(|part| part.clone().into_data());
        parts
            .flat_map(|part| part.iter::<f32>().collect::<Vec<_>>())
            .collect()
    }
}

impl RankLoss for CatalogueSoftmax {
    fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1> {
        let [tokens, width] = hidden.dims();
        let device = hidden.device();
        let [rows, _] = self.table.dims();
        let items = self.table.clone().slice([1..rows, 0..width]).transpose();
        let parts = (0..tokens).step_by(TOKENS).map(|start| {
            let range = start..tokens.min(start + TOKENS);
            let index = targets[range.clone()].iter().map(|&t| t as i32 - 1);
            let index = TensorData::new(index.collect::<Vec<_>>(), [range.len(), 1]);
            let index = Tensor::<2, Int>::from_data(index, &device);
            let logits = hidden
                .clone()
                .slice([range, 0..width])
                .matmul(items.clone());
            log_softmax(logits, 1).gather(1, index).neg()
        });
        let parts: Vec<Tensor<2>> = parts.collect();
        self.losses = parts.iter().map(|part| part.clone().detach()).collect();
        let shares = shares(&self.weights, tokens);
        let mut rest = &shares[..];
        let sums = parts.into_iter().map(|part| {
            let [tokens, _] = part.dims();
            let (own, others) = rest.split_at(tokens);
            rest = others;
            (part * tensor(own.to_vec(), [tokens, 1], &device)).sum()
        });
        sums.reduce(|a, b| a + b).expect("a step has a token")
    }
}
