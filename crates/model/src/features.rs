//! Item features beside the embedding: popularity, and a semantic code of a few bytes made from the title.

#[cfg(feature = "burn")]
use burn::prelude::*;
#[cfg(feature = "burn")]
use burn::tensor::TensorData;

/// Item features of a catalogue by item index; entry 0 is padding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemFeatures {
    /// `ln(1 + clicks in training)`.
    pub popularity: Vec<f32>,
    /// Semantic codes, if the method uses them.
    pub codes: Option<Codes>,
}

impl ItemFeatures {
    /// Features without codes.
    pub fn popularity(popularity: Vec<f32>) -> Self {
        Self {
            popularity,
            codes: None,
        }
    }
}

/// One code per item, one byte per value. A code is a direction: its length has no meaning, so no scale is
/// stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Number of values of a code.
    pub width: usize,
    /// `(items + 1) * width` values; the first row belongs to padding.
    pub values: Vec<i8>,
}

impl Codes {
    /// Quantises the directions of rows of `width` floats.
    ///
    /// # Panics
    /// If `width` does not divide the number of values.
    pub fn quantize(rows: &[f32], width: usize) -> Self {
        assert!(rows.len().is_multiple_of(width), "whole rows");
        let quantized = rows.chunks_exact(width).flat_map(|row| {
            let most = row.iter().fold(0f32, |most, x| most.max(x.abs()));
            let scale = if most > 0.0 { 127.0 / most } else { 0.0 };
            row.iter().map(move |x| (x * scale).round() as i8)
        });
        Self {
            width,
            values: quantized.collect(),
        }
    }

    /// Unit vectors of some items' codes, concatenated; zeros for an item whose code is 0.
    ///
    /// # Panics
    /// If an item has no row.
    pub fn directions(&self, items: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let width = self.width;
        let mut values = vec![0.0; items.len() * width];
        for (slot, item) in values.chunks_exact_mut(width).zip(items) {
            let code = &self.values[item * width..][..width];
            let squares: i32 = code.iter().map(|&x| i32::from(x) * i32::from(x)).sum();
            let scale = 1.0 / (squares.max(1) as f32).sqrt();
            for (slot, &x) in slot.iter_mut().zip(code) {
                *slot = f32::from(x) * scale;
            }
        }
        values
    }

    /// The same for a batch of items.
    ///
    /// # Shapes
    /// - `items`: `batch * len` item indices
    /// - output: `[batch, len, width]`
    ///
    /// # Panics
    /// If an item has no row.
    #[cfg(feature = "burn")]
    pub fn of(&self, items: &[i32], [batch, len]: [usize; 2], device: &Device) -> Tensor<3> {
        let values = self.directions(items.iter().map(|&item| item as usize));
        Tensor::from_data(TensorData::new(values, [batch, len, self.width]), device)
    }
}

#[cfg(all(test, feature = "burn"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_points_where_its_row_did(
            row in prop::collection::vec(-9f32..9.0, 16),
        ) {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
            prop_assume!(length > 1.0);
            let codes = Codes::quantize(&[vec![0.0; 16], row.clone()].concat(), 16);
            let found = codes.of(&[0, 1], [1, 2], &Device::flex());
            let found: Vec<f32> = found.into_data().iter::<f32>().collect();
            prop_assert!(found[..16].iter().all(|&x| x == 0.0));
            let cosine: f32 = row.iter().zip(&found[16..]).map(|(a, b)| a * b / length).sum();
            prop_assert!(cosine > 0.9995, "{}", cosine);
        }
    }
}
