//! Adam ([Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)) over flat vectors.

use rayon::prelude::*;

const DECAYS: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;
/// Weights that one core updates at a time.
const CHUNK: usize = 1 << 15;

/// The moments of a vector of weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moments {
    /// Mean of the gradients.
    pub(super) first: Vec<f32>,
    /// Mean of their squares.
    pub(super) second: Vec<f32>,
}

impl Moments {
    /// Moments of `count` weights before the first step.
    pub(super) fn new(count: usize) -> Self {
        Self {
            first: vec![0.0; count],
            second: vec![0.0; count],
        }
    }

    /// Takes step `step`, counted from 1, on all weights, at a learning rate of `rate`.
    pub(super) fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f64, step: u64) {
        let update = Update::new(rate, step);
        (weights.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .zip(self.first.par_chunks_mut(CHUNK))
            .zip(self.second.par_chunks_mut(CHUNK))
            .for_each(|(((weights, gradient), first), second)| {
                update.apply(weights, gradient, first, second);
            });
    }

    /// Takes step `step`, counted from 1, on some rows of `width` weights, each with its gradient (lazy
    /// Adam). The moments of a row decay as if it had been updated in every step, but its weights do not move
    /// in the steps that skip it. `last` holds the latest step of each row.
    pub(super) fn step_rows(
        &mut self,
        weights: &mut [f32],
        rows: &[u32],
        gradient: &[f32],
        rate: f64,
        step: u64,
        last: &mut [u32],
    ) {
        let update = Update::new(rate, step);
        let width = gradient.len() / rows.len().max(1);
        for (&row, gradient) in rows.iter().zip(gradient.chunks_exact(width)) {
            let row = row as usize;
            let place = row * width..(row + 1) * width;
            let missed = (step - 1 - u64::from(last[row])) as i32;
            last[row] = step as u32;
            for (moment, decay) in [&mut self.first, &mut self.second].into_iter().zip(DECAYS) {
                let fade = decay.powi(missed);
                moment[place.clone()].iter_mut().for_each(|m| *m *= fade);
            }
            let [first, second] = [&mut self.first, &mut self.second];
            let (first, second) = (&mut first[place.clone()], &mut second[place.clone()]);
            update.apply(&mut weights[place], gradient, first, second);
        }
    }
}

/// The constants of one step.
#[derive(Clone, Copy)]
struct Update {
    /// Learning rate divided by the bias correction of the first moment.
    rate: f32,
    /// One divided by the bias correction of the second moment.
    correction: f32,
}

impl Update {
    fn new(rate: f64, step: u64) -> Self {
        let [first, second] = DECAYS.map(|decay| 1.0 - f64::from(decay).powf(step as f64));
        Self {
            rate: (rate / first) as f32,
            correction: (1.0 / second) as f32,
        }
    }

    fn apply(self, weights: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let Self { rate, correction } = self;
        let all = (weights.iter_mut().zip(gradient)).zip(first.iter_mut().zip(second));
        for ((weight, &gradient), (first, second)) in all {
            *first = DECAYS[0] * *first + (1.0 - DECAYS[0]) * gradient;
            *second = DECAYS[1] * *second + (1.0 - DECAYS[1]) * gradient * gradient;
            let spread = (*second * correction).sqrt() + EPSILON;
            *weight -= rate * *first / spread;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 0.1;

    const GOLDEN: [f32; 3] = [0.823_635_4, -2.006_579_6, 0.489_439_96];

    /// Weights after steps with these gradients by `torch.optim.Adam(lr=0.1, eps=1e-8)`, from
    /// `scripts/parity/adam.py`.
    #[test]
    fn steps_are_those_of_pytorch() {
        let mut weights = [1.0, -2.0, 0.5];
        let mut moments = Moments::new(3);
        for (step, gradient) in [[0.3, -1.0, 0.0], [-0.2, 4.0, 1e-3], [0.7, 0.5, -2.0]]
            .iter()
            .enumerate()
        {
            moments.step(&mut weights, gradient, RATE, step as u64 + 1);
        }
        for (found, expected) in weights.iter().zip(GOLDEN) {
            assert!((found - expected).abs() < 1e-6, "{weights:?}");
        }
    }

    #[test]
    fn rows_touched_at_every_step_go_as_all_weights_do() {
        let gradients = [[0.3, -1.0, 0.2, 0.1], [0.5, 0.5, -0.5, 2.0]];
        let (mut dense, mut lazy) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]);
        let (mut for_dense, mut for_lazy) = (Moments::new(4), Moments::new(4));
        let mut last = [0; 2];
        for (step, gradient) in gradients.iter().enumerate() {
            let step = step as u64 + 1;
            for_dense.step(&mut dense, gradient, RATE, step);
            let turned = [gradient[2], gradient[3], gradient[0], gradient[1]];
            for_lazy.step_rows(&mut lazy, &[1, 0], &turned, RATE, step, &mut last);
        }
        assert_eq!(dense, lazy);
        assert_eq!(for_dense, for_lazy);
    }

    #[test]
    fn a_row_that_was_missed_has_the_moments_of_gradients_of_zero() {
        let (mut dense, mut lazy) = ([1.0, 2.0], [1.0, 2.0]);
        let (mut for_dense, mut for_lazy) = (Moments::new(2), Moments::new(2));
        let mut last = [0];
        for (step, gradient) in [[0.3, -1.0], [0.0, 0.0], [0.0, 0.0], [0.2, 0.4]]
            .iter()
            .enumerate()
        {
            let step = step as u64 + 1;
            for_dense.step(&mut dense, gradient, RATE, step);
            if gradient[0] != 0.0 {
                for_lazy.step_rows(&mut lazy, &[0], gradient, RATE, step, &mut last);
            }
        }
        for (a, b) in for_dense.first.iter().zip(&for_lazy.first) {
            assert!((a - b).abs() < 1e-7);
        }
        for (a, b) in for_dense.second.iter().zip(&for_lazy.second) {
            assert!((a - b).abs() < 1e-9);
        }
    }
}
