//! Disputes: how much the two views disagree on a history, and the histories where they disagree most.

use super::super::checkpoint::write_atomically;
use super::super::judge::{HistoryLogits, calibrated, probabilities};
use super::super::samples::latest;
use crate::data::Dataset;
use anyhow::Result;
use ingle_bundle::Scale;
use ingle_model::methods::Views;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Number of disputed histories shown in the report.
pub const SHOWN: usize = 12;

/// Noise probabilities of a history's latest clicks by each view and by their fusion.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispute {
    /// The user.
    pub user: usize,
    /// Noise probabilities of each view.
    pub views: Views<Vec<f32>>,
    /// Noise probabilities of the fusion.
    pub fused: Vec<f32>,
    /// Mean Jensen-Shannon divergence of the views, in nats.
    pub divergence: f64,
}

/// Jensen-Shannon divergence of two Bernoulli distributions with probabilities `p` and `q`, in nats: `0..=ln
/// 2`, 0 if they are equal.
pub fn divergence(p: f32, q: f32) -> f64 {
    let entropy = |p: f64| {
        let p = p.clamp(1e-12, 1.0 - 1e-12);
        -(p * p.ln() + (1.0 - p) * (1.0 - p).ln())
    };
    let (p, q) = (f64::from(p), f64::from(q));
    (entropy(f64::midpoint(p, q)) - f64::midpoint(entropy(p), entropy(q))).max(0.0)
}

/// Mean divergence of the views over some clicks; 0 over none.
pub fn mean_divergence(views: &Views<Vec<f32>>) -> f64 {
    let pairs = views.prior.iter().zip(&views.posterior);
    let sum: f64 = pairs.map(|(&p, &q)| divergence(p, q)).sum();
    sum / views.prior.len().max(1) as f64
}

/// Disputes over the latest `last` clicks of each history, largest divergence first; empty for a method with
/// one view.
pub fn ranked(
    users: &[usize],
    logits: &[HistoryLogits],
    last: usize,
    (scale, scales): (Scale, Views<Scale>),
) -> Vec<Dispute> {
    let disputes = users.iter().zip(logits).filter_map(|(&user, scored)| {
        let views = scored.views.as_ref()?;
        let views = Views {
            prior: latest(&views.prior, last).to_vec(),
            posterior: latest(&views.posterior, last).to_vec(),
        };
        let views = calibrated(&views, scales);
        Some(Dispute {
            user,
            fused: probabilities(latest(&scored.fused, last), scale),
            divergence: mean_divergence(&views),
            views,
        })
    });
    let mut disputes: Vec<Dispute> = disputes.collect();
    disputes.sort_by(|a, b| (b.divergence.total_cmp(&a.divergence)).then(a.user.cmp(&b.user)));
    disputes
}

/// Writes disputes in the format that `ingle reader refresh` reads, with the fused probabilities as labels.
pub fn write(path: &Path, disputes: &[Dispute], data: &Dataset) -> Result<()> {
    let mut text = String::new();
    for dispute in disputes {
        let clicks = latest(data.train(dispute.user), dispute.fused.len());
        let ids = clicks
            .iter()
            .map(|&item| &*data.items()[item as usize - 1].id);
        let line = serde_json::json!({
            "user": data.user_id(dispute.user),
            "items": ids.collect::<Vec<_>>(),
            "noise": dispute.fused,
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    write_atomically(path, text.as_bytes())
}

/// A disputed history with titles, for the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Mean divergence of the views, in nats.
    pub divergence: f64,
    /// Its latest clicks, oldest first.
    pub clicks: Vec<ShownClick>,
}

/// A click of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownClick {
    /// Title of the item, or its id where it has none.
    pub title: String,
    /// Noise probability by the prior view.
    pub prior: f32,
    /// Noise probability by the posterior view.
    pub posterior: f32,
    /// Noise probability by their fusion.
    pub fused: f32,
}

impl Dispute {
    /// The history with titles, for the report.
    pub fn shown(&self, data: &Dataset) -> Shown {
        let clicks = latest(data.train(self.user), self.fused.len());
        let shown = clicks.iter().enumerate().map(|(at, &item)| {
            let item = &data.items()[item as usize - 1];
            let title = item.title.as_ref().filter(|title| !title.trim().is_empty());
            ShownClick {
                title: title.unwrap_or(&item.id).clone(),
                prior: self.views.prior[at],
                posterior: self.views.posterior[at],
                fused: self.fused[at],
            }
        });
        Shown {
            divergence: self.divergence,
            clicks: shown.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;
    use crate::reader::score_files;

    fn scored(prior: &[f32], posterior: &[f32]) -> HistoryLogits {
        HistoryLogits {
            fused: prior.iter().zip(posterior).map(|(a, b)| a + b).collect(),
            views: Some(Views {
                prior: prior.to_vec(),
                posterior: posterior.to_vec(),
            }),
        }
    }

    fn disputes() -> Vec<Dispute> {
        let logits = [
            scored(&[1.0, 1.0], &[1.0, 1.0]),
            scored(&[9.0, 4.0, -4.0], &[9.0, -4.0, 4.0]),
        ];
        ranked(&[0, 1], &logits, 2, (Scale::default(), Views::default()))
    }

    #[test]
    fn divergence_is_nothing_of_equals_and_ln_2_of_opposites() {
        assert_eq!(divergence(0.3, 0.3), 0.0);
        assert!((divergence(0.0, 1.0) - 2f64.ln()).abs() < 1e-9);
        assert_eq!(divergence(0.2, 0.7), divergence(0.7, 0.2));
    }

    #[test]
    fn the_worst_come_first_and_only_the_latest_clicks_count() {
        let disputes = disputes();
        assert_eq!([disputes[0].user, disputes[1].user], [1, 0]);
        assert_eq!(disputes[0].fused.len(), 2);
        assert!(disputes[0].divergence > 0.5 && disputes[1].divergence == 0.0);
    }

    #[test]
    fn what_is_written_refines_a_language_model_and_people_can_read_it() {
        let data = dataset(&[&[1, 2, 3, 4], &[2, 3, 1, 4, 1]], &[]);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let disputes = disputes();
        write(file.path(), &disputes, &data).expect("written");
        let read = score_files::disputed(file.path(), &data).expect("read");
        assert_eq!(read[0].items, [3, 1]);
        assert_eq!(read[0].noise, disputes[0].fused);
        assert_eq!(read[1].items, [1, 2]);
        let shown = disputes[0].shown(&data);
        assert_eq!(shown.clicks[0].title, "i3");
        assert!(shown.clicks[0].prior > 0.9 && shown.clicks[0].posterior < 0.1);
    }
}
