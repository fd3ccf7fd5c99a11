//! Training of the backbone on the CPU with hand-written gradients: next-item cross-entropy on every click,
//! and Adam over flat vectors. Histories are concatenated without padding and split into shards, which run on
//! all cores. The result does not depend on the number of cores.
//!
//! Other devices train with Burn's autodiff ([`super::on_device`]); tests compare the two.

mod adam;
mod binary;
mod candidates;
mod direction;
mod layout;
mod pass;
mod store;
#[cfg(test)]
mod tests;

use super::config::{Loss, Schedule};
use super::samples::Lesson;
use super::softmax::{Fused, cross_entropy, shares, sum};
use adam::Moments;
use candidates::{Candidates, Sampler};
use direction::Directions;
use ingle_kernel::softmax::Ranking;
use ingle_layers::Values;
use ingle_model::{BackboneConfig, Model, Rng};
use layout::Layout;
use pass::{Pass, Shard, Tape};
use rayon::prelude::*;

/// Approximate number of clicks in a shard, which one core processes at a time.
const SHARD: usize = 256;

/// A backbone being trained.
#[derive(Debug)]
pub struct Learner {
    layout: Layout,
    table: Trained,
    /// The table's rows scaled to length 1, if only their directions are learnt.
    directions: Option<Directions>,
    values: Trained,
    /// Steps taken.
    steps: u64,
    /// Whether the item table is constant.
    fixed: bool,
    /// The latest step that changed each row of the table; empty if every step changes all rows.
    last: Vec<u32>,
    sampler: Option<Sampler>,
    /// The loss.
    loss: Loss,
}

/// Weights and their Adam moments.
#[derive(Debug)]
struct Trained {
    weights: Vec<f32>,
    moments: Moments,
}

impl Trained {
    fn new(weights: Vec<f32>) -> Self {
        Self {
            moments: Moments::new(weights.len()),
            weights,
        }
    }
}

/// Loss and gradients of a step.
#[derive(Debug)]
pub struct Gradient {
    /// Weighted mean cross-entropy.
    pub loss: f32,
    /// Cross-entropy of each target.
    pub losses: Vec<f32>,
    /// The rows that `table` holds gradients of; `None` for all rows in order.
    rows: Option<Vec<u32>>,
    table: Vec<f32>,
    values: Vec<f32>,
}

impl Learner {
    /// Starts from a model's weights. `counts` holds the training clicks of each item.
    pub fn new(model: &Model, config: &BackboneConfig, how: &Schedule, counts: &[u32]) -> Self {
        let layout = Layout::new(config);
        let [table, values] = layout.read(model).map(Trained::new);
        let sampler = (how.negatives > 0).then(|| Sampler::new(how.negatives, counts));
        let directions = how
            .unit
            .then(|| Directions::of(&table.weights, config.width));
        Self {
            last: vec![0; if sampler.is_some() { counts.len() } else { 0 }],
            layout,
            table,
            directions,
            values,
            steps: 0,
            fixed: false,
            sampler,
            loss: how.loss,
        }
    }

    /// Trains the encoder alone: the item table is constant.
    #[must_use]
    pub fn encoder_only(self) -> Self {
        Self {
            fixed: true,
            ..self
        }
    }

    /// The model with the current weights.
    pub fn write(&self, model: Model) -> Model {
        (self.layout).write(model, self.item_table(), &self.values.weights)
    }

    /// The item embeddings used by the model, `[items + 1, width]`.
    fn item_table(&self) -> &[f32] {
        let rows = self.directions.as_ref().map(Directions::rows);
        rows.unwrap_or(&self.table.weights)
    }

    /// The current weights, with the output of [`ingle_layers::Places::transposed`].
    fn pass<'a>(&'a self, turned: &'a [f32]) -> Pass<'a> {
        Pass {
            layout: &self.layout,
            values: Values {
                values: &self.values.weights,
                transposed: turned,
            },
            table: self.item_table(),
        }
    }

    /// Loss and gradients of predicting the targets of training samples.
    ///
    /// # Panics
    /// If a sample has no click or more than `max_len`.
    pub fn gradient(&mut self, lessons: &[Lesson], rng: &mut Rng) -> Gradient {
        let width = self.layout.config.width;
        let targets: Vec<u32> = (lessons.iter().flat_map(|lesson| &lesson.targets))
            .copied()
            .collect();
        let weights: Vec<f32> = (lessons.iter().flat_map(|lesson| &lesson.weights))
            .copied()
            .collect();
        let mut candidates = self.sampler.as_ref().map(|s| s.draw(&targets, rng));
        let negatives = match self.loss {
            Loss::Softmax => None,
            Loss::Binary => {
                let items = self.item_table().len() / width - 1;
                Some(binary::negatives(lessons, items, rng))
            }
        };
        let stream = rng.bits();
        let turned = self.layout.places.transposed(&self.values.weights);
        let pass = self.pass(&turned);
        let shards = shards(lessons);
        let tapes: Vec<Tape> = (shards.par_iter().enumerate())
            .map(|(at, shard)| pass.forward(shard, Some(&mut Rng::new(stream, &[at as u64]))))
            .collect();
        let hidden: Vec<f32> = (tapes.iter())
            .flat_map(|tape| &tape.hidden)
            .copied()
            .collect();
        let fused = match &negatives {
            None => self.rank(&hidden, &targets, &weights, candidates.as_ref()),
            Some(negatives) => {
                let table = self.item_table();
                let shares = shares(&weights, targets.len());
                binary::cross_entropy(&hidden, table, width, &targets, negatives, &shares)
            }
        };
        let (loss, losses, mut table) = (fused.loss, fused.losses, fused.table);
        let (values, embedded) = backward(&pass, &shards, &tapes, &fused.hidden);
        let clicks: Vec<u32> = (shards.iter())
            .flat_map(|shard| &shard.items)
            .copied()
            .collect();
        scatter(&clicks, &embedded, width, candidates.as_mut(), &mut table);
        let rows = candidates.map(|candidates| candidates.items);
        if let Some(directions) = &self.directions {
            directions.project(rows.as_deref(), &mut table);
        }
        Gradient {
            loss,
            losses,
            rows,
            table,
            values,
        }
    }

    /// The cross-entropy of the targets over all items or over the candidates.
    fn rank(
        &self,
        hidden: &[f32],
        targets: &[u32],
        weights: &[f32],
        candidates: Option<&Candidates>,
    ) -> Fused {
        let (width, table) = (self.layout.config.width, self.item_table());
        let all = Ranking {
            hidden,
            table,
            width,
            targets,
            bias: &[],
        };
        let Some(candidates) = candidates else {
            return cross_entropy(all, weights);
        };
        let Candidates {
            items,
            bias,
            targets,
            ..
        } = candidates;
        let among = Ranking {
            table: &gather(table, items, width),
            targets,
            bias,
            ..all
        };
        cross_entropy(among, weights)
    }

    /// Takes an optimiser step.
    pub fn step(&mut self, gradient: &Gradient, rate: f64) {
        self.steps += 1;
        let Trained { weights, moments } = &mut self.table;
        match &gradient.rows {
            _ if self.fixed => (),
            None => moments.step(weights, &gradient.table, rate, self.steps),
            Some(rows) => {
                let last = &mut self.last;
                moments.step_rows(weights, rows, &gradient.table, rate, self.steps, last);
            }
        }
        if let Some(directions) = self.directions.as_mut().filter(|_| !self.fixed) {
            directions.follow(weights, gradient.rows.as_deref());
        }
        let Trained { weights, moments } = &mut self.values;
        moments.step(weights, &gradient.values, rate, self.steps);
    }
}

/// The clicks of all samples, in shards of whole histories.
fn shards(lessons: &[Lesson]) -> Vec<Shard> {
    let mut shards = Vec::new();
    let mut held: Vec<&Lesson> = Vec::new();
    let mut clicks = 0;
    for lesson in lessons {
        held.push(lesson);
        clicks += lesson.items.len();
        if clicks >= SHARD {
            shards.push(Shard::of(&held));
            (held, clicks) = (Vec::new(), 0);
        }
    }
    if !held.is_empty() {
        shards.push(Shard::of(&held));
    }
    shards
}

/// Gradients of all parameters except the table, and of the clicks' embeddings.
fn backward(
    pass: &Pass<'_>,
    shards: &[Shard],
    tapes: &[Tape],
    hidden: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let mut rest = hidden;
    let hidden: Vec<&[f32]> = (tapes.iter())
        .map(|tape| {
            let (own, others) = rest.split_at(tape.hidden.len());
            rest = others;
            own
        })
        .collect();
    let (values, embedded): (Vec<_>, Vec<_>) = (shards.par_iter())
        .zip(tapes)
        .zip(hidden)
        .map(|((shard, tape), hidden)| {
            let mut values = vec![0.0; pass.layout.places.len()];
            let embedded = pass.backward(shard, tape, hidden, &mut values);
            (values, embedded)
        })
        .unzip();
    (sum(values), embedded.concat())
}

/// Copies some rows of a table.
fn gather(table: &[f32], items: &[u32], width: usize) -> Vec<f32> {
    let rows = items
        .iter()
        .map(|&item| &table[item as usize * width..][..width]);
    rows.flatten().copied().collect()
}

/// Adds the gradients of clicks' embeddings to the rows of their items. With `candidates`, rows are positions
/// among them, and clicked items that are missing are added at the end.
fn scatter(
    clicks: &[u32],
    embedded: &[f32],
    width: usize,
    mut candidates: Option<&mut Candidates>,
    table: &mut Vec<f32>,
) {
    for (&item, gradient) in clicks.iter().zip(embedded.chunks_exact(width)) {
        let row = match &mut candidates {
            None => item as usize,
            Some(candidates) => candidates.place(item) as usize,
        };
        table.resize(table.len().max((row + 1) * width), 0.0);
        ingle_kernel::vector::add(&mut table[row * width..][..width], gradient);
    }
}
