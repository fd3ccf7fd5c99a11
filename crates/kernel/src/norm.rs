//! Layer normalisation of rows ([Layer Normalization](https://arxiv.org/abs/1607.06450)).

use crate::vector::{mul_add, sum_of, widest};

/// Keeps the division finite for a row of equal values.
const EPSILON: f32 = 1e-8;

/// What the backward pass needs from the forward pass.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Rows of mean 0 and variance 1, `[rows, width]`.
    normalised: Vec<f32>,
    /// Factor of each row, `[rows]`.
    factors: Vec<f32>,
}

/// `gamma * (x - mean) / deviation + beta` of each row.
///
/// # Shapes
/// - `x`, output: `[rows, width]`
/// - `gamma`, `beta`: `[width]`
pub fn forward(x: &[f32], gamma: &[f32], beta: &[f32]) -> (Vec<f32>, Tape) {
    let width = gamma.len();
    let mut out = vec![0.0; x.len()];
    let mut tape = Tape {
        normalised: vec![0.0; x.len()],
        factors: vec![0.0; x.len() / width],
    };
    widest(
        #[inline(always)]
        || {
            let rows = (x.chunks_exact(width).zip(out.chunks_exact_mut(width)))
                .zip(tape.normalised.chunks_exact_mut(width))
                .zip(&mut tape.factors);
            for (((x, out), normalised), factor) in rows {
                let mean = sum_of(x, |x| x) / width as f32;
                let variance = sum_of(x, |x| (x - mean) * (x - mean)) / width as f32;
                *factor = 1.0 / (variance + EPSILON).sqrt();
                for (normalised, x) in normalised.iter_mut().zip(x) {
                    *normalised = (x - mean) * *factor;
                }
                for (((out, normalised), gamma), beta) in
                    out.iter_mut().zip(&*normalised).zip(gamma).zip(beta)
                {
                    *out = mul_add(*normalised, *gamma, *beta);
                }
            }
        },
    );
    (out, tape)
}

/// Adds the gradients with respect to `x`, `gamma` and `beta`, given that of the output.
pub fn backward(
    tape: &Tape,
    gamma: &[f32],
    out_gradient: &[f32],
    x_gradient: &mut [f32],
    [gamma_gradient, beta_gradient]: [&mut [f32]; 2],
) {
    let width = gamma.len();
    let (mut scaled, mut slopes) = (vec![0.0; width], vec![0.0; width]);
    widest(
        #[inline(always)]
        || {
            let rows = (out_gradient
                .chunks_exact(width)
                .zip(x_gradient.chunks_exact_mut(width)))
            .zip(tape.normalised.chunks_exact(width))
            .zip(&tape.factors);
            for (((out, x), normalised), factor) in rows {
                for at in 0..width {
                    gamma_gradient[at] = mul_add(out[at], normalised[at], gamma_gradient[at]);
                    beta_gradient[at] += out[at];
                    scaled[at] = out[at] * gamma[at];
                    slopes[at] = scaled[at] * normalised[at];
                }
                let mean = sum_of(&scaled, |x| x) / width as f32;
                let slope = sum_of(&slopes, |x| x) / width as f32;
                for ((x, scaled), normalised) in x.iter_mut().zip(&scaled).zip(normalised) {
                    *x += factor * (scaled - mean - normalised * slope);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, differences, random, weigh};

    #[test]
    fn gradients_equal_finite_differences() {
        let (rows, width) = (3, 21);
        let x = random(rows * width, 1);
        let (gamma, beta) = (random(width, 2), random(width, 3));
        let weights = random(rows * width, 4);
        let (_, tape) = forward(&x, &gamma, &beta);
        let [mut dx, mut dgamma, mut dbeta] =
            [rows * width, width, width].map(|size| vec![0.0; size]);
        backward(&tape, &gamma, &weights, &mut dx, [&mut dgamma, &mut dbeta]);
        let loss =
            |x: &[f32], gamma: &[f32], beta: &[f32]| weigh(&forward(x, gamma, beta).0, &weights);
        close(&dx, &differences(&x, |x| loss(x, &gamma, &beta)), 2e-3);
        close(
            &dgamma,
            &differences(&gamma, |gamma| loss(&x, gamma, &beta)),
            1e-3,
        );
        close(
            &dbeta,
            &differences(&beta, |beta| loss(&x, &gamma, beta)),
            1e-3,
        );
    }

    #[test]
    fn a_row_of_equal_values_becomes_beta() {
        let (out, _) = forward(&[3.0; 4], &[2.0; 4], &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(out, [1.0, 2.0, 3.0, 4.0]);
    }
}
