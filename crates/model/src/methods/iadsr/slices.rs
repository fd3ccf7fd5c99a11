//! The scorer on slices, for one history: states and cosines.

use super::{COSINES, Config, OUTPUTS, SHORTEST, UNIT};
use crate::config::BackboneConfig;
use crate::methods::{ScoreSlices, Views};
use crate::slices::{Clicks, NoiseLogits};
use ingle_kernel::dense::Dense;
use ingle_kernel::vector::{add, dot};
use ingle_layers::{Block, Norm, Parameters, Places, Weights, WeightsError, take};

/// The scorer's parameters.
#[derive(Debug)]
pub struct SliceScorer {
    width: usize,
    heads: usize,
    code_width: usize,
    semantic: Dense,
    collaborative: Dense,
    /// `[max_len, state width]`; the last row is the latest click.
    positions: Vec<f32>,
    block: Block,
    norm: Norm,
    parameters: Parameters,
    /// Weight of each cosine in the score.
    weights: Vec<f32>,
    /// Weight of each view's own cosine.
    own: Vec<f32>,
    /// Offset of each output.
    offsets: Vec<f32>,
}

impl SliceScorer {
    pub(in crate::methods) fn read(
        config: &Config,
        backbone: &BackboneConfig,
        weights: &mut Weights,
        path: &str,
    ) -> Result<Self, WeightsError> {
        let sizes = config.block(backbone);
        let width = sizes.width;
        let places = &mut Places::under(path);
        let block = Block::new(places, "block", sizes.block());
        let norm = places.norm("norm", width);
        let parameters = Parameters::read(places, weights)?;
        let mut take =
            |name: &str, shape: &[usize]| take(weights, &format!("{path}.{name}"), shape);
        let no_bias = vec![0.0; width];
        let semantic = take("semantic", &[config.code_width, width])?;
        let collaborative = take("collaborative", &[backbone.width, width])?;
        Ok(Self {
            width,
            heads: sizes.heads,
            code_width: config.code_width,
            semantic: Dense::new(&semantic, &no_bias),
            collaborative: Dense::new(&collaborative, &no_bias),
            positions: take("positions", &[sizes.max_len, width])?,
            weights: take("weights", &[COSINES])?,
            own: take("own", &[2])?,
            offsets: take("offsets", &[OUTPUTS])?,
            block,
            norm,
            parameters,
        })
    }

    /// Semantic states, from the items' codes, `[len, state width]`.
    fn semantic_states(&self, clicks: &Clicks) -> Vec<f32> {
        let codes = clicks.codes.clone();
        let mut codes = codes.unwrap_or_else(|| vec![0.0; clicks.len() * self.code_width]);
        let scale = (self.code_width as f32).sqrt();
        for x in &mut codes {
            *x *= scale;
        }
        self.semantic.forward(&codes)
    }

    /// Collaborative states, from item embeddings in the context of the history, `[len, state width]`.
    fn collaborative_states(&self, clicks: &Clicks) -> Vec<f32> {
        let len = clicks.len();
        let mut embedded = clicks.embedded.clone();
        let columns = embedded.len() / len;
        for row in embedded.chunks_exact_mut(columns) {
            let scale = (columns as f32).sqrt() / length(row);
            for x in row {
                *x *= scale;
            }
        }
        let mut x = self.collaborative.forward(&embedded);
        let first = self.positions.len() - x.len();
        add(&mut x, &self.positions[first..]);
        // Attention is bidirectional.
        let bias = vec![0.0; self.heads * len * len];
        let x = self.block.infer(&self.parameters, &x, Some(&bias), 0);
        self.norm.infer(&self.parameters, &x)
    }
}

impl ScoreSlices for SliceScorer {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let width = self.width;
        let semantic = self.semantic_states(clicks);
        let collaborative = self.collaborative_states(clicks);
        let long_semantic = of_others(&semantic, width);
        let long_collaborative = of_others(&collaborative, width);
        let pairs = [
            (&long_semantic, &collaborative),
            (&long_collaborative, &semantic),
            (&long_collaborative, &collaborative),
            (&long_semantic, &semantic),
        ];
        let cosines = pairs.map(|(a, b)| {
            let rows = a.chunks_exact(width).zip(b.chunks_exact(width));
            rows.map(|(a, b)| dot(a, b) / (length(a) * length(b)))
                .collect::<Vec<f32>>()
        });
        let logits = |output: usize, cosines: &[Vec<f32>], weights: &[f32]| {
            let mut logits = vec![UNIT * self.offsets[output]; clicks.len()];
            for (cosines, weight) in cosines.iter().zip(weights) {
                for (logit, cosine) in logits.iter_mut().zip(cosines) {
                    *logit -= UNIT * weight * cosine;
                }
            }
            logits
        };
        let prior = logits(1, &cosines[3..], &self.own[..1]);
        let posterior = logits(2, &cosines[2..3], &self.own[1..]);
        Some(NoiseLogits {
            fused: logits(0, &cosines[..COSINES], &self.weights),
            views: Some(Views { prior, posterior }),
        })
    }
}

/// Length of a vector, at least [`SHORTEST`].
fn length(x: &[f32]) -> f32 {
    (dot(x, x) + SHORTEST).sqrt()
}

/// The elementwise maximum of the other clicks' states; 0 if there is no other click.
fn of_others(states: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; states.len()];
    if states.len() == width {
        return out;
    }
    let mut best = vec![(0, f32::NEG_INFINITY, f32::NEG_INFINITY); width];
    for (at, row) in states.chunks_exact(width).enumerate() {
        for ((place, largest, second), &x) in best.iter_mut().zip(row) {
            if x > *largest {
                (*place, *largest, *second) = (at, x, *largest);
            } else if x > *second {
                *second = x;
            }
        }
    }
    for (at, row) in out.chunks_exact_mut(width).enumerate() {
        for (&(place, largest, second), out) in best.iter().zip(row) {
            *out = if at == place { second } else { largest };
        }
    }
    out
}

#[cfg(all(test, feature = "burn"))]
mod tests {
    use super::*;
    use crate::backbone::Backbone;
    use crate::methods::iadsr::{Config, Iadsr};
    use crate::methods::{self, ScoreTensors};
    use crate::rng::Rng;
    use crate::weights::collect;
    use crate::{Batch, Codes, ItemFeatures};
    use burn::prelude::*;

    #[test]
    fn a_value_that_two_clicks_share_is_each_others_largest() {
        let states = [1.0, 5.0, 3.0, 2.0, 3.0, 5.0];
        assert_eq!(of_others(&states, 2), [3.0, 5.0, 3.0, 5.0, 3.0, 5.0]);
        assert_eq!(of_others(&[7.0, 8.0], 2), [0.0, 0.0]);
    }

    #[test]
    fn all_logits_are_those_of_the_tensors() {
        let device = Device::flex();
        let sizes = BackboneConfig {
            width: 24,
            max_len: 9,
            ..BackboneConfig::default()
        };
        for state_width in [64, 24] {
            let config = Config {
                state_width,
                ..Config::default()
            };
            let mut rng = Rng::new(4, &[]);
            let backbone = Backbone::new(&sizes, 20, &mut rng, &device);
            let method = Iadsr::new(&config, &sizes, &mut rng, &device);
            let mut weights: Weights = (collect(&method).into_iter())
                .map(|(name, weight)| (format!("here.{name}"), weight))
                .collect();
            let scorer =
                SliceScorer::read(&config, &sizes, &mut weights, "here").expect("all there");
            let codes: Vec<f32> = (0..21 * 32).map(|_| rng.normal(1.0)).collect();
            let features = ItemFeatures {
                popularity: vec![1.0; 21],
                codes: Some(Codes::quantize(&codes, 32)),
            };
            for history in [&[3][..], &[4, 4], &[1, 20, 7, 1, 9, 13, 2, 2, 8]] {
                let batch = Batch::new(&[history], history.len(), &features, &device);
                let clicks = methods::Clicks::of(&backbone, batch);
                let due = method.noise_logits(&clicks).expect("noise logits");
                let due_views = due.views.expect("two views");
                let floats = |x: Tensor<2>| x.into_data().iter::<f32>().collect::<Vec<_>>();
                let found = scorer.noise_logits(&Clicks {
                    embedded: clicks.embedded.into_data().iter::<f32>().collect(),
                    popularity: vec![1.0; history.len()],
                    codes: clicks
                        .batch
                        .codes
                        .map(|c| c.into_data().iter::<f32>().collect()),
                });
                let found = found.expect("noise logits");
                let views = found.views.expect("two views");
                for (found, due) in [
                    (found.fused, floats(due.fused)),
                    (views.prior, floats(due_views.prior)),
                    (views.posterior, floats(due_views.posterior)),
                ] {
                    for (found, due) in found.iter().zip(&due) {
                        assert!((found - due).abs() < 1e-4, "{found} and {due}");
                    }
                }
            }
        }
    }
}
