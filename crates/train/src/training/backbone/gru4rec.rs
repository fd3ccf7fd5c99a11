//! Forward pass and backpropagation through time of the recurrent network, without padding and without
//! autodiff. Computes the same function as [`ingle_model::backbone::gru4rec`]; tests compare the two.
//!
//! Histories are processed in parallel, click by click, longest first. The histories that have not ended are
//! then always the first rows of a step, and their states before the step the first rows of the step before.

use super::encoder::Encoder;
use super::layout::{Linear, Norm, Places};
use super::pass::{Dropout, Packed, Pass, undrop};
use ingle_kernel::product::{Matrix, add_product};
use ingle_kernel::{gru, norm, vector};
use ingle_model::BackboneConfig;
use std::ops::Range;

/// Places of its parameters.
#[derive(Clone, Debug)]
pub(super) struct Net {
    width: usize,
    layers: Vec<Layer>,
    /// Layer normalisation after the last layer.
    norm: Norm,
}

/// One layer; reset gate, update gate and candidate are concatenated.
#[derive(Clone, Debug)]
struct Layer {
    /// Weights of the layer's input.
    input: Linear,
    /// Weights of the state.
    hidden: Linear,
}

/// The order of the clicks by step.
#[derive(Debug)]
struct Order {
    /// Index of the click in each row.
    clicks: Vec<usize>,
    /// Rows of each step.
    steps: Vec<Range<usize>>,
    /// Update factor of each row: 1, as all clicks count fully in training.
    keep: Vec<f32>,
}

/// What the backward pass needs.
#[derive(Debug)]
pub(super) struct Tape {
    order: Order,
    layers: Vec<LayerTape>,
    norm: norm::Tape,
}

/// Activations in the order of the steps, one row per click.
#[derive(Debug)]
struct LayerTape {
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
    fn of(packed: &Packed) -> Self {
        let mut spans: Vec<Range<usize>> = packed.spans().collect();
        spans.sort_by_key(|span| std::cmp::Reverse(span.len()));
        let longest = spans.first().map_or(0, ExactSizeIterator::len);
        let mut clicks = Vec::with_capacity(packed.items.len());
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
    fn by_step(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let rows = (self.clicks.iter()).flat_map(|click| &rows[click * width..][..width]);
        rows.copied().collect()
    }

    /// Reorders rows from step order to click order.
    fn by_click(&self, rows: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows.len()];
        for (click, row) in self.clicks.iter().zip(rows.chunks_exact(width)) {
            out[click * width..][..width].copy_from_slice(row);
        }
        out
    }

    /// For each step after the first: its rows, and the rows of the same histories one step before.
    fn moves(&self) -> impl DoubleEndedIterator<Item = [Range<usize>; 2]> {
        self.steps.windows(2).map(|pair| {
            let (before, step) = (pair[0].start, pair[1].clone());
            [before..before + step.len(), step]
        })
    }
}

/// The range of those rows in a flat matrix.
fn rows(range: &Range<usize>, width: usize) -> Range<usize> {
    range.start * width..range.end * width
}

impl Encoder for Net {
    type Tape = Tape;

    fn new(config: &BackboneConfig, places: &mut Places) -> Self {
        let width = config.width;
        let layers = (0..config.blocks).map(|layer| {
            let mut linear = |part| {
                let name = format!("backbone.layers.{layer}.{part}");
                places.linear(&name, width, 3 * width)
            };
            Layer {
                input: linear("input"),
                hidden: linear("hidden"),
            }
        });
        Self {
            width,
            layers: layers.collect(),
            norm: places.norm("backbone.norm", width),
        }
    }

    fn linears(&self) -> Vec<&Linear> {
        let layers = self.layers.iter();
        layers
            .flat_map(|layer| [&layer.input, &layer.hidden])
            .collect()
    }

    fn forward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        dropout: &mut Dropout<'_>,
    ) -> (Vec<f32>, Tape) {
        let (order, scale) = (Order::of(packed), (self.width as f32).sqrt());
        let items = order.clicks.iter().map(|&click| packed.items[click]);
        let embedded =
            items.flat_map(|item| &pass.table[item as usize * self.width..][..self.width]);
        let mut x: Vec<f32> = embedded.map(|value| value * scale).collect();
        let layers = (self.layers.iter())
            .map(|layer| self.layer(pass, layer, &order, &mut x, dropout))
            .collect();
        let (hidden, norm) = pass.norm(&self.norm, &x);
        let hidden = order.by_click(&hidden, self.width);
        let tape = Tape {
            order,
            layers,
            norm,
        };
        (hidden, tape)
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        _packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let hidden = tape.order.by_step(hidden, self.width);
        let mut x = vec![0.0; hidden.len()];
        pass.norm_back(&self.norm, &tape.norm, &hidden, &mut x, gradient);
        for (layer, own) in self.layers.iter().zip(&tape.layers).rev() {
            x = self.layer_back(pass, layer, (&tape.order, own), x, gradient);
        }
        let scale = (self.width as f32).sqrt();
        for x in &mut x {
            *x *= scale;
        }
        tape.order.by_click(&x, self.width)
    }
}

impl Net {
    /// Runs a layer on its input; returns its states.
    fn layer(
        &self,
        pass: &Pass<'_>,
        layer: &Layer,
        order: &Order,
        x: &mut Vec<f32>,
        dropout: &mut Dropout<'_>,
    ) -> LayerTape {
        let (width, wide) = (self.width, 3 * self.width);
        let dropped = dropout.apply(x);
        let mut gates = pass.linear(&layer.input, x);
        let mut held = vec![0.0; gates.len()];
        vector::fill_rows(&mut held, &pass.values[layer.hidden.bias.clone()]);
        let weight = &pass.values[layer.hidden.weight.clone()];
        let mut before = vec![0.0; x.len()];
        let mut states = vec![0.0; x.len()];
        let first = order.steps.first().map(|step| [0..0, step.clone()]);
        for [from, step] in first.into_iter().chain(order.moves()) {
            let (one, three) = (rows(&step, width), rows(&step, wide));
            if !from.is_empty() {
                let previous = &states[rows(&from, width)];
                before[one.clone()].copy_from_slice(previous);
                add_product(
                    Matrix::new(previous, width),
                    weight,
                    &mut held[three.clone()],
                );
            }
            gru::forward(
                &mut gates[three.clone()],
                &held[three],
                &order.keep[step],
                &before[one.clone()],
                &mut states[one],
            );
        }
        LayerTape {
            dropped,
            read: std::mem::replace(x, states),
            before,
            gates,
            held,
        }
    }

    /// From the gradient of a layer's states to the gradient of its input.
    fn layer_back(
        &self,
        pass: &Pass<'_>,
        layer: &Layer,
        (order, tape): (&Order, &LayerTape),
        mut states: Vec<f32>,
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let (width, wide) = (self.width, 3 * self.width);
        let turned = &pass.transposed[layer.hidden.weight.clone()];
        let [mut read, mut through] = [(); 2].map(|()| vec![0.0; tape.gates.len()]);
        let first = order.steps.first().map(|step| [0..0, step.clone()]);
        for [from, step] in first.into_iter().chain(order.moves()).rev() {
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
        let states = Matrix::new(&tape.before, width).transposed();
        add_product(states, &through, &mut gradient[layer.hidden.weight.clone()]);
        vector::add_rows(&mut gradient[layer.hidden.bias.clone()], &through);
        let mut x = vec![0.0; tape.read.len()];
        pass.linear_back(&layer.input, &tape.read, &read, &mut x, gradient);
        undrop(&mut x, &tape.dropped);
        x
    }
}
