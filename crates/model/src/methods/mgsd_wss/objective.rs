//! Training: the backbone on clean histories; backbones of parts of the users; then the method on histories
//! with a weak signal, some with their last click as the target and some with the click after them.

use super::judge::{MgsdWss, Reading, Sight, later, later_rows};
use super::losses::{Contrast, kept, weak_signal};
use super::{Config, Target};
use crate::methods::Clicks;
use crate::methods::objective::{Labelled, Learns, Objective, Phase, Plan, Step, recommendation};
use crate::rng::Rng;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::sigmoid;

/// It tells noise.
pub const DENOISES: bool = true;

/// The backbone, its folds, and then the method, as often as there are rounds.
pub fn phases(plan: &Plan) -> Vec<Phase> {
    let mut phases = vec![Phase::new("backbone", Learns::Backbone)];
    let folds = (0..plan.folds).map(|k| Phase::new(format!("fold-{}", k + 1), Learns::Fold(k)));
    phases.extend(folds);
    phases.extend((1..=plan.rounds).map(|round| Phase {
        name: match plan.rounds {
            1 => "scorer".to_owned(),
            _ => format!("scorer-{round}"),
        },
        learns: Learns::Denoiser,
        round,
    }));
    if plan.recommender {
        phases.push(Phase::new("recommender", Learns::Recommender));
    }
    phases
}

impl Objective for MgsdWss {
    fn loss(&self, phase: &Phase, step: &mut Step<'_>) -> Tensor<1> {
        match phase.learns {
            Learns::Backbone | Learns::Fold(_) | Learns::Recommender => recommendation(step),
            Learns::Denoiser => self.denoising_loss(step),
            Learns::Reader | Learns::Prior => unreachable!("no phase of this method"),
        }
    }
}

/// A batch of labelled histories, of some of which the last click is what comes next.
struct Aimed {
    sight: Sight,
    /// Item embeddings, `[batch, len, width]`
    embedded: Tensor<3>,
    labels: Tensor<2>,
    judged: Tensor<2>,
    /// 1 where the target was clicked by the shopper, `[batch, 1]`
    wanted: Tensor<2>,
    /// Histories whose next item is known, and it.
    next: Vec<(usize, u32)>,
}

impl Aimed {
    fn new(labelled: Labelled, config: &Config, step: &mut Step<'_>) -> Self {
        let [batch, len] = labelled.batch.dims();
        let device = labelled.batch.real.device();
        let clicks = Clicks::of(step.backbone, labelled.batch.clone());
        let last = Last::of(&labelled);
        let next: Vec<(usize, u32)> = (0..batch)
            .filter(|&row| last.can_be_next(row) && config.target.is_next(step.rng))
            .map(|row| (row, last.items[row]))
            .collect();
        let mut flags = vec![0.0; batch];
        next.iter().for_each(|&(row, _)| flags[row] = 1.0);
        let column = |values: Vec<f32>| -> Tensor<2> {
            Tensor::from_data(TensorData::new(values, [batch, 1]), &device)
        };
        let wanted = column(last.noise.iter().map(|noise| 1.0 - noise).collect());
        let flags = column(flags);
        let mut judged = later(labelled.judged, &flags);
        if config.target == Target::Next {
            judged = judged * flags.clone().expand([batch, len]);
        }
        Self {
            sight: Sight::of(&clicks).before_the_last(&flags),
            embedded: later_rows(clicks.embedded, &flags),
            labels: later(labelled.labels, &flags),
            judged,
            wanted,
            next,
        }
    }
}

/// The last click of each history.
struct Last {
    items: Vec<u32>,
    noise: Vec<f32>,
    /// Whether there is a click before it.
    alone: Vec<bool>,
}

impl Last {
    fn of(labelled: &Labelled) -> Self {
        let [batch, len] = labelled.batch.dims();
        let column = |x: &Tensor<2>, at: usize| -> Vec<f32> {
            x.clone()
                .slice([0..batch, at..at + 1])
                .into_data()
                .iter()
                .collect()
        };
        let items = labelled.batch.items.clone().slice([0..batch, len - 1..len]);
        Self {
            items: items
                .into_data()
                .iter::<i64>()
                .map(|item| item as u32)
                .collect(),
            noise: column(&labelled.labels, len - 1),
            alone: match len {
                1 => vec![true; batch],
                _ => (column(&labelled.batch.real, len - 2).iter())
                    .map(|&real| real == 0.0)
                    .collect(),
            },
        }
    }

    /// Noise is no target, and of an empty history there is nothing to judge.
    fn can_be_next(&self, row: usize) -> bool {
        self.noise[row] == 0.0 && !self.alone[row]
    }
}

impl Target {
    fn is_next(self, rng: &mut Rng) -> bool {
        match self {
            Self::Next => true,
            Self::Last => false,
            Self::Both => rng.uniform() < 0.5,
        }
    }
}

impl MgsdWss {
    fn denoising_loss(&self, step: &mut Step<'_>) -> Tensor<1> {
        let config = &self.config;
        let labelled = step.labelled.clone();
        let labelled = labelled.expect("a phase that learns to judge has labelled histories");
        let aimed = Aimed::new(labelled, config, step);
        let reading = self.look(&aimed.sight, Some(step.rng));
        let fused = reading.fused();
        let mut loss = self.signal(&reading, &fused, &aimed) * config.weak_signal;
        if config.item_contrast > 0.0 {
            loss = loss + self.of_items(&reading, &aimed, step.rng) * config.item_contrast;
        }
        if config.interest_contrast > 0.0 {
            loss = loss + self.of_interests(&reading, &aimed, step.rng) * config.interest_contrast;
        }
        if config.recommendation > 0.0 && !aimed.next.is_empty() {
            loss = loss + self.of_ranking(&fused, &aimed, step) * config.recommendation;
        }
        loss
    }

    /// What each granularity and both together say of clicks that were put in.
    fn signal(&self, reading: &Reading, fused: &Tensor<2>, aimed: &Aimed) -> Tensor<1> {
        let of = |noise| weak_signal(noise, &aimed.labels, &aimed.judged);
        let served = &reading.served;
        let by_interest = served.by_click(sigmoid(served.logit.clone()));
        (of(sigmoid(fused.clone())) * 2.0 + of(sigmoid(reading.item.clone())) + of(by_interest))
            / 4.0
    }

    fn of_items(&self, reading: &Reading, aimed: &Aimed, rng: &mut Rng) -> Tensor<1> {
        let contrast = Contrast {
            vectors: &reading.hidden,
            target: &reading.target,
            kept: kept(&reading.item, self.config.gumbel_temperature, rng),
            noise: sigmoid(reading.item.clone()),
            weights: aimed.sight.real.clone(),
            counts: aimed.wanted.clone(),
        };
        contrast.loss(self.config.contrast_temperature)
    }

    fn of_interests(&self, reading: &Reading, aimed: &Aimed, rng: &mut Rng) -> Tensor<1> {
        let served = &reading.served;
        let contrast = Contrast {
            vectors: &served.vectors,
            target: &reading.target,
            kept: kept(&served.logit, self.config.gumbel_temperature, rng),
            noise: sigmoid(served.logit.clone()),
            weights: served.mass.clone(),
            counts: aimed.wanted.clone(),
        };
        contrast.loss(self.config.contrast_temperature)
    }

    /// The next item after the clicks that are kept, where it is known.
    fn of_ranking(&self, fused: &Tensor<2>, aimed: &Aimed, step: &mut Step<'_>) -> Tensor<1> {
        let (rows, targets): (Vec<i32>, Vec<u32>) = (aimed.next.iter())
            .map(|&(row, item)| (row as i32, item))
            .unzip();
        let count = rows.len();
        let rows = TensorData::new(rows, [count]);
        let rows = Tensor::<1, Int>::from_data(rows, &aimed.labels.device());
        let real = aimed.sight.real.clone().select(0, rows.clone());
        let embedded = aimed.embedded.clone().select(0, rows.clone());
        let flags = kept(fused, self.config.gumbel_temperature, step.rng).select(0, rows);
        let [_, len, width] = embedded.dims();
        let flags = at_least_the_last(flags * real.clone());
        let embedded = embedded * flags.reshape([count, len, 1]).expand([count, len, width]);
        let hidden = step.backbone.forward(embedded, &real, None);
        let latest = hidden.slice([0..count, len - 1..len, 0..width]);
        step.rank
            .cross_entropy(latest.reshape([count, width]), &targets)
    }
}

/// A history of which nothing is kept keeps its last click.
fn at_least_the_last(kept: Tensor<2>) -> Tensor<2> {
    let [batch, len] = kept.dims();
    let nothing = kept.clone().detach().sum_dim(1).lower_scalar(0.5).float();
    let last = kept.clone().slice([0..batch, len - 1..len]) + nothing;
    if len == 1 {
        return last;
    }
    Tensor::cat(vec![kept.slice([0..batch, 0..len - 1]), last], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::{Denoise, RankLoss};
    use crate::{BackboneConfig, Batch, Known, backbone::Backbone};
    use burn::module::Module;
    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::activation::log_softmax;

    /// Items 1 to 6 are of one kind and 7 to 12 of another.
    const ITEMS: usize = 12;

    struct Whole(Tensor<2>);

    impl RankLoss for Whole {
        fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1> {
            let index = targets.iter().map(|&t| t as i32).collect::<Vec<_>>();
            let index = TensorData::new(index, [targets.len(), 1]);
            let index = Tensor::<2, Int>::from_data(index, &hidden.device());
            let logits = hidden.matmul(self.0.clone().transpose());
            log_softmax(logits, 1).gather(1, index).neg().mean()
        }
    }

    fn backbone(device: &Device) -> Backbone {
        let config = BackboneConfig {
            width: 8,
            feed_forward: 16,
            max_len: 6,
            dropout: 0.0,
            ..BackboneConfig::default()
        };
        let mut rng = Rng::new(1, &[]);
        let mut backbone = Backbone::new(&config, ITEMS, &mut rng, device);
        let table = (0..=ITEMS).flat_map(|item| {
            let side = if item > 6 { -1.0 } else { 1.0 };
            (0..8).map(move |at| side + 0.1 * ((item * 8 + at) as f32).sin())
        });
        let table = TensorData::new(table.collect::<Vec<f32>>(), [ITEMS + 1, 8]);
        backbone.items = burn::module::Param::from_tensor(Tensor::from_data(table, device));
        backbone
    }

    /// Histories of one kind with a click of the other.
    fn labelled(step: usize, device: &Device) -> Labelled {
        let mut rng = Rng::new(3, &[step as u64]);
        let (mut histories, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..16 {
            let kind = rng.below(2) as u32;
            let odd = rng.below(5);
            let item = |kind: u32, rng: &mut Rng| kind * 6 + 1 + rng.below(6) as u32;
            histories.push(
                (0..5)
                    .map(|at| item(if at == odd { 1 - kind } else { kind }, &mut rng))
                    .collect::<Vec<_>>(),
            );
            labels.extend((0..5).map(|at| f32::from(u8::from(at == odd))));
        }
        let known = Known::popularity(vec![0.5; ITEMS + 1]);
        let batch = Batch::new(&histories, 5, &known, device);
        Labelled {
            labels: Tensor::from_data(TensorData::new(labels, [16, 5]), device),
            judged: batch.real.clone(),
            batch,
            beliefs: None,
        }
    }

    fn small(kernel: super::super::Kernel, target: Target) -> Config {
        Config {
            scorer_width: 8,
            scorer_blocks: 1,
            scorer_dropout: 0.0,
            interests: 3,
            kernel,
            target,
            ..Config::default()
        }
    }

    fn trained(config: &Config) -> (Vec<f32>, MgsdWss, Backbone) {
        let device = Device::flex();
        let backbone = backbone(&device);
        let sizes = BackboneConfig {
            width: 8,
            max_len: 6,
            ..BackboneConfig::default()
        };
        let autodiff = device.clone().autodiff();
        let mut model = MgsdWss::new(config, &sizes, &mut Rng::new(2, &[]), &autodiff);
        let mut optimizer = AdamConfig::new().init();
        let phase = Phase::new("scorer", Learns::Denoiser);
        let mut losses = Vec::new();
        for step in 0..150 {
            let mut rank = Whole(backbone.items.val());
            let mut rng = Rng::new(4, &[step as u64]);
            let mut step = Step {
                backbone: &backbone,
                histories: None,
                targets: &[],
                labelled: Some(labelled(step, &device)),
                consistency: 0.0,
                rank: &mut rank,
                rng: &mut rng,
            };
            let loss = model.loss(&phase, &mut step);
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            losses.push(loss.inner().into_scalar::<f32>());
            model = optimizer.step(0.01, model, gradients);
        }
        (losses, model.valid(), backbone)
    }

    #[test]
    fn the_loss_falls_and_clicks_of_another_kind_are_found_with_either_kernel_and_any_target() {
        use super::super::Kernel;
        for (kernel, target) in [
            (Kernel::Gaussian, Target::Both),
            (Kernel::Gaussian, Target::Next),
            (Kernel::Mlp, Target::Last),
        ] {
            let (losses, model, backbone) = trained(&small(kernel, target));
            let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
            let (before, after) = (mean(&losses[..10]), mean(&losses[140..]));
            assert!(
                after < 0.9 * before,
                "{kernel:?} {target:?}: {before} {after}"
            );
            let test = labelled(999, &Device::flex());
            let clicks = Clicks::of(&backbone, test.batch);
            let opinion = model.opinion(&clicks).expect("an opinion").fused;
            let logits: Vec<f32> = opinion.into_data().iter().collect();
            let labels: Vec<f32> = test.labels.into_data().iter().collect();
            let of = |label: f32| {
                let own = logits.iter().zip(&labels).filter(|(_, l)| **l == label);
                mean(&own.map(|(&logit, _)| logit).collect::<Vec<_>>())
            };
            assert!(
                of(1.0) > of(0.0) + 1.0,
                "{kernel:?} {target:?}: {} {}",
                of(1.0),
                of(0.0)
            );
        }
    }

    #[test]
    fn every_click_serves_an_interest_by_a_share_even_where_interests_outnumber_clicks() {
        let config = Config {
            interests: 40,
            ..small(super::super::Kernel::Gaussian, Target::Both)
        };
        let device = Device::flex();
        let backbone = backbone(&device);
        let sizes = BackboneConfig {
            width: 8,
            max_len: 6,
            ..BackboneConfig::default()
        };
        let model = MgsdWss::new(&config, &sizes, &mut Rng::new(2, &[]), &device);
        let known = Known::popularity(vec![0.5; ITEMS + 1]);
        let batch = Batch::new(&[&[3u32][..], &[4, 9]], 2, &known, &device);
        let interest = model
            .interests(&Clicks::of(&backbone, batch))
            .expect("some");
        let floats = |x: Tensor<2>| x.into_data().iter::<f32>().collect::<Vec<_>>();
        let share = floats(interest.share);
        assert_eq!(share[0], 0.0, "padding serves none");
        assert!(
            share[1..].iter().all(|s| (1.0 / 40.0..=1.0).contains(s)),
            "{share:?}"
        );
        assert!(
            floats(interest.number)
                .iter()
                .all(|n| (0.0..40.0).contains(n))
        );
        assert!(
            floats(interest.dropped)
                .iter()
                .all(|d| *d == 0.0 || *d == 1.0)
        );
    }

    #[test]
    fn a_replaced_last_click_is_no_target_and_neither_is_the_only_one() {
        let device = Device::flex();
        let known = Known::popularity(vec![0.0; 6]);
        let batch = Batch::new(&[&[1u32, 2][..], &[3, 4], &[5]], 2, &known, &device);
        let labels = Tensor::<2>::from_floats([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]], &device);
        let last = Last::of(&Labelled {
            judged: batch.real.clone(),
            batch,
            labels,
            beliefs: None,
        });
        assert_eq!(last.items, [2, 4, 5]);
        let can: Vec<bool> = (0..3).map(|row| last.can_be_next(row)).collect();
        assert_eq!(can, [true, false, false]);
    }

    #[test]
    fn a_history_of_which_nothing_is_kept_keeps_its_last_click() {
        let kept = Tensor::<2>::from_floats([[0.0, 0.0], [1.0, 0.0]], &Device::flex());
        let kept: Vec<f32> = at_least_the_last(kept).into_data().iter().collect();
        assert_eq!(kept, [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn phases_are_the_backbones_and_the_methods_own() {
        let plan = Plan {
            folds: 1,
            rounds: 2,
            reader: true,
            recommender: true,
        };
        let names: Vec<String> = phases(&plan).into_iter().map(|p| p.name).collect();
        assert_eq!(
            names,
            ["backbone", "fold-1", "scorer-1", "scorer-2", "recommender"]
        );
    }
}
