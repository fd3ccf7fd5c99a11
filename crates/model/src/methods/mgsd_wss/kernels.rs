//! Gaussian kernels of a cosine: soft bins between -1 and 1, and one for equal items ([Xiong et al.,
//! 2017](https://arxiv.org/abs/1706.06613), as used in the paper).

#[cfg(feature = "burn")]
use burn::prelude::*;
use ingle_kernel::vector::sum_of_bells;

/// Standard deviation of the kernel of equal items.
const EXACT: f32 = 0.001;
/// Standard deviation of the other kernels.
const SOFT: f32 = 0.1;

/// One kernel: `exp(-(cosine - centre)^2 / (2 deviation^2))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bell {
    pub(super) centre: f32,
    pub(super) deviation: f32,
}

impl Bell {
    /// The sum of the kernel over some cosines, each `0..=1`.
    pub(super) fn sum(self, cosines: &[f32]) -> f32 {
        sum_of_bells(cosines, self.centre, self.deviation)
    }
}

/// `count` kernels: one at 1, the others in the middle of equal parts of `-1..=1`, in descending order.
pub(super) fn bells(count: usize) -> Vec<Bell> {
    let part = 2.0 / (count - 1) as f32;
    let soft = (0..count - 1).map(|at| Bell {
        centre: 1.0 - part * (at as f32 + 0.5),
        deviation: SOFT,
    });
    let exact = Bell {
        centre: 1.0,
        deviation: EXACT,
    };
    std::iter::once(exact).chain(soft).collect()
}

/// All kernels of each cosine.
///
/// # Shapes
/// - `cosines`: `[batch, len, 1]`
/// - output: `[batch, len, count]`
#[cfg(feature = "burn")]
pub(super) fn respond(cosines: &Tensor<3>, count: usize) -> Tensor<3> {
    let [batch, len, _] = cosines.dims();
    let (shape, device) = ([batch, len, count], cosines.device());
    let row = |values: Vec<f32>| {
        let row = Tensor::<1>::from_floats(values.as_slice(), &device);
        row.reshape([1, 1, count]).expand(shape)
    };
    let bells = bells(count);
    let centres = row(bells.iter().map(|bell| bell.centre).collect());
    let deviations = row(bells.iter().map(|bell| bell.deviation).collect());
    let away = (cosines.clone().expand(shape) - centres) / deviations;
    (away.square() * -0.5).exp()
}

/// Scales sums of kernels over the other clicks, 0 or more, to the order of 1: `ln(1 + sum)`.
///
/// # Shapes
/// - `sums` and output: `[batch, len, count]`
#[cfg(feature = "burn")]
pub(super) fn pooled(sums: Tensor<3>) -> Tensor<3> {
    let [_batch, _len, _count] = sums.dims();
    (sums + 1.0).log()
}

/// The same for one sum.
pub(super) fn pooled_one(sum: f32) -> f32 {
    sum.ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kernel_is_for_equals_and_the_others_lie_in_the_middles_of_equal_parts() {
        let bells = bells(10);
        assert_eq!((bells[0].centre, bells[0].deviation), (1.0, 0.001));
        assert!((bells[1].centre - (1.0 - 1.0 / 9.0)).abs() < 1e-6);
        assert!((bells[9].centre + (1.0 - 1.0 / 9.0)).abs() < 1e-6);
        for pair in bells[1..].windows(2) {
            assert!((pair[0].centre - pair[1].centre - 2.0 / 9.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_kernel_is_1_at_its_centre_falls_to_both_sides_and_knows_equals_from_the_rest() {
        for bell in bells(10) {
            assert_eq!(bell.sum(&[bell.centre]), 1.0);
            let aside = |deviations: f32| bell.sum(&[bell.centre + deviations * bell.deviation]);
            for side in [-1.0, 1.0] {
                assert!((aside(side) - (-0.5f32).exp()).abs() < 1e-3);
                assert!((aside(2.0 * side) - (-2.0f32).exp()).abs() < 1e-3);
            }
        }
        let exact = bells(10)[0];
        assert!(exact.sum(&[1.0 - 1e-6]) > 0.999 && exact.sum(&[0.99]) < 1e-6);
    }

    #[cfg(feature = "burn")]
    #[test]
    fn on_tensors_they_are_the_same() {
        let cosines = [-1.0, -0.3, 0.0, 0.7, 0.9995, 1.0];
        let device = Device::flex();
        let tensor = Tensor::<1>::from_floats(cosines, &device).reshape([1, 6, 1]);
        let found: Vec<f32> = respond(&tensor, 10).into_data().iter().collect();
        let due = cosines
            .iter()
            .flat_map(|&cosine| bells(10).into_iter().map(move |bell| bell.sum(&[cosine])));
        for (found, due) in found.iter().zip(due) {
            assert!((found - due).abs() < 1e-4, "{found} {due}");
        }
    }
}
