//! The exponential of the softmax, written so that the compiler turns it into the widest vector
//! instructions of whatever machine its caller is compiled for.

use crate::vector::mul_add;

/// `exp(x)` for `x <= 0`. The relative error is below 2e-7 if the result is a normal number; smaller results
/// are 0. Computed as `2^n`, by exponent bits, times the Taylor polynomial of degree 7 of the remainder.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.0;
    /// A number plus this has the nearest integer in its lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let clamped = if x > LOWEST { x } else { LOWEST };
    let rounded = mul_add(clamped, std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    // ln 2 in two parts, so that the subtraction is exact.
    let fraction = mul_add(whole, -0.693_145_75, clamped);
    let fraction = mul_add(whole, -1.428_606_8e-6, fraction);
    let mut power = 1.984_127e-4f32;
    for coefficient in [
        1.388_888_9e-3,
        8.333_333e-3,
        4.166_666_6e-2,
        0.166_666_67,
        0.5,
        1.0,
        1.0,
    ] {
        power = mul_add(power, fraction, coefficient);
    }
    // The shift keeps the integer alone, which becomes the exponent.
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    if x > LOWEST { power * scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate_over_its_whole_range() {
        for step in 0..87_000 {
            let x = -(step as f32) / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2e-7, "exp({x}) off by {error:e}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
    }
}
