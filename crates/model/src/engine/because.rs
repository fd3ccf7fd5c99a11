//! Which click speaks most for a recommended item.

use super::answer::Because;
use super::catalogue::Catalogue;

/// The clicks of a history as reasons.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reasons<'a> {
    /// Place in the history and row in the catalogue of each.
    pub(super) clicks: &'a [(usize, usize)],
    /// Embeddings of their items, `[clicks, width]`.
    pub(super) embedded: &'a [f32],
    /// The weight each kept.
    pub(super) keep: &'a [f32],
}

impl Reasons<'_> {
    /// The reason for an item of this embedding.
    pub(super) fn of(&self, item: &[f32], catalogue: &Catalogue) -> Option<Because> {
        let embedded = self.embedded.chunks_exact(item.len());
        let clicks = self.clicks.iter().zip(embedded).zip(self.keep);
        let clicks = clicks.map(|((&(_, row), embedding), &keep)| (row, embedding, keep));
        let (row, share) = strongest(item, clicks)?;
        let item = catalogue.id(row);
        Some(Because { item, share })
    }
}

/// The click that says most for an item and its share of what all say.
///
/// Each click says `keep * max(0, cosine)`, for the cosine of its item's embedding with that of the
/// recommended item; clicks on the same item count together. `None` where all of them say nothing.
///
/// - `item`: the recommended item's embedding
/// - `clicks`: each click's row in the catalogue, embedding and kept weight
fn strongest<'a>(
    item: &[f32],
    clicks: impl Iterator<Item = (usize, &'a [f32], f32)>,
) -> Option<(usize, f32)> {
    let mut said: Vec<(usize, f32)> = Vec::new();
    for (row, embedding, keep) in clicks {
        let says = keep * cosine(item, embedding).max(0.0);
        match said.iter_mut().find(|(of, _)| *of == row) {
            Some((_, sum)) => *sum += says,
            None => said.push((row, says)),
        }
    }
    let all: f32 = said.iter().map(|(_, says)| says).sum();
    let (row, most) = said.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (most > 0.0).then(|| (row, (most / all).min(1.0)))
}

/// 0 where either has no length.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_clicks_count_together_and_those_against_it_not_at_all() {
        let (like, other, against) = ([2.0, 0.0], [1.0, 1.0], [-1.0, 0.0]);
        let clicks = |keep: [f32; 4]| {
            let rows = [(4, &like[..]), (7, &other), (7, &other), (9, &against)];
            let clicks = rows.into_iter().zip(keep);
            strongest(&[3.0, 0.0], clicks.map(|((row, x), keep)| (row, x, keep)))
        };
        let (row, share) = clicks([1.0; 4]).expect("a click");
        assert_eq!(row, 7);
        let both = std::f32::consts::SQRT_2;
        assert!((share - both / (1.0 + both)).abs() < 1e-6, "{share}");
        assert_eq!(clicks([0.5, 0.0, 0.0, 1.0]), Some((4, 1.0)));
        assert_eq!(clicks([0.0, 0.0, 0.0, 1.0]), None);
        assert_eq!(
            strongest(&[0.0, 0.0], [(1, &like[..], 1.0)].into_iter()),
            None
        );
    }
}
