//! A bundle under measurement: the figures of its recommendations with adapters.

use super::Plan;
use crate::data::Case;
use crate::metrics::ranking::{FIGURES, Figures, rank};
use anyhow::Result;
use indicatif::ProgressBar;
use ingle_bundle::{Bundle, Learning};
use ingle_kernel::vector::{add, add_scaled, dot};
use ingle_model::SliceEngine;
use ingle_model::adapter::{Adapter, Lesson, Rates};
use ingle_model::engine::Sample;
use ingle_model::rank::mean_probabilities;
use rayon::prelude::*;
use std::convert::Infallible;

/// A bundle as a page runs it.
pub(super) struct Subject {
    engine: SliceEngine,
    /// `[items, width]`
    pub(super) table: Vec<f32>,
    pub(super) popularity: Vec<f32>,
    width: usize,
}

impl Subject {
    pub(super) fn new(bundle: Bundle) -> Result<Self> {
        Ok(Self {
            table: bundle.items.dequantize(),
            popularity: bundle.popularity.clone(),
            width: bundle.items.width,
            engine: SliceEngine::new(bundle)?,
        })
    }

    /// Masked figures of every case with each of some plans, by plan.
    pub(super) fn figures(
        &self,
        cases: &[Case<'_>],
        plans: &[Plan],
        bar: &ProgressBar,
    ) -> Vec<Vec<[f64; FIGURES]>> {
        bar.inc_length(cases.len() as u64);
        let of_case: Vec<Vec<[f64; FIGURES]>> = (0..cases.len())
            .into_par_iter()
            .map(|at| {
                let other = (1..cases.len())
                    .map(|step| &cases[(at + step) % cases.len()])
                    .find(|other| other.user != cases[at].user);
                let found = self.of_case(&cases[at], other, plans);
                bar.inc(1);
                found
            })
            .collect();
        (0..plans.len())
            .map(|plan| of_case.iter().map(|found| found[plan]).collect())
            .collect()
    }

    fn of_case(
        &self,
        case: &Case<'_>,
        other: Option<&Case<'_>>,
        plans: &[Plan],
    ) -> Vec<[f64; FIGURES]> {
        let rows = |case: &Case<'_>| -> Vec<usize> {
            case.history.iter().map(|&item| item as usize - 1).collect()
        };
        let history = rows(case);
        let users = self.engine.users(&history);
        let base: Vec<(Vec<f32>, f32)> = (users.iter())
            .map(|(user, weight)| (self.products(user), *weight))
            .collect();
        let clicked = case.real();
        let mut school = School {
            width: self.width,
            lesson: None,
            learnt: None,
        };
        let figures = plans.iter().map(|plan| {
            let start = plan.adapter(self.width);
            let learning =
                (plan.learning.as_ref()).filter(|learning| history.len() >= learning.clicks);
            let adapter = learning.map_or(start.clone(), |learning| {
                let from = other.filter(|_| plan.another).map(rows);
                school.learn(
                    &self.engine,
                    from.as_ref().unwrap_or(&history),
                    plan,
                    learning,
                )
            });
            Figures::of_rank(rank(&self.scores(&base, &adapter), case.target, &clicked).masked)
        });
        figures.collect()
    }

    /// The mean of the biases that users learn by a plan; 0 if it learns none.
    pub(super) fn mean_bias(&self, cases: &[&Case<'_>], plan: &Plan) -> Vec<f32> {
        let mut mean = vec![0.0; self.width];
        let Some(learning) = &plan.learning else {
            return mean;
        };
        let learnt: Vec<Vec<f32>> = (cases.par_iter())
            .map(|case| {
                let rows: Vec<usize> = (case.history.iter())
                    .map(|&item| item as usize - 1)
                    .collect();
                let mut school = School {
                    width: self.width,
                    lesson: None,
                    learnt: None,
                };
                school.learn(&self.engine, &rows, plan, learning).bias
            })
            .collect();
        for bias in &learnt {
            add_scaled(&mut mean, 1.0 / learnt.len() as f32, bias);
        }
        mean
    }

    /// Scores of all items with padding in front, from the products of each kept history.
    fn scores(&self, base: &[(Vec<f32>, f32)], adapter: &Adapter) -> Vec<f32> {
        let mut tilts = if adapter.bias.iter().all(|&x| x == 0.0) {
            vec![0.0; self.popularity.len()]
        } else {
            self.products(&adapter.bias)
        };
        add_scaled(&mut tilts, adapter.weight, &self.popularity);
        let mut out = vec![0.0; tilts.len() + 1];
        if let [(base, _)] = base {
            out[1..].copy_from_slice(base);
            add(&mut out[1..], &tilts);
            return out;
        }
        let tilted = |(base, weight): &(Vec<f32>, f32)| {
            let mut row = base.clone();
            add(&mut row, &tilts);
            (row, *weight)
        };
        let rows: Vec<(Vec<f32>, f32)> = base.iter().map(tilted).collect();
        let rows: Vec<(&[f32], f32)> = rows
            .iter()
            .map(|(row, weight)| (&row[..], *weight))
            .collect();
        mean_probabilities(&rows, &mut out[1..]);
        out
    }

    /// Inner products with all rows.
    fn products(&self, vector: &[f32]) -> Vec<f32> {
        let rows = self.table.chunks_exact(self.width);
        rows.map(|row| dot(row, vector)).collect()
    }
}

impl Plan {
    /// The adapter that learning starts from.
    fn adapter(&self, width: usize) -> Adapter {
        let mut adapter = Adapter::of_popularity(width, self.popularity);
        if let Some(start) = &self.start {
            adapter.bias.clone_from(start);
        }
        adapter
    }
}

/// What one case's plans share: the lesson, and how far an adapter has come.
struct School<'e> {
    width: usize,
    lesson: Option<(f32, bool, Lesson<Sample<'e>>)>,
    learnt: Option<(Plan, Adapter, usize)>,
}

impl<'e> School<'e> {
    fn learn(
        &mut self,
        engine: &'e SliceEngine,
        rows: &[usize],
        plan: &Plan,
        learning: &Learning,
    ) -> Adapter {
        let same = |&(half_life, another, _): &(f32, bool, _)| {
            half_life == learning.half_life && another == plan.another
        };
        if !self.lesson.as_ref().is_some_and(same) {
            let lesson = engine.lesson(rows, learning, &async || Ok::<(), Infallible>(()));
            let Ok(lesson) = pollster::block_on(lesson);
            self.lesson = Some((learning.half_life, plan.another, lesson));
        }
        let (_, _, lesson) = self.lesson.as_ref().expect("a lesson");
        // A plan that differs in its steps alone goes on from where the one before stopped.
        let with_steps = |plan: &Plan, steps: usize| Plan {
            learning: plan.learning.clone().map(|own| Learning { steps, ..own }),
            ..plan.clone()
        };
        let steps = learning.steps;
        let (mut adapter, done) = match &self.learnt {
            Some((last, adapter, done)) if *done <= steps && with_steps(last, steps) == *plan => {
                (adapter.clone(), *done)
            }
            _ => (plan.adapter(self.width), 0),
        };
        let rates = Rates {
            bias: learning.bias_rate,
            weight: learning.weight_rate,
        };
        if !lesson.is_empty() {
            let _ = (done..steps).all(|_| lesson.step(&mut adapter, rates));
        }
        self.learnt = Some((plan.clone(), adapter.clone(), steps));
        adapter
    }
}
