//! Forward and backward pass of the Transformer over concatenated histories, without padding and without
//! autodiff. Computes the same function as [`ingle_model::backbone::sasrec`]; tests compare the two.

use super::encoder::Encoder;
use super::layout::{Linear, Norm, Places};
use super::pass::{Dropout, Packed, Pass, undrop};
use ingle_kernel::attention::{self, Inputs};
use ingle_kernel::{gelu, norm, vector};
use ingle_model::BackboneConfig;
use std::ops::Range;

/// Places of its parameters.
#[derive(Clone, Debug)]
pub(super) struct Net {
    config: BackboneConfig,
    /// Position embeddings, `[max_len, width]`.
    positions: Range<usize>,
    blocks: Vec<Block>,
    /// Layer normalisation after the last block.
    norm: Norm,
}

/// One Transformer block.
#[derive(Clone, Debug)]
struct Block {
    /// Before attention.
    attention_norm: Norm,
    /// Query, key and value.
    projections: [Linear; 3],
    /// Output projection after the heads.
    output: Linear,
    /// Before the feed-forward layer.
    feed_norm: Norm,
    /// First linear layer of the feed-forward part.
    widen: Linear,
    /// Second linear layer of the feed-forward part.
    narrow: Linear,
}

impl Block {
    fn new(places: &mut Places, name: &str, config: &BackboneConfig) -> Self {
        let (width, feed_forward) = (config.width, config.feed_forward);
        let attention = format!("{name}.attention");
        Self {
            attention_norm: places.norm(&format!("{name}.attention_norm"), width),
            projections: ["query", "key", "value"]
                .map(|part| places.linear(&format!("{attention}.{part}"), width, width)),
            output: places.linear(&format!("{attention}.output"), width, width),
            feed_norm: places.norm(&format!("{name}.feed_norm"), width),
            widen: places.linear(&format!("{name}.widen"), width, feed_forward),
            narrow: places.linear(&format!("{name}.narrow"), feed_forward, width),
        }
    }
}

/// What the backward pass needs from the forward pass.
#[derive(Debug)]
pub(super) struct Tape {
    dropped: Vec<f32>,
    blocks: Vec<BlockTape>,
    norm: norm::Tape,
}

#[derive(Debug)]
struct BlockTape {
    attention_norm: norm::Tape,
    attention_input: Vec<f32>,
    /// Query, key and value, each `[clicks, width]`.
    projected: [Vec<f32>; 3],
    /// Attention matrices of all heads of all histories, concatenated.
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

impl Encoder for Net {
    type Tape = Tape;

    fn new(config: &BackboneConfig, places: &mut Places) -> Self {
        let positions = places.next("backbone.positions".into(), config.max_len * config.width);
        let blocks = (0..config.blocks)
            .map(|block| Block::new(places, &format!("backbone.blocks.{block}"), config));
        Self {
            config: config.clone(),
            positions,
            blocks: blocks.collect(),
            norm: places.norm("backbone.norm", config.width),
        }
    }

    fn linears(&self) -> Vec<&Linear> {
        let layers = self.blocks.iter().flat_map(|block| {
            (block.projections.iter()).chain([&block.output, &block.widen, &block.narrow])
        });
        layers.collect()
    }

    fn forward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        dropout: &mut Dropout<'_>,
    ) -> (Vec<f32>, Tape) {
        let mut x = self.embed(pass, packed);
        let dropped = dropout.apply(&mut x);
        let blocks = (self.blocks.iter())
            .map(|block| self.block(pass, block, packed, &mut x, dropout))
            .collect();
        let (hidden, norm) = pass.norm(&self.norm, &x);
        let tape = Tape {
            dropped,
            blocks,
            norm,
        };
        (hidden, tape)
    }

    fn backward(
        &self,
        pass: &Pass<'_>,
        packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let mut x = vec![0.0; hidden.len()];
        pass.norm_back(&self.norm, &tape.norm, hidden, &mut x, gradient);
        for (block, tape) in self.blocks.iter().zip(&tape.blocks).rev() {
            feed_back(pass, block, tape, &mut x, gradient);
            self.attend_back(pass, block, tape, packed, &mut x, gradient);
        }
        undrop(&mut x, &tape.dropped);
        let config = &self.config;
        let positions = &mut gradient[self.positions.clone()];
        for span in packed.spans() {
            let last = &mut positions[(config.max_len - span.len()) * config.width..];
            vector::add(last, &x[span.start * config.width..span.end * config.width]);
        }
        let scale = (config.width as f32).sqrt();
        for x in &mut x {
            *x *= scale;
        }
        x
    }
}

impl Net {
    /// Scaled item embeddings plus positions, which are counted back from the latest click.
    fn embed(&self, pass: &Pass<'_>, packed: &Packed) -> Vec<f32> {
        let config = &self.config;
        let (width, scale) = (config.width, (config.width as f32).sqrt());
        let positions = &pass.values[self.positions.clone()];
        let mut x = Vec::with_capacity(packed.items.len() * width);
        for span in packed.spans() {
            let first = config.max_len - span.len();
            for (at, click) in span.enumerate() {
                let item = packed.items[click] as usize;
                let item = &pass.table[item * width..][..width];
                let position = &positions[(first + at) * width..][..width];
                x.extend(item.iter().zip(position).map(|(e, p)| e * scale + p));
            }
        }
        x
    }

    fn block(
        &self,
        pass: &Pass<'_>,
        block: &Block,
        packed: &Packed,
        x: &mut [f32],
        dropout: &mut Dropout<'_>,
    ) -> BlockTape {
        let (attention_input, attention_norm) = pass.norm(&block.attention_norm, x);
        let projected = (block.projections.each_ref()).map(|l| pass.linear(l, &attention_input));
        let squares = packed.lengths.iter().map(|length| length * length);
        let mut weights = vec![0.0; self.config.heads * squares.sum::<usize>()];
        let weights_dropped = dropout.mask(weights.len());
        let mut mixed = vec![0.0; x.len()];
        self.each_history(packed, &projected, |inputs, square, span| {
            let dropped = weights_dropped.get(square.clone()).unwrap_or_default();
            attention::forward(inputs, dropped, &mut weights[square], &mut mixed[span]);
        });
        let mut attended = pass.linear(&block.output, &mixed);
        let attended_dropped = dropout.apply(&mut attended);
        vector::add(x, &attended);

        let (feed_input, feed_norm) = pass.norm(&block.feed_norm, x);
        let widened = pass.linear(&block.widen, &feed_input);
        let mut activated = gelu::forward(&widened);
        let activated_dropped = dropout.apply(&mut activated);
        let mut fed = pass.linear(&block.narrow, &activated);
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

    /// Calls `work` with the queries, keys and values of each history, the place of its attention weights and
    /// the range of its rows.
    fn each_history(
        &self,
        packed: &Packed,
        [query, key, value]: &[Vec<f32>; 3],
        mut work: impl FnMut(&Inputs<'_>, Range<usize>, Range<usize>),
    ) {
        let width = self.config.width;
        let mut square = 0..0;
        for span in packed.spans() {
            let rows = span.start * width..span.end * width;
            let inputs = Inputs {
                query: &query[rows.clone()],
                key: &key[rows.clone()],
                value: &value[rows.clone()],
                width,
                heads: self.config.heads,
            };
            square = square.end..square.end + inputs.weights();
            work(&inputs, square.clone(), rows);
        }
    }

    fn attend_back(
        &self,
        pass: &Pass<'_>,
        block: &Block,
        tape: &BlockTape,
        packed: &Packed,
        x: &mut [f32],
        gradient: &mut [f32],
    ) {
        let mut attended = x.to_vec();
        undrop(&mut attended, &tape.attended_dropped);
        let mut mixed = vec![0.0; x.len()];
        pass.linear_back(&block.output, &tape.mixed, &attended, &mut mixed, gradient);
        let mut projected = [(); 3].map(|()| vec![0.0; x.len()]);
        self.each_history(packed, &tape.projected, |inputs, square, span| {
            let dropped = (tape.weights_dropped.get(square.clone())).unwrap_or_default();
            let into = (projected.each_mut()).map(|part| &mut part[span.clone()]);
            let held = [dropped, &tape.weights[square]];
            attention::backward(inputs, held, &mixed[span], into);
        });
        let mut input = vec![0.0; x.len()];
        for (linear, out) in block.projections.iter().zip(&projected) {
            pass.linear_back(linear, &tape.attention_input, out, &mut input, gradient);
        }
        pass.norm_back(
            &block.attention_norm,
            &tape.attention_norm,
            &input,
            x,
            gradient,
        );
    }
}

fn feed_back(
    pass: &Pass<'_>,
    block: &Block,
    tape: &BlockTape,
    x: &mut [f32],
    gradient: &mut [f32],
) {
    let mut fed = x.to_vec();
    undrop(&mut fed, &tape.fed_dropped);
    let mut wide = vec![0.0; tape.widened.len()];
    pass.linear_back(&block.narrow, &tape.activated, &fed, &mut wide, gradient);
    undrop(&mut wide, &tape.activated_dropped);
    gelu::backward(&tape.widened, &mut wide);
    let mut input = vec![0.0; x.len()];
    pass.linear_back(&block.widen, &tape.feed_input, &wide, &mut input, gradient);
    pass.norm_back(&block.feed_norm, &tape.feed_norm, &input, x, gradient);
}
