//! The loss of most papers' backbones: binary cross-entropy of each target and of one negative, drawn uniformly
//! from the items that the user has not clicked ([SASRec](https://arxiv.org/abs/1808.09781)). It is here for
//! comparison: the softmax over the catalogue ranks far better.

use super::super::samples::Lesson;
use super::super::softmax::{Fused, mean};
use ingle_kernel::vector;
use ingle_model::Rng;
use std::collections::HashSet;

/// Most draws for an unclicked item; after them a clicked one is accepted.
const TRIES: usize = 64;

/// One negative for each target, from a catalogue of `items`.
pub(super) fn negatives(lessons: &[Lesson], items: usize, rng: &mut Rng) -> Vec<u32> {
    let mut drawn = Vec::new();
    for lesson in lessons {
        let clicked: HashSet<u32> = (lesson.items.iter().chain(&lesson.targets))
            .copied()
            .collect();
        for _ in &lesson.targets {
            let mut item = 1 + rng.below(items) as u32;
            for _ in 0..TRIES {
                if !clicked.contains(&item) {
                    break;
                }
                item = 1 + rng.below(items) as u32;
            }
            drawn.push(item);
        }
    }
    drawn
}

/// The mean cross-entropy over all tokens, weighted by `shares`, with gradients.
///
/// # Shapes
/// - `hidden`: `[tokens, width]`
/// - `table`: `[items + 1, width]`, the first row for padding
/// - `targets`, `negatives`, `shares`: `[tokens]`
pub(super) fn cross_entropy(
    hidden: &[f32],
    table: &[f32],
    width: usize,
    targets: &[u32],
    negatives: &[u32],
    shares: &[f32],
) -> Fused {
    let mut fused = Fused {
        loss: 0.0,
        losses: Vec::with_capacity(targets.len()),
        hidden: vec![0.0; hidden.len()],
        table: vec![0.0; table.len()],
    };
    let rows = hidden
        .chunks_exact(width)
        .zip(fused.hidden.chunks_exact_mut(width));
    let targets = targets.iter().zip(negatives).zip(shares);
    for ((hidden, gradient), ((&target, &negative), share)) in rows.zip(targets) {
        let mut loss = 0.0;
        for (item, label) in [(target, 1.0), (negative, 0.0)] {
            let place = item as usize * width..(item as usize + 1) * width;
            let row = &table[place.clone()];
            let logit: f32 = hidden.iter().zip(row).map(|(a, b)| a * b).sum();
            loss += softplus(logit) - label * logit;
            let slope = (1.0 / (1.0 + (-logit).exp()) - label) * share;
            add_scaled(gradient, row, slope);
            add_scaled(&mut fused.table[place], hidden, slope);
        }
        fused.losses.push(loss);
    }
    fused.loss = mean(&fused.losses, shares);
    fused
}

/// `ln(1 + exp(x))`
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn add_scaled(to: &mut [f32], row: &[f32], factor: f32) {
    let scaled: Vec<f32> = row.iter().map(|x| x * factor).collect();
    vector::add(to, &scaled);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_the_loss() {
        let mut rng = Rng::new(3, &[]);
        let (width, targets, negatives) = (4, [1, 3, 1], [2, 1, 4]);
        let shares = [0.2, 0.5, 0.3];
        let mut random = |count: usize| (0..count).map(|_| rng.normal(1.0)).collect::<Vec<f32>>();
        let (hidden, table) = (random(3 * width), random(5 * width));
        let loss = |hidden: &[f32], table: &[f32]| {
            f64::from(cross_entropy(hidden, table, width, &targets, &negatives, &shares).loss)
        };
        let found = cross_entropy(&hidden, &table, width, &targets, &negatives, &shares);
        let step = 1e-2f32;
        let slope = |values: &[f32], at: usize, of: &dyn Fn(&[f32]) -> f64| {
            let moved = |by: f32| {
                let mut values = values.to_vec();
                values[at] += by;
                of(&values)
            };
            (moved(step) - moved(-step)) / f64::from(2.0 * step)
        };
        for at in 0..hidden.len() {
            let due = slope(&hidden, at, &|hidden| loss(hidden, &table));
            assert!((f64::from(found.hidden[at]) - due).abs() < 1e-3, "{at}");
        }
        for at in 0..table.len() {
            let due = slope(&table, at, &|table| loss(&hidden, table));
            assert!((f64::from(found.table[at]) - due).abs() < 1e-3, "{at}");
        }
        // Two logits of 0 cost ln 2 each.
        let none = cross_entropy(&[0.0; 4], &table, width, &[1], &[2], &[1.0]);
        assert!((none.loss - 2.0 * 2f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn logits_far_out_stay_numbers() {
        for far in [-1e4, 1e4] {
            let found = cross_entropy(&[far], &[0.0, 1.0, 1.0], 1, &[1], &[2], &[1.0]);
            assert!((found.loss - 1e4).abs() < 1.0, "{}", found.loss);
        }
    }

    #[test]
    fn what_is_drawn_was_not_clicked_where_there_is_such_an_item() {
        let lessons = [Lesson::of(&[1, 2, 3]), Lesson::of(&[4, 4, 5, 1])];
        let mut seen = HashSet::new();
        for draw in 0..200 {
            let drawn = negatives(&lessons, 6, &mut Rng::new(draw, &[]));
            assert_eq!(drawn.len(), 5);
            assert!(drawn[..2].iter().all(|item| (4..=6).contains(item)));
            assert!(drawn[2..].iter().all(|item| [2, 3, 6].contains(item)));
            seen.extend(drawn);
        }
        assert_eq!(seen.len(), 5);
        let all = negatives(&[Lesson::of(&[1, 2])], 2, &mut Rng::new(1, &[]));
        assert!(all[0] == 1 || all[0] == 2);
    }
}
