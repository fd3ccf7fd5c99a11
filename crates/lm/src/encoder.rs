//! The encoder: from tokens to hidden states.
//!
//! In linear maps, a batch is one matrix of all tokens; only attention treats its rows separately.

use crate::EncoderConfig;
use crate::adapter::{LayerAdapters, Pace};
use crate::attention::SelfAttention;
use crate::gelu::gelu;
use burn::module::{Module, Param};
use burn::nn::{Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::prelude::*;
use burn::tensor::{Int, TensorData};
use ingle_model::Rng;

/// Score of a masked token: far below any real score, but finite.
const MASKED: f32 = -1e9;

/// A BERT encoder without its pooler, which is not needed here.
#[derive(Module, Debug)]
pub struct Encoder {
    words: Embedding,
    positions: Embedding,
    segments: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

/// One layer with post-normalisation, as in the original Transformer.
#[derive(Module, Debug)]
pub struct Layer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    feed_norm: LayerNorm,
}

/// Token ids of several inputs, padded on the right to the longest.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    ids: Vec<i32>,
    /// Tokens of each input.
    lens: Vec<usize>,
    len: usize,
}

impl TokenBatch {
    /// Makes a batch. There must be at least one input, each with at least one token.
    ///
    /// # Panics
    /// If there are no inputs, or one is empty.
    pub fn new(inputs: &[&[u32]]) -> Self {
        let lens: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
        let len = lens.iter().copied().max().unwrap_or(0);
        assert!(lens.iter().all(|&len| len > 0) && len > 0, "no tokens");
        let mut ids = vec![0; inputs.len() * len];
        for (row, input) in ids.chunks_exact_mut(len).zip(inputs) {
            for (slot, &id) in row.iter_mut().zip(*input) {
                *slot = id as i32;
            }
        }
        Self { ids, lens, len }
    }

    /// `[inputs, tokens of the longest]`
    pub fn dims(&self) -> [usize; 2] {
        [self.lens.len(), self.len]
    }

    /// Tokens, without padding.
    pub fn tokens(&self) -> usize {
        self.lens.iter().sum()
    }
}

/// Added to attention scores to mask padding; `None` if nothing is padded.
///
/// # Shapes
/// - `lens`: tokens of each input, `len` at most
/// - output: `[batch, 1, len, len]`
fn bias(lens: &[usize], len: usize, device: &Device) -> Option<Tensor<4>> {
    if lens.iter().all(|&real| real == len) {
        return None;
    }
    let batch = lens.len();
    let at = |&real: &usize| (0..len).map(move |key| if key < real { 0.0 } else { MASKED });
    let row: Vec<f32> = lens.iter().flat_map(at).collect();
    let row = Tensor::<4>::from_data(TensorData::new(row, [batch, 1, 1, len]), device);
    Some(row.expand([batch, 1, len, len]))
}

impl Encoder {
    /// An encoder of zeros, whose weights are to be loaded.
    pub(crate) fn empty(config: &EncoderConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let embedding = |rows| Embedding {
            weight: zeros([rows, width], device),
        };
        Self {
            words: embedding(config.vocab_size),
            positions: embedding(config.max_position_embeddings),
            segments: embedding(config.type_vocab_size),
            norm: norm(config, device),
            layers: (0..config.num_hidden_layers)
                .map(|_| Layer::empty(config, device))
                .collect(),
        }
    }

    /// Width of a hidden state.
    pub fn width(&self) -> usize {
        let [_rows, width] = self.words.weight.dims();
        width
    }

    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// The device of the weights.
    pub fn device(&self) -> Device {
        self.words.weight.val().device()
    }

    /// Hidden states of independent inputs, after the first `below` layers and after the last.
    ///
    /// # Shapes
    /// - `batch`: `[batch, len]`, `len` within the positions of the configuration
    /// - outputs: `[batch, len, width]`; values at padding are undefined
    ///
    /// # Panics
    /// If an input is longer than the model's positions, or an id is not in its vocabulary.
    pub fn forward(&self, batch: &TokenBatch, below: usize) -> [Tensor<3>; 2] {
        let [inputs, len] = batch.dims();
        let [positions, width] = self.positions.weight.dims();
        assert!(
            len <= positions,
            "{len} tokens, but the model reads {positions}"
        );
        let device = self.device();
        let bias = bias(&batch.lens, len, &device);
        let mut x = self.embed(batch, &device);
        let mut between = x.clone();
        for (depth, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, [inputs, len], bias.clone(), None, None);
            if depth + 1 == below {
                between = x.clone();
            }
        }
        [between, x].map(|x| x.reshape([inputs, len, width]))
    }

    /// The last `layers`, applied to hidden states of titles in a window, each with an adapter or none. Dropout of
    /// the adapters is active if a generator is given.
    ///
    /// # Shapes
    /// - `x` and output: `[batch, len, width]`; values at padding are undefined
    /// - `lens`: tokens of each input
    pub fn last(
        &self,
        x: Tensor<3>,
        lens: &[usize],
        layers: usize,
        adapters: Option<(&[LayerAdapters], &Pace)>,
        mut rng: Option<&mut Rng>,
    ) -> Tensor<3> {
        let [inputs, len, width] = x.dims();
        let bias = bias(lens, len, &x.device());
        let mut x = x.reshape([inputs * len, width]);
        let layers = &self.layers[self.layers.len() - layers..];
        for (depth, layer) in layers.iter().enumerate() {
            let adapters = adapters.map(|(adapters, pace)| (&adapters[depth], pace));
            let rng = rng.as_deref_mut();
            x = layer.forward(x, [inputs, len], bias.clone(), adapters, rng);
        }
        x.reshape([inputs, len, width])
    }

    /// # Shapes
    /// - output: `[batch * len, width]`
    fn embed(&self, batch: &TokenBatch, device: &Device) -> Tensor<2> {
        let [inputs, len] = batch.dims();
        let width = self.width();
        let ids = TensorData::new(batch.ids.clone(), [inputs * len]);
        let words = (self.words.weight.val()).select(0, Tensor::<1, Int>::from_data(ids, device));
        let positions = self.positions.weight.val().slice([0..len, 0..width]);
        let segment = self.segments.weight.val().slice([0..1, 0..width]);
        let places = (positions + segment).unsqueeze::<3>();
        let x = words.reshape([inputs, len, width]) + places;
        self.norm.forward(x.reshape([inputs * len, width]))
    }

    /// The encoder with the adapters' changes added to the weights of the last layers: it costs no more to run.
    #[must_use]
    pub fn merged(mut self, adapters: &[LayerAdapters], scale: f32) -> Self {
        let below = self.layers.len() - adapters.len();
        let changed = self.layers.split_off(below);
        let merged = changed
            .into_iter()
            .zip(adapters)
            .map(|(layer, adapters)| Layer {
                attention: layer.attention.merged(adapters, scale),
                ..layer
            });
        self.layers.extend(merged);
        self
    }
}

impl Layer {
    fn empty(config: &EncoderConfig, device: &Device) -> Self {
        let (width, wide) = (config.hidden_size, config.intermediate_size);
        let linear = |input, output| Linear {
            weight: zeros([input, output], device),
            bias: Some(zeros([output], device)),
        };
        Self {
            attention: SelfAttention {
                query: linear(width, width),
                key: linear(width, width),
                value: linear(width, width),
                output: linear(width, width),
                heads: config.num_attention_heads,
            },
            attention_norm: norm(config, device),
            widen: linear(width, wide),
            narrow: linear(wide, width),
            feed_norm: norm(config, device),
        }
    }

    fn forward(
        &self,
        x: Tensor<2>,
        shape: [usize; 2],
        bias: Option<Tensor<4>>,
        adapters: Option<(&LayerAdapters, &Pace)>,
        rng: Option<&mut Rng>,
    ) -> Tensor<2> {
        let recorded = adapters.is_some();
        let attended = self
            .attention
            .forward(x.clone(), shape, bias, adapters, rng);
        let x = self.attention_norm.forward(x + attended);
        let fed = self
            .narrow
            .forward(gelu(self.widen.forward(x.clone()), recorded));
        self.feed_norm.forward(x + fed)
    }
}

fn norm(config: &EncoderConfig, device: &Device) -> LayerNorm {
    LayerNormConfig::new(config.hidden_size)
        .with_epsilon(config.layer_norm_eps)
        .init(device)
}

fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::zeros(shape, device))
}
