//! Forward and backward pass of the backbone over concatenated histories, without padding and without
//! autodiff. Computes the same function as [`ingle_model::backbone::Backbone::forward`]; tests compare the
//! two.

use super::super::samples::Lesson;
use super::encoder::{Encoder, NetTape};
use super::layout::{Layout, Linear, Norm};
use ingle_kernel::product::{Matrix, add_product, transpose};
use ingle_kernel::{norm, vector};
use ingle_model::Rng;
use std::ops::Range;

/// Concatenated histories.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Items of all clicks; within a history, oldest first.
    pub(super) items: Vec<u32>,
    /// Clicks of each history.
    pub(super) lengths: Vec<usize>,
}

impl Packed {
    /// Concatenates histories.
    pub(super) fn of(lessons: &[&Lesson]) -> Self {
        Self {
            items: lessons.iter().flat_map(|l| &l.items).copied().collect(),
            lengths: lessons.iter().map(|lesson| lesson.items.len()).collect(),
        }
    }

    /// The range of each history's clicks.
    pub(super) fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.lengths.iter().scan(0, |end, &length| {
            *end += length;
            Some(*end - length..*end)
        })
    }
}

/// What the backward pass needs from the forward pass.
#[derive(Debug)]
pub(super) struct Tape {
    /// Hidden states after the last normalisation, `[clicks, width]`.
    pub(super) hidden: Vec<f32>,
    /// What the encoder's backward pass needs.
    pub(super) net: NetTape,
}

/// The parameters of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    /// Places of the parameters.
    pub(super) layout: &'a Layout,
    /// All parameters except the item table.
    pub(super) values: &'a [f32],
    /// The same with the weights of every linear layer transposed, for the backward pass.
    pub(super) transposed: &'a [f32],
    /// Item embeddings, `[items + 1, width]`.
    pub(super) table: &'a [f32],
}

/// `values` with every linear layer's weights transposed.
pub(super) fn transposed(layout: &Layout, values: &[f32]) -> Vec<f32> {
    let mut turned = values.to_vec();
    for linear in layout.net.linears() {
        let place = linear.weight.clone();
        let weight = Matrix::new(&values[place.clone()], linear.output);
        transpose(weight, &mut turned[place]);
    }
    turned
}

impl Pass<'_> {
    /// Hidden states of every click. Dropout is applied if there is a generator.
    pub(super) fn forward(&self, packed: &Packed, rng: Option<&mut Rng>) -> Tape {
        let rate = self.layout.config.dropout;
        let mut dropout = Dropout { rate, rng };
        let (hidden, net) = self.layout.net.forward(self, packed, &mut dropout);
        Tape { hidden, net }
    }

    /// Applies a linear layer to rows.
    pub(super) fn linear(&self, linear: &Linear, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / linear.input * linear.output];
        vector::fill_rows(&mut out, &self.values[linear.bias.clone()]);
        let weight = &self.values[linear.weight.clone()];
        add_product(Matrix::new(x, linear.input), weight, &mut out);
        out
    }

    /// Applies a layer normalisation to rows.
    pub(super) fn norm(&self, norm: &Norm, x: &[f32]) -> (Vec<f32>, norm::Tape) {
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|place| &self.values[place.clone()]);
        norm::forward(x, gamma, beta)
    }

    /// Adds the gradients of all parameters except the item table to `gradient`; returns those of the clicks'
    /// embeddings, `[clicks, width]`.
    pub(super) fn backward(
        &self,
        packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        (self.layout.net).backward(self, packed, &tape.net, hidden, gradient)
    }

    /// Adds the gradients of a linear layer's parameters and of its input.
    pub(super) fn linear_back(
        &self,
        linear: &Linear,
        x: &[f32],
        out: &[f32],
        x_gradient: &mut [f32],
        gradient: &mut [f32],
    ) {
        let columns = Matrix::new(x, linear.input).transposed();
        add_product(columns, out, &mut gradient[linear.weight.clone()]);
        vector::add_rows(&mut gradient[linear.bias.clone()], out);
        let turned = &self.transposed[linear.weight.clone()];
        add_product(Matrix::new(out, linear.output), turned, x_gradient);
    }

    /// Adds the gradients of a normalisation's parameters and of its input.
    pub(super) fn norm_back(
        &self,
        norm: &Norm,
        tape: &norm::Tape,
        out: &[f32],
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        let gamma = &self.values[norm.gamma.clone()];
        let both = &mut gradient[norm.gamma.start..norm.beta.end];
        let (gamma_gradient, beta_gradient) = both.split_at_mut(gamma.len());
        norm::backward(tape, gamma, out, x, [gamma_gradient, beta_gradient]);
    }
}

/// Inverted dropout: masks of 0 and `1 / (1 - rate)`.
pub(super) struct Dropout<'a> {
    rate: f32,
    rng: Option<&'a mut Rng>,
}

impl Dropout<'_> {
    /// A mask of `count` elements; empty if the rate is 0.
    pub(super) fn mask(&mut self, count: usize) -> Vec<f32> {
        match self.rng.as_deref_mut().filter(|_| self.rate > 0.0) {
            None => Vec::new(),
            Some(rng) => ingle_model::rng::dropout_mask(count, self.rate, rng),
        }
    }

    /// Applies dropout in place and returns the mask.
    pub(super) fn apply(&mut self, x: &mut [f32]) -> Vec<f32> {
        let mask = self.mask(x.len());
        undrop(x, &mask);
        mask
    }
}

/// Multiplies by a mask, if there is one.
pub(super) fn undrop(x: &mut [f32], mask: &[f32]) {
    if !mask.is_empty() {
        vector::multiply(x, mask);
    }
}
