//! Similarity of the clicks of one history.

use super::super::{SHARPNESS, SUMMARY};
use super::beside;
use crate::slices::others;
use ingle_kernel::product;
use ingle_kernel::vector::{largest, mean, sharpened_mean};

/// Similarity of the clicks of a history, by one kind of vector.
#[derive(Debug)]
pub(super) struct Similarity {
    /// Cosine of each pair of clicks, `[len, len]`.
    pub(super) pairs: Vec<f32>,
    /// Statistics of each click's similarity to the others, `[len, SUMMARY]`.
    pub(super) summary: Vec<f32>,
}

impl Similarity {
    /// `directions`: `[len, width]`, unit vectors or zeros.
    pub(super) fn of(directions: &[f32], len: usize) -> Self {
        let pairs = product::pairs(directions, directions.len() / len);
        let rows = pairs.chunks_exact(len).enumerate();
        let summary = rows.flat_map(|(at, row)| summary(row, at)).collect();
        Self { pairs, summary }
    }
}

/// Mean, maximum, softmax-weighted mean, and sum over the two neighbours; 0 if there is no other click.
fn summary(row: &[f32], at: usize) -> [f32; SUMMARY] {
    if row.len() < 2 {
        return [0.0; SUMMARY];
    }
    let others = others(row, at);
    let most = largest(&others);
    let sharp = sharpened_mean(&others, SHARPNESS, most);
    let before = at.checked_sub(1).map_or(0.0, |before| row[before]);
    let near = before + row.get(at + 1).unwrap_or(&0.0);
    [mean(&others) * 3.0, most * 2.0, sharp * 2.0, near]
}

/// Concatenates hidden states with the statistics of each kind of similarity.
pub(super) fn with_summaries(hidden: &Vec<f32>, kinds: &[&Similarity], len: usize) -> Vec<f32> {
    let summaries = kinds.iter().map(|kind| &kind.summary);
    let parts: Vec<&Vec<f32>> = std::iter::once(hidden).chain(summaries).collect();
    beside(&parts, len)
}
