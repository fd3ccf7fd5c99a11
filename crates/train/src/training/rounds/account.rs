//! The figures of each round: how well each view detects noise, how much the views disagree, and the ranking.
//! They are kept in one file per run, which the report reads.

use super::super::checkpoint::write_atomically;
use super::disputes::Shown;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

const FILE: &str = "rounds.json";

/// A round's figures, on validation histories with noise added as configured. Users are judged as unseen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The round, counted from 1.
    pub round: usize,
    /// AUC of the language model on histories held out from it; `None` if no language model is used.
    pub reader_auc: Option<f64>,
    /// Rank correlation of the prior with the language model over the log's clicks.
    #[serde(alias = "likeness")]
    pub similarity: Option<f64>,
    /// AUC of the prior view.
    pub prior_auc: f64,
    /// AUC of the posterior view.
    pub posterior_auc: f64,
    /// AUC of the fused logits.
    pub fused_auc: f64,
    /// Expected calibration error (ECE) before and after calibration.
    pub ece: [f64; 2],
    /// Mean Jensen-Shannon divergence of the calibrated views, in nats.
    pub disagreement: f64,
    /// NDCG@10 over kept histories: unchanged, and with noise added.
    pub ndcg10: [f64; 2],
    /// The training histories on which the views disagree most.
    pub disputed: Vec<Shown>,
}

/// All finished rounds of a run; empty if it has none.
pub fn read(run: &Path) -> Result<Vec<Account>> {
    let path = run.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))
}

/// Adds a round; replaces the same round and all later ones.
pub fn add(run: &Path, account: Account) -> Result<()> {
    let mut accounts = read(run)?;
    accounts.retain(|other| other.round < account.round);
    accounts.push(account);
    write_atomically(&run.join(FILE), &serde_json::to_vec_pretty(&accounts)?)
}

/// Spearman's rank correlation of two series, with mean ranks for ties; `None` if one of them is constant.
pub fn rank_correlation(a: &[f32], b: &[f32]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    correlation.is_finite().then_some(correlation)
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (group.len() as f64 - 1.0) / 2.0;
        for &at in group {
            ranks[at] = rank;
        }
        start += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(round: usize, fused_auc: f64) -> Account {
        Account {
            round,
            reader_auc: None,
            similarity: None,
            prior_auc: 0.7,
            posterior_auc: 0.8,
            fused_auc,
            ece: [0.1, 0.02],
            disagreement: 0.05,
            ndcg10: [0.06, 0.05],
            disputed: Vec::new(),
        }
    }

    #[test]
    fn a_round_that_is_run_again_takes_the_place_of_itself_and_what_came_after() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(read(dir.path()).expect("none"), []);
        for (round, auc) in [(1, 0.81), (2, 0.82), (3, 0.83), (2, 0.85)] {
            add(dir.path(), account(round, auc)).expect("written");
        }
        let kept = read(dir.path()).expect("read");
        assert_eq!(kept, [account(1, 0.81), account(2, 0.85)]);
    }

    #[test]
    fn rank_correlation_is_that_of_the_ranks() {
        let rank = |a: &[f32], b: &[f32]| rank_correlation(a, b);
        assert_eq!(rank(&[1.0, 2.0, 30.0], &[-5.0, 0.0, 0.1]), Some(1.0));
        assert_eq!(rank(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Ranks 0, 1.5, 1.5, 3 against 0, 2, 1, 3: 4.5 / sqrt(4.5 * 5).
        let tied = rank(&[1.0, 2.0, 2.0, 3.0], &[1.0, 3.0, 2.0, 4.0]).expect("no constant");
        assert!((tied - 0.948_683_3).abs() < 1e-6);
        assert_eq!(rank(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
