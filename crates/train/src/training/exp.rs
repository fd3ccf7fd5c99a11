//! The inner loop of the softmax: one row of logits becomes the gradient of its cross-entropy,
//! in place. Written over fixed groups of lanes so that the compiler turns it into the widest
//! vector instructions of the machine it runs on.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is compiled for the oldest machine there is, not for this one"
)]

use pulp::{Arch, NullaryFnOnce};

/// Lanes worked on together; a multiple of every vector width in use.
const LANES: usize = 32;

/// Turns logits into `scale * (softmax - one_hot(target))` and returns the cross-entropy of
/// `target`. Entry 0 is padding: it takes no part and its gradient is 0.
pub(super) fn softmax_gradient(row: &mut [f32], target: usize, scale: f32) -> f32 {
    let at_target = row[target];
    let log_sum = Arch::new().dispatch(Softmax { row, scale });
    row[target] -= scale;
    log_sum - at_target
}

/// Turns logits into `scale * softmax` and gives the logarithm of the sum of their exponentials.
struct Softmax<'a> {
    row: &'a mut [f32],
    scale: f32,
}

impl NullaryFnOnce for Softmax<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        let Self { row, scale } = self;
        row[0] = f32::NEG_INFINITY;
        let max = maximum(row);
        let sum = exponentials(row, max);
        let factor = scale / sum;
        for x in row.iter_mut() {
            *x *= factor;
        }
        sum.ln() + max
    }
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for (lane, &x) in lanes.iter_mut().zip(group) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}

/// Replaces each `x` by `exp(x - max)` and returns their sum.
#[inline(always)]
fn exponentials(row: &mut [f32], max: f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (groups, rest) = row.as_chunks_mut::<LANES>();
    for group in groups {
        for (lane, x) in lanes.iter_mut().zip(group) {
            *x = exp(*x - max);
            *lane += *x;
        }
    }
    let mut sum: f32 = lanes.iter().sum();
    for x in rest {
        *x = exp(*x - max);
        sum += *x;
    }
    sum
}

/// `exp(x)` for `x <= 0`, relative error below 2.5e-7 (two units in the last place) where the result is a normal number and 0
/// below that: `2^n` by exponent bits times a polynomial for the fraction.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.0;
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let clamped = if x > LOWEST { x } else { LOWEST };
    let whole = clamped.mul_add(std::f32::consts::LOG2_E, ROUND) - ROUND;
    // ln 2 in two parts, so that the subtraction is exact.
    let fraction = whole.mul_add(-0.693_145_75, clamped);
    let fraction = whole.mul_add(-1.428_606_8e-6, fraction);
    let mut power = 1.388_888_9e-3f32;
    for coefficient in [8.333_333e-3, 4.166_666_6e-2, 0.166_666_67, 0.5, 1.0, 1.0] {
        power = power.mul_add(fraction, coefficient);
    }
    let scale = f32::from_bits(((whole as i32 + 127) << 23) as u32);
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
            assert!(error < 2.5e-7, "exp({x}) off by {error:e}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
    }

    #[test]
    fn a_row_sums_to_zero_and_the_padding_gets_nothing() {
        let mut row: Vec<f32> = (0..101).map(|i| (i as f32 * 0.7).sin() * 5.0).collect();
        let logits = row.clone();
        let loss = softmax_gradient(&mut row, 17, 0.5);
        assert_eq!(row[0], 0.0);
        assert!(row.iter().sum::<f32>().abs() < 1e-6);
        let sum: f64 = logits[1..].iter().map(|&x| f64::from(x).exp()).sum();
        let expected = sum.ln() - f64::from(logits[17]);
        assert!(
            (f64::from(loss) - expected).abs() < 1e-5,
            "{loss} {expected}"
        );
    }
}
