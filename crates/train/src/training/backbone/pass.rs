//! The backbone forwards and backwards over histories laid end to end, without padding and without a
//! graph: the same function as [`ingle_model::Backbone::forward`], which the tests hold it to.

use super::super::samples::Lesson;
use super::layout::{Block, Layout, Linear, Norm};
use ingle_kernel::attention::{self, Inputs};
use ingle_kernel::product::{Matrix, add_product, transpose};
use ingle_kernel::{gelu, norm, vector};
use ingle_model::Rng;
use std::ops::Range;

/// Histories end to end.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Items of all clicks, oldest first within a history.
    pub(super) items: Vec<u32>,
    /// Clicks of each history.
    pub(super) lengths: Vec<usize>,
    /// What each click's embedding keeps, `0..=1`; empty where all keep all.
    pub(super) keep: Vec<f32>,
    /// What the loss gains by attention to each click; empty where it does not matter.
    pub(super) leaning: Vec<f32>,
}

impl Packed {
    /// Puts histories end to end; attention to a click that is surely noise costs `attention`.
    pub(super) fn of(lessons: &[&Lesson], attention: f32) -> Self {
        let noise = lessons.iter().flat_map(|lesson| &lesson.noise);
        Self {
            items: lessons.iter().flat_map(|l| &l.items).copied().collect(),
            lengths: lessons.iter().map(|lesson| lesson.items.len()).collect(),
            keep: lessons.iter().flat_map(|l| &l.keep).copied().collect(),
            leaning: if attention > 0.0 {
                noise.map(|noise| noise * attention).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// What a click's embedding keeps.
    fn keep(&self, click: usize) -> f32 {
        *self.keep.get(click).unwrap_or(&1.0)
    }

    /// Where the clicks of each history are.
    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.lengths.iter().scan(0, |end, &length| {
            *end += length;
            Some(*end - length..*end)
        })
    }
}

/// What a backward pass needs of its forward pass.
#[derive(Debug)]
pub(super) struct Tape {
    /// Hidden states after the last normalisation, `[clicks, width]`.
    pub(super) hidden: Vec<f32>,
    dropped: Vec<f32>,
    blocks: Vec<BlockTape>,
    norm: norm::Tape,
}

#[cfg(test)]
impl Tape {
    /// Attention paid to clicks by what it costs, summed over all that attend.
    pub(super) fn attention_to(&self, leaning: &[f32], lengths: &[usize], heads: usize) -> f32 {
        let mut sum = 0.0;
        for block in &self.blocks {
            let (mut square, mut first) = (0, 0);
            for &length in lengths {
                let weights = &block.weights[square..square + heads * length * length];
                for row in weights.chunks_exact(length) {
                    sum += vector::dot(row, &leaning[first..first + length]);
                }
                (square, first) = (square + weights.len(), first + length);
            }
        }
        sum
    }
}

#[derive(Debug)]
struct BlockTape {
    attention_norm: norm::Tape,
    attention_input: Vec<f32>,
    /// Query, key and value, each `[clicks, width]`.
    projected: [Vec<f32>; 3],
    /// Squares of all heads of all histories, one after the other.
    weights: Vec<f32>,
    weights_dropped: Vec<f32>,
    mixed: Vec<f32>,
    attended_dropped: Vec<f32>,
    feed_norm: norm::Tape,
    feed_input: Vec<f32>,
    widened: Vec<f32>,
    activated: Vec<f32>,
    activated_dropped: Vec<f32>,
    fed_dropped: Vec<f32>,
}

/// The parameters of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    /// Where they lie.
    pub(super) layout: &'a Layout,
    /// All but the item table.
    pub(super) values: &'a [f32],
    /// The same with every linear layer's weights transposed, for the way back.
    pub(super) transposed: &'a [f32],
    /// Item embeddings, `[items + 1, width]`.
    pub(super) table: &'a [f32],
}

/// `values` with every linear layer's weights transposed.
pub(super) fn transposed(layout: &Layout, values: &[f32]) -> Vec<f32> {
    let mut turned = values.to_vec();
    for linear in layout.linears() {
        let place = linear.weight.clone();
        transpose(&values[place.clone()], linear.output, &mut turned[place]);
    }
    turned
}

impl Pass<'_> {
    /// Hidden states of every click. With a generator, dropout is on.
    pub(super) fn forward(&self, packed: &Packed, rng: Option<&mut Rng>) -> Tape {
        let config = &self.layout.config;
        let mut dropout = Dropout {
            rate: config.dropout,
            rng,
        };
        let mut x = self.embed(packed);
        let dropped = dropout.apply(&mut x);
        let blocks = (self.layout.blocks.iter())
            .map(|block| self.block(block, packed, &mut x, &mut dropout))
            .collect();
        let (hidden, norm) = self.norm(&self.layout.norm, &x);
        Tape {
            hidden,
            dropped,
            blocks,
            norm,
        }
    }

    /// Scaled item embeddings plus positions, which count back from the latest click.
    fn embed(&self, packed: &Packed) -> Vec<f32> {
        let config = &self.layout.config;
        let (width, scale) = (config.width, (config.width as f32).sqrt());
        let positions = &self.values[self.layout.positions.clone()];
        let mut x = Vec::with_capacity(packed.items.len() * width);
        for span in packed.spans() {
            let first = config.max_len - span.len();
            for (at, click) in span.enumerate() {
                let item = packed.items[click] as usize;
                let (item, scale) = (
                    &self.table[item * width..][..width],
                    scale * packed.keep(click),
                );
                let position = &positions[(first + at) * width..][..width];
                x.extend(item.iter().zip(position).map(|(e, p)| e * scale + p));
            }
        }
        x
    }

    fn block(
        &self,
        block: &Block,
        packed: &Packed,
        x: &mut [f32],
        dropout: &mut Dropout<'_>,
    ) -> BlockTape {
        let (attention_input, attention_norm) = self.norm(&block.attention_norm, x);
        let projected = (block.projections.each_ref()).map(|l| self.linear(l, &attention_input));
        let squares = packed.lengths.iter().map(|length| length * length);
        let mut weights = vec![0.0; self.layout.config.heads * squares.sum::<usize>()];
        let weights_dropped = dropout.mask(weights.len());
        let mut mixed = vec![0.0; x.len()];
        self.each_history(packed, &projected, |inputs, square, span| {
            let dropped = weights_dropped.get(square.clone()).unwrap_or_default();
            attention::forward(inputs, dropped, &mut weights[square], &mut mixed[span]);
        });
        let mut attended = self.linear(&block.output, &mixed);
        let attended_dropped = dropout.apply(&mut attended);
        vector::add(x, &attended);

        let (feed_input, feed_norm) = self.norm(&block.feed_norm, x);
        let widened = self.linear(&block.widen, &feed_input);
        let mut activated = gelu::forward(&widened);
        let activated_dropped = dropout.apply(&mut activated);
        let mut fed = self.linear(&block.narrow, &activated);
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

    /// Calls `work` with each history's queries, keys and values, the place of its attention weights
    /// and the place of its rows.
    fn each_history(
        &self,
        packed: &Packed,
        [query, key, value]: &[Vec<f32>; 3],
        mut work: impl FnMut(&Inputs<'_>, Range<usize>, Range<usize>),
    ) {
        let width = self.layout.config.width;
        let mut square = 0..0;
        for span in packed.spans() {
            let rows = span.start * width..span.end * width;
            let inputs = Inputs {
                query: &query[rows.clone()],
                key: &key[rows.clone()],
                value: &value[rows.clone()],
                width,
                heads: self.layout.config.heads,
            };
            square = square.end..square.end + inputs.weights();
            work(&inputs, square.clone(), rows);
        }
    }

    fn linear(&self, linear: &Linear, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len() / linear.input * linear.output];
        vector::fill_rows(&mut out, &self.values[linear.bias.clone()]);
        let weight = &self.values[linear.weight.clone()];
        add_product(Matrix::new(x, linear.input), weight, &mut out);
        out
    }

    fn norm(&self, norm: &Norm, x: &[f32]) -> (Vec<f32>, norm::Tape) {
        let [gamma, beta] = [&norm.gamma, &norm.beta].map(|place| &self.values[place.clone()]);
        norm::forward(x, gamma, beta)
    }

    /// Adds the gradients of all parameters but the item table to `gradient` and gives those of the
    /// clicks' embeddings, `[clicks, width]`.
    pub(super) fn backward(
        &self,
        packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let mut x = vec![0.0; hidden.len()];
        self.norm_back(&self.layout.norm, &tape.norm, hidden, &mut x, gradient);
        for (block, tape) in self.layout.blocks.iter().zip(&tape.blocks).rev() {
            self.feed_back(block, tape, &mut x, gradient);
            self.attend_back(block, tape, packed, &mut x, gradient);
        }
        undrop(&mut x, &tape.dropped);
        let config = &self.layout.config;
        let positions = &mut gradient[self.layout.positions.clone()];
        for span in packed.spans() {
            let last = &mut positions[(config.max_len - span.len()) * config.width..];
            vector::add(last, &x[span.start * config.width..span.end * config.width]);
        }
        let scale = (config.width as f32).sqrt();
        for (click, row) in x.chunks_exact_mut(config.width).enumerate() {
            let scale = scale * packed.keep(click);
            for x in row {
                *x *= scale;
            }
        }
        x
    }

    fn feed_back(&self, block: &Block, tape: &BlockTape, x: &mut [f32], gradient: &mut [f32]) {
        let mut fed = x.to_vec();
        undrop(&mut fed, &tape.fed_dropped);
        let mut wide = vec![0.0; tape.widened.len()];
        self.linear_back(&block.narrow, &tape.activated, &fed, &mut wide, gradient);
        undrop(&mut wide, &tape.activated_dropped);
        gelu::backward(&tape.widened, &mut wide);
        let mut input = vec![0.0; x.len()];
        self.linear_back(&block.widen, &tape.feed_input, &wide, &mut input, gradient);
        self.norm_back(&block.feed_norm, &tape.feed_norm, &input, x, gradient);
    }

    fn attend_back(
        &self,
        block: &Block,
        tape: &BlockTape,
        packed: &Packed,
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        let mut attended = x.to_vec();
        undrop(&mut attended, &tape.attended_dropped);
        let mut mixed = vec![0.0; x.len()];
        self.linear_back(&block.output, &tape.mixed, &attended, &mut mixed, gradient);
        let mut projected = [(); 3].map(|()| vec![0.0; x.len()]);
        let width = self.layout.config.width;
        self.each_history(packed, &tape.projected, |inputs, square, span| {
            let dropped = (tape.weights_dropped.get(square.clone())).unwrap_or_default();
            let clicks = span.start / width..span.end / width;
            let leaning = packed.leaning.get(clicks).unwrap_or_default();
            let into = (projected.each_mut()).map(|part| &mut part[span.clone()]);
            let held = [dropped, &tape.weights[square], leaning];
            attention::backward(inputs, held, &mixed[span], into);
        });
        let mut input = vec![0.0; x.len()];
        for (linear, out) in block.projections.iter().zip(&projected) {
            self.linear_back(linear, &tape.attention_input, out, &mut input, gradient);
        }
        self.norm_back(
            &block.attention_norm,
            &tape.attention_norm,
            &input,
            x,
            gradient,
        );
    }

    fn linear_back(
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

    fn norm_back(
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
struct Dropout<'a> {
    rate: f32,
    rng: Option<&'a mut Rng>,
}

impl Dropout<'_> {
    /// A mask of that many elements; empty where nothing is dropped.
    fn mask(&mut self, count: usize) -> Vec<f32> {
        match self.rng.as_deref_mut().filter(|_| self.rate > 0.0) {
            None => Vec::new(),
            Some(rng) => ingle_model::rng::dropout_mask(count, self.rate, rng),
        }
    }

    /// Drops elements and gives the mask.
    fn apply(&mut self, x: &mut [f32]) -> Vec<f32> {
        let mask = self.mask(x.len());
        undrop(x, &mask);
        mask
    }
}

/// Multiplies by a mask, unless it is empty.
fn undrop(x: &mut [f32], mask: &[f32]) {
    if !mask.is_empty() {
        vector::multiply(x, mask);
    }
}
