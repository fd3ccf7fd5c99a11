//! The scorer on slices, for one history.

mod network;
mod similarity;

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::{FIFTH, ScoreSlices, Views};
use crate::slices::{Clicks, NoiseLogits};
use ingle_layers::{Weights, WeightsError};
use network::Network;
pub use network::NetworkWeights;
use similarity::Similarity;

/// The three networks (networks).
#[derive(Debug)]
pub struct SliceScorer {
    prior: Network,
    posterior: Network,
    fusion: Network,
    code_width: usize,
}

impl SliceScorer {
    pub(in crate::methods) fn read(
        config: &Config,
        backbone: &BackboneConfig,
        weights: &mut Weights,
        path: &str,
    ) -> Result<Self, WeightsError> {
        let sizes = |blocks| config.network(blocks, backbone);
        let mut network = |name: &str, inputs, kinds, blocks| {
            let path = format!("{path}.{name}");
            Network::read(weights, &path, [inputs, kinds], &sizes(blocks))
        };
        let [prior, posterior, both] = config.inputs(backbone.width);
        Ok(Self {
            prior: network("prior", prior, 1, config.view_blocks)?,
            posterior: network("posterior", posterior, 1, config.view_blocks)?,
            fusion: network("fusion", both, 2, config.fusion_blocks)?,
            code_width: config.code_width,
        })
    }

    /// The weights of the prior, the posterior and the fusion.
    pub(crate) fn networks(&self) -> [NetworkWeights<'_>; 3] {
        [&self.prior, &self.posterior, &self.fusion].map(Network::weights)
    }
}

impl ScoreSlices for SliceScorer {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        let len = clicks.len();
        let popularity: Vec<f32> = clicks.popularity.iter().map(|x| x * FIFTH).collect();
        // Without codes the prior's only input is popularity.
        let codes = (clicks.codes.clone()).unwrap_or_else(|| vec![0.0; len * self.code_width]);
        let embedded = clicks.directions();
        let by_code = Similarity::of(&codes, len);
        let by_embedding = Similarity::of(&embedded, len);
        let (codes, embedded) = (stretched(codes, len), stretched(embedded, len));

        let side_by_side = beside(&[&codes, &popularity], len);
        let prior = self.prior.read_clicks(&side_by_side, &[&by_code]);
        let side_by_side = beside(&[&embedded, &popularity], len);
        let posterior = self.posterior.read_clicks(&side_by_side, &[&by_embedding]);

        let all = [
            &posterior.hidden,
            &prior.hidden,
            &posterior.logit,
            &prior.logit,
            &popularity,
            &embedded,
            &codes,
        ];
        let both = beside(&all, len);
        let more = (self.fusion).read_clicks(&both, &[&by_embedding, &by_code]);
        let product = prior.logit.iter().zip(&posterior.logit);
        let fused = product.zip(&more.logit).map(|((a, b), more)| a + b + more);
        Some(NoiseLogits {
            fused: fused.collect(),
            views: Some(Views {
                prior: prior.logit,
                posterior: posterior.logit,
            }),
        })
    }
}

/// Scales rows of length 1 so that their values are of the order of 1.
fn stretched(mut x: Vec<f32>, rows: usize) -> Vec<f32> {
    let scale = ((x.len() / rows) as f32).sqrt();
    for x in &mut x {
        *x *= scale;
    }
    x
}

/// Concatenates matrices of `rows` rows by columns.
fn beside(parts: &[&Vec<f32>], rows: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for row in 0..rows {
        for part in parts {
            let width = part.len() / rows;
            out.extend_from_slice(&part[row * width..(row + 1) * width]);
        }
    }
    out
}
