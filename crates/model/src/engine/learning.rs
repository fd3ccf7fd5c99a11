//! Learning an adapter from a history: what an engine adds to [`adapter`](crate::adapter).

use super::ranker::Ranker;
use super::slices::SliceEngine;
use crate::adapter::{Adapter, Candidates, Example, Lesson, Rates};
use crate::backbone::EncodeSlices;
use crate::slices::Items;
use ingle_bundle::Learning;
use ingle_kernel::scan::Query;
use std::ops::Range;

/// Rows that are compared at most, beside the targets. Of a larger catalogue evenly spaced pieces are, each of
/// which stands for its neighbours: a sampled softmax.
const MOST: usize = 1 << 14;
/// Rows of a piece.
const PIECE: usize = 64;

/// Some rows of the item table.
#[derive(Debug)]
pub struct Sample<'a> {
    items: &'a Items,
    /// Ascending.
    spans: Vec<Range<usize>>,
}

impl Sample<'_> {
    fn rows(&self) -> impl Iterator<Item = usize> {
        self.spans.iter().cloned().flatten()
    }
}

impl Candidates for Sample<'_> {
    fn scores(&self, vector: &[f32], out: &mut [f32]) {
        let query = Query::new(vector);
        let mut out = out;
        for span in &self.spans {
            let (here, rest) = out.split_at_mut(span.len());
            self.items.scores(vector, &query, span.start, here);
            out = rest;
        }
    }

    fn add_scaled(&self, factors: &[f32], out: &mut [f32]) {
        let mut factors = factors;
        for span in &self.spans {
            let (here, rest) = factors.split_at(span.len());
            self.items.add_scaled_rows(span.start, here, out);
            factors = rest;
        }
    }
}

/// A click and the state of the encoder before it.
struct Seen {
    /// Index among the known clicks.
    place: usize,
    user: Vec<f32>,
    /// Probability that it counts.
    keep: f32,
}

impl<R: Ranker> SliceEngine<R> {
    /// The vector that an adapter learns from a history, oldest click first: the bias, then the weight of
    /// popularity. `previous`, the vector from before, is returned if nothing better can be learnt from it. Empty if
    /// the bundle has no adapter to learn, the history has too few known clicks or learning fails and there is no
    /// previous vector.
    ///
    /// Equal histories give equal vectors, whatever was learnt before. Waits for `rest` between pieces of work, none of
    /// which takes much longer than an answer, so that a page can let answers go first.
    pub async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn(),
    ) -> Vec<f32> {
        let width = self.parts.config.width;
        let rows: Vec<usize> = (self.catalogue.known(history).iter())
            .map(|&(_, row)| row)
            .collect();
        let Some(spec) = &self.adapter else {
            return Vec::new();
        };
        let learning = spec.learning.as_ref();
        let Some(learning) = learning.filter(|learning| rows.len() >= learning.clicks) else {
            return Vec::new();
        };
        let start = Adapter::of_popularity(width, spec.popularity);
        let rates = Rates {
            bias: learning.bias_rate,
            weight: learning.weight_rate,
        };
        let lesson = self.lesson(&rows, learning, rest).await;
        let learnt = lesson.learn(start, rates, learning.steps, rest).await;
        let previous = previous.and_then(|values| Adapter::from_values(values, width));
        learnt
            .or(previous)
            .map(Adapter::into_values)
            .unwrap_or_default()
    }

    /// The latest clicks of a history, as rows, with what the model predicts before each.
    pub async fn lesson(
        &self,
        rows: &[usize],
        learning: &Learning,
        rest: &impl AsyncFn(),
    ) -> Lesson<Sample<'_>> {
        let seen = self.seen(rows, learning.window, rest).await;
        let sample = self.sample(seen.iter().map(|seen| rows[seen.place]).collect());
        let candidates: Vec<usize> = sample.rows().collect();
        let every = self.every();
        let sampled = |row: usize| (row / PIECE).is_multiple_of(every);
        let stands_for = |&row: &usize| if sampled(row) { every as f32 } else { 0.0 };
        let popularity = candidates.iter().map(|&row| self.popularity[row]).collect();
        let stands_for = candidates.iter().map(stands_for).collect();
        let mut lesson = Lesson::new(sample, popularity, stands_for);
        // Where each click's row is among the candidates, if it is.
        let places: Vec<Option<usize>> = (rows.iter())
            .map(|row| candidates.binary_search(row).ok())
            .collect();
        for Seen { place, user, keep } in &seen {
            let age = (rows.len() - 1 - place) as f32;
            let hidden: Vec<usize> = places[..*place].iter().flatten().copied().collect();
            let target = places[*place].expect("every target is a candidate");
            rest().await;
            lesson.add(Example {
                user,
                target,
                weight: keep * (-age / learning.half_life).exp2(),
                hidden: &hidden,
            });
        }
        lesson
    }

    /// The clicks among the latest `window` that have one before them and may count, oldest first. The encoder reads
    /// pieces of the history that overlap by half, so that every click has at least half of what the model can read
    /// before it.
    async fn seen(&self, rows: &[usize], window: usize, rest: &impl AsyncFn()) -> Vec<Seen> {
        let (width, max_len) = (self.parts.config.width, self.parts.config.max_len);
        let first = rows.len().saturating_sub(window);
        let mut seen = Vec::new();
        let mut end = rows.len();
        while end > first {
            rest().await;
            let start = end.saturating_sub(max_len);
            let own = if start == 0 {
                0
            } else {
                end - max_len.div_ceil(2)
            };
            let latest: Vec<(usize, usize)> = (start..end).map(|at| (at, rows[at])).collect();
            let clicks = self.clicks(&latest);
            let (kept, keep, factors) = self.counted(&clicks);
            let embedded: Vec<&[f32]> = (kept.iter())
                .map(|&at| &clicks.embedded[at * width..][..width])
                .collect();
            if kept.len() > 1 {
                let states = (self.parts.encoder).states(&embedded.concat(), &factors);
                let states = states.chunks_exact(width).zip(&kept[1..]);
                let here: Vec<Seen> = states
                    .map(|(state, &at)| Seen {
                        place: start + at,
                        user: state.to_vec(),
                        keep: keep[at],
                    })
                    .filter(|seen| seen.place >= own.max(first) && seen.keep > 0.0)
                    .collect();
                seen.push(here);
            }
            end = own;
        }
        seen.into_iter().rev().flatten().collect()
    }

    /// The sampled rows and the targets, in the order of the table.
    fn sample(&self, targets: Vec<usize>) -> Sample<'_> {
        Sample {
            items: &self.parts.items,
            spans: spans(self.popularity.len(), self.every(), targets),
        }
    }

    /// One in so many pieces of the table is compared.
    fn every(&self) -> usize {
        self.popularity.len().div_ceil(MOST).max(1)
    }
}

/// Rows of one in `every` pieces, and the targets that are in none of them, ascending.
fn spans(rows: usize, every: usize, mut targets: Vec<usize>) -> Vec<Range<usize>> {
    let sampled = (0..rows.div_ceil(PIECE)).step_by(every);
    let pieces = sampled.map(|piece| piece * PIECE..rows.min((piece + 1) * PIECE));
    targets.sort_unstable();
    targets.dedup();
    targets.retain(|row| !(row / PIECE).is_multiple_of(every));
    let mut spans: Vec<Range<usize>> = pieces
        .chain(targets.into_iter().map(|row| row..row + 1))
        .collect();
    spans.sort_unstable_by_key(|span| span.start);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sample_has_every_target_once_and_stands_for_about_the_whole_table(
            rows in 1usize..5000,
            every in 1usize..9,
            targets in prop::collection::vec(0usize..5000, 0..40),
        ) {
            let targets: Vec<usize> = targets.into_iter().map(|row| row % rows).collect();
            let found: Vec<usize> = spans(rows, every, targets.clone()).into_iter().flatten().collect();
            prop_assert!(found.is_sorted_by(|a, b| a < b));
            prop_assert!(found.iter().all(|&row| row < rows));
            prop_assert!(targets.iter().all(|row| found.binary_search(row).is_ok()));
            let sampled = found.iter().filter(|&row| (row / PIECE).is_multiple_of(every)).count();
            prop_assert!((sampled * every).abs_diff(rows) < every * PIECE, "{sampled}");
            if every == 1 {
                prop_assert_eq!(sampled, rows);
            }
        }
    }
}
