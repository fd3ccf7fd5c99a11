//! Shared by the tests: pseudo-random numbers, and gradients by finite differences.

/// Pseudo-random numbers in `-1.0..1.0`, determined by `seed`.
pub(crate) fn random(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    for _ in 0..8 {
        draw();
    }
    (0..n).map(|_| draw()).collect()
}

/// Fails unless the vectors agree to `tolerance`, relative where values are above 1.
pub(crate) fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * b.abs().max(1.0),
            "at {at}: {a} and not {b}"
        );
    }
}

/// The gradient of `f` at `x` by central differences.
pub(crate) fn differences(x: &[f32], f: impl Fn(&[f32]) -> f64) -> Vec<f32> {
    const STEP: f32 = 1e-2;
    let at = |index: usize, by: f32| {
        let mut moved = x.to_vec();
        moved[index] += by;
        f(&moved)
    };
    let slope = |i| (at(i, STEP) - at(i, -STEP)) / (2.0 * f64::from(STEP));
    (0..x.len()).map(|i| slope(i) as f32).collect()
}

/// The inner product in double precision: a loss with the gradient `weights`.
pub(crate) fn weigh(values: &[f32], weights: &[f32]) -> f64 {
    (values.iter().zip(weights))
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}
