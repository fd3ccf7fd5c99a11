//! Transformer blocks.

use super::{
    Dropout, Linear, Norm, NormTape, Packed, Parameters, Place, Places, Values, drop_again,
};
use ingle_kernel::attention::{self, Inputs};
use ingle_kernel::{gelu, vector};
use std::ops::Range;

/// Sizes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Width of a click's row.
    pub width: usize,
    /// Heads of attention; divides `width`.
    pub heads: usize,
    /// Width inside the feed-forward layer.
    pub feed_forward: usize,
}

/// A Transformer block ([Attention Is All You Need](https://arxiv.org/abs/1706.03762)): attention and a feed-forward
/// layer with GELU, each after a normalisation ([pre-norm](https://arxiv.org/abs/2002.04745)).
#[derive(Clone, Debug)]
pub struct Block {
    sizes: Sizes,
    /// Before attention.
    attention_norm: Norm,
    /// Query, key and value.
    projections: [Linear; 3],
    /// Output projection after the heads.
    output: Linear,
    /// Before the feed-forward layer.
    feed_norm: Norm,
    widen: Linear,
    narrow: Linear,
}

/// What the backward pass needs from the forward pass.
#[derive(Debug)]
pub struct BlockTape {
    attention_norm: NormTape,
    attention_input: Vec<f32>,
    /// Query, key and value, each `[clicks, width]`.
    projected: [Vec<f32>; 3],
    /// Attention matrices of all heads of all histories, concatenated.
    weights: Vec<f32>,
    weights_dropped: Vec<f32>,
    mixed: Vec<f32>,
    attended_dropped: Vec<f32>,
    feed_norm: NormTape,
    feed_input: Vec<f32>,
    widened: Vec<f32>,
    activated: Vec<f32>,
    activated_dropped: Vec<f32>,
    fed_dropped: Vec<f32>,
}

impl Block {
    /// Adds the parameters of a block.
    pub fn new(places: &mut Places, name: &str, sizes: Sizes) -> Self {
        let Sizes {
            width,
            feed_forward,
            ..
        } = sizes;
        Self {
            sizes,
            attention_norm: places.norm(&format!("{name}.attention_norm"), width),
            projections: ["query", "key", "value"]
                .map(|part| places.linear(&format!("{name}.attention.{part}"), [width, width])),
            output: places.linear(&format!("{name}.attention.output"), [width, width]),
            feed_norm: places.norm(&format!("{name}.feed_norm"), width),
            widen: places.linear(&format!("{name}.widen"), [width, feed_forward]),
            narrow: places.linear(&format!("{name}.narrow"), [feed_forward, width]),
        }
    }

    /// All parameters: attention norm, query, key, value, output, feed norm, widen, narrow.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let attention = self.projections.iter().chain([&self.output]);
        (self.attention_norm.places().into_iter())
            .chain(attention.flat_map(Linear::places))
            .chain(self.feed_norm.places())
            .chain(
                [&self.widen, &self.narrow]
                    .into_iter()
                    .flat_map(Linear::places),
            )
    }

    /// The rows of one history from `first` on.
    ///
    /// # Shapes
    /// - `x`: `[len, width]`
    /// - `bias`: added to attention scores, `[heads, len - first, len]`; `None` for causal attention
    /// - output: `[len - first, width]`
    pub fn infer(
        &self,
        parameters: &Parameters,
        x: &[f32],
        bias: Option<&[f32]>,
        first: usize,
    ) -> Vec<f32> {
        let Sizes { width, heads, .. } = self.sizes;
        let start = first * width;
        let normed = self.attention_norm.infer(parameters, x);
        let [query, key, value] = &self.projections;
        let query = query.infer(parameters, &normed[start..]);
        let inputs = Inputs {
            query: &query,
            key: &key.infer(parameters, &normed),
            value: &value.infer(parameters, &normed),
            width,
            heads,
        };
        let mut mixed = vec![0.0; query.len()];
        attention::infer(&inputs, bias, &mut mixed);
        let mut out = self.output.infer(parameters, &mixed);
        vector::add(&mut out, &x[start..]);
        let fed = self.feed_norm.infer(parameters, &out);
        let wide = gelu::forward(&self.widen.infer(parameters, &fed));
        vector::add(&mut out, &self.narrow.infer(parameters, &wide));
        out
    }

    /// Causal attention within each history, for training; `x`, `[clicks, width]`, becomes the output.
    pub fn forward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        x: &mut [f32],
        dropout: &mut impl Dropout,
    ) -> BlockTape {
        let (attention_input, attention_norm) = self.attention_norm.forward(values, x);
        let projected = (self.projections.each_ref()).map(|l| l.forward(values, &attention_input));
        let squares = packed.lengths.iter().map(|length| length * length);
        let mut weights = vec![0.0; self.sizes.heads * squares.sum::<usize>()];
        let weights_dropped = dropout.mask(weights.len());
        let mut mixed = vec![0.0; x.len()];
        self.each_history(packed, &projected, |inputs, square, span| {
            let dropped = weights_dropped.get(square.clone()).unwrap_or_default();
            attention::forward(inputs, dropped, &mut weights[square], &mut mixed[span]);
        });
        let mut attended = self.output.forward(values, &mixed);
        let attended_dropped = dropout.apply(&mut attended);
        vector::add(x, &attended);

        let (feed_input, feed_norm) = self.feed_norm.forward(values, x);
        let widened = self.widen.forward(values, &feed_input);
        let mut activated = gelu::forward(&widened);
        let activated_dropped = dropout.apply(&mut activated);
        let mut fed = self.narrow.forward(values, &activated);
        let fed_dropped = dropout.apply(&mut fed);
        vector::add(x, &fed);
        BlockTape {
            attention_norm,
            attention_input,
            projected,
            weights,
            weights_dropped,
            mixed,
            attended_dropped,
            feed_norm,
            feed_input,
            widened,
            activated,
            activated_dropped,
            fed_dropped,
        }
    }

    /// Adds the gradients of all parameters to `gradient`; `x`, `[clicks, width]`, is the gradient of the output and
    /// becomes that of the input.
    pub fn backward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        tape: &BlockTape,
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        self.feed_back(values, tape, x, gradient);
        let mut attended = x.to_vec();
        drop_again(&mut attended, &tape.attended_dropped);
        let mut mixed = vec![0.0; x.len()];
        (self.output).backward(values, &tape.mixed, &attended, &mut mixed, gradient);
        let mut projected = [(); 3].map(|()| vec![0.0; x.len()]);
        self.each_history(packed, &tape.projected, |inputs, square, span| {
            let dropped = (tape.weights_dropped.get(square.clone())).unwrap_or_default();
            let into = (projected.each_mut()).map(|part| &mut part[span.clone()]);
            let held = [dropped, &tape.weights[square]];
            attention::backward(inputs, held, &mixed[span], into);
        });
        let mut input = vec![0.0; x.len()];
        for (linear, out) in self.projections.iter().zip(&projected) {
            linear.backward(values, &tape.attention_input, out, &mut input, gradient);
        }
        (self.attention_norm).backward(values, &tape.attention_norm, &input, x, gradient);
    }

    /// The backward pass of the feed-forward part.
    fn feed_back(
        &self,
        values: &Values<'_>,
        tape: &BlockTape,
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        let mut fed = x.to_vec();
        drop_again(&mut fed, &tape.fed_dropped);
        let mut wide = vec![0.0; tape.widened.len()];
        (self.narrow).backward(values, &tape.activated, &fed, &mut wide, gradient);
        drop_again(&mut wide, &tape.activated_dropped);
        gelu::backward(&tape.widened, &mut wide);
        let mut input = vec![0.0; x.len()];
        (self.widen).backward(values, &tape.feed_input, &wide, &mut input, gradient);
        (self.feed_norm).backward(values, &tape.feed_norm, &input, x, gradient);
    }

    /// Calls `work` with the queries, keys and values of each history, the range of its attention weights and that of its
    /// values.
    fn each_history(
        &self,
        packed: &Packed,
        [query, key, value]: &[Vec<f32>; 3],
        mut work: impl FnMut(&Inputs<'_>, Range<usize>, Range<usize>),
    ) {
        let Sizes { width, heads, .. } = self.sizes;
        let mut square = 0..0;
        for span in packed.spans() {
            let rows = span.start * width..span.end * width;
            let inputs = Inputs {
                query: &query[rows.clone()],
                key: &key[rows.clone()],
                value: &value[rows.clone()],
                width,
                heads,
            };
            square = square.end..square.end + inputs.weights();
            work(&inputs, square.clone(), rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EveryThird, check_gradients, close, numbers, packed, parameters};

    const SIZES: Sizes = Sizes {
        width: 6,
        heads: 2,
        feed_forward: 10,
    };

    fn block() -> (Block, Places, Vec<f32>) {
        let mut places = Places::under("here");
        let block = Block::new(&mut places, "block", SIZES);
        let values = numbers(places.len(), 1);
        (block, places, values)
    }

    #[test]
    fn inference_of_each_history_is_training_without_dropout() {
        let (block, places, values) = block();
        let (packed, parameters) = (packed(), parameters(&places, &values));
        let x = numbers(packed.clicks() * SIZES.width, 2);
        let mut trained = x.clone();
        let values = Values {
            values: &values,
            transposed: &[],
        };
        block.forward(&values, &packed, &mut trained, &mut EveryThird(false));
        for span in packed.spans() {
            let rows = span.start * SIZES.width..span.end * SIZES.width;
            let own = &x[rows.clone()];
            let all = block.infer(&parameters, own, None, 0);
            close(&all, &trained[rows], 1e-5);
            let last = block.infer(&parameters, own, None, span.len() - 1);
            close(&last, &all[all.len() - SIZES.width..], 1e-5);
        }
    }

    #[test]
    fn gradients_equal_finite_differences_with_and_without_dropout() {
        let (block, places, values) = block();
        let packed = packed();
        let [x, direction] = [2, 3].map(|seed| numbers(packed.clicks() * SIZES.width, seed));
        for dropout in [false, true] {
            let forward = |values: &Values<'_>, x: &[f32]| {
                let mut x = x.to_vec();
                block.forward(values, &packed, &mut x, &mut EveryThird(dropout));
                x
            };
            let turned = places.transposed(&values);
            let both = Values {
                values: &values,
                transposed: &turned,
            };
            let mut gradient = vec![0.0; values.len()];
            let mut of_x = direction.clone();
            let tape = block.forward(&both, &packed, &mut x.clone(), &mut EveryThird(dropout));
            block.backward(&both, &packed, &tape, &mut of_x, &mut gradient);
            check_gradients(&values, &x, &direction, &forward, [&gradient, &of_x]);
        }
    }

    #[test]
    fn its_parameters_are_read_by_name_and_a_missing_one_is_told() {
        let (block, places, values) = block();
        let parameters = parameters(&places, &values);
        let read: Vec<f32> = (block.places())
            .flat_map(|place| parameters.rows(place).values.into_owned())
            .collect();
        assert_eq!(read, values);
        let error = Parameters::read(&places, &mut crate::Weights::new()).expect_err("none");
        assert!(
            error
                .to_string()
                .contains("here.block.attention_norm.gamma"),
            "{error}"
        );
    }
}
