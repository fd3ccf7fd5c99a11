//! Learning an adapter from a history: what an engine adds to [`adapter`](crate::adapter).

use super::error::EngineError;
use super::ranker::Ranker;
use super::slices::SliceEngine;
use crate::adapter::{Adapter, Candidates, Example, Lesson, Rates};
use crate::slices::Items;
use ingle_bundle::{Adapter as AdapterSpec, Learning};
use ingle_kernel::scan::Query;
use std::ops::Range;

/// Rows that are compared at most, beside the targets. Of a larger catalogue evenly spaced pieces are, each of
/// which stands for its neighbours: a sampled softmax.
const MOST: usize = 1 << 14;
/// Least probability that a click counts from which it is learnt from. What counts less is set aside as noise, and noise is
/// what a model predicts least: its gradient would be the largest.
pub(super) const LEAST: f32 = 0.5;
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
    ///
    /// # Errors
    /// If `rest` fails: the device has.
    pub async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn() -> Result<(), EngineError>,
    ) -> Result<Vec<f32>, EngineError> {
        let rows: Vec<usize> = (self.catalogue.known(history).iter())
            .map(|&(_, row)| row)
            .collect();
        let Some(taught) = Taught::of(self.adapter.as_ref(), rows.len()) else {
            return Ok(Vec::new());
        };
        let Taught { learning, start } = taught;
        let width = self.parts.config.width;
        let rates = Rates {
            bias: learning.bias_rate,
            weight: learning.weight_rate,
        };
        let lesson = self.lesson(&rows, learning, rest).await?;
        let start = Adapter::of_popularity(width, start);
        let learnt = lesson.learn(start, rates, learning.steps, rest).await?;
        Ok(kept(learnt, previous, width))
    }

    /// The latest clicks of a history, as rows, with what the model predicts before each.
    ///
    /// # Errors
    /// If `rest` fails.
    pub async fn lesson<E>(
        &self,
        rows: &[usize],
        learning: &Learning,
        rest: &impl AsyncFn() -> Result<(), E>,
    ) -> Result<Lesson<Sample<'_>>, E> {
        let seen = self.seen(rows, learning.window, rest).await?;
        let sample = self.sample(seen.iter().map(|seen| rows[seen.place]).collect());
        let candidates: Vec<usize> = sample.rows().collect();
        let popularity = candidates.iter().map(|&row| self.popularity[row]).collect();
        let stands_for = stands_for(&candidates, self.popularity.len());
        let mut lesson = Lesson::new(sample, popularity, stands_for);
        // Where each click's row is among the candidates, if it is.
        let places: Vec<Option<usize>> = (rows.iter())
            .map(|row| candidates.binary_search(row).ok())
            .collect();
        for Seen { place, user, keep } in &seen {
            let hidden: Vec<usize> = places[..*place].iter().flatten().copied().collect();
            let target = places[*place].expect("every target is a candidate");
            rest().await?;
            lesson.add(Example {
                user,
                target,
                weight: keep * recency(learning, rows.len(), *place),
                hidden: &hidden,
            });
        }
        Ok(lesson)
    }

    /// The clicks among the latest `window` that have one before them and may count, oldest first.
    async fn seen<E>(
        &self,
        rows: &[usize],
        window: usize,
        rest: &impl AsyncFn() -> Result<(), E>,
    ) -> Result<Vec<Seen>, E> {
        let width = self.parts.config.width;
        let mut seen = Vec::new();
        for Piece { read, own } in pieces(rows.len(), self.parts.config.max_len, window) {
            rest().await?;
            let latest: Vec<(usize, usize)> = read.clone().map(|at| (at, rows[at])).collect();
            let clicks = self.clicks(&latest);
            let (kept, keep, factors) = self.counted(&clicks);
            let embedded: Vec<&[f32]> = (kept.iter())
                .map(|&at| &clicks.embedded[at * width..][..width])
                .collect();
            if kept.len() < 2 {
                continue;
            }
            let states = (self.parts.encoder).states(&embedded.concat(), &factors);
            let states = states.chunks_exact(width).zip(&kept[1..]);
            let here = states.map(|(state, &at)| Seen {
                place: read.start + at,
                user: state.to_vec(),
                keep: keep[at],
            });
            seen.extend(here.filter(|seen| own.contains(&seen.place) && seen.keep >= LEAST));
        }
        Ok(seen)
    }

    /// The sampled rows and the targets, in the order of the table.
    fn sample(&self, targets: Vec<usize>) -> Sample<'_> {
        Sample {
            items: &self.parts.items,
            spans: spans(self.popularity.len(), targets),
        }
    }
}

/// What a bundle says of learning, where it applies to a history.
pub(super) struct Taught<'a> {
    pub(super) learning: &'a Learning,
    /// The weight of popularity that steps start from.
    pub(super) start: f32,
}

impl<'a> Taught<'a> {
    /// `None` if the bundle has nothing to learn, or the history too few known clicks.
    pub(super) fn of(spec: Option<&'a AdapterSpec>, clicks: usize) -> Option<Self> {
        let (start, learning) = (spec?.popularity, spec?.learning.as_ref()?);
        (clicks >= learning.clicks).then_some(Self { learning, start })
    }
}

/// The vector of what was learnt, or else of what was learnt before; empty if there is neither.
pub(super) fn kept(learnt: Option<Adapter>, previous: Option<&[f32]>, width: usize) -> Vec<f32> {
    let previous = || previous.and_then(|values| Adapter::from_values(values, width));
    learnt
        .or_else(previous)
        .map(Adapter::into_values)
        .unwrap_or_default()
}

/// How much the click at `place` counts of so many: the latest counts whole.
pub(super) fn recency(learning: &Learning, clicks: usize, place: usize) -> f32 {
    (-((clicks - 1 - place) as f32) / learning.half_life).exp2()
}

/// Clicks that an encoder reads together.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) read: Range<usize>,
    /// Those that are learnt from in this piece.
    pub(super) own: Range<usize>,
}

/// The pieces of a history of so many clicks, of which the latest `window` are learnt from, oldest first. They overlap
/// by half, so that every click has at least half of what the model can read before it.
pub(super) fn pieces(clicks: usize, max_len: usize, window: usize) -> Vec<Piece> {
    let first = clicks.saturating_sub(window);
    let mut pieces = Vec::new();
    let mut end = clicks;
    while end > first {
        let start = end.saturating_sub(max_len);
        let own = if start == 0 {
            0
        } else {
            end - max_len.div_ceil(2)
        };
        pieces.push(Piece {
            read: start..end,
            own: own.max(first)..end,
        });
        end = own;
    }
    pieces.reverse();
    pieces
}

/// One in so many pieces of a table is compared.
fn every(rows: usize) -> usize {
    rows.div_ceil(MOST).max(1)
}

/// Whether a row is among those that stand for the table, of which `every` is taken.
fn sampled(row: usize, every: usize) -> bool {
    (row / PIECE).is_multiple_of(every)
}

/// How many rows of a table each candidate stands for.
pub(super) fn stands_for(candidates: &[usize], rows: usize) -> Vec<f32> {
    let every = every(rows);
    let of = |&row: &usize| {
        if sampled(row, every) {
            every as f32
        } else {
            0.0
        }
    };
    candidates.iter().map(of).collect()
}

/// The rows of a table that are compared: those that stand for it, and the targets that are not among them, ascending.
pub(super) fn spans(rows: usize, targets: Vec<usize>) -> Vec<Range<usize>> {
    spans_of(rows, every(rows), targets)
}

fn spans_of(rows: usize, every: usize, mut targets: Vec<usize>) -> Vec<Range<usize>> {
    let taken = (0..rows.div_ceil(PIECE)).step_by(every);
    let pieces = taken.map(|piece| piece * PIECE..rows.min((piece + 1) * PIECE));
    targets.sort_unstable();
    targets.dedup();
    targets.retain(|&row| !sampled(row, every));
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
            let found: Vec<usize> = spans_of(rows, every, targets.clone()).into_iter().flatten().collect();
            prop_assert!(found.is_sorted_by(|a, b| a < b));
            prop_assert!(found.iter().all(|&row| row < rows));
            prop_assert!(targets.iter().all(|row| found.binary_search(row).is_ok()));
            let sampled = found.iter().filter(|&&row| sampled(row, every)).count();
            prop_assert!((sampled * every).abs_diff(rows) < every * PIECE, "{sampled}");
            if every == 1 {
                prop_assert_eq!(sampled, rows);
            }
        }

        #[test]
        fn every_click_of_the_window_is_learnt_from_in_one_piece_with_what_was_before_it(
            clicks in 0usize..300,
            max_len in 1usize..40,
            window in 1usize..200,
        ) {
            let pieces = pieces(clicks, max_len, window);
            let own: Vec<usize> = pieces.iter().flat_map(|piece| piece.own.clone()).collect();
            let due: Vec<usize> = (clicks.saturating_sub(window)..clicks).collect();
            prop_assert_eq!(own, due);
            for Piece { read, own } in pieces {
                prop_assert!(read.len() <= max_len && read.end == own.end);
                prop_assert!(read.start == 0 || own.start - read.start >= max_len / 2);
            }
        }
    }
}
