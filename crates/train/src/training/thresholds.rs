//! The gate's thresholds, chosen by what a gate wins back.
//!
//! A recommender knows the histories it was trained on so well that leaving out a click of theirs hardly
//! changes what it says: on its own users, no gate can be told from another. The folds' recommenders are
//! asked instead, each about the users it has never seen: their latest clicks, after their histories as they
//! are and with more and more clicks replaced. Taken is the gate with the best mean of NDCG@10 among
//! those that cost a percent at most where nothing was replaced, even if chance made them look cheaper by a
//! standard error: asked of a few thousand users, many a gate seems free that costs a percent.

use ingle_model::gate::GateConfig;
use serde::{Deserialize, Serialize};

/// Thresholds that are tried, the most cautious first: below the first a click counts in full, above the
/// second not at all.
pub const TRIED: [[f32; 2]; 9] = [
    [0.8, 1.0],
    [0.7, 0.95],
    [0.6, 0.95],
    [0.5, 0.9],
    [0.4, 0.8],
    [0.3, 0.7],
    [0.3, 0.5],
    [0.2, 0.5],
    [0.15, 0.35],
];

/// Share of the clean NDCG@10 that a gate may cost.
const COST: f64 = 0.01;

/// What a gate came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tried {
    /// Below it a click counts in full.
    pub tau_low: f32,
    /// Above it a click does not count at all.
    pub tau_high: f32,
    /// NDCG@10 at each rate of replaced clicks.
    pub ndcg10: Vec<f64>,
    /// Standard error of what it takes from NDCG@10 at each rate, user by user.
    pub errors: Vec<f64>,
}

impl Tried {
    /// Of thresholds, at no rate yet.
    pub fn new([tau_low, tau_high]: [f32; 2]) -> Self {
        Self {
            tau_low,
            tau_high,
            ..Self::default()
        }
    }

    /// Adds what came of a rate: NDCG@10 of each user with the gate, and of the same users without.
    pub fn add(&mut self, gated: &[f64], open: &[f64]) {
        let differences: Vec<f64> = gated.iter().zip(open).map(|(a, b)| a - b).collect();
        let (n, centre) = (differences.len() as f64, mean(&differences));
        let squares: f64 = differences.iter().map(|x| (x - centre).powi(2)).sum();
        self.ndcg10.push(mean(gated));
        self.errors.push(squares.sqrt() / n);
    }
}

/// A gate of these thresholds.
pub fn gate([tau_low, tau_high]: [f32; 2]) -> GateConfig {
    GateConfig {
        tau_low,
        tau_high,
        ..GateConfig::default()
    }
}

/// All gates that were tried, and the one that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Shares of clicks that were replaced.
    pub rates: Vec<f64>,
    /// NDCG@10 where every click counts, at each rate.
    pub open: Vec<f64>,
    /// The gates.
    pub tried: Vec<Tried>,
    /// Place of the taken one.
    pub taken: usize,
}

impl Choice {
    /// Chooses among gates. Where no rate is 0, the histories being noisy as they are, a gate costs nothing.
    ///
    /// # Panics
    /// If nothing was tried.
    pub fn among(rates: Vec<f64>, open: Vec<f64>, tried: Vec<Tried>) -> Self {
        assert!(!tried.is_empty(), "nothing to choose among");
        let clean = rates.iter().position(|&rate| rate == 0.0);
        let dear = |gate: &Tried| {
            clean.is_some_and(|clean| {
                gate.ndcg10[clean] - gate.errors[clean] < open[clean] * (1.0 - COST)
            })
        };
        // Of equals the first, which is the most cautious.
        let mut taken = 0;
        for (place, gate) in tried.iter().enumerate() {
            if !dear(gate)
                && (mean(&gate.ndcg10) > mean(&tried[taken].ndcg10) || dear(&tried[taken]))
            {
                taken = place;
            }
        }
        Self {
            rates,
            open,
            tried,
            taken,
        }
    }

    /// The gate that was taken.
    pub fn gate(&self) -> &Tried {
        &self.tried[self.taken]
    }
}

/// The mean; 0 of nothing.
pub fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(ndcg10: [[f64; 2]; 3]) -> Vec<Tried> {
        let gates = TRIED.iter().zip(ndcg10);
        gates
            .map(|(&thresholds, ndcg10)| Tried {
                ndcg10: ndcg10.to_vec(),
                errors: vec![0.0; 2],
                ..Tried::new(thresholds)
            })
            .collect()
    }

    #[test]
    fn what_wins_back_most_is_taken_unless_it_costs_clean_histories() {
        let gates = tried([[0.100, 0.05], [0.0999, 0.06], [0.09, 0.09]]);
        let choice = Choice::among(vec![0.0, 0.2], vec![0.1, 0.05], gates.clone());
        assert_eq!(choice.taken, 1);
        assert_eq!(choice.gate().tau_low, TRIED[1][0]);
        let noisy = Choice::among(vec![0.1, 0.2], vec![0.1, 0.05], gates);
        assert_eq!(noisy.taken, 2, "nothing is clean that it could cost");
    }

    #[test]
    fn what_may_cost_more_than_it_seems_is_not_taken() {
        let mut gates = tried([[0.1, 0.05], [0.1, 0.06], [0.1, 0.07]]);
        gates[2].errors[0] = 0.002;
        let choice = Choice::among(vec![0.0, 0.2], vec![0.1, 0.05], gates);
        assert_eq!(choice.taken, 1);
    }

    #[test]
    fn errors_are_those_of_the_differences_user_by_user() {
        let mut gate = Tried::default();
        gate.add(&[0.5, 0.0, 0.3, 0.2], &[0.4, 0.1, 0.2, 0.3]);
        assert!((gate.ndcg10[0] - 0.25).abs() < 1e-12);
        assert!((gate.errors[0] - 0.05).abs() < 1e-12, "{}", gate.errors[0]);
    }

    #[test]
    fn of_equals_and_where_all_are_too_dear_the_most_cautious_is_taken() {
        let choice = |gates| Choice::among(vec![0.0, 0.2], vec![0.1, 0.05], gates).taken;
        assert_eq!(choice(tried([[0.1, 0.05]; 3])), 0);
        assert_eq!(choice(tried([[0.05, 0.05], [0.06, 0.04], [0.05, 0.07]])), 0);
        assert_eq!(choice(tried([[0.05, 0.09], [0.1, 0.04], [0.05, 0.2]])), 1);
    }

    #[test]
    fn gates_are_tried_from_the_most_cautious_on() {
        assert!(TRIED.is_sorted_by(|a, b| a[0] >= b[0] && a[1] >= b[1]));
        assert!(
            TRIED
                .iter()
                .all(|[low, high]| 0.0 < *low && low < high && *high <= 1.0)
        );
    }
}
