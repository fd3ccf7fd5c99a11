//! The item table as the bundle holds it: scored where it lies, block after block, and never unpacked.

use crate::rank::{Best, Block, Mass, Scored, Wanted};
use ingle_bundle::{ItemTable, TableValues};
use ingle_kernel::scan::{Query, lengths};
use ingle_kernel::vector::dot;

/// Rows that are scored together: their scores stay in the core's cache until they have been ranked.
const BLOCK: usize = 512;

/// The catalogue's embeddings; rows count from 0.
#[derive(Debug)]
pub(crate) struct Items {
    table: ItemTable,
}

impl Items {
    pub(crate) fn new(table: ItemTable) -> Self {
        Self { table }
    }

    /// As the bundle holds it.
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

    /// The best rows by the inner product with `vector`, best first, and the softmax of all.
    ///
    /// The pass over the table knows scores to about five digits; the few that come out of it are
    /// computed once more from the floats.
    pub(crate) fn rank(&self, vector: &[f32], wanted: Wanted<'_>) -> (Vec<Scored>, Mass) {
        let mut mass = Mass::default();
        let boost = wanted.boost;
        let best = self.pass(vector, wanted, |_, _| {}, |block| mass.add(block));
        let rows = best.into_iter().map(|scored| scored.row);
        (self.scored(vector, rows, boost), mass)
    }

    /// Some rows, scored from the floats by the inner product with `vector`, best first.
    pub(crate) fn scored(
        &self,
        vector: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.sorted(rows, boost, |embedding| dot(vector, embedding))
    }

    /// Some rows, scored from the floats by the cosine with `direction`, nearest first.
    pub(crate) fn scored_near(
        &self,
        direction: &[f32],
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
    ) -> Vec<Scored> {
        self.sorted(rows, boost, |embedding| {
            let long = dot(embedding, embedding).sqrt();
            if long > 0.0 {
                dot(direction, embedding) / long
            } else {
                0.0
            }
        })
    }

    fn sorted(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        boost: Option<&[f32]>,
        logit: impl Fn(&[f32]) -> f32,
    ) -> Vec<Scored> {
        let scored = rows.map(|row| {
            let logit = logit(&self.embed(std::iter::once(row)));
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

    /// Scores every row, block after block, and keeps the best; `change` may change scores, and `look` sees them.
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

    /// Inner products of the rows from `first` on, as many as there are slots.
    fn scores(&self, vector: &[f32], query: &Query, first: usize, out: &mut [f32]) {
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

    /// Lengths of the rows from `first` on, as many as there are slots.
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

    /// These rows, and their values.
    fn span(&self, first: usize, rows: usize) -> [std::ops::Range<usize>; 2] {
        let rows = first..first + rows;
        let width = self.table.width;
        [rows.clone(), rows.start * width..rows.end * width]
    }
}
