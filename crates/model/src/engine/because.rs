//! The click that contributes most to a recommended item.

use super::answer::Because;
use super::catalogue::Catalogue;
use ingle_kernel::dense::Dense;
use ingle_kernel::product::{Matrix, transpose};
use ingle_kernel::vector::dot;

/// Cosines up to this count as 0.
const ROUNDING: f32 = 1e-6;

/// The clicks of a history, as reasons for recommendations.
#[derive(Debug)]
pub(super) struct Reasons<'a> {
    /// Index in the history and row in the catalogue of each click.
    clicks: &'a [(usize, usize)],
    /// Width of an embedding.
    width: usize,
    /// Contribution of each click to an embedding: the inner product with its item's direction, times the
    /// click's weight.
    spoken: Dense,
}

impl<'a> Reasons<'a> {
    /// # Shapes
    /// - `clicks`, `keep`: `[clicks]`, at least one
    /// - `embedded`: `[clicks, width]`, the embeddings of their items
    pub(super) fn new(clicks: &'a [(usize, usize)], embedded: &[f32], keep: &[f32]) -> Self {
        let width = embedded.len() / keep.len();
        let mut spoken = embedded.to_vec();
        for (row, keep) in spoken.chunks_exact_mut(width).zip(keep) {
            let long = dot(row, row).sqrt();
            let scale = if long > 0.0 { keep / long } else { 0.0 };
            for x in row {
                *x *= scale;
            }
        }
        let mut columns = vec![0.0; spoken.len()];
        transpose(Matrix::new(&spoken, width), &mut columns);
        Self {
            clicks,
            width,
            spoken: Dense::new(&columns, &vec![0.0; keep.len()]),
        }
    }

    /// The reasons for items with these embeddings, `[items, width]`.
    pub(super) fn of(&self, items: &[f32], catalogue: &Catalogue) -> Vec<Option<Because>> {
        let says = self.spoken.forward(items);
        let each = (items.chunks_exact(self.width)).zip(says.chunks_exact(self.clicks.len()));
        let reason = |(item, says)| {
            let (row, share) = self.strongest(item, says)?;
            let item = catalogue.id(row);
            Some(Because { item, share })
        };
        each.map(reason).collect()
    }

    /// The click that contributes most to an item, and its share of all contributions.
    ///
    /// Each click contributes `keep * max(0, cosine)`, where the cosine is between its item's embedding and
    /// that of the recommended item; clicks on the same item are added up. `None` if there is no
    /// contribution.
    ///
    /// - `item`: its embedding, `[width]`
    /// - `says`: the output of [`Dense`] for it, `[clicks]`
    fn strongest(&self, item: &[f32], says: &[f32]) -> Option<(usize, f32)> {
        let least = ROUNDING * dot(item, item).sqrt();
        let mut said: Vec<(usize, f32)> = Vec::new();
        for (&(_, row), &says) in self.clicks.iter().zip(says) {
            let says = if says > least { says } else { 0.0 };
            match said.iter_mut().find(|(of, _)| *of == row) {
                Some((_, sum)) => *sum += says,
                None => said.push((row, says)),
            }
        }
        let all: f32 = said.iter().map(|(_, says)| says).sum();
        let (row, most) = said.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (most > 0.0).then(|| (row, (most / all).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLICKS: [(usize, usize); 4] = [(0, 4), (1, 7), (2, 7), (3, 9)];
    const EMBEDDED: [f32; 8] = [2.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, 0.0];

    fn strongest(keep: &[f32], embedded: &[f32], item: [f32; 2]) -> Option<(usize, f32)> {
        let reasons = Reasons::new(&CLICKS[..keep.len()], embedded, keep);
        reasons.strongest(&item, &reasons.spoken.forward(&item))
    }

    #[test]
    fn repeated_clicks_count_together_and_those_against_it_not_at_all() {
        let of = |keep: [f32; 4]| strongest(&keep, &EMBEDDED, [3.0, 0.0]);
        let (row, share) = of([1.0; 4]).expect("a click");
        assert_eq!(row, 7);
        let both = std::f32::consts::SQRT_2;
        assert!((share - both / (1.0 + both)).abs() < 1e-6, "{share}");
        assert_eq!(of([0.5, 0.0, 0.0, 1.0]), Some((4, 1.0)));
        assert_eq!(of([0.0, 0.0, 0.0, 1.0]), None);
    }

    #[test]
    fn what_has_no_length_has_no_reason_and_is_none() {
        assert_eq!(strongest(&[1.0], &[2.0, 0.0], [0.0, 0.0]), None);
        assert_eq!(strongest(&[1.0], &[0.0, 0.0], [3.0, 0.0]), None);
    }
}
