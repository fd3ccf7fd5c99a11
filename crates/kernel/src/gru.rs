//! Steps of gated recurrent units ([Cho et al., 2014](https://arxiv.org/abs/1406.1078)) as in `PyTorch`: reset
//! gate `r`, update gate `z`, and candidate `n = tanh(nₓ + r · nₕ)` from the input and from the state. The
//! state moves towards the candidate by `keep · (1 - z)` (the attentional update gate of
//! [DIEN](https://arxiv.org/abs/1809.03672)); with `keep` 0 it does not move.

use crate::exp::exp;
use crate::vector::widest;

/// `1 / (1 + exp(-x))`.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let exponential = exp(-x.abs());
    let above = 1.0 / (1.0 + exponential);
    if x < 0.0 { 1.0 - above } else { above }
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let exponential = exp(-2.0 * x.abs());
    ((1.0 - exponential) / (1.0 + exponential)).copysign(x)
}

/// The three parts of a row.
#[inline(always)]
fn parts(row: &[f32], width: usize) -> [&[f32]; 3] {
    [
        &row[..width],
        &row[width..2 * width],
        &row[2 * width..3 * width],
    ]
}

/// The three parts of a row, mutable.
#[inline(always)]
fn parts_mut(row: &mut [f32], width: usize) -> [&mut [f32]; 3] {
    let (first, rest) = row.split_at_mut(width);
    let (second, rest) = rest.split_at_mut(width);
    [first, second, &mut rest[..width]]
}

/// One step of some rows.
///
/// # Shapes
/// - `gates`: the input times its weights, `[rows, 3 * width]`; overwritten with reset gate, update gate and
///   candidate
/// - `held`: the state times its weights, `[rows, 3 * width]`
/// - `keep`: `[rows]`, `0..=1`
/// - `previous`, `state`: the state before and after, `[rows, width]`
///
/// # Panics
/// If the shapes do not fit each other.
pub fn forward(gates: &mut [f32], held: &[f32], keep: &[f32], previous: &[f32], state: &mut [f32]) {
    let width = check(keep, previous, [gates, held, state]);
    widest(
        #[inline(always)]
        || {
            for (row, &keep) in keep.iter().enumerate() {
                let (three, one) = (3 * row * width.., row * width..(row + 1) * width);
                let [reset, update, candidate] = parts_mut(&mut gates[three.clone()], width);
                let held = parts(&held[three], width);
                let (previous, state) = (&previous[one.clone()], &mut state[one]);
                for at in 0..width {
                    reset[at] = sigmoid(reset[at] + held[0][at]);
                    update[at] = sigmoid(update[at] + held[1][at]);
                    candidate[at] = tanh(candidate[at] + reset[at] * held[2][at]);
                    let moves = keep * (1.0 - update[at]);
                    state[at] = previous[at] + moves * (candidate[at] - previous[at]);
                }
            }
        },
    );
}

/// The backward pass of a step. The gradient with respect to `previous` here is only the direct part; the part
/// through the weights follows from `through`.
///
/// # Shapes
/// - `gates`, `held`, `keep`, `previous`: as after the forward pass
/// - `gradient`: with respect to the state after the step, becomes that of the state before it, `[rows, width]`
/// - `read`, `through`: with respect to the weighted input and to `held`, `[rows, 3 * width]`, both overwritten
///
/// # Panics
/// If the shapes do not fit each other.
pub fn backward(
    [gates, held]: [&[f32]; 2],
    keep: &[f32],
    previous: &[f32],
    gradient: &mut [f32],
    [read, through]: [&mut [f32]; 2],
) {
    let width = check(keep, previous, [gates, held, gradient]);
    check(keep, previous, [read, through, gradient]);
    widest(
        #[inline(always)]
        || {
            for (row, &keep) in keep.iter().enumerate() {
                let (three, one) = (3 * row * width.., row * width..(row + 1) * width);
                let [reset, update, candidate] = parts(&gates[three.clone()], width);
                let held = parts(&held[three.clone()], width)[2];
                let read = parts_mut(&mut read[three.clone()], width);
                let through = parts_mut(&mut through[three], width);
                let (previous, gradient) = (&previous[one.clone()], &mut gradient[one]);
                for at in 0..width {
                    let moves = keep * (1.0 - update[at]);
                    let (r, z, n) = (reset[at], update[at], candidate[at]);
                    let inner = gradient[at] * moves * (1.0 - n * n);
                    let turned = inner * held[at] * r * (1.0 - r);
                    let updated = gradient[at] * keep * (previous[at] - n) * z * (1.0 - z);
                    (read[0][at], through[0][at]) = (turned, turned);
                    (read[1][at], through[1][at]) = (updated, updated);
                    (read[2][at], through[2][at]) = (inner, inner * r);
                    gradient[at] *= 1.0 - moves;
                }
            }
        },
    );
}

/// The width of the state; checks all shapes.
fn check(keep: &[f32], previous: &[f32], [gates, held, state]: [&[f32]; 3]) -> usize {
    let width = previous.len() / keep.len().max(1);
    assert!(
        previous.len() == keep.len() * width
            && state.len() == previous.len()
            && gates.len() == 3 * previous.len()
            && held.len() == gates.len(),
        "rows of one width"
    );
    width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, differences, random, weigh};

    const ROWS: usize = 3;
    const WIDTH: usize = 19;

    #[test]
    fn the_gates_are_those_of_the_standard_library_over_their_whole_range() {
        for step in -4000..4000 {
            let x = step as f32 / 100.0;
            let exact = 1.0 / (1.0 + f64::from(-x).exp());
            assert!((f64::from(sigmoid(x)) - exact).abs() < 2e-7, "sigmoid {x}");
            assert!(
                (f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7,
                "tanh {x}"
            );
        }
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let [read, held] = [1, 2].map(|seed| random(3 * ROWS * WIDTH, seed));
        let [previous, weights] = [3, 4].map(|seed| random(ROWS * WIDTH, seed));
        let keep = [1.0, 0.3, 0.0];
        let step = |read: &[f32], held: &[f32], previous: &[f32]| {
            let (mut gates, mut state) = (read.to_vec(), vec![0.0; ROWS * WIDTH]);
            forward(&mut gates, held, &keep, previous, &mut state);
            (gates, state)
        };
        let loss = |read: &[f32], held: &[f32], previous: &[f32]| {
            weigh(&step(read, held, previous).1, &weights)
        };
        let (gates, _) = step(&read, &held, &previous);
        let mut before = weights.clone();
        let [mut of_read, mut of_held] = [(); 2].map(|()| vec![f32::NAN; gates.len()]);
        let out = [&mut of_read[..], &mut of_held[..]];
        backward([&gates, &held], &keep, &previous, &mut before, out);
        let due = differences(&read, |read| loss(read, &held, &previous));
        close(&of_read, &due, 1e-3);
        let due = differences(&held, |held| loss(&read, held, &previous));
        close(&of_held, &due, 1e-3);
        let due = differences(&previous, |previous| loss(&read, &held, previous));
        close(&before, &due, 1e-3);
    }

    #[test]
    fn a_row_that_keeps_nothing_leaves_the_state_as_it_was() {
        let previous = random(WIDTH, 1);
        let (mut gates, held) = (random(3 * WIDTH, 2), random(3 * WIDTH, 3));
        let mut state = vec![0.0; WIDTH];
        forward(&mut gates, &held, &[0.0], &previous, &mut state);
        assert_eq!(state, previous);
    }
}
