//! Item embeddings of length 1, of which only the direction is learnt: popular items cannot get longer
//! embeddings, and the softmax compares angles ([`NormFace`](https://arxiv.org/abs/1704.06369)). The weights
//! behind them keep their own length, as in [Weight Normalization](https://arxiv.org/abs/1602.07868). It
//! grows with every step, so that the direction of an item with many updates changes more and more slowly.

/// The rows of a table, scaled to length 1.
#[derive(Clone, Debug)]
pub(super) struct Directions {
    width: usize,
    /// `[rows, width]`.
    rows: Vec<f32>,
    /// Factor by which each row of the weights is scaled.
    factors: Vec<f32>,
}

impl Directions {
    /// From weights `[rows, width]`.
    pub(super) fn of(weights: &[f32], width: usize) -> Self {
        let mut directions = Self {
            width,
            rows: vec![0.0; weights.len()],
            factors: vec![0.0; weights.len() / width],
        };
        directions.follow(weights, None);
        directions
    }

    /// All rows, `[rows, width]`.
    pub(super) fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// Updates the rows after some rows of the weights changed, or all.
    pub(super) fn follow(&mut self, weights: &[f32], changed: Option<&[u32]>) {
        each(self.factors.len(), changed, |row, _| {
            let place = row * self.width..(row + 1) * self.width;
            let weights = &weights[place.clone()];
            let length = ingle_kernel::vector::dot(weights, weights).sqrt();
            let factor = 1.0 / length.max(1e-12);
            self.factors[row] = factor;
            for (to, weight) in self.rows[place].iter_mut().zip(weights) {
                *to = weight * factor;
            }
        });
    }

    /// Turns gradients with respect to the scaled rows (some in this order, or all) into gradients with
    /// respect to the weights.
    pub(super) fn project(&self, which: Option<&[u32]>, gradient: &mut [f32]) {
        each(self.factors.len(), which, |row, at| {
            let direction = &self.rows[row * self.width..(row + 1) * self.width];
            let gradient = &mut gradient[at * self.width..(at + 1) * self.width];
            let along = ingle_kernel::vector::dot(direction, gradient);
            for (gradient, direction) in gradient.iter_mut().zip(direction) {
                *gradient = (*gradient - along * direction) * self.factors[row];
            }
        });
    }
}

/// Calls `work` with each row and its index among the chosen ones.
fn each(rows: usize, chosen: Option<&[u32]>, mut work: impl FnMut(usize, usize)) {
    match chosen {
        None => (0..rows).for_each(|row| work(row, row)),
        Some(chosen) => (chosen.iter().enumerate()).for_each(|(at, &row)| work(row as usize, at)),
    }
}
