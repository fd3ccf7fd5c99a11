//! The full softmax over a catalogue, computed for one block of items and one tile of tokens at a time, so that
//! logits stay in the core's cache. They are computed once for the softmax's sums and again for its gradient. That
//! needs a third more multiplications than storing them, but hardly any memory traffic (as [Cut Your Losses in
//! Large-Vocabulary Language Models](https://arxiv.org/abs/2411.09009) does on a GPU).

use crate::exp::exp;
use crate::product::{ROWS, accumulate, add_rows};
use crate::vector::dispatch;
use crate::vector::dot;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Items of a block; a multiple of the rows and columns of a product's block.
const ITEMS: usize = 96;
/// Tokens of a tile; a multiple of [`ROWS`].
const TOKENS: usize = 96;
/// Widths are padded to a multiple of this: two vectors of the widest machine.
const STRIP: usize = 32;

/// Inputs of the cross-entropy of `targets` under `softmax(hidden · tableᵀ + bias)`.
#[derive(Clone, Copy, Debug)]
pub struct Ranking<'a> {
    /// Hidden states, `[tokens, width]`.
    pub hidden: &'a [f32],
    /// Items, `[rows, width]`; the first row is padding and is excluded.
    pub table: &'a [f32],
    /// Width of a row of either.
    pub width: usize,
    /// Each token's target, `[tokens]`: rows of the table other than the first.
    pub targets: &'a [u32],
    /// Added to the logit of each row unless it is the token's target: `[rows]`, or empty.
    pub bias: &'a [f32],
}

/// Hidden states and item table, padded with zeros to whole tiles and blocks.
#[derive(Debug)]
pub struct Operands<'a> {
    /// Width of a row, without and with padding to two vectors.
    widths: [usize; 2],
    /// `[tokens, width]`, tokens a multiple of [`ROWS`].
    hidden: Vec<f32>,
    /// The same as `[tokens / ROWS, width, ROWS]`.
    packed: Vec<[f32; ROWS]>,
    /// `[blocks * ITEMS, width]`.
    table: Vec<f32>,
    /// Rows of the table without the padding of blocks.
    rows: usize,
    /// Row of each token's target.
    targets: &'a [u32],
    /// As in [`Ranking`].
    bias: &'a [f32],
}

/// The softmax of one token over some items: `sum` of the exponentials of its logits less `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSum {
    max: f32,
    sum: f32,
}

impl LogSum {
    /// The sum over no items.
    pub const NONE: Self = Self {
        max: f32::NEG_INFINITY,
        sum: 0.0,
    };

    /// The sum over the items of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let max = self.max.max(other.max).max(f32::MIN);
        Self {
            max,
            sum: self.sum * (self.max - max).exp() + other.sum * (other.max - max).exp(),
        }
    }

    /// The logarithm of the sum of all exponentials.
    pub fn value(self) -> f32 {
        self.max + self.sum.ln()
    }
}

impl<'a> Operands<'a> {
    /// Lays out the inputs.
    ///
    /// # Panics
    /// If the shapes do not fit each other, or a target is not a row of the table.
    pub fn new(ranking: Ranking<'a>) -> Self {
        let Ranking {
            hidden,
            table,
            width,
            targets,
            bias,
        } = ranking;
        let rows = table.len() / width;
        assert_eq!(hidden.len(), targets.len() * width, "one target a token");
        assert!(bias.is_empty() || bias.len() == rows, "one bias a row");
        let item = |&target: &u32| target > 0 && (target as usize) < rows;
        assert!(targets.iter().all(item), "targets are items");
        let padded = width.next_multiple_of(STRIP);
        let hidden = pad(hidden, [width, padded], ROWS);
        Self {
            widths: [width, padded],
            packed: pack(&hidden, padded),
            hidden,
            table: pad(table, [width, padded], ITEMS),
            rows,
            targets,
            bias,
        }
    }

    /// Splits the blocks of items into at most `parts` ranges.
    pub fn parts(&self, parts: usize) -> Vec<Range<usize>> {
        let blocks = self.table.len() / (ITEMS * self.widths[1]);
        let part = blocks.div_ceil(parts);
        let starts = (0..blocks).step_by(part);
        starts
            .map(|start| start..blocks.min(start + part))
            .collect()
    }

    /// Each token's sum over the items of these blocks.
    pub fn log_sums(&self, blocks: Range<usize>) -> Vec<LogSum> {
        let operands = self;
        dispatch(Sums { operands, blocks })
    }

    /// The logit of a token's own target.
    pub fn target_logit(&self, token: usize) -> f32 {
        let [_, width] = self.widths;
        let target = self.targets[token] as usize;
        dot(
            &self.hidden[token * width..(token + 1) * width],
            &self.table[target * width..(target + 1) * width],
        )
    }

    /// Gradients of the sum of all losses, each times its token's scale, over some blocks: with respect to the
    /// blocks' rows of the table, and these blocks' part of the gradient with respect to the hidden states. That part
    /// is padded; [`narrow`](Self::narrow) removes the padding.
    ///
    /// # Shapes
    /// - `log_sums`: `[tokens]`, logarithms of the sums over all blocks
    /// - `scales`: `[tokens]`
    /// - `table`: `[rows of the blocks, width]`, overwritten
    pub fn gradients(
        &self,
        blocks: Range<usize>,
        log_sums: &[f32],
        scales: &[f32],
        table: &mut [f32],
    ) -> Vec<f32> {
        dispatch(Gradients {
            operands: self,
            blocks,
            log_sums,
            scales,
            table,
        })
    }

    /// Rows of the table in these blocks.
    pub fn rows(&self, blocks: &Range<usize>) -> Range<usize> {
        blocks.start * ITEMS..self.rows.min(blocks.end * ITEMS)
    }

    /// Removes the padding from rows of hidden states.
    pub fn narrow(&self, values: &[f32]) -> Vec<f32> {
        let [width, padded] = self.widths;
        let rows = values.chunks_exact(padded).take(self.targets.len());
        rows.flat_map(|row| &row[..width]).copied().collect()
    }

    /// Rows of the table in a block, `[ITEMS, width]`.
    #[inline(always)]
    fn block(&self, block: usize) -> &[f32] {
        let size = ITEMS * self.widths[1];
        &self.table[block * size..(block + 1) * size]
    }

    /// Turns products into logits: adds the bias and masks rows that are not items.
    #[inline(always)]
    fn finish(&self, block: usize, token: usize, row: &mut [f32; ITEMS]) {
        let first = block * ITEMS;
        let items = ITEMS.min(self.rows - first);
        if !self.bias.is_empty() {
            let target = self.target_in(block, token);
            let own = target.map(|at| (at, row[at]));
            for (x, bias) in row.iter_mut().zip(&self.bias[first..first + items]) {
                *x += bias;
            }
            if let Some((at, logit)) = own {
                row[at] = logit;
            }
        }
        if block == 0 {
            row[0] = f32::NEG_INFINITY;
        }
        row[items..].fill(f32::NEG_INFINITY);
    }

    /// Index of the token's target in a block.
    #[inline(always)]
    fn target_in(&self, block: usize, token: usize) -> Option<usize> {
        let target = *self.targets.get(token)? as usize;
        let at = target.wrapping_sub(block * ITEMS);
        (at < ITEMS).then_some(at)
    }
}

/// Rows of `widths[0]` values, padded with zeros to `widths[1]` and to whole groups of `group` rows.
fn pad(rows: &[f32], [width, padded]: [usize; 2], group: usize) -> Vec<f32> {
    let count = (rows.len() / width).next_multiple_of(group);
    let mut filled = vec![0.0; count * padded];
    for (to, from) in filled
        .chunks_exact_mut(padded)
        .zip(rows.chunks_exact(width))
    {
        to[..width].copy_from_slice(from);
    }
    filled
}

/// `[tokens, width]` to `[tokens / ROWS, width, ROWS]`.
fn pack(hidden: &[f32], width: usize) -> Vec<[f32; ROWS]> {
    let mut packed = Vec::with_capacity(hidden.len() / ROWS);
    for group in hidden.chunks_exact(ROWS * width) {
        packed.extend((0..width).map(|k| std::array::from_fn(|row| group[row * width + k])));
    }
    packed
}

struct Sums<'a> {
    operands: &'a Operands<'a>,
    blocks: Range<usize>,
}

impl WithSimd for Sums<'_> {
    type Output = Vec<LogSum>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<LogSum> {
        let Self { operands, blocks } = self;
        let [_, width] = operands.widths;
        let mut sums = vec![LogSum::NONE; operands.hidden.len() / width];
        let mut columns = vec![[0.0; ITEMS]; width];
        let mut logits = [[0.0; ITEMS]; ROWS];
        for block in blocks {
            turn(operands.block(block), width, &mut columns);
            let groups = operands.packed.chunks_exact(width).enumerate();
            for ((group, packed), sums) in groups.zip(sums.chunks_exact_mut(ROWS)) {
                multiply(simd, packed, &columns, &mut logits);
                for (at, (row, sum)) in logits.iter_mut().zip(sums).enumerate() {
                    operands.finish(block, group * ROWS + at, row);
                    *sum = add(*sum, row);
                }
            }
        }
        sums
    }
}

struct Gradients<'a> {
    operands: &'a Operands<'a>,
    blocks: Range<usize>,
    log_sums: &'a [f32],
    scales: &'a [f32],
    table: &'a mut [f32],
}

impl WithSimd for Gradients<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self {
            operands,
            blocks,
            log_sums,
            scales,
            table,
        } = self;
        let [narrow, width] = operands.widths;
        let mut hidden_gradient = vec![0.0; operands.hidden.len()];
        let mut columns = vec![[0.0; ITEMS]; width];
        let mut tile = vec![[0.0; ITEMS]; TOKENS];
        let mut gradient = vec![0.0; ITEMS * width];
        for (block, table) in blocks.zip(table.chunks_mut(ITEMS * narrow)) {
            turn(operands.block(block), width, &mut columns);
            gradient.fill(0.0);
            let packed = operands.packed.chunks(TOKENS / ROWS * width);
            let hidden = operands.hidden.chunks(TOKENS * width);
            let hidden_gradient = hidden_gradient.chunks_mut(TOKENS * width);
            let tiles = packed.zip(hidden).zip(hidden_gradient).enumerate();
            for (at, ((packed, hidden), hidden_gradient)) in tiles {
                let tile = &mut tile[..hidden.len() / width];
                let (groups, _) = tile.as_chunks_mut::<ROWS>();
                for (packed, logits) in packed.chunks_exact(width).zip(groups) {
                    multiply(simd, packed, &columns, logits);
                }
                for (offset, row) in tile.iter_mut().enumerate() {
                    let token = at * TOKENS + offset;
                    operands.to_gradient(block, token, row, [log_sums, scales]);
                }
                add_to_table(simd, tile, hidden, width, &mut gradient);
                add_to_hidden(simd, tile, operands.block(block), width, hidden_gradient);
            }
            for (to, from) in table
                .chunks_exact_mut(narrow)
                .zip(gradient.chunks_exact(width))
            {
                to.copy_from_slice(&from[..narrow]);
            }
        }
        hidden_gradient
    }
}

impl Operands<'_> {
    /// Turns a token's products with a block into `scale * (softmax - one_hot(target))`.
    #[inline(always)]
    fn to_gradient(
        &self,
        block: usize,
        token: usize,
        row: &mut [f32; ITEMS],
        [log_sums, scales]: [&[f32]; 2],
    ) {
        let Some(&log_sum) = log_sums.get(token) else {
            row.fill(0.0);
            return;
        };
        let scale = scales[token];
        self.finish(block, token, row);
        for x in row.iter_mut() {
            *x = scale * exp(*x - log_sum);
        }
        if let Some(at) = self.target_in(block, token) {
            row[at] -= scale;
        }
    }
}

/// `[ITEMS, width]` to `[width, ITEMS]`.
#[inline(always)]
fn turn(rows: &[f32], width: usize, columns: &mut [[f32; ITEMS]]) {
    for (item, row) in rows.chunks_exact(width).enumerate() {
        for (column, &value) in columns.iter_mut().zip(row) {
            column[item] = value;
        }
    }
}

/// Adds a row of logits to a token's sum.
#[inline(always)]
fn add(sums: LogSum, row: &[f32; ITEMS]) -> LogSum {
    let mut lanes = [f32::NEG_INFINITY; STRIP];
    for group in row.as_chunks::<STRIP>().0 {
        for (lane, &x) in lanes.iter_mut().zip(group) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    let max = lanes.iter().fold(sums.max, |max, &x| max.max(x));
    let mut lanes = [0.0; STRIP];
    for group in row.as_chunks::<STRIP>().0 {
        for (lane, &x) in lanes.iter_mut().zip(group) {
            *lane += exp(x - max);
        }
    }
    let sum = sums.sum * exp(sums.max - max) + lanes.iter().sum::<f32>();
    LogSum { max, sum }
}

/// Logits of [`ROWS`] tokens against a block of items.
#[inline(always)]
fn multiply<S: Simd>(
    simd: S,
    packed: &[[f32; ROWS]],
    columns: &[[f32; ITEMS]],
    logits: &mut [[f32; ITEMS]; ROWS],
) {
    for strip in (0..ITEMS).step_by(2 * S::F32_LANES) {
        let terms = packed.iter().zip(columns).map(|(&a, b)| (a, b.as_slice()));
        let sums = accumulate(simd, terms, strip);
        for (sum, row) in sums.iter().zip(logits.iter_mut()) {
            let (row, _) = S::as_mut_simd_f32s(&mut row[strip..strip + 2 * S::F32_LANES]);
            (row[0], row[1]) = (sum[0], sum[1]);
        }
    }
}

/// Adds a tile's share to the gradient of a block of items, `[ITEMS, width]`.
#[inline(always)]
fn add_to_table<S: Simd>(
    simd: S,
    tile: &[[f32; ITEMS]],
    hidden: &[f32],
    width: usize,
    gradient: &mut [f32],
) {
    for (group, rows) in gradient.chunks_exact_mut(ROWS * width).enumerate() {
        for strip in (0..width).step_by(2 * S::F32_LANES) {
            let terms = (tile.iter().zip(hidden.chunks_exact(width)))
                .map(|(token, hidden)| (token.as_chunks::<ROWS>().0[group], hidden));
            let sums = accumulate(simd, terms, strip);
            add_rows(simd, &sums, rows, width, strip);
        }
    }
}

/// Adds a block's share to the gradient of a tile of hidden states, `[tokens, width]`.
#[inline(always)]
fn add_to_hidden<S: Simd>(
    simd: S,
    tile: &[[f32; ITEMS]],
    block: &[f32],
    width: usize,
    gradient: &mut [f32],
) {
    let groups = tile.as_chunks::<ROWS>().0.iter();
    for (tokens, rows) in groups.zip(gradient.chunks_exact_mut(ROWS * width)) {
        for strip in (0..width).step_by(2 * S::F32_LANES) {
            let terms = (block.chunks_exact(width).enumerate().take(ITEMS))
                .map(|(item, row)| (std::array::from_fn(|token| tokens[token][item]), row));
            let sums = accumulate(simd, terms, strip);
            add_rows(simd, &sums, rows, width, strip);
        }
    }
}
