//! Element-wise passes over slices, each in the widest vectors of the machine.

use pulp::{Arch, Simd, WithSimd};

/// Runs a closure compiled for the widest vectors of this machine. What it calls must be inlined.
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
    Arch::new().dispatch(Work(work))
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

/// The inner product, to be inlined into what is dispatched already.
#[inline(always)]
pub(crate) fn dot_inlined(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = a.mul_add(*b, *lane);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
