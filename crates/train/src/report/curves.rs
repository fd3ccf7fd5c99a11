//! Training curves, read from `metrics.jsonl`.

use crate::data::InputError;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Figures by which a phase may be selected, by their names in `metrics.jsonl`.
const SELECTED_BY: [&str; 2] = ["ndcg@10", "auc"];

/// The epochs of one phase of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The phase.
    pub phase: String,
    /// The validation figure it is selected by.
    pub figure: String,
    /// Its epochs, in order.
    pub epochs: Vec<Epoch>,
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean training loss; NaN if the training diverged.
    pub loss: f64,
    /// The validation figure after the epoch.
    pub valid: f64,
    /// Seconds of training.
    pub seconds: f64,
    /// Training clicks.
    pub clicks: f64,
}

impl Curve {
    /// The epoch with the highest validation figure; the first of equal ones.
    pub fn best(&self) -> Option<&Epoch> {
        let higher = |best: &'_ Epoch, epoch: &'_ Epoch| epoch.valid > best.valid;
        self.epochs
            .iter()
            .reduce(|best, epoch| if higher(best, epoch) { epoch } else { best })
    }

    /// Seconds of all epochs.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Training clicks per second.
    pub fn speed(&self) -> f64 {
        let clicks: f64 = self.epochs.iter().map(|epoch| epoch.clicks).sum();
        clicks / self.seconds().max(f64::MIN_POSITIVE)
    }
}

/// Reads a run's `metrics.jsonl`.
pub fn read(run: &Path) -> Result<Vec<Curve>, InputError> {
    let path = run.join("metrics.jsonl");
    let bad = |reason: String| InputError::Unreadable {
        path: path.clone(),
        format: "JSON lines",
        reason,
    };
    let text = std::fs::read_to_string(&path).map_err(|e| bad(e.to_string()))?;
    let mut curves: Vec<Curve> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |what: &str| bad(format!("line {}: {what}", at + 1));
        let line: Value = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
        let (phase, figure, epoch) = epoch(&line).map_err(|key| wrong(&format!("no {key}")))?;
        match curves.last_mut().filter(|curve| curve.phase == phase) {
            Some(curve) => curve.epochs.push(epoch),
            None => curves.push(Curve {
                phase: phase.to_owned(),
                figure: figure.to_owned(),
                epochs: vec![epoch],
            }),
        }
    }
    Ok(curves)
}

/// Phase, name of the validation figure, and the figures of a line; or the missing key.
fn epoch(line: &Value) -> Result<(&str, &'static str, Epoch), &'static str> {
    let number = |key: &'static str| line[key].as_f64().ok_or(key);
    let phase = line["phase"].as_str().ok_or("phase")?;
    let figure = SELECTED_BY.into_iter().find(|name| line[*name].is_number());
    let figure = figure.ok_or("validation figure")?;
    let epoch = Epoch {
        epoch: number("epoch")? as usize,
        // A loss that is not a number is stored as null.
        loss: line["loss"].as_f64().unwrap_or(f64::NAN),
        valid: number(figure)?,
        seconds: number("seconds")?,
        clicks: number("clicks")?,
    };
    Ok((phase, figure, epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Curve>, InputError> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("metrics.jsonl"), text).expect("writes");
        read(dir.path())
    }

    fn line(phase: &str, epoch: usize, figure: &str, value: f64) -> String {
        format!(
            r#"{{"phase":"{phase}","epoch":{epoch},"loss":{},"{figure}":{value},"seconds":2.0,"clicks":100}}"#,
            9.0 / epoch as f64
        ) + "\n"
    }

    #[test]
    fn epochs_are_grouped_by_phase_and_the_best_one_is_found() {
        let text = line("backbone", 1, "ndcg@10", 0.1)
            + &line("backbone", 2, "ndcg@10", 0.3)
            + &line("backbone", 3, "ndcg@10", 0.3)
            + &line("denoiser", 1, "auc", 0.8);
        let curves = read_text(&text).expect("reads");
        assert_eq!(curves.len(), 2);
        assert_eq!(curves[0].best().map(|e| e.epoch), Some(2));
        assert_eq!((curves[0].seconds(), curves[0].speed()), (6.0, 50.0));
        assert_eq!((&*curves[1].phase, &*curves[1].figure), ("denoiser", "auc"));
    }

    #[test]
    fn a_damaged_line_is_named() {
        for (text, part) in [
            ("{\n", "line 1"),
            ("{\"phase\":\"x\"}\n", "validation figure"),
            (&(line("a", 1, "auc", 0.5) + "{}\n"), "line 2: no phase"),
        ] {
            let error = read_text(text).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
