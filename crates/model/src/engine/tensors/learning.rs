//! Learning an adapter from a history by Burn's automatic differentiation, on the engine's device. The loss is that of
//! [`adapter`](crate::adapter); nothing is read back before the adapter itself.

use super::super::learning::{LEAST, Piece, Taught, kept, pieces, recency, spans, stands_for};
use super::{Engine, EngineError, download};
use crate::adapter::Adapter;
use crate::batch::Batch;
use crate::methods::Clicks;
use burn::prelude::*;
use burn::tensor::{Int, TensorData};
use ingle_bundle::Learning;

/// The clicks that are learnt from, each with the state of the encoder before it.
struct Seen {
    /// Index of each among the known clicks.
    places: Vec<usize>,
    /// `[examples, width]`
    users: Tensor<2>,
    /// How much each counts, `[examples, 1]`.
    weights: Tensor<2>,
}

/// What the loss of an adapter is computed from: all of it is constant.
struct Lesson {
    /// The rows that are compared, `[width, candidates]`.
    items: Tensor<2>,
    /// `[1, candidates]`
    popularity: Tensor<2>,
    /// As in [`adapter::Lesson`](crate::adapter::Lesson), `[examples, candidates]`.
    likely: Tensor<2>,
    /// Weights of the examples; their sum is 1, `[examples, 1]`.
    weights: Tensor<2>,
    /// By candidate: the weights of the examples whose target it is, `[1, candidates]`.
    due: Tensor<2>,
}

impl Engine {
    /// The vector that an adapter learns from a history, as [`SliceEngine::adapt`](crate::SliceEngine::adapt) does.
    ///
    /// # Errors
    /// If the device fails.
    pub async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn(),
    ) -> Result<Vec<f32>, EngineError> {
        let rows: Vec<usize> = (self.catalogue.known(history).iter())
            .map(|&(_, row)| row)
            .collect();
        let Some(Taught { learning, start }) = Taught::of(self.adapter.as_ref(), rows.len()) else {
            return Ok(Vec::new());
        };
        let width = self.config.backbone.width;
        let learnt = match Box::pin(self.seen(&rows, learning)).await? {
            None => None,
            Some(seen) => {
                rest().await;
                let lesson = self.lesson(&rows, seen);
                let vector = lesson.learn(start, learning, rest).await;
                Adapter::from_values(&download(vector).await?, width)
            }
        };
        Ok(kept(learnt, previous, width))
    }

    /// The clicks that are learnt from; `None` if there are none. All pieces of the history are encoded in one pass.
    async fn seen(&self, rows: &[usize], learning: &Learning) -> Result<Option<Seen>, EngineError> {
        let pieces = pieces(rows.len(), self.config.backbone.max_len, learning.window);
        let every: Vec<Vec<usize>> = (pieces.iter())
            .map(|piece| (0..piece.read.len()).collect())
            .collect();
        let clicks = self.pieces(rows, &pieces, &every);
        let verdict = self.model.judge(&clicks, &self.config.gate);
        let (read, keep, clicks, certain) = match (verdict, &self.config.keep) {
            (None, _) => (every, None, clicks, None),
            (Some(verdict), None) => (every, Some(verdict.keep), clicks, None),
            (Some(verdict), Some(_)) => {
                // What is left out of a history decides what the encoder reads.
                let noise = download(verdict.noise).await?;
                let len = noise.len() / pieces.len();
                let noise: Vec<&[f32]> = (noise.chunks_exact(len).zip(&pieces))
                    .map(|(noise, piece)| &noise[len - piece.read.len()..])
                    .collect();
                let certain: Vec<Vec<f32>> = (noise.iter())
                    .map(|noise| self.config.weights(noise))
                    .collect();
                let counting = |certain: &Vec<f32>| -> Vec<usize> {
                    let all = certain.iter().enumerate();
                    all.filter(|&(_, &certain)| certain >= LEAST)
                        .map(|(at, _)| at)
                        .collect()
                };
                let read: Vec<Vec<usize>> = certain.iter().map(counting).collect();
                let clicks = self.pieces(rows, &pieces, &read);
                (read, None, clicks, Some(certain))
            }
        };
        let [_, len] = clicks.batch.dims();
        let (mut places, mut states, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (piece, read)) in pieces.iter().zip(&read).enumerate() {
            // Histories end where their rows end.
            let first = (at + 1) * len - read.len();
            for (before, &click) in read.iter().skip(1).enumerate() {
                let place = piece.read.start + click;
                let certain = certain.as_ref().map_or(1.0, |certain| certain[at][click]);
                if piece.own.contains(&place) && certain >= LEAST {
                    places.push(place);
                    states.push((first + before) as i32);
                    weights.push(certain * recency(learning, rows.len(), place));
                }
            }
        }
        if places.is_empty() {
            return Ok(None);
        }
        let real = &clicks.batch.real;
        let hidden = (self.model.backbone).gated(clicks.embedded, keep.as_ref(), real, None);
        let [pieces, _, width] = hidden.dims();
        let count = places.len();
        let states = Tensor::<1, Int>::from_data(TensorData::new(states, [count]), &self.device);
        let users = hidden.reshape([pieces * len, width]);
        let mut weights = Tensor::from_data(TensorData::new(weights, [count, 1]), &self.device);
        if let Some(keep) = keep {
            let own = keep
                .reshape([pieces * len, 1])
                .select(0, states.clone() + 1);
            // What is set aside teaches nothing.
            let counts = own.clone().greater_equal_elem(LEAST).float();
            weights = weights * own * counts;
        }
        Ok(Some(Seen {
            places,
            users: users.select(0, states),
            weights,
        }))
    }

    /// Some clicks of each piece, by their indices in it, as a batch.
    fn pieces(&self, rows: &[usize], pieces: &[Piece], read: &[Vec<usize>]) -> Clicks {
        let of = |(piece, read): (&Piece, &Vec<usize>)| -> Vec<u32> {
            let rows = read.iter().map(|&at| rows[piece.read.start + at]);
            rows.map(|row| row as u32 + 1).collect()
        };
        let histories: Vec<Vec<u32>> = pieces.iter().zip(read).map(of).collect();
        let longest = histories.iter().map(Vec::len).max().unwrap_or_default();
        let batch = Batch::new(&histories, longest.max(1), &self.known, &self.device);
        Clicks::of(&self.model.backbone, batch)
    }

    /// What is learnt from: the clicks against the rows that are compared.
    fn lesson(&self, rows: &[usize], seen: Seen) -> Lesson {
        let targets: Vec<usize> = seen.places.iter().map(|&place| rows[place]).collect();
        let candidates: Vec<usize> = spans(self.config.items, targets)
            .into_iter()
            .flatten()
            .collect();
        let (examples, count) = (seen.places.len(), candidates.len());
        let of = |row: usize| candidates.binary_search(&row).ok();
        // Before which click each candidate was clicked first, if at all.
        let mut first = vec![rows.len() as i32; count];
        for (place, &row) in rows.iter().enumerate().rev() {
            if let Some(at) = of(row) {
                first[at] = place as i32;
            }
        }
        let targets = (seen.places.iter())
            .map(|&place| of(rows[place]).expect("every target is a candidate") as i32);
        let column = |values: Vec<i32>| self.integers(values, [examples, 1]);
        let line = |values: Vec<i32>| self.integers(values, [1, count]);
        let places = column(seen.places.iter().map(|&place| place as i32).collect());
        let hidden = line(first).expand([examples, count]);
        let hidden = hidden.lower(places.expand([examples, count]));
        let own = line((0..count as i32).collect()).expand([examples, count]);
        let own = own.equal(column(targets.collect()).expand([examples, count]));

        let items = if count == self.config.items {
            let all = self.model.backbone.items.val();
            all.slice([1..count + 1, 0..self.config.backbone.width])
        } else {
            self.embeddings(candidates.iter().copied())
        };
        let items = items.transpose();
        let logits = seen.users.matmul(items.clone());
        let most = logits.clone().max_dim(1);
        let likely = (logits - most.expand([examples, count])).exp();
        let stands_for = self.floats(stands_for(&candidates, self.config.items));
        let compared = likely.clone() * stands_for.expand([examples, count]);
        let likely = (compared.mask_fill(hidden, 0.0)).mask_where(own.clone(), likely);

        let weights =
            seen.weights.clone() / seen.weights.sum().reshape([1, 1]).expand([examples, 1]);
        let popularity = candidates.iter().map(|&row| self.known.popularity[row + 1]);
        Lesson {
            items,
            popularity: self.floats(popularity.collect()),
            likely,
            due: weights.clone().transpose().matmul(own.float()),
            weights,
        }
    }

    fn floats(&self, values: Vec<f32>) -> Tensor<2> {
        let shape = [1, values.len()];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn integers(&self, values: Vec<i32>, shape: [usize; 2]) -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}

impl Lesson {
    /// The adapter after the steps of gradient descent, before each of which it waits for `rest`: the bias, then the weight, `[1, width + 1]`. A step that is not
    /// finite leaves what is not finite.
    async fn learn(self, start: f32, learning: &Learning, rest: &impl AsyncFn()) -> Tensor<2> {
        let device = self.items.device();
        let [width, _] = self.items.dims();
        let mut bias = Tensor::<2>::zeros([1, width], &device);
        let mut weight = Tensor::<2>::full([1, 1], start, &device);
        // The same on the tape, as constants.
        let lesson = Self {
            items: self.items.autodiff(),
            popularity: self.popularity.autodiff(),
            likely: self.likely.autodiff(),
            weights: self.weights.autodiff(),
            due: self.due.autodiff(),
        };
        for _ in 0..learning.steps {
            rest().await;
            let leaf = |value: &Tensor<2>, rate| {
                let value = value.clone().autodiff();
                value.set_require_grad(rate > 0.0)
            };
            let own = (
                leaf(&bias, learning.bias_rate),
                leaf(&weight, learning.weight_rate),
            );
            let gradients = lesson.loss(own.0.clone(), own.1.clone()).backward();
            if let Some(gradient) = own.0.grad(&gradients) {
                bias = bias - gradient * learning.bias_rate;
            }
            if let Some(gradient) = own.1.grad(&gradients) {
                weight = weight - gradient * learning.weight_rate;
            }
        }
        Tensor::cat(vec![bias, weight], 1)
    }

    /// The mean cross-entropy of the clicks, less what no adapter changes.
    fn loss(&self, bias: Tensor<2>, weight: Tensor<2>) -> Tensor<1> {
        let shape = self.popularity.dims();
        let tilts =
            bias.matmul(self.items.clone()) + self.popularity.clone() * weight.expand(shape);
        // The loss stays the same if all tilts are moved; so they are moved to where exponentials are finite.
        let most = tilts.clone().detach().max_dim(1);
        let tilts = tilts - most.expand(shape);
        let sums = self.likely.clone().matmul(tilts.clone().exp().transpose());
        (sums.log() * self.weights.clone()).sum() - (tilts * self.due.clone()).sum()
    }
}
