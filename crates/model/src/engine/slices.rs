//! The engine on slices, which runs in browsers.
//!
//! Clicks are judged on slices; a [`Ranker`] encodes the history and ranks the catalogue. The bundle's item
//! table is not copied or unpacked: it takes as much memory as it had bytes in transfer.

use super::answer::{Click, Info, Recommendation, Scorer, Served, Similar};
use super::because::Reasons;
use super::catalogue::Catalogue;
use super::error::EngineError;
use super::judge::{Judge, Judged, Unjudged};
use super::learning::LEAST;
use super::options::{RecommendOptions, SimilarOptions, applied, check_weights};
use super::ranker::{Host, Parts, Ranker, Tilt, WeightedHistory};
use super::settings::model_config;
use crate::backbone::{self, Kind};
use crate::config::ModelConfig;
use crate::features::Codes;
use crate::gate::GateConfig;
use crate::kept::{Kept, KeptHistories};
use crate::methods::{Interest, NAMES, ScoreSlices, SliceScorer, Views};
use crate::rank::{Best, Block, Mass, Scored, Wanted};
use crate::slices::{Clicks, Items};
use ingle_bundle::{Adapter as AdapterSpec, Bundle};
use std::iter::repeat_with;

/// A model with its catalogue, in memory.
#[derive(Debug)]
pub struct SliceEngine<R = Host> {
    config: ModelConfig,
    name: String,
    pub(super) catalogue: Catalogue,
    pub(super) parts: Parts,
    /// `ln(1 + clicks in training)` of each item.
    pub(super) popularity: Vec<f32>,
    pub(super) adapter: Option<AdapterSpec>,
    codes: Option<Codes>,
    method: SliceScorer,
    ranker: R,
}

/// The kept histories, each with embeddings, weights of its clicks and its own weight.
struct WeightedHistories {
    each: Vec<(Vec<f32>, Vec<f32>, f32)>,
    /// Weight of each click over all histories, `[len]`.
    keep: Vec<f32>,
}

/// The scorer's verdict on each click, each `[len]`.
struct Verdict {
    noise: Vec<f32>,
    keep: Vec<f32>,
    views: Option<Views<Vec<f32>>>,
}

impl SliceEngine {
    /// Builds the model that the bundle describes, with the ranker on the CPU.
    ///
    /// # Errors
    /// If the method is unknown, the configuration is invalid, or the weights do not fit it.
    pub fn new(bundle: Bundle) -> Result<Self, EngineError> {
        let config = model_config(&bundle)?;
        let width = bundle.code_width();
        let mut weights = bundle.weights;
        let encoder = backbone::SliceEncoder::read(&mut weights, "backbone", &config.backbone)?;
        let encoder =
            encoder.ok_or_else(|| EngineError::encoder(config.backbone.kind.name(), Kind::ALL))?;
        let method = (config.method).read(&config.backbone, &mut weights, "method")?;
        let method = method.ok_or_else(|| EngineError::method(config.method.name(), NAMES))?;
        Ok(Self {
            name: bundle.manifest.name,
            catalogue: Catalogue::new(bundle.ids),
            parts: Parts {
                config: config.backbone.clone(),
                items: Items::new(bundle.items),
                encoder,
            },
            popularity: bundle.popularity,
            adapter: bundle.manifest.adapter,
            codes: (width > 0).then_some(Codes {
                width,
                values: bundle.codes,
            }),
            method,
            config,
            ranker: Host,
        })
    }

    /// The same engine with another ranker.
    pub fn with<R: Ranker>(self, ranker: R) -> SliceEngine<R> {
        SliceEngine {
            config: self.config,
            name: self.name,
            catalogue: self.catalogue,
            parts: self.parts,
            popularity: self.popularity,
            adapter: self.adapter,
            codes: self.codes,
            method: self.method,
            ranker,
        }
    }

    /// The parts that a ranker needs.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// What a device needs to judge clicks by itself; `None` for methods that only the processor judges by.
    pub fn judge_parts(&self) -> Option<Judge<'_>> {
        Judge::of(&self.config, &self.method)
    }
}

impl<R: Ranker> SliceEngine<R> {
    /// What judges clicks; `None` for methods without a scorer.
    pub fn scorer(&self) -> Option<Scorer> {
        let scorer = if self.ranker.judges() {
            Scorer::Gpu
        } else {
            Scorer::Cpu
        };
        self.config.method.denoises().then_some(scorer)
    }

    /// Description of the model that this engine runs.
    pub fn info(&self) -> Info {
        Info::of(&self.name, &self.config)
    }

    /// The ids of all items, in catalogue order, which is also the order of `allow` and `boost`.
    pub fn items(&self) -> Vec<String> {
        self.catalogue.ids()
    }

    /// The best items for a history, oldest click first. Unknown ids are skipped; a history without known
    /// clicks gets the most popular items.
    ///
    /// # Errors
    /// If an option is invalid, or the device fails.
    pub async fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, EngineError> {
        check_weights(options.weights.as_deref(), history.len())?;
        let adapter = applied(self.adapter.as_ref(), options, self.config.backbone.width)?;
        let known = self.catalogue.known(history);
        let wanted = self.catalogue.wanted(&known, options)?;
        let latest = self.latest(&known);
        let clicks = self.clicks(latest);
        let weights = of_latest(options.weights.as_deref(), latest);
        let weights = weights.as_deref();
        // A device that judges knows no adapter.
        if adapter.is_none()
            && let Some(judged) = self.judged_there(&clicks, weights, &wanted).await?
        {
            let Some((best, mass)) = judged.best else {
                return Ok(self.popular(wanted));
            };
            return Ok(self.answer(&best, mass, latest, &clicks, &judged.keep));
        }
        let read = self.readings(&clicks, latest, weights);
        if read.each.is_empty() {
            return Ok(self.popular(wanted));
        }
        let tilt = adapter.as_ref().map(|adapter| Tilt {
            bias: &adapter.bias,
            weight: adapter.weight,
            popularity: &self.popularity,
        });
        let histories: Vec<WeightedHistory<'_>> = (read.each.iter())
            .map(|(embedded, keep, weight)| WeightedHistory {
                embedded,
                keep,
                weight: *weight,
                tilt,
            })
            .collect();
        let (best, mass) = self.ranker.rank(&self.parts, &histories, wanted).await?;
        Ok(self.answer(&best, mass, latest, &clicks, &read.keep))
    }

    /// What the ranker's device makes of a history, if its scorer judges: for comparing it with the processor's. `None`
    /// if the processor judges.
    ///
    /// # Errors
    /// If an option is invalid, or the device fails.
    pub async fn judged(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Option<Judged>, EngineError> {
        check_weights(options.weights.as_deref(), history.len())?;
        let known = self.catalogue.known(history);
        let wanted = self.catalogue.wanted(&known, options)?;
        let latest = self.latest(&known);
        let weights = of_latest(options.weights.as_deref(), latest);
        let clicks = self.clicks(latest);
        (self.judged_there(&clicks, weights.as_deref(), &wanted)).await
    }

    async fn judged_there(
        &self,
        clicks: &Clicks,
        weights: Option<&[f32]>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Judged>, EngineError> {
        if clicks.len() == 0 || !self.ranker.judges() {
            return Ok(None);
        }
        let unjudged = Unjudged::new(clicks, weights);
        (self.ranker)
            .rank_unjudged(&self.parts, unjudged, wanted)
            .await
    }

    /// The answer for a history without clicks that count.
    fn popular(&self, wanted: Wanted<'_>) -> Vec<Recommendation> {
        let (mut best, mut mass) = (Best::new(wanted), Mass::default());
        let popularity = Block::new(0, &self.popularity);
        best.offer(&popularity);
        mass.add(&popularity);
        (self.catalogue).answer(&best.into_sorted(), mass, repeat_with(|| None))
    }

    /// The answer for ranked items, with reasons by the weights of the clicks.
    fn answer(
        &self,
        best: &[Scored],
        mass: Mass,
        latest: &[(usize, usize)],
        clicks: &Clicks,
        keep: &[f32],
    ) -> Vec<Recommendation> {
        let items = &self.parts.items;
        let embedded = items.embed(best.iter().map(|scored| scored.row));
        let reasons = Reasons::new(latest, &clicks.embedded, keep);
        let because = reasons.of(&embedded, &self.catalogue);
        self.catalogue.answer(best, mass, because)
    }

    /// The items nearest to some others, by the cosine with the mean of the given items' unit embeddings. The
    /// given items are never returned and unknown ids are skipped; if none is known the answer is empty.
    ///
    /// # Errors
    /// If an option is invalid, or the device fails.
    pub async fn similar(
        &self,
        items: &[String],
        options: &SimilarOptions,
    ) -> Result<Vec<Similar>, EngineError> {
        let given = self.catalogue.known(items);
        let wanted = self.catalogue.wanted_near(&given, options)?;
        if given.is_empty() {
            return Ok(Vec::new());
        }
        let width = self.config.backbone.width;
        let mut mean = vec![0.0; width];
        let rows = self.parts.items.embed(given.iter().map(|&(_, row)| row));
        for row in rows.chunks_exact(width) {
            add_direction(&mut mean, row);
        }
        let mut direction = vec![0.0; width];
        add_direction(&mut direction, &mean);
        let near = self.ranker.nearest(&self.parts, &direction, wanted);
        Ok(self.catalogue.nearest(&near.await?))
    }

    /// The verdicts on all clicks, in the given order.
    pub fn explain(&self, history: &[String]) -> Vec<Click> {
        let mut clicks: Vec<Click> = history.iter().map(|item| Click::unseen(item)).collect();
        let known = self.catalogue.known(history);
        let latest = self.latest(&known);
        if latest.is_empty() {
            return clicks;
        }
        let seen = self.clicks(latest);
        let (verdict, interests) = (self.judge(&seen), self.method.interests(&seen));
        for (at, &(place, _)) in latest.iter().enumerate() {
            let click = &mut clicks[place];
            (click.known, click.keep) = (true, 1.0);
            if let Some(Verdict { noise, keep, views }) = &verdict {
                (click.noise, click.keep) = (noise[at], keep[at]);
                click.views = views.as_ref().map(|views| Views {
                    prior: views.prior[at],
                    posterior: views.posterior[at],
                });
            }
            click.interest = interests.as_ref().map(|all| {
                Served::of(Interest {
                    number: all.number[at],
                    share: all.share[at],
                    dropped: all.dropped[at],
                })
            });
        }
        clicks
    }

    /// The kept histories by noise probabilities and the shop's weights; `None` if no click is left.
    fn readings(
        &self,
        clicks: &Clicks,
        latest: &[(usize, usize)],
        weights: Option<&[f32]>,
    ) -> WeightedHistories {
        let verdict = self.judge(clicks);
        if let Some(rule) = &self.config.keep {
            let noise = verdict.map_or_else(|| vec![0.0; latest.len()], |verdict| verdict.noise);
            let kept = rule.histories(&noise, weights);
            let keep = kept.shares(latest.len());
            let each = self.gathered(&clicks.embedded, kept);
            return WeightedHistories { each, keep };
        }
        let mut keep = verdict.map_or_else(|| vec![1.0; latest.len()], |verdict| verdict.keep);
        for (keep, weight) in keep.iter_mut().zip(weights.unwrap_or_default()) {
            *keep *= weight;
        }
        let left = keep.iter().any(|&keep| keep > 0.0);
        let each = left.then(|| (clicks.embedded.clone(), keep.clone(), 1.0));
        WeightedHistories {
            each: each.into_iter().collect(),
            keep,
        }
    }

    /// The clicks of each kept history, with weight 1.
    fn gathered(&self, embedded: &[f32], kept: KeptHistories) -> Vec<(Vec<f32>, Vec<f32>, f32)> {
        let width = self.config.backbone.width;
        let row = |&at: &usize| &embedded[at * width..][..width];
        let of = |Kept { clicks, weight }: Kept| {
            let rows: Vec<&[f32]> = clicks.iter().map(row).collect();
            (rows.concat(), vec![1.0; clicks.len()], weight)
        };
        kept.sets.into_iter().map(of).collect()
    }

    /// The user vectors of a history's rows, one for each kept history, with their weights; without an adapter.
    pub fn users(&self, rows: &[usize]) -> Vec<(Vec<f32>, f32)> {
        let latest = &rows[rows.len().saturating_sub(self.config.backbone.max_len)..];
        let latest: Vec<(usize, usize)> = latest.iter().copied().enumerate().collect();
        let read = self.readings(&self.clicks(&latest), &latest, None);
        let user = |(embedded, keep, weight): (Vec<f32>, Vec<f32>, f32)| {
            (self.parts.encoder.user(&embedded, &keep), weight)
        };
        read.each.into_iter().map(user).collect()
    }

    /// What is learnt from some clicks: the indices of those that are read, the probability of every click that it
    /// counts, and the weights with which the clicks are read.
    pub(super) fn counted(&self, clicks: &Clicks) -> (Vec<usize>, Vec<f32>, Vec<f32>) {
        let all: Vec<usize> = (0..clicks.len()).collect();
        let ones = vec![1.0; clicks.len()];
        let Some(verdict) = self.judge(clicks) else {
            return (all, ones.clone(), ones);
        };
        if self.config.keep.is_none() {
            return (all, verdict.keep.clone(), verdict.keep);
        }
        let kept: Vec<usize> = (all.into_iter())
            .filter(|&at| verdict.keep[at] >= LEAST)
            .collect();
        let read = vec![1.0; kept.len()];
        (kept, verdict.keep, read)
    }

    fn judge(&self, clicks: &Clicks) -> Option<Verdict> {
        if clicks.len() == 0 {
            return None;
        }
        let logits = self.method.noise_logits(clicks)?;
        let gate = &self.config.gate;
        let noise = GateConfig::probabilities(&logits.fused, gate.scale);
        let views = logits.views.map(|logits| {
            let scales = gate.views.unwrap_or_default();
            Views {
                prior: GateConfig::probabilities(&logits.prior, scales.prior),
                posterior: GateConfig::probabilities(&logits.posterior, scales.posterior),
            }
        });
        Some(Verdict {
            keep: self.config.weights(&noise),
            noise,
            views,
        })
    }

    /// The latest known clicks, as many as the model reads.
    fn latest<'k>(&self, known: &'k [(usize, usize)]) -> &'k [(usize, usize)] {
        &known[known.len().saturating_sub(self.config.backbone.max_len)..]
    }

    pub(super) fn clicks(&self, latest: &[(usize, usize)]) -> Clicks {
        let rows = || latest.iter().map(|&(_, row)| row);
        Clicks {
            embedded: self.parts.items.embed(rows()),
            popularity: rows().map(|row| self.popularity[row]).collect(),
            codes: (self.codes.as_ref()).map(|codes| codes.directions(rows())),
        }
    }
}

/// The weights of the latest known clicks.
fn of_latest(weights: Option<&[f32]>, latest: &[(usize, usize)]) -> Option<Vec<f32>> {
    weights.map(|all| latest.iter().map(|&(place, _)| all[place]).collect())
}

/// Adds the unit vector of a row; a row of zeros adds nothing.
fn add_direction(to: &mut [f32], row: &[f32]) {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for (to, x) in to.iter_mut().zip(row) {
            *to += x / length;
        }
    }
}
