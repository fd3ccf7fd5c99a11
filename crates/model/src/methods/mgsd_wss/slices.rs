//! The scorer on slices, for one history, whose last click is the target.

use super::kernels::{Bell, bells, pooled_one};
use super::{Config, LEAST};
use crate::config::BackboneConfig;
use crate::methods::{FIFTH, Interest, ScoreSlices};
use crate::slices::{Clicks, NoiseLogits, others};
use ingle_kernel::gelu;
use ingle_kernel::product::{self, Matrix};
use ingle_kernel::vector::{add, dot};
use ingle_layers::{Block, Linear, Norm, Parameters, Place, Places, Weights, WeightsError, take};

/// The scorer's parameters.
#[derive(Debug)]
pub struct SliceScorer {
    width: usize,
    heads: usize,
    input: Linear,
    kernels: Vec<Bell>,
    kernel: Linear,
    /// `[max_len, width]`; the last row is the latest click.
    positions: Place,
    blocks: Vec<Block>,
    norm: Norm,
    merge: Linear,
    classes: Linear,
    interests: Interests,
    parameters: Parameters,
}

#[derive(Debug)]
struct Interests {
    assign: Linear,
    /// One row per interest, `[interests, width]`.
    directions: Vec<f32>,
    merge: Linear,
    output: Linear,
    parameters: Parameters,
}

/// Outputs of the scorer.
struct Output {
    /// `[len]`
    item: Vec<f32>,
    /// Share of each click in each interest, `[len, interests]`.
    share: Vec<f32>,
    /// Noise logit of each interest, `[interests]`.
    interest: Vec<f32>,
}

impl SliceScorer {
    pub(in crate::methods) fn read(
        config: &Config,
        backbone: &BackboneConfig,
        weights: &mut Weights,
        path: &str,
    ) -> Result<Self, WeightsError> {
        let (width, sizes) = (config.scorer_width, config.sizes(backbone));
        let interests = Interests::read(config, weights, &format!("{path}.interests"))?;
        let places = &mut Places::under(path);
        let blocks = (0..sizes.blocks)
            .map(|at| Block::new(places, &format!("blocks.{at}"), sizes.block()))
            .collect();
        Ok(Self {
            width,
            heads: config.scorer_heads,
            input: places.linear("input", [backbone.width + 1, width]),
            kernels: bells(config.kernels),
            kernel: places.linear("kernel", [config.comparisons(), 2 * width]),
            positions: places.add("positions", &[sizes.max_len, width]),
            blocks,
            norm: places.norm("norm", width),
            merge: places.linear("merge", [width, width]),
            classes: places.linear("classes", [width, 2]),
            interests,
            parameters: Parameters::read(places, weights)?,
        })
    }

    fn look(&self, clicks: &Clicks) -> Output {
        let (len, width, parameters) = (clicks.len(), self.width, &self.parameters);
        let directions = clicks.directions();
        let mut x = self.input.infer(parameters, &vectors(&directions, clicks));
        let target = x[(len - 1) * width..].to_vec();
        let compared = self.compared(&directions, len);
        let weights = self.kernel.infer(parameters, &compared);
        for (x, weights) in x
            .chunks_exact_mut(width)
            .zip(weights.chunks_exact(2 * width))
        {
            let (factors, offsets) = weights.split_at(width);
            for ((x, factor), offset) in x.iter_mut().zip(factors).zip(offsets) {
                *x = *x * (1.0 + factor) + offset;
            }
        }
        let positions = parameters.get(&self.positions);
        add(&mut x, &positions[positions.len() - len * width..]);
        let everywhere = vec![0.0; self.heads * len * len];
        for block in &self.blocks {
            x = block.infer(parameters, &x, Some(&everywhere), 0);
        }
        let hidden = self.norm.infer(parameters, &x);
        let merged = gelu::forward(&self.merge.infer(parameters, &hidden));
        let classes = self.classes.infer(parameters, &merged);
        let item = classes.chunks_exact(2).map(|class| class[1] - class[0]);
        let (share, interest) = self.interests.serve(&hidden, &target);
        Output {
            item: item.collect(),
            share,
            interest,
        }
    }
}

impl SliceScorer {
    /// Similarity of each click to the target and to the others, `[len, comparisons]`.
    fn compared(&self, directions: &[f32], len: usize) -> Vec<f32> {
        let pairs = product::pairs(directions, directions.len() / len);
        let count = self.kernels.len();
        let mut compared = Vec::with_capacity(len * 2 * count);
        for (at, row) in pairs.chunks_exact(len).enumerate() {
            let to_target = pairs[(len - 1) * len + at];
            compared.extend(self.kernels.iter().map(|bell| bell.sum(&[to_target])));
            let others = others(row, at);
            let sums = self.kernels.iter().map(|bell| bell.sum(&others));
            compared.extend(sums.map(pooled_one));
        }
        compared
    }
}

impl ScoreSlices for SliceScorer {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let output = self.look(clicks);
        let share = output.share.chunks_exact(output.interest.len());
        let fused = (output.item.iter().zip(share))
            .map(|(item, share)| item + dot(share, &output.interest));
        Some(NoiseLogits {
            fused: fused.collect(),
            views: None,
        })
    }

    fn interests(&self, clicks: &Clicks) -> Option<Interest<Vec<f32>>> {
        let output = self.look(clicks);
        let mut found = Interest::<Vec<f32>>::default();
        for share in output.share.chunks_exact(output.interest.len()) {
            let mut most = 0;
            for at in 1..share.len() {
                if share[at] > share[most] {
                    most = at;
                }
            }
            found.number.push(most as f32);
            found.share.push(share[most]);
            let dropped = output.interest[most] > 0.0;
            found.dropped.push(f32::from(u8::from(dropped)));
        }
        Some(found)
    }
}

impl Interests {
    fn read(config: &Config, weights: &mut Weights, path: &str) -> Result<Self, WeightsError> {
        let (width, count) = (config.scorer_width, config.interests);
        let columns = take(weights, &format!("{path}.directions"), &[width, count])?;
        let mut directions = vec![0.0; columns.len()];
        product::transpose(Matrix::new(&columns, count), &mut directions);
        let places = &mut Places::under(path);
        Ok(Self {
            assign: places.linear("assign", [width, width]),
            directions,
            merge: places.linear("merge", [2 * width, width]),
            output: places.linear("output", [width, 1]),
            parameters: Parameters::read(places, weights)?,
        })
    }

    /// Share of each click in each interest, and the noise logit of each interest.
    fn serve(&self, hidden: &[f32], target: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let width = target.len();
        let (count, parameters) = (self.directions.len() / width, &self.parameters);
        let mut share = Vec::with_capacity(hidden.len() / width * count);
        let assigned = gelu::forward(&self.assign.infer(parameters, hidden));
        for click in assigned.chunks_exact(width) {
            let likes = self.directions.chunks_exact(width).map(|to| dot(click, to));
            share.extend(softmax(&likes.collect::<Vec<_>>()));
        }
        let mut seen = vec![0.0; count * 2 * width];
        for (at, seen) in seen.chunks_exact_mut(2 * width).enumerate() {
            let (vector, against) = seen.split_at_mut(width);
            let mut mass = 0.0;
            for (click, share) in hidden.chunks_exact(width).zip(share.chunks_exact(count)) {
                mass += share[at];
                for (to, x) in vector.iter_mut().zip(click) {
                    *to += share[at] * x;
                }
            }
            for ((to, against), target) in vector.iter_mut().zip(against).zip(target) {
                *to /= mass.max(LEAST);
                *against = *to * target;
            }
        }
        let merged = gelu::forward(&self.merge.infer(parameters, &seen));
        (share, self.output.infer(parameters, &merged))
    }
}

/// Input of the first layer, `[len, width + 1]`.
fn vectors(directions: &[f32], clicks: &Clicks) -> Vec<f32> {
    let width = directions.len() / clicks.len();
    let scale = (width as f32).sqrt();
    let mut vectors = Vec::with_capacity(directions.len() + clicks.len());
    for (row, popularity) in directions.chunks_exact(width).zip(&clicks.popularity) {
        vectors.extend(row.iter().map(|x| x * scale));
        vectors.push(popularity * FIFTH);
    }
    vectors
}

fn softmax(x: &[f32]) -> impl Iterator<Item = f32> {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = x.iter().map(|x| (x - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(move |x| x / sum)
}

#[cfg(all(test, feature = "burn"))]
mod tests {
    use super::super::{Config, MgsdWss};
    use super::*;
    use crate::methods::{Clicks as Batched, ScoreTensors};
    use crate::weights::collect;
    use crate::{Batch, ItemFeatures, Rng};
    use burn::prelude::*;
    use burn::tensor::TensorData;

    const WIDTH: usize = 8;

    /// Embeddings of the items clicked, on slices and on tensors.
    fn clicks(items: &[u32], device: &Device) -> (Clicks, Batched) {
        let popularity: Vec<f32> = (0..10).map(|item| (item as f32).ln_1p()).collect();
        let row = |item: u32| {
            let mut rng = Rng::new(5, &[u64::from(item)]);
            (0..WIDTH).map(move |_| rng.normal(0.4))
        };
        let embedded: Vec<f32> = items.iter().flat_map(|&item| row(item)).collect();
        let shape = [1, items.len(), WIDTH];
        let batched = Batched {
            embedded: Tensor::from_data(TensorData::new(embedded.clone(), shape), device),
            batch: Batch::new(
                &[items],
                items.len(),
                &ItemFeatures::popularity(popularity.clone()),
                device,
            ),
        };
        let clicks = Clicks {
            embedded,
            popularity: items
                .iter()
                .map(|&item| popularity[item as usize])
                .collect(),
            codes: None,
        };
        (clicks, batched)
    }

    fn assert_close(found: &[f32], due: Tensor<2>) {
        let due: Vec<f32> = due.into_data().iter().collect();
        assert_eq!(found.len(), due.len());
        for (found, due) in found.iter().zip(due) {
            assert!((found - due).abs() < 1e-4, "{found} {due}");
        }
    }

    #[test]
    fn says_what_the_tensors_say() {
        let device = Device::flex();
        let sizes = BackboneConfig {
            width: WIDTH,
            max_len: 12,
            ..BackboneConfig::default()
        };
        let config = Config {
            scorer_width: 16,
            ..Config::default()
        };
        let model = MgsdWss::new(&config, &sizes, &mut Rng::new(9, &[]), &device);
        let weights = collect(&model).into_iter();
        let weights = weights.map(|(name, weight)| (format!("m.{name}"), weight));
        let mut weights: Weights = weights.collect();
        let shipped = SliceScorer::read(&config, &sizes, &mut weights, "m").expect("all weights");
        for items in [&[3][..], &[3, 3], &[1, 2, 3, 4, 2, 9, 9, 5, 6, 7, 8, 1]] {
            let (plain, batched) = clicks(items, &device);
            let due = model.noise_logits(&batched).expect("noise logits");
            assert_close(&shipped.noise_logits(&plain).expect("one").fused, due.fused);
            let due = model.interests(&batched).expect("interests");
            let found = shipped.interests(&plain).expect("interests");
            assert_close(&found.number, due.number);
            assert_close(&found.share, due.share);
            assert_close(&found.dropped, due.dropped);
        }
    }
}
