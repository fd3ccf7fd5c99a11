//! Histories as tensors: left-padded with 0 to a common length, oldest click first.

use crate::features::ItemFeatures;
use burn::prelude::*;
use burn::tensor::{Int, TensorData};

/// A batch of click histories.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Item indices, `[batch, len]`, 0 on padding.
    pub items: Tensor<2, Int>,
    /// 1 on clicks and 0 on padding, `[batch, len]`.
    pub real: Tensor<2>,
    /// `ln(1 + clicks in training)` of each item, `[batch, len]`, 0 on padding.
    pub popularity: Tensor<2>,
    /// Unit vectors of the items' semantic codes, `[batch, len, code width]`, 0 on padding; `None` if the
    /// catalogue has no codes.
    pub codes: Option<Tensor<3>>,
}

impl Batch {
    /// Pads `histories` on the left to `len`; of longer ones the latest `len` clicks are taken.
    ///
    /// # Panics
    /// If an item has no features in `features`, or `len` is 0.
    pub fn new<H: AsRef<[u32]>>(
        histories: &[H],
        len: usize,
        features: &ItemFeatures,
        device: &Device,
    ) -> Self {
        assert!(len > 0, "a batch is at least one click long");
        let shape = [histories.len(), len];
        let mut items = vec![0i32; histories.len() * len];
        for (row, history) in items.chunks_exact_mut(len).zip(histories) {
            let history = history.as_ref();
            let latest = &history[history.len().saturating_sub(len)..];
            for (slot, &item) in row[len - latest.len()..].iter_mut().zip(latest) {
                *slot = item as i32;
            }
        }
        let real: Vec<f32> = items.iter().map(|&i| f32::from(u8::from(i != 0))).collect();
        let popularity: Vec<f32> = (items.iter().zip(&real))
            .map(|(&i, real)| features.popularity[i as usize] * real)
            .collect();
        let codes = features.codes.as_ref();
        Self {
            codes: codes.map(|codes| codes.of(&items, shape, device)),
            items: Tensor::from_data(TensorData::new(items, shape), device),
            real: Tensor::from_data(TensorData::new(real, shape), device),
            popularity: Tensor::from_data(TensorData::new(popularity, shape), device),
        }
    }

    /// Batch size and length.
    pub fn dims(&self) -> [usize; 2] {
        self.real.dims()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_on_the_left_and_keeps_the_latest() {
        let device = Device::flex();
        let batch = Batch::new(
            &[vec![1], vec![1, 2, 3, 4]],
            3,
            &ItemFeatures::popularity(vec![9.0, 0.1, 0.2, 0.3, 0.4]),
            &device,
        );
        let items: Vec<i64> = batch.items.into_data().iter::<i64>().collect();
        assert_eq!(items, [0, 0, 1, 2, 3, 4]);
        let real: Vec<f32> = batch.real.into_data().try_to_vec().expect("floats");
        assert_eq!(real, [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        let popularity: Vec<f32> = batch.popularity.into_data().try_to_vec().expect("floats");
        assert_eq!(popularity, [0.0, 0.0, 0.1, 0.2, 0.3, 0.4]);
    }
}
