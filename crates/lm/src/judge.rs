//! Judges titles: low-rank adapters in the last layers of an encoder and a head on its hidden states, trained on
//! labelled windows by binary cross-entropy.

use crate::adapter::{LayerAdapters, Pace};
use crate::head::Head;
use crate::{Encoder, Windows};
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::log_sigmoid;
use ingle_model::Rng;

/// Sizes and dropout of the trained part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// Number of last layers that read titles together and have adapters; a number above the model's means all.
    pub layers: usize,
    /// Rank of an adapter.
    pub rank: usize,
    /// Adapters are scaled by `alpha / rank`.
    pub alpha: f32,
    /// Dropout before an adapter in training, `0.0..1.0`.
    pub dropout: f32,
}

/// The trained parameters, beside a frozen encoder.
#[derive(Module, Debug)]
pub struct TitleScorer {
    adapters: Vec<LayerAdapters>,
    head: Head,
    scale: f32,
    dropout: f32,
}

impl TitleScorer {
    /// A judge before training: it judges by the cosine to the other titles.
    pub fn new(tuning: &Tuning, encoder: &Encoder, rng: &mut Rng) -> Self {
        let (width, device) = (encoder.width(), encoder.device());
        let layers = tuning.layers.min(encoder.depth());
        Self {
            adapters: (0..layers)
                .map(|_| LayerAdapters::new(width, tuning.rank, rng, &device))
                .collect(),
            head: Head::new(width, &device),
            scale: tuning.alpha / tuning.rank as f32,
            dropout: tuning.dropout,
        }
    }

    /// Noise logits by an encoder into which the adapters are not merged. Dropout is active if a generator is given.
    ///
    /// # Shapes
    /// - output: `[windows, titles]`; values where there is no title are undefined
    pub fn logits(
        &self,
        encoder: &Encoder,
        windows: &Windows<'_>,
        rng: Option<&mut Rng>,
    ) -> Tensor<2> {
        let pace = Pace {
            scale: self.scale,
            dropout: self.dropout,
        };
        let states = windows.states(encoder.width(), &encoder.device());
        let adapters = Some((self.adapters.as_slice(), &pace));
        let hidden = encoder.last(states, &windows.lens, self.adapters.len(), adapters, rng);
        self.head.forward(hidden, windows)
    }

    /// The judge for inference: adapters are merged into the encoder's weights.
    pub fn ready(self, encoder: Encoder) -> Scorer {
        Scorer {
            layers: self.adapters.len(),
            encoder: encoder.merged(&self.adapters, self.scale),
            head: self.head,
        }
    }
}

/// A judge for inference.
#[derive(Clone, Debug)]
pub struct Scorer {
    encoder: Encoder,
    head: Head,
    /// Number of layers that read titles together.
    layers: usize,
}

impl Scorer {
    /// Noise logits of the titles of each window, oldest first.
    pub fn logits(&self, windows: &Windows<'_>) -> Vec<Vec<f32>> {
        let states = windows.states(self.encoder.width(), &self.encoder.device());
        let hidden = self
            .encoder
            .last(states, &windows.lens, self.layers, None, None);
        let logits = self.head.forward(hidden, windows);
        let [_windows, titles] = logits.dims();
        let logits: Vec<f32> = logits.into_data().iter().collect();
        let rows = logits.chunks_exact(titles).zip(windows.counts());
        rows.map(|(row, count)| row[..count].to_vec()).collect()
    }
}

/// Sum over titles of the binary cross-entropy of noise logits with hard or soft labels.
///
/// # Shapes
/// - `logits`: `[windows, titles]`
/// - `labels`: for each window, one label in `0.0..=1.0` per title
/// - output: `[1]`
///
/// # Panics
/// If the numbers of labels and titles differ.
pub fn loss(logits: Tensor<2>, windows: &Windows<'_>, labels: &[&[f32]]) -> Tensor<1> {
    let [count, titles] = logits.dims();
    let (mut noisy, mut clean) = (vec![0.0; count * titles], vec![0.0; count * titles]);
    for (row, (labels, real)) in labels.iter().zip(windows.counts()).enumerate() {
        assert_eq!(labels.len(), real, "one label a title");
        for (column, &label) in labels.iter().enumerate() {
            noisy[row * titles + column] = label;
            clean[row * titles + column] = 1.0 - label;
        }
    }
    let device = logits.device();
    let [noisy, clean] = [noisy, clean]
        .map(|labels| Tensor::<2>::from_data(TensorData::new(labels, [count, titles]), &device));
    -(noisy * log_sigmoid(logits.clone()) + clean * log_sigmoid(-logits)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::title::{self, Title};
    use crate::{LanguageModel, Window};
    use burn::module::ModuleVisitor;
    use std::sync::Arc;

    const TUNING: Tuning = Tuning {
        layers: 2,
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
    };

    fn windows(lm: &LanguageModel) -> Vec<Window> {
        let titles = titles(lm, &[vec![7, 8], vec![9], vec![7, 10, 11]]);
        (1..=3)
            .map(|count| Window::join(&titles[..count], 64))
            .collect()
    }

    fn titles(lm: &LanguageModel, pieces: &[Vec<u32>]) -> Vec<Arc<Title>> {
        let titles = title::read(&lm.encoder, &lm.tokens, pieces, TUNING.layers);
        titles.into_iter().map(Arc::new).collect()
    }

    /// A judge whose adapters are not zero.
    fn moved(judge: TitleScorer) -> TitleScorer {
        struct Move;
        impl burn::module::ModuleMapper for Move {
            fn map_float<const D: usize>(
                &mut self,
                param: burn::module::Param<Tensor<D>>,
            ) -> burn::module::Param<Tensor<D>> {
                param.map(|x| x + 0.05)
            }
        }
        judge.map(&mut Move)
    }

    #[test]
    fn padding_and_company_change_nothing_and_one_title_is_enough() {
        let lm = testing::tiny(1);
        let judge = moved(TitleScorer::new(
            &TUNING,
            &lm.encoder,
            &mut Rng::new(1, &[]),
        ));
        let all = windows(&lm);
        let scorer = judge.ready(lm.encoder);
        let together: Vec<&Window> = all.iter().collect();
        let together = scorer.logits(&Windows::new(&together));
        for (window, row) in all.iter().zip(&together) {
            let alone = &scorer.logits(&Windows::new(&[window]))[0];
            assert_eq!(alone.len(), window.titles());
            for (a, b) in alone.iter().zip(row) {
                assert!((a - b).abs() < 1e-4 && a.is_finite(), "{a} {b}");
            }
        }
    }

    #[test]
    fn equal_titles_get_finite_logits() {
        let lm = testing::tiny(1);
        let judge = TitleScorer::new(&TUNING, &lm.encoder, &mut Rng::new(1, &[]));
        let window = Window::join(&titles(&lm, &vec![vec![7, 8]; 12]), 64);
        let logits = &judge.ready(lm.encoder).logits(&Windows::new(&[&window]))[0];
        assert!(
            logits.iter().all(|logit| logit.is_finite() && *logit < 0.0),
            "{logits:?}"
        );
    }

    #[test]
    fn merged_weights_answer_as_adapters_beside_them_do() {
        let lm = testing::tiny(1);
        let judge = moved(TitleScorer::new(
            &TUNING,
            &lm.encoder,
            &mut Rng::new(1, &[]),
        ));
        let all = windows(&lm);
        let batch = [&all[2]];
        let batch = Windows::new(&batch);
        let beside: Vec<f32> = judge
            .logits(&lm.encoder, &batch, None)
            .into_data()
            .iter()
            .collect();
        let merged = judge.ready(lm.encoder).logits(&batch);
        for (a, b) in beside.iter().zip(&merged[0]) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn gradients_reach_all_that_learns_and_nothing_else() {
        struct Check<'a>(&'a burn::tensor::Gradients, usize, usize);
        impl ModuleVisitor for Check<'_> {
            fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
                match param.val().grad(self.0) {
                    Some(_) => self.1 += 1,
                    None => self.2 += 1,
                }
            }
        }
        let device = Device::flex().autodiff();
        let lm = testing::tiny_on(1, &device);
        let tuning = Tuning {
            layers: 1,
            ..TUNING
        };
        let judge = TitleScorer::new(&tuning, &lm.encoder, &mut Rng::new(1, &[]));
        let all = windows(&lm);
        let batch = [&all[2]];
        let batch = Windows::new(&batch);
        let logits = judge.logits(&lm.encoder, &batch, None);
        let gradients = loss(logits, &batch, &[&[0.0, 1.0, 0.25]]).backward();
        let mut learnt = Check(&gradients, 0, 0);
        judge.visit(&mut learnt);
        assert_eq!((learnt.1, learnt.2), (6, 0), "two adapters and the head");
        let mut frozen = Check(&gradients, 0, 0);
        lm.encoder.visit(&mut frozen);
        assert_eq!(frozen.1, 0, "the base keeps no gradients");
    }

    #[test]
    fn the_loss_is_binary_cross_entropy() {
        let lm = testing::tiny(1);
        let all = windows(&lm);
        let batch = [&all[1]];
        let batch = Windows::new(&batch);
        let logits = Tensor::<2>::from_floats([[0.5, -2.0]], &Device::flex());
        let found = loss(logits, &batch, &[&[1.0, 0.25]]).into_scalar::<f32>();
        let softplus = |x: f32| x.exp().ln_1p();
        let expected = softplus(-0.5) + 0.25 * softplus(2.0) + 0.75 * softplus(-2.0);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}
