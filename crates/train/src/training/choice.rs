//! Chooses the keep rule by the NDCG@10 that it wins back.
//!
//! A recommender has fitted its training histories so closely that dropping one of their clicks hardly changes its
//! ranking: on its own users all rules look alike. So the rules are tried with the folds' recommenders, each on the
//! users it was not trained on, under several noise conditions: none, clicks replaced, clicks inserted, a session of
//! another user.
//!
//! Rules that cost more than one standard error without noise are excluded. The best rule has the highest mean NDCG@10
//! over all conditions. Among the rules within one standard error of it, the one with the fewest histories is chosen.
//! If no rule wins anything back, every click is kept.

use crate::metrics::paired::Difference;
use ingle_model::kept::Rule;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The rules that are tried: every click; one history without the clicks above a threshold; means over several
/// histories. With evenly spaced thresholds a click is kept in a share of the histories equal to the probability that
/// it is not noise; with lower thresholds in a smaller share.
pub fn candidates() -> Vec<Rule> {
    let rule = |thresholds: &[f32]| Rule::new(thresholds.to_vec()).expect("thresholds");
    vec![
        Rule::all(),
        rule(&[0.5]),
        Rule::even(4),
        Rule::even(8),
        rule(&[0.0625, 0.25, 1.0]),
        rule(&[0.03125, 0.125, 0.5]),
        rule(&[0.0625, 0.125, 0.25, 0.5]),
        rule(&[0.03125, 0.0625, 0.125, 0.25, 0.5]),
    ]
}

/// A noise condition that rules are tried under.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// No noise is added.
    Clean,
    /// This share of the clicks is replaced.
    Replaced(f64),
    /// Clicks are inserted, this share of the history's clicks.
    Inserted(f64),
    /// One to three consecutive clicks of another user are inserted.
    Session,
    /// The labelled noise of the log itself, with its share.
    Own(f64),
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, what) = match self {
            Self::Clean => return out.write_str("without noise"),
            Self::Replaced(rate) => (rate, "replaced"),
            Self::Inserted(rate) => (rate, "inserted"),
            Self::Session => return out.write_str("a foreign session"),
            Self::Own(rate) => (rate, "noise of the log"),
        };
        write!(out, "{:.0} % {what}", 100.0 * rate)
    }
}

/// The results of a rule by case.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The rule.
    pub rule: Rule,
    /// Mean number of distinct histories per case.
    pub histories: f64,
    /// NDCG@10 by condition and case.
    pub ndcg10: Vec<Vec<f64>>,
}

/// The results of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The rule.
    pub keep: Rule,
    /// Mean number of distinct histories per case.
    pub histories: f64,
    /// NDCG@10 by condition.
    pub ndcg10: Vec<f64>,
    /// Gain in NDCG@10 over keeping every click, by condition.
    pub gains: Vec<Difference>,
    /// Gain over all conditions.
    pub gain: Difference,
}

/// All rules that were tried, and the chosen one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The noise conditions.
    pub noise: Vec<Condition>,
    /// The rules; the first keeps every click.
    pub tried: Vec<Tried>,
    /// Index of the chosen rule.
    pub taken: usize,
}

impl Choice {
    /// Chooses among rules, of which the first keeps every click. `users` gives the user of each case.
    ///
    /// # Panics
    /// If there are no trials, or they differ in their cases.
    pub fn among(noise: Vec<Condition>, users: &[usize], trials: &[Trial]) -> Self {
        let over_all: Vec<Vec<f64>> = trials.iter().map(over_all).collect();
        let tried = |(trial, mean): (&Trial, &Vec<f64>)| Tried {
            keep: trial.rule.clone(),
            histories: trial.histories,
            ndcg10: trial.ndcg10.iter().map(|cases| mean_of(cases)).collect(),
            gains: (trial.ndcg10.iter().zip(&trials[0].ndcg10))
                .map(|(own, every)| Difference::paired(own, every, users))
                .collect(),
            gain: Difference::paired(mean, &over_all[0], users),
        };
        let tried: Vec<Tried> = trials.iter().zip(&over_all).map(tried).collect();
        let clean = noise.iter().position(|noise| *noise == Condition::Clean);
        let error = |difference: &Difference| difference.error.unwrap_or(0.0);
        // If the log's own noise is known there is no clean condition, and no rule is excluded.
        let free = |&at: &usize| {
            let cost = clean.map(|clean| &tried[at].gains[clean]);
            cost.is_none_or(|cost| cost.value >= -error(cost))
        };
        let free: Vec<usize> = (0..tried.len()).filter(free).collect();
        let better = |best: usize, at: usize| {
            let above = tried[at].gain.value > tried[best].gain.value;
            if above { at } else { best }
        };
        let best = free.iter().copied().fold(0, better);
        let as_good = |at: &usize| {
            let short = Difference::paired(&over_all[best], &over_all[*at], users);
            short.value <= error(&short)
        };
        let fewest = |a: &usize, b: &usize| tried[*a].histories.total_cmp(&tried[*b].histories);
        let taken = free.into_iter().filter(as_good).min_by(fewest);
        Self {
            taken: taken.unwrap_or(best),
            noise,
            tried,
        }
    }

    /// The chosen rule.
    pub fn rule(&self) -> &Rule {
        &self.tried[self.taken].keep
    }
}

/// NDCG@10 by case, the mean over all conditions.
fn over_all(trial: &Trial) -> Vec<f64> {
    let cases = trial.ndcg10.first().map_or(0, Vec::len);
    let of_case = |case: usize| {
        let figures: Vec<f64> = trial.ndcg10.iter().map(|ndcg10| ndcg10[case]).collect();
        mean_of(&figures)
    };
    (0..cases).map(of_case).collect()
}

/// The mean; 0 if empty.
fn mean_of(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: [Condition; 2] = [Condition::Clean, Condition::Replaced(0.2)];
    const USERS: [usize; 4] = [1, 2, 3, 4];

    /// A trial whose cases have these NDCG@10, half of them `spread` more and half `spread` less.
    fn trial(rule: Rule, histories: f64, [clean, noisy]: [f64; 2], spread: f64) -> Trial {
        let each = |mean: f64| vec![mean + spread, mean - spread, mean + spread, mean - spread];
        Trial {
            rule,
            histories,
            ndcg10: vec![each(0.1 + clean), each(0.05 + noisy)],
        }
    }

    fn taken(gains: &[([f64; 2], f64, f64)]) -> usize {
        let every = trial(Rule::all(), 1.0, [0.0; 2], 0.0);
        let others = gains.iter().zip([2, 4, 8]);
        let others = others
            .map(|(&(gain, spread, histories), n)| trial(Rule::even(n), histories, gain, spread));
        let trials: Vec<Trial> = std::iter::once(every).chain(others).collect();
        Choice::among(NOISE.to_vec(), &USERS, &trials).taken
    }

    #[test]
    fn what_wins_back_most_is_taken_unless_it_costs_clean_histories() {
        assert_eq!(taken(&[([0.0, 0.01], 0.0, 1.4)]), 1);
        assert_eq!(
            taken(&[([0.0, 0.01], 0.0, 1.4), ([-0.001, 0.09], 0.0, 1.6)]),
            1
        );
        // A cost within its error is none: .01 over the square root of 3.
        assert_eq!(
            taken(&[([0.0, 0.01], 0.0, 1.4), ([-0.005, 0.09], 0.01, 1.6)]),
            2
        );
        let trials = [
            trial(Rule::all(), 1.0, [0.0; 2], 0.0),
            trial(Rule::even(4), 1.4, [-0.01, 0.02], 0.0),
        ];
        let own = vec![Condition::Own(0.1), Condition::Replaced(0.2)];
        let choice = Choice::among(own, &USERS, &trials);
        assert_eq!(choice.taken, 1, "nothing is clean that it could cost");
        assert_eq!(choice.rule(), &Rule::even(4));
    }

    #[test]
    fn every_click_counts_where_nothing_is_won() {
        assert_eq!(taken(&[]), 0);
        assert_eq!(taken(&[([0.0, 0.0], 0.0, 1.0)]), 0, "a tie");
        assert_eq!(taken(&[([0.0, -0.01], 0.0, 1.0)]), 0);
        assert_eq!(taken(&[([0.0, 0.01], 0.1, 1.4)]), 0, "within the error");
        assert_eq!(
            taken(&[([-0.01, 0.01], 0.0, 1.4), ([-0.01, 0.5], 0.0, 2.0)]),
            0
        );
    }

    #[test]
    fn of_rules_that_are_as_good_the_one_of_the_fewest_histories_is_taken() {
        let (four, eight) = (([0.0, 0.0100], 0.0, 1.4), ([0.0, 0.0101], 0.001, 1.9));
        assert_eq!(taken(&[four, eight]), 1);
        let eight = ([0.0, 0.0200], 0.001, 1.9);
        assert_eq!(taken(&[four, eight]), 2);
    }

    #[test]
    fn gains_are_those_over_every_click_case_by_case() {
        let trials = [
            trial(Rule::all(), 1.0, [0.0; 2], 0.0),
            trial(Rule::even(4), 1.4, [0.01, 0.03], 0.0),
        ];
        let choice = Choice::among(NOISE.to_vec(), &USERS, &trials);
        let gains = choice.tried[1].gains.iter().map(|gain| gain.value);
        for (found, due) in gains.zip([0.01, 0.03]) {
            assert!((found - due).abs() < 1e-12);
        }
        assert!((choice.tried[1].gain.value - 0.02).abs() < 1e-12);
        assert!((choice.tried[1].ndcg10[1] - 0.08).abs() < 1e-12);
    }

    #[test]
    fn a_choice_is_read_as_it_was_written() {
        let trials = [trial(Rule::all(), 1.0, [0.0; 2], 0.0)];
        let choice = Choice::among(NOISE.to_vec(), &USERS, &trials);
        let text = serde_json::to_string(&choice).expect("JSON");
        assert!(
            text.contains(r#""noise":["clean",{"replaced":0.2}]"#),
            "{text}"
        );
        let read: Choice = serde_json::from_str(&text).expect("reads");
        assert_eq!(read.taken, choice.taken);
        assert_eq!(read.noise, choice.noise);
    }

    #[test]
    fn every_click_is_the_first_rule_that_is_tried() {
        assert_eq!(candidates()[0], Rule::all());
    }
}
