//! Learning an adapter from a history, on the engine's device: the encoder's states before the clicks, and what the loss
//! of [`adapter`](crate::adapter) is computed from. Steps of gradient descent are Burn's, or on the host where Burn's
//! automatic differentiation is not built.

#[cfg(feature = "autodiff")]
mod automatic;
#[cfg(any(test, not(feature = "autodiff")))]
mod host;

use super::super::learning::{LEAST, Piece, Taught, kept, pieces, recency, spans, stands_for};
use super::{Engine, EngineError, download};
use crate::batch::Batch;
use crate::methods::Clicks;
#[cfg(feature = "autodiff")]
use automatic::learn;
use burn::prelude::*;
use burn::tensor::{Int, TensorData};
#[cfg(not(feature = "autodiff"))]
use host::learn;
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
    /// Nothing is read back between the steps. Waits for `rest` before each, and ends if that fails.
    ///
    /// # Errors
    /// If the device or `rest` fails.
    pub async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn() -> Result<(), EngineError>,
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
                rest().await?;
                let lesson = self.lesson(&rows, seen);
                learn(lesson, start, learning, rest).await?
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
        let batch = Batch::new(&histories, longest.max(1), &self.features, &self.device);
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
        let popularity = candidates
            .iter()
            .map(|&row| self.features.popularity[row + 1]);
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

#[cfg(all(test, feature = "autodiff"))]
mod tests {
    use super::*;
    use crate::testing::numbers;
    use proptest::prelude::*;

    const WIDTH: usize = 5;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn steps_on_the_host_are_those_of_automatic_differentiation(
            rows in 1usize..40,
            clicks in 1usize..12,
            bias_rate in prop::sample::select(vec![0.0f32, 0.5]),
            weight_rate in prop::sample::select(vec![0.0f32, 0.2]),
            broken: bool,
            seed: u64,
        ) {
            prop_assume!(bias_rate + weight_rate > 0.0);
            let tensor = |values: Vec<f32>, shape: [usize; 2]| -> Tensor<2> {
                Tensor::from_data(TensorData::new(values, shape), &Device::flex())
            };
            let positive = |count, seed| -> Vec<f32> {
                numbers(count, seed).iter().map(|x| x.abs() + 0.1).collect()
            };
            let mut items = numbers(WIDTH * rows, seed);
            if broken {
                let at = seed as usize % items.len();
                items[at] = f32::NAN;
            }
            let lesson = || Lesson {
                items: tensor(items.clone(), [WIDTH, rows]),
                popularity: tensor(positive(rows, seed ^ 1), [1, rows]),
                likely: tensor(positive(clicks * rows, seed ^ 2), [clicks, rows]),
                weights: tensor(vec![1.0 / clicks as f32; clicks], [clicks, 1]),
                due: tensor(vec![1.0 / rows as f32; rows], [1, rows]),
            };
            let learning = Learning {
                bias_rate,
                weight_rate,
                steps: 6,
                half_life: 1.0,
                window: 1,
                clicks: 2,
            };
            let rest = async || Ok(());
            let one = pollster::block_on(automatic::learn(lesson(), 0.3, &learning, &rest));
            let other = pollster::block_on(host::learn(lesson(), 0.3, &learning, &rest));
            let (one, other) = (one.expect("computes"), other.expect("computes"));
            prop_assert_eq!(one.is_some(), other.is_some());
            prop_assert!(one.is_none() || !broken || bias_rate == 0.0);
            if let (Some(one), Some(other)) = (one, other) {
                for (one, other) in one.into_values().iter().zip(other.into_values()) {
                    prop_assert!((one - other).abs() < 1e-5, "{} {}", one, other);
                }
            }
        }
    }

    #[test]
    fn a_device_that_is_lost_between_steps_ends_learning_with_an_error() {
        let one = || Tensor::<2>::ones([1, 1], &Device::flex());
        let lesson = || Lesson {
            items: one(),
            popularity: one(),
            likely: one(),
            weights: one(),
            due: one(),
        };
        let learning = Learning {
            bias_rate: 1.0,
            weight_rate: 0.0,
            steps: 6,
            half_life: 1.0,
            window: 1,
            clicks: 2,
        };
        let left = std::cell::Cell::new(3);
        let rest = async || {
            left.set(left.get() - 1);
            if left.get() > 0 {
                return Ok(());
            }
            Err(EngineError::Device("it was lost".into()))
        };
        let learnt = pollster::block_on(automatic::learn(lesson(), 0.0, &learning, &rest));
        assert_eq!(learnt.expect_err("fails").code(), "device/compute");
        assert_eq!(left.get(), 0);
    }
}
