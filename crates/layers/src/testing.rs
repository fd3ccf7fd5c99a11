//! What tests of layers share.

use super::{Dropout, Packed, Parameters, Places, Values, Weights};
use ingle_bundle::Tensor as Weight;

/// Numbers of about 1, by a seed.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The same values for inference.
pub(crate) fn parameters(places: &Places, values: &[f32]) -> Parameters {
    let mut weights: Weights = (places.each.iter())
        .map(|parameter| {
            let weight = Weight {
                shape: parameter.shape.clone(),
                data: values[parameter.range.clone()].to_vec(),
            };
            (parameter.name.clone(), weight)
        })
        .collect();
    let read = Parameters::read(places, &mut weights).expect("all are there");
    assert!(weights.is_empty());
    read
}

/// Histories of 4, 1 and 6 clicks.
pub(crate) fn packed() -> Packed {
    Packed {
        lengths: vec![4, 1, 6],
    }
}

/// Dropout of every third value; none if empty.
pub(crate) struct EveryThird(pub(crate) bool);

impl Dropout for EveryThird {
    fn mask(&mut self, count: usize) -> Vec<f32> {
        if !self.0 {
            return Vec::new();
        }
        (0..count).map(|at| [1.5, 0.0, 1.5][at % 3]).collect()
    }
}

pub(crate) fn close(found: &[f32], due: &[f32], tolerance: f32) {
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(due) {
        let error = (found - due).abs() / due.abs().max(1.0);
        assert!(error < tolerance, "{found} and not {due}");
    }
}

/// A pass over the values of the parameters and an input, to its output.
pub(crate) type Pass<'a> = dyn Fn(&Values<'_>, &[f32]) -> Vec<f32> + 'a;

/// Compares gradients of the parameters and of the input with finite differences of `forward`. The loss is the sum of the
/// output times `direction`.
pub(crate) fn check_gradients(
    values: &[f32],
    x: &[f32],
    direction: &[f32],
    forward: &Pass<'_>,
    [of_values, of_x]: [&[f32]; 2],
) {
    let loss = |values: &[f32], x: &[f32]| -> f64 {
        let values = Values {
            values,
            transposed: &[],
        };
        let out = forward(&values, x);
        let each = out.iter().zip(direction);
        each.map(|(out, by)| f64::from(*out) * f64::from(*by)).sum()
    };
    let differences = |base: &[f32], loss: &dyn Fn(&[f32]) -> f64| -> Vec<f32> {
        let step = 1e-2;
        let mut moved = base.to_vec();
        let one = |at: usize| {
            let mut at_step = |by: f32| {
                moved[at] = base[at] + by;
                loss(&moved)
            };
            let slope = (at_step(step) - at_step(-step)) / f64::from(2.0 * step);
            moved[at] = base[at];
            slope as f32
        };
        (0..base.len()).map(one).collect()
    };
    close(
        of_values,
        &differences(values, &|values| loss(values, x)),
        1e-2,
    );
    close(of_x, &differences(x, &|x| loss(values, x)), 1e-2);
}
