//! The full softmax where the device computes it: for training through Burn's autodiff, on a GPU.
//! The CPU has a faster way, [`super::softmax`].

use burn::prelude::*;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, TensorData};
use ingle_model::methods::RankLoss;

/// Tokens whose logits over the catalogue exist in one tensor: bounds the memory of a step to this
/// many rows at a time on the way forwards.
const TOKENS: usize = 4096;

/// Rows brought to length 1.
pub fn unit_rows(table: Tensor<2>) -> Tensor<2> {
    let [rows, width] = table.dims();
    let lengths = table.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    table / lengths.expand([rows, width])
}

/// Ranks by the item table.
pub struct CatalogueSoftmax {
    table: Tensor<2>,
}

impl CatalogueSoftmax {
    /// `table`: `[items + 1, width]`, the first row for padding, on the autodiff device.
    pub fn new(table: Tensor<2>) -> Self {
        Self { table }
    }
}

impl RankLoss for CatalogueSoftmax {
    fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1> {
        let [tokens, width] = hidden.dims();
        let [rows, _] = self.table.dims();
        let device = hidden.device();
        let items = self.table.clone().slice([1..rows, 0..width]).transpose();
        let parts = (0..tokens).step_by(TOKENS).map(|start| {
            let range = start..tokens.min(start + TOKENS);
            let targets = targets[range.clone()].iter().map(|&t| t as i32 - 1);
            let targets = TensorData::new(targets.collect::<Vec<_>>(), [range.len(), 1]);
            let targets = Tensor::<2, Int>::from_data(targets, &device);
            let logits = hidden
                .clone()
                .slice([range, 0..width])
                .matmul(items.clone());
            log_softmax(logits, 1).gather(1, targets).sum()
        });
        let total = parts.reduce(|a, b| a + b).expect("a step has a token");
        total / -(tokens as f32)
    }
}
