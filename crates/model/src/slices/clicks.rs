//! One history as input of a method, and the method's output.

use crate::methods::Views;

/// The known clicks of a history, oldest first.
#[derive(Debug)]
pub(crate) struct Clicks {
    /// Item embeddings, `[len, width]`.
    pub(crate) embedded: Vec<f32>,
    /// `ln(1 + clicks in training)` of each item, `[len]`.
    pub(crate) popularity: Vec<f32>,
    /// Unit vectors of the items' semantic codes, `[len, code width]`; `None` if the catalogue has no codes.
    pub(crate) codes: Option<Vec<f32>>,
}

impl Clicks {
    /// Number of clicks.
    pub(crate) fn len(&self) -> usize {
        self.popularity.len()
    }

    /// Item embeddings scaled to length 1, `[len, width]`; zeros stay zeros.
    pub(crate) fn directions(&self) -> Vec<f32> {
        let mut out = self.embedded.clone();
        for row in out.chunks_exact_mut(self.embedded.len() / self.len()) {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            for x in row {
                *x /= length;
            }
        }
        out
    }
}

/// Noise logits before calibration, each `[len]`.
#[derive(Debug)]
pub(crate) struct NoiseLogits {
    /// The logits that decide.
    pub(crate) fused: Vec<f32>,
    /// The logits of each view, for methods with two views.
    pub(crate) views: Option<Views<Vec<f32>>>,
}

/// A row without its entry `at`.
pub(crate) fn others(row: &[f32], at: usize) -> Vec<f32> {
    [&row[..at], &row[at + 1..]].concat()
}
