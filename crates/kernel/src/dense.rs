//! A linear layer for inference, whose weight is laid out for fast products when it is loaded.
//!
//! Columns are stored in panels two vectors of this machine wide, one panel after the other, so that the
//! innermost loop reads them sequentially. Sums start from the bias.

use crate::product::ROWS;
use crate::vector::dispatch;
use pulp::{Simd, WithSimd};

/// `x · weight + bias`.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Rows of the weight.
    input: usize,
    /// Its columns.
    output: usize,
    /// Columns of a panel; the last panel is padded with zeros.
    span: usize,
    /// `[panels, input, span]`
    panels: Vec<f32>,
    /// `[panels, span]`
    bias: Vec<f32>,
}

impl Dense {
    /// # Shapes
    /// - `weight`: `[input, output]`, both at least 1
    /// - `bias`: `[output]`
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    #[inline(never)]
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let output = bias.len();
        assert!(weight.len().is_multiple_of(output), "a row for each input");
        let (input, span) = (weight.len() / output, dispatch(Span));
        let panels = output.div_ceil(span);
        let mut dense = Self {
            input,
            output,
            span,
            panels: vec![0.0; panels * input * span],
            bias: vec![0.0; panels * span],
        };
        dense.bias[..output].copy_from_slice(bias);
        for (at, row) in weight.chunks_exact(output).enumerate() {
            for (panel, values) in row.chunks(span).enumerate() {
                let start = (panel * input + at) * span;
                dense.panels[start..start + values.len()].copy_from_slice(values);
            }
        }
        dense
    }

    /// The original weight, `[input, output]`.
    pub fn weight(&self) -> Vec<f32> {
        let mut weight = vec![0.0; self.input * self.output];
        for (at, row) in weight.chunks_exact_mut(self.output).enumerate() {
            for (panel, values) in row.chunks_mut(self.span).enumerate() {
                let start = (panel * self.input + at) * self.span;
                values.copy_from_slice(&self.panels[start..start + values.len()]);
            }
        }
        weight
    }

    /// The bias, `[output]`.
    pub fn bias(&self) -> &[f32] {
        &self.bias[..self.output]
    }

    /// # Shapes
    /// - `x`: `[rows, input]`
    /// - output: `[rows, output]`
    ///
    /// # Panics
    /// If the length of `x` is not a multiple of `input`.
    pub fn forward(&self, x: &[f32]) -> Vec<f32> {
        assert!(x.len().is_multiple_of(self.input), "whole rows");
        let mut out = vec![0.0; x.len() / self.input * self.output];
        dispatch(Forward {
            dense: self,
            x,
            out: &mut out,
        });
        out
    }

    /// The output of `R` rows.
    #[inline(always)]
    fn tile<S: Simd, const R: usize>(&self, simd: S, x: &[[f32; R]], out: &mut [f32]) {
        let panels = self.panels.chunks_exact(self.input * self.span);
        let panels = panels.zip(self.bias.chunks_exact(self.span));
        for (at, (panel, bias)) in panels.enumerate() {
            let (panel, bias) = (S::as_simd_f32s(panel).0, S::as_simd_f32s(bias).0);
            let mut sums = [[bias[0], bias[1]]; R];
            for (x, columns) in x.iter().zip(panel.as_chunks::<2>().0) {
                for (sum, &x) in sums.iter_mut().zip(x) {
                    let x = simd.splat_f32s(x);
                    sum[0] = simd.mul_add_e_f32s(x, columns[0], sum[0]);
                    sum[1] = simd.mul_add_e_f32s(x, columns[1], sum[1]);
                }
            }
            let first = at * self.span;
            for (sum, out) in sums.iter().zip(out.chunks_exact_mut(self.output)) {
                let out = &mut out[first..];
                // Two stores: a copy of unknown length is a function call in WebAssembly.
                if let Some(whole) = out.get_mut(..self.span) {
                    let (whole, _) = S::as_mut_simd_f32s(whole);
                    [whole[0], whole[1]] = *sum;
                } else {
                    let sum: &[f32] = pulp::bytemuck::cast_slice(sum);
                    out.copy_from_slice(&sum[..out.len()]);
                }
            }
        }
    }
}

/// Columns of a panel on this machine.
struct Span;

impl WithSimd for Span {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        2 * S::F32_LANES
    }
}

struct Forward<'a> {
    dense: &'a Dense,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dense, x, out } = self;
        let Dense { input, output, .. } = *dense;
        let whole = x.len() / (ROWS * input);
        let (x, x_rest) = x.split_at(whole * ROWS * input);
        let (out, out_rest) = out.split_at_mut(whole * ROWS * output);
        let mut turned = vec![[0.0; ROWS]; input];
        let tiles = x.chunks_exact(ROWS * input);
        for (x, out) in tiles.zip(out.chunks_exact_mut(ROWS * output)) {
            for (row, x) in x.chunks_exact(input).enumerate() {
                for (turned, x) in turned.iter_mut().zip(x) {
                    turned[row] = *x;
                }
            }
            dense.tile(simd, &turned, out);
        }
        let rest = x_rest.chunks_exact(input);
        for (x, out) in rest.zip(out_rest.chunks_exact_mut(output)) {
            dense.tile(simd, x.as_chunks::<1>().0, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::{Matrix, add_product};
    use crate::testing::{close, random};
    use crate::vector::fill_rows;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_product_and_the_bias(rows in 0usize..20, input in 1usize..40, output in 1usize..80) {
            let (x, weight) = (random(rows * input, 1), random(input * output, 2));
            let bias = random(output, 3);
            let mut expected = vec![0.0; rows * output];
            fill_rows(&mut expected, &bias);
            add_product(Matrix::new(&x, input), &weight, &mut expected);
            let dense = Dense::new(&weight, &bias);
            close(&dense.forward(&x), &expected, 1e-4);
            prop_assert_eq!(dense.weight(), weight);
            prop_assert_eq!(dense.bias(), bias);
        }
    }
}
