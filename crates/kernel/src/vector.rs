//! Element-wise passes over slices, each in the widest vectors of the machine.

use crate::exp::exp;
use pulp::{Arch, Simd, WithSimd};

/// Elements that are processed together.
const LANES: usize = 16;

/// Runs code written for any vector width with the widest of this machine.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    Arch::new().dispatch(work)
}

/// WebAssembly has one vector width, fixed at build time; code for others would only enlarge the download.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    match Arch::new() {
        Arch::Simd128(simd) => Simd::vectorize(simd, work),
        _ => unreachable!("this build is for simd128"),
    }
}

/// Runs a closure compiled for the widest vectors of this machine. Functions that it calls must be inlined.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Work<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> R {
            (self.0)()
        }
    }
    dispatch(Work(work))
}

/// `a * b + c`: rounded once if the machine has an instruction for it. WebAssembly has none, so there it is
/// rounded twice; a fused one would be computed in software.
#[inline(always)]
pub(crate) fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "wasm32") {
        a * b + c
    } else {
        a.mul_add(b, c)
    }
}

/// `to += from`.
pub fn add(to: &mut [f32], from: &[f32]) {
    assert_eq!(to.len(), from.len(), "vectors of one length");
    widest(
        #[inline(always)]
        || {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        },
    );
}

/// `to += factor * from`.
pub fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    assert_eq!(to.len(), from.len(), "vectors of one length");
    widest(
        #[inline(always)]
        || {
            for (to, from) in to.iter_mut().zip(from) {
                *to = mul_add(factor, *from, *to);
            }
        },
    );
}

/// Replaces each element by `exp(x - shift)`; no element may exceed `shift`. NaN stays NaN.
pub fn exponentials(x: &mut [f32], shift: f32) {
    widest(
        #[inline(always)]
        || {
            for x in x {
                *x = if x.is_nan() { *x } else { exp(*x - shift) };
            }
        },
    );
}

/// `to *= factors`.
pub fn multiply(to: &mut [f32], factors: &[f32]) {
    assert_eq!(to.len(), factors.len(), "vectors of one length");
    widest(
        #[inline(always)]
        || {
            for (to, factor) in to.iter_mut().zip(factors) {
                *to *= factor;
            }
        },
    );
}

/// Adds the rows of `matrix`, each as wide as `to`, to `to`: the gradient of a bias.
pub fn add_rows(to: &mut [f32], matrix: &[f32]) {
    widest(
        #[inline(always)]
        || {
            for row in matrix.chunks_exact(to.len()) {
                for (to, from) in to.iter_mut().zip(row) {
                    *to += from;
                }
            }
        },
    );
}

/// Writes `bias` into every row of `matrix`.
pub fn fill_rows(matrix: &mut [f32], bias: &[f32]) {
    for row in matrix.chunks_exact_mut(bias.len()) {
        row.copy_from_slice(bias);
    }
}

/// The inner product.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    widest(
        #[inline(always)]
        || dot_inlined(a, b),
    )
}

/// The inner product, to be inlined into functions that are already dispatched.
#[inline(always)]
pub(crate) fn dot_inlined(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = mul_add(*a, *b, *lane);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The sum of a function of each element, to be inlined into functions that are already dispatched.
#[inline(always)]
pub(crate) fn sum_of(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += of(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

/// The largest element, or negative infinity if there is none. NaN is ignored.
pub fn largest(x: &[f32]) -> f32 {
    widest(
        #[inline(always)]
        || {
            let larger = |a: f32, b: f32| if b > a { b } else { a };
            let mut lanes = [f32::NEG_INFINITY; LANES];
            let (chunks, rest) = x.as_chunks::<LANES>();
            for chunk in chunks {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    *lane = larger(*lane, *x);
                }
            }
            let all = lanes.iter().chain(rest);
            all.fold(f32::NEG_INFINITY, |most, &x| larger(most, x))
        },
    )
}

/// The sum of `exp(x - shift)`; no element may exceed `shift`. NaN counts as 0.
pub fn sum_of_exponentials(x: &[f32], shift: f32) -> f32 {
    widest(
        #[inline(always)]
        || sum_of(x, |x| exp(x - shift)),
    )
}

/// The sum of `exp(-(x - centre)^2 / (2 deviation^2))`. An infinite distance counts as 0.
pub fn sum_of_bells(x: &[f32], centre: f32, deviation: f32) -> f32 {
    let narrow = 1.0 / deviation;
    widest(
        #[inline(always)]
        || {
            sum_of(x, |x| {
                let away = (x - centre) * narrow;
                exp(-0.5 * away * away)
            })
        },
    )
}

/// The mean weighted by the softmax of `sharpness * x`. No element may exceed `shift`, `sharpness` must not be
/// negative, and there must be an element.
pub fn sharpened_mean(x: &[f32], sharpness: f32, shift: f32) -> f32 {
    widest(
        #[inline(always)]
        || {
            let weight = |x| exp((x - shift) * sharpness);
            sum_of(x, |x| weight(x) * x) / sum_of(x, weight)
        },
    )
}

/// The mean of all elements; there must be one.
pub fn mean(x: &[f32]) -> f32 {
    let sum = widest(
        #[inline(always)]
        || sum_of(x, |x| x),
    );
    sum / x.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, random};

    /// Without a token for the machine's features, `mul_add` would be computed in software.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_machine_with_fused_products_is_dispatched_to_them() {
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            assert!(!matches!(Arch::new(), Arch::Scalar));
        }
    }

    #[test]
    fn a_sum_does_not_depend_on_its_lanes() {
        for len in [0, 1, 15, 16, 17, 100] {
            let x = random(len, 1);
            close(
                &[sum_of(&x, |x| x * x)],
                &[x.iter().map(|x| x * x).sum()],
                1e-5,
            );
        }
    }

    #[test]
    fn the_largest_and_the_sum_of_exponentials_pass_over_what_is_no_number() {
        for len in [1, 15, 16, 17, 100] {
            let mut x = random(len, 1);
            x[len / 2] = f32::NAN;
            x.push(0.99);
            assert_eq!(largest(&x), 0.99);
            let expected: f32 = (x.iter().filter(|x| !x.is_nan()).map(|x| (x - 0.99).exp())).sum();
            close(&[sum_of_exponentials(&x, 0.99)], &[expected], 1e-6);
        }
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
        assert_eq!(largest(&[f32::NAN]), f32::NEG_INFINITY);
        assert_eq!(sum_of_exponentials(&[], 0.0), 0.0);
    }

    #[test]
    fn exponentials_replace_every_element_and_keep_what_is_no_number() {
        for len in [0, 1, 15, 16, 17, 100] {
            let x = random(len, 1);
            let expected: Vec<f32> = x.iter().map(|x| (x - 1.0).exp()).collect();
            let mut found = x.clone();
            exponentials(&mut found, 1.0);
            close(&found, &expected, 1e-6);
        }
        let mut x = [f32::NAN, 0.0];
        exponentials(&mut x, 0.0);
        assert!(x[0].is_nan());
        assert_eq!(x[1], 1.0);
    }

    #[test]
    fn a_scaled_vector_is_added_element_by_element() {
        for len in [0, 1, 15, 16, 17, 100] {
            let (mut to, from) = (random(len, 1), random(len, 2));
            let expected: Vec<f32> = to.iter().zip(&from).map(|(a, b)| a - 0.5 * b).collect();
            add_scaled(&mut to, -0.5, &from);
            close(&to, &expected, 1e-6);
        }
    }

    #[test]
    fn bells_and_sharpened_means_are_what_their_formulas_say() {
        for len in [1, 15, 16, 17, 100] {
            let mut x = random(len, 1);
            let weights: Vec<f32> = x.iter().map(|x| (8.0 * x).exp()).collect();
            let weighted: f32 = x.iter().zip(&weights).map(|(x, weight)| x * weight).sum();
            let expected = weighted / weights.iter().sum::<f32>();
            close(&[sharpened_mean(&x, 8.0, largest(&x))], &[expected], 1e-5);
            close(&[mean(&x)], &[x.iter().sum::<f32>() / len as f32], 1e-5);
            let bell = |x: &f32| (-(x - 0.3) * (x - 0.3) / (2.0 * 0.01)).exp();
            let expected: f32 = x.iter().map(bell).sum();
            x.push(f32::NEG_INFINITY);
            close(&[sum_of_bells(&x, 0.3, 0.1)], &[expected], 1e-4);
        }
    }
}
