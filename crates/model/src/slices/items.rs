//! The item table as stored in the bundle: scored in place, block by block, never unpacked.

use crate::rank::{Best, Block, Mass, Mean, PIECE, Scored, Wanted};
use ingle_bundle::{ItemTable, TableValues};
use ingle_kernel::scan::{Query, add_scaled_rows, lengths, scores_of};
use ingle_kernel::vector::{add_scaled, dot, largest};

/// Rows that are scored together: their scores stay in the core's cache until they are ranked.
const BLOCK: usize = 512;

/// What is added to the score of each row: a number of each row, times a factor.
pub(crate) type Addend<'a> = Option<(f32, &'a [f32])>;

fn addend_of(addend: Addend<'_>, row: usize) -> f32 {
    addend.map_or(0.0, |(factor, numbers)| factor * numbers[row])
}

/// Adds it to the scores of the rows from `first` on.
fn add_to(scores: &mut [f32], first: usize, addend: Addend<'_>) {
    if let Some((factor, numbers)) = addend {
        add_scaled(scores, factor, &numbers[first..first + scores.len()]);
    }
}

/// The catalogue's embeddings; rows count from 0.
#[derive(Debug)]
pub(crate) struct Items {
    table: ItemTable,
}

/// The `n`th largest of some numbers, counted from 1; of fewer the smallest.
fn nth_largest(numbers: &[f32], n: usize) -> f32 {
    let mut best = Best::new(Wanted {
        k: n,
        ..Wanted::default()
    });
    best.offer(&Block::new(0, numbers));
    let best = best.into_sorted();
    best.last().map_or(f32::NEG_INFINITY, |last| last.score)
}

impl Items {
    pub(crate) fn new(table: ItemTable) -> Self {
        Self { table }
    }

    /// The table as stored in the bundle.
    pub(crate) fn table(&self) -> &ItemTable {
        &self.table
    }

    /// The embeddings of some rows, `[rows, width]`.
    pub(crate) fn embed(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let width = self.table.width;
        let mut out = vec![0.0; rows.len() * width];
        for (out, row) in out.chunks_exact_mut(width).zip(rows) {
            self.table.row(row, out);
        }
        out
    }

    /// The best rows by the inner product with `vector`, best first, and the softmax over all rows.
    ///
    /// The pass over the table computes scores to about five digits; those of the best rows are computed again
    /// from the floats.
    pub(crate) fn rank(
        &self,
        vector: &[f32],
        addend: Addend<'_>,
        wanted: Wanted<'_>,
    ) -> (Vec<Scored>, Mass) {
        let mut mass = Mass::default();
        let boost = wanted.boost;
        let change = |first, scores: &mut [f32]| add_to(scores, first, addend);
        let best = self.pass(vector, wanted, change, |block| mass.add(block));
        let rows = best.into_iter().map(|scored| scored.row);
        (self.scored(vector, addend, rows, boost), mass)
    }

    /// The best rows by the weighted mean of the softmaxes of several vectors' inner products, best first, and the
    /// softmax in which their scores are logits.
    ///
    /// One pass scores each block of rows with all vectors while it is in the core's cache, and adds up the
    /// softmaxes. Of the scores only the maximum of each piece of rows is kept. It bounds the scores of the piece,
    /// so that only a few pieces, the most promising first, are scored a second time.
    ///
    /// # Panics
    /// If there are no vectors.
    pub(crate) fn rank_mean(
        &self,
        vectors: &[(Vec<f32>, f32)],
        addend: Addend<'_>,
        wanted: Wanted<'_>,
    ) -> (Vec<Scored>, Mass) {
        if let [(vector, _)] = vectors {
            return self.rank(vector, addend, wanted);
        }
        let (boost, rows, count) = (wanted.boost, self.table.rows, vectors.len());
        let queries: Vec<Query> = vectors.iter().map(|(v, _)| Query::new(v)).collect();
        let mut scores = vec![0.0; count * BLOCK.min(rows)];
        let mut most = vec![f32::NEG_INFINITY; count * rows.div_ceil(PIECE)];
        let mut softmaxes: Vec<(Mass, f32)> =
            vectors.iter().map(|(_, w)| (Mass::default(), *w)).collect();
        for (first, most) in (0..rows)
            .step_by(BLOCK)
            .zip(most.chunks_mut(count * BLOCK / PIECE))
        {
            let len = BLOCK.min(rows - first);
            let scores = &mut scores[..count * len];
            self.scores_of(vectors, &queries, addend, first, scores);
            let each = scores.chunks_exact(len).zip(&mut softmaxes);
            for (n, (scores, (mass, _))) in each.enumerate() {
                let pieces = scores
                    .chunks(PIECE)
                    .zip(most.iter_mut().skip(n).step_by(count));
                for (piece, most) in pieces {
                    *most = largest(piece);
                }
                mass.add(&Block::new(first, scores));
            }
        }
        let mean = Mean::of(&softmaxes);
        let ceilings = most.chunks_exact(count).map(|most| mean.ceiling(most));
        let ceilings: Vec<f32> = ceilings.collect();
        let bar = nth_largest(&ceilings, wanted.k);
        let mut best = Best::new(wanted);
        let mut logits = vec![0.0; count];
        for promising in [true, false] {
            for (piece, &ceiling) in ceilings.iter().enumerate() {
                let first = piece * PIECE;
                let len = PIECE.min(rows - first);
                let due = (ceiling >= bar) == promising;
                if !due || !best.may_take(first..first + len, ceiling) {
                    continue;
                }
                let (scores, mut mixed) = (&mut scores[..count * len], [0.0; PIECE]);
                self.scores_of(vectors, &queries, addend, first, scores);
                for (at, mixed) in mixed[..len].iter_mut().enumerate() {
                    for (logit, scores) in logits.iter_mut().zip(scores.chunks_exact(len)) {
                        *logit = scores[at];
                    }
                    let row = first + at;
                    *mixed = if best.may_take(row..row + 1, mean.ceiling(&logits)) {
                        mean.logit(&logits)
                    } else {
                        f32::NAN
                    };
                }
                best.offer(&Block::new(first, &mixed[..len]));
            }
        }
        let rows = best.into_sorted().into_iter().map(|scored| scored.row);
        let vectors: Vec<&[f32]> = vectors.iter().map(|(vector, _)| &vector[..]).collect();
        let best = self.scored_mean(&vectors, &mean, addend, rows, boost);
        (best, mean.mass())
    }

    /// Exact scores of some rows by the mean of the softmaxes of several vectors, best first.
    pub(crate) fn scored_mean(
        &self,
        vectors: &[&[f32]],
        mean: &Mean,
        addend: Addend<'_>,
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.sorted(rows.collect(), boost, &|row, embedding| {
            let more = addend_of(addend, row);
            let logits = vectors.iter().map(|vector| dot(vector, embedding) + more);
            mean.logit(&logits.collect::<Vec<f32>>())
        })
    }

    /// Exact scores of some rows by the inner product with `vector`, best first.
    pub(crate) fn scored(
        &self,
        vector: &[f32],
        addend: Addend<'_>,
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.sorted(rows.collect(), boost, &|row, embedding| {
            dot(vector, embedding) + addend_of(addend, row)
        })
    }

    /// Exact scores of some rows by the cosine with `direction`, nearest first.
    pub(crate) fn scored_near(
        &self,
        direction: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.sorted(rows.collect(), boost, &|_, embedding| {
            let long = dot(embedding, embedding).sqrt();
            if long > 0.0 {
                dot(direction, embedding) / long
            } else {
                0.0
            }
        })
    }

    /// One function for all measures, to keep the download small.
    fn sorted(
        &self,
        rows: Vec<usize>,
        boost: Option<&[f32]>,
        logit: &dyn Fn(usize, &[f32]) -> f32,
    ) -> Vec<Scored> {
        let scored = rows.into_iter().map(|row| {
            let logit = logit(row, &self.embed(std::iter::once(row)));
            Scored {
                row,
                score: logit + boost.map_or(0.0, |boost| boost[row]),
                logit,
            }
        });
        let mut sorted: Vec<Scored> = scored.collect();
        sorted.sort_unstable();
        sorted
    }

    /// Lengths of all rows.
    pub(crate) fn all_lengths(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.table.rows];
        self.lengths(0, &mut out);
        out
    }

    /// The nearest rows by the cosine with `vector`, nearest first.
    pub(crate) fn nearest(&self, vector: &[f32], wanted: Wanted<'_>) -> Vec<Scored> {
        let mut long = [0.0; BLOCK];
        let divide = |first, scores: &mut [f32]| {
            let long = &mut long[..scores.len()];
            self.lengths(first, long);
            for (score, long) in scores.iter_mut().zip(long) {
                *score = if *long > 0.0 { *score / *long } else { 0.0 };
            }
        };
        self.pass(vector, wanted, divide, |_| {})
    }

    /// Scores every row, block by block, and keeps the best; `change` may change scores, and `look` reads them.
    fn pass(
        &self,
        vector: &[f32],
        wanted: Wanted<'_>,
        mut change: impl FnMut(usize, &mut [f32]),
        mut look: impl FnMut(&Block<'_>),
    ) -> Vec<Scored> {
        let mut best = Best::new(wanted);
        let mut scores = [0.0; BLOCK];
        let query = Query::new(vector);
        for first in (0..self.table.rows).step_by(BLOCK) {
            let scores = &mut scores[..BLOCK.min(self.table.rows - first)];
            self.scores(vector, &query, first, scores);
            change(first, scores);
            let block = Block::new(first, scores);
            look(&block);
            best.offer(&block);
        }
        best.into_sorted()
    }

    /// Inner products of several vectors with the rows from `first` on, plus the addend, `[vectors, rows]`.
    fn scores_of(
        &self,
        vectors: &[(Vec<f32>, f32)],
        queries: &[Query],
        addend: Addend<'_>,
        first: usize,
        out: &mut [f32],
    ) {
        let len = out.len() / vectors.len();
        let [rows, span] = self.span(first, len);
        match &self.table.values {
            TableValues::Int8 { values, scales } => {
                scores_of(queries, &values[span], &scales[rows], out);
            }
            TableValues::F32(_) | TableValues::F16(_) => {
                for (at, row) in rows.enumerate() {
                    let row = self.embed(std::iter::once(row));
                    for (out, (vector, _)) in out[at..].iter_mut().step_by(len).zip(vectors) {
                        *out = dot(vector, &row);
                    }
                }
            }
        }
        for scores in out.chunks_exact_mut(len) {
            add_to(scores, first, addend);
        }
    }

    /// Adds the rows from `first` on, each times its factor, to `out`.
    pub(crate) fn add_scaled_rows(&self, first: usize, factors: &[f32], out: &mut [f32]) {
        let [rows, span] = self.span(first, factors.len());
        if let TableValues::Int8 { values, scales } = &self.table.values {
            add_scaled_rows(&values[span], &scales[rows], factors, out);
            return;
        }
        for (row, factor) in rows.zip(factors) {
            add_scaled(out, *factor, &self.embed(std::iter::once(row)));
        }
    }

    /// Inner products of the rows from `first` on, one per entry of `out`.
    pub(crate) fn scores(&self, vector: &[f32], query: &Query, first: usize, out: &mut [f32]) {
        let width = self.table.width;
        let [rows, span] = self.span(first, out.len());
        match &self.table.values {
            TableValues::Int8 { values, scales } => {
                query.scores(&values[span], &scales[rows], out);
            }
            TableValues::F32(values) => {
                for (out, row) in out.iter_mut().zip(values[span].chunks_exact(width)) {
                    *out = dot(vector, row);
                }
            }
            TableValues::F16(_) => {
                for (out, row) in out.iter_mut().zip(rows) {
                    *out = dot(vector, &self.embed(std::iter::once(row)));
                }
            }
        }
    }

    /// Lengths of the rows from `first` on, one per entry of `out`.
    fn lengths(&self, first: usize, out: &mut [f32]) {
        let [rows, span] = self.span(first, out.len());
        if let TableValues::Int8 { values, scales } = &self.table.values {
            lengths(&values[span], self.table.width, &scales[rows], out);
        } else {
            for (out, row) in out.iter_mut().zip(rows) {
                let row = self.embed(std::iter::once(row));
                *out = dot(&row, &row).sqrt();
            }
        }
    }

    /// The range of these rows, and of their values.
    fn span(&self, first: usize, rows: usize) -> [std::ops::Range<usize>; 2] {
        let rows = first..first + rows;
        let width = self.table.width;
        [rows.clone(), rows.start * width..rows.end * width]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;
    use proptest::prelude::*;

    const WIDTH: usize = 20;

    /// Every row's mean probability, by its definition.
    fn means(items: &Items, vectors: &[(Vec<f32>, f32)]) -> Vec<f64> {
        let rows = items.table.rows;
        let mut means = vec![0.0; rows];
        for (vector, weight) in vectors {
            let embedded = items.embed(0..rows);
            let logits = embedded
                .chunks_exact(WIDTH)
                .map(|row| f64::from(dot(row, vector)));
            let logits: Vec<f64> = logits.map(f64::exp).collect();
            let sum: f64 = logits.iter().sum();
            for (mean, logit) in means.iter_mut().zip(logits) {
                *mean += f64::from(*weight) * logit / sum;
            }
        }
        means
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_best_by_the_mean_of_softmaxes_are_those_of_all_rows(
            rows in prop_oneof![1usize..70, 500usize..530, 1000usize..1100],
            count in 1usize..6,
            k in 0usize..40,
            table in 0usize..3,
            picky: bool,
            seed: u64,
        ) {
            let floats = numbers(rows * WIDTH, seed);
            let items = Items::new(match table {
                0 => ItemTable::quantize(&floats, WIDTH),
                1 => ItemTable::f16(&floats, WIDTH),
                _ => ItemTable::f32(floats, WIDTH),
            });
            let vectors: Vec<(Vec<f32>, f32)> = (0..count as u64)
                .map(|n| (numbers(WIDTH, seed ^ (n + 1)), 1.0 / count as f32))
                .collect();
            let allow: Vec<u8> = (0..rows).map(|row| u8::from(row % 3 > 0)).collect();
            let boost: Vec<f32> = numbers(rows, !seed);
            let wanted = Wanted {
                k,
                barred: [0, rows / 2].into(),
                allow: picky.then_some(&allow),
                boost: picky.then_some(&boost),
            };
            let admitted = |row: &usize| {
                !wanted.barred.contains(row) && (!picky || allow[*row] != 0)
            };
            let means = means(&items, &vectors);
            let boosted = |row: usize| {
                means[row].ln() + if picky { f64::from(boost[row]) } else { 0.0 }
            };
            let mut due: Vec<usize> = (0..rows).filter(admitted).collect();
            due.sort_by(|&a, &b| boosted(b).total_cmp(&boosted(a)));
            due.truncate(k);
            let (found, mass) = items.rank_mean(&vectors, None, wanted);
            prop_assert_eq!(found.len(), due.len());
            for (found, due) in found.iter().zip(due) {
                let probability = f64::from(mass.probability(found.logit));
                prop_assert!((probability - means[found.row]).abs() <= 1e-3 * means[found.row]);
                // Scores of the pass have about five digits.
                prop_assert!((boosted(found.row) - boosted(due)).abs() < 1e-3);
            }
        }
    }
}
