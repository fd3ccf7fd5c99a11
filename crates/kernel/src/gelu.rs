//! GELU with the error function ([Gaussian Error Linear Units](https://arxiv.org/abs/1606.08415)): `x ·
//! Φ(x)`. Φ is approximated to 1.5e-7 by the rational function of Abramowitz and Stegun, *Handbook of
//! Mathematical Functions*, 7.1.26. Its exponential is also used by the gradient.

use crate::exp::exp;
use crate::vector::{mul_add, widest};

/// Φ(x), the normal distribution, and φ(x), its density.
#[inline(always)]
fn normal(x: f32) -> [f32; 2] {
    let exponential = exp(-0.5 * x * x);
    let t = 1.0 / mul_add(x.abs() * std::f32::consts::FRAC_1_SQRT_2, 0.327_591_1, 1.0);
    let mut tail = 1.061_405_4f32;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        tail = mul_add(tail, t, coefficient);
    }
    let tail = 0.5 * tail * t * exponential;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    [below, 0.398_942_3 * exponential]
}

/// GELU of every element.
pub fn forward(x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    widest(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = x * normal(x)[0];
            }
        },
    );
    out
}

/// Multiplies the gradient of the output by the derivative at `x`: it becomes that of the input.
pub fn backward(x: &[f32], gradient: &mut [f32]) {
    assert_eq!(x.len(), gradient.len(), "one gradient an element");
    widest(
        #[inline(always)]
        || {
            for (gradient, &x) in gradient.iter_mut().zip(x) {
                let [below, density] = normal(x);
                *gradient *= mul_add(x, density, below);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::close;

    /// Values of `x * (1 + erf(x / sqrt 2)) / 2` and of its derivative by Python's `math.erf`.
    const GOLDEN: [(f32, f32, f32); 6] = [
        (-6.0, -5.919_526e-9, -3.546_871e-8),
        (-1.5, -0.100_210_8, -0.127_469_23),
        (-0.1, -0.046_017_22, 0.420_476_9),
        (0.0, 0.0, 0.5),
        (0.7, 0.530_625_4, 0.976_614_1),
        (3.0, 2.995_950_3, 1.011_945_6),
    ];

    #[test]
    fn values_and_derivatives_are_those_of_the_error_function() {
        for (x, value, derivative) in GOLDEN {
            close(&forward(&[x]), &[value], 5e-7);
            let mut gradient = [1.0];
            backward(&[x], &mut gradient);
            close(&gradient, &[derivative], 5e-7);
        }
    }
}
