//! Layers of gated recurrent units.

use super::{Dropout, Linear, Packed, Parameters, Places, Values, drop_again};
use ingle_kernel::product::{Matrix, add_product};
use ingle_kernel::{gru, vector};
use std::ops::Range;

/// A layer of gated recurrent units ([Cho et al., 2014](https://arxiv.org/abs/1406.1078)), as wide as its input.
#[derive(Clone, Debug)]
pub struct Gru {
    width: usize,
    /// Reset gate, update gate and candidate from the input, `[width, 3 * width]`.
    input: Linear,
    /// The same from the state.
    hidden: Linear,
}

/// The order of the clicks of several histories by step, longest history first. The histories that have not ended are
/// then always the first rows of a step, and their states before the step the first rows of the step before.
#[derive(Debug)]
pub struct Order {
    /// Index of the click in each row.
    pub clicks: Vec<usize>,
    /// Rows of each step.
    steps: Vec<Range<usize>>,
    /// Update factor of each row: 1, as all clicks count fully in training.
    keep: Vec<f32>,
}

/// What the backward pass needs: activations in the order of the steps, one row per click.
#[derive(Debug)]
pub struct GruTape {
    dropped: Vec<f32>,
    /// Input of the layer.
    read: Vec<f32>,
    /// States before each step.
    before: Vec<f32>,
    /// Reset gate, update gate and candidate.
    gates: Vec<f32>,
    /// The state multiplied by its weights.
    held: Vec<f32>,
}

impl Order {
    /// The order of these histories.
    pub fn of(packed: &Packed) -> Self {
        let mut spans: Vec<Range<usize>> = packed.spans().collect();
        spans.sort_by_key(|span| std::cmp::Reverse(span.len()));
        let longest = spans.first().map_or(0, ExactSizeIterator::len);
        let mut clicks = Vec::with_capacity(packed.clicks());
        let steps = (0..longest).map(|step| {
            let start = clicks.len();
            let going = spans.iter().take_while(|span| span.len() > step);
            clicks.extend(going.map(|span| span.start + step));
            start..clicks.len()
        });
        let steps = steps.collect();
        Self {
            keep: vec![1.0; clicks.len()],
            clicks,
            steps,
        }
    }

    /// Reorders rows from click order to step order.
    pub fn by_step(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let rows = (self.clicks.iter()).flat_map(|click| &rows[click * width..][..width]);
        rows.copied().collect()
    }

    /// Reorders rows from step order to click order.
    pub fn by_click(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows.len()];
        for (click, row) in self.clicks.iter().zip(rows.chunks_exact(width)) {
            out[click * width..][..width].copy_from_slice(row);
        }
        out
    }

    /// For each step its rows, and the rows of the same histories one step before; none for the first step.
    fn moves(&self) -> impl DoubleEndedIterator<Item = [Range<usize>; 2]> {
        let first = self.steps.first().map(|step| [0..0, step.clone()]);
        let later = self.steps.windows(2).map(|pair| {
            let (before, step) = (pair[0].start, pair[1].clone());
            [before..before + step.len(), step]
        });
        first.into_iter().chain(later)
    }
}

/// The range of those rows in a flat matrix.
fn rows(range: &Range<usize>, width: usize) -> Range<usize> {
    range.start * width..range.end * width
}

impl Gru {
    /// Adds the parameters of a layer.
    pub fn new(places: &mut Places, name: &str, width: usize) -> Self {
        let mut linear = |part| places.linear(&format!("{name}.{part}"), [width, 3 * width]);
        Self {
            width,
            input: linear("input"),
            hidden: linear("hidden"),
        }
    }

    /// The states after each click of one history; `x`, `[len, width]`, becomes the output.
    ///
    /// # Shapes
    /// - `keep`: factor of the state's update at each click, `[len]`, `0..=1`
    pub fn infer(&self, parameters: &Parameters, x: &mut [f32], keep: &[f32]) {
        let width = self.width;
        let mut state = vec![0.0; width];
        let mut gates = self.input.infer(parameters, x);
        let steps = (x.chunks_exact_mut(width).zip(keep)).zip(gates.chunks_exact_mut(3 * width));
        for ((x, keep), gates) in steps {
            let held = self.hidden.infer(parameters, &state);
            gru::forward(gates, &held, &[*keep], &state, x);
            state.copy_from_slice(x);
        }
    }

    /// The states after each click of several histories, for training; `x`, `[clicks, width]` in the order of the steps,
    /// becomes the output.
    pub fn forward(
        &self,
        values: &Values<'_>,
        order: &Order,
        x: &mut Vec<f32>,
        dropout: &mut impl Dropout,
    ) -> GruTape {
        let (width, wide) = (self.width, 3 * self.width);
        let dropped = dropout.apply(x);
        let mut gates = self.input.forward(values, x);
        let mut held = vec![0.0; gates.len()];
        vector::fill_rows(&mut held, values.get(&self.hidden.bias));
        let weight = values.get(&self.hidden.weight);
        let mut before = vec![0.0; x.len()];
        let mut states = vec![0.0; x.len()];
        for [from, step] in order.moves() {
            let (one, three) = (rows(&step, width), rows(&step, wide));
            if !from.is_empty() {
                let previous = &states[rows(&from, width)];
                before[one.clone()].copy_from_slice(previous);
                let held = &mut held[three.clone()];
                add_product(Matrix::new(previous, width), weight, held);
            }
            gru::forward(
                &mut gates[three.clone()],
                &held[three],
                &order.keep[step],
                &before[one.clone()],
                &mut states[one],
            );
        }
        GruTape {
            dropped,
            read: std::mem::replace(x, states),
            before,
            gates,
            held,
        }
    }

    /// Adds the gradients of all parameters to `gradient`; from the gradient of the states to that of the input, both
    /// `[clicks, width]` in the order of the steps.
    pub fn backward(
        &self,
        values: &Values<'_>,
        order: &Order,
        tape: &GruTape,
        mut states: Vec<f32>,
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let (width, wide) = (self.width, 3 * self.width);
        let turned = values.turned(&self.hidden);
        let [mut read, mut through] = [(); 2].map(|()| vec![0.0; tape.gates.len()]);
        for [from, step] in order.moves().rev() {
            let (one, three) = (rows(&step, width), rows(&step, wide));
            gru::backward(
                [&tape.gates[three.clone()], &tape.held[three.clone()]],
                &order.keep[step],
                &tape.before[one.clone()],
                &mut states[one.clone()],
                [&mut read[three.clone()], &mut through[three.clone()]],
            );
            if !from.is_empty() {
                let (earlier, own) = states.split_at_mut(one.start);
                let earlier = &mut earlier[rows(&from, width)];
                vector::add(earlier, &own[..one.len()]);
                add_product(Matrix::new(&through[three], wide), turned, earlier);
            }
        }
        (self.hidden).backward_of_weights(&tape.before, &through, gradient);
        let mut x = vec![0.0; tape.read.len()];
        (self.input).backward(values, &tape.read, &read, &mut x, gradient);
        drop_again(&mut x, &tape.dropped);
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EveryThird, check_gradients, close, numbers, packed, parameters};

    const WIDTH: usize = 5;

    fn layer() -> (Gru, Places, Vec<f32>) {
        let mut places = Places::under("here");
        let layer = Gru::new(&mut places, "layers.0", WIDTH);
        let values = numbers(places.len(), 1);
        (layer, places, values)
    }

    #[test]
    fn inference_of_each_history_is_training_without_dropout() {
        let (layer, places, values) = layer();
        let (packed, parameters) = (packed(), parameters(&places, &values));
        let x = numbers(packed.clicks() * WIDTH, 2);
        let order = Order::of(&packed);
        let mut trained = order.by_step(&x, WIDTH);
        let values = Values {
            values: &values,
            transposed: &[],
        };
        layer.forward(&values, &order, &mut trained, &mut EveryThird(false));
        let trained = order.by_click(&trained, WIDTH);
        for span in packed.spans() {
            let rows = rows(&span, WIDTH);
            let mut own = x[rows.clone()].to_vec();
            layer.infer(&parameters, &mut own, &vec![1.0; span.len()]);
            close(&own, &trained[rows], 1e-5);
        }
    }

    #[test]
    fn a_click_that_is_not_kept_does_not_change_the_state() {
        let (layer, places, values) = layer();
        let parameters = parameters(&places, &values);
        let x = numbers(3 * WIDTH, 2);
        let mut kept = x.clone();
        layer.infer(&parameters, &mut kept, &[1.0, 0.0, 1.0]);
        let mut without = [&x[..WIDTH], &x[2 * WIDTH..]].concat();
        layer.infer(&parameters, &mut without, &[1.0, 1.0]);
        assert_eq!(kept[..WIDTH], kept[WIDTH..2 * WIDTH]);
        close(&kept[2 * WIDTH..], &without[WIDTH..], 1e-6);
    }

    #[test]
    fn gradients_equal_finite_differences_with_and_without_dropout() {
        let (layer, places, values) = layer();
        let packed = packed();
        let order = Order::of(&packed);
        let [x, direction] = [2, 3].map(|seed| numbers(packed.clicks() * WIDTH, seed));
        for dropout in [false, true] {
            let forward = |values: &Values<'_>, x: &[f32]| {
                let mut x = x.to_vec();
                layer.forward(values, &order, &mut x, &mut EveryThird(dropout));
                x
            };
            let turned = places.transposed(&values);
            let both = Values {
                values: &values,
                transposed: &turned,
            };
            let mut gradient = vec![0.0; values.len()];
            let tape = layer.forward(&both, &order, &mut x.clone(), &mut EveryThird(dropout));
            let of_x = layer.backward(&both, &order, &tape, direction.clone(), &mut gradient);
            check_gradients(&values, &x, &direction, &forward, [&gradient, &of_x]);
        }
    }
}
