//! The arithmetic of the full softmax over a catalogue, one block of items against one tile of tokens
//! at a time, so that logits never leave the core's cache: they are computed once for the sums of the
//! softmax and once more for its gradient, which costs a third more multiplications than keeping them
//! and hardly any memory traffic (as in [Cut Your Losses in Large-Vocabulary Language
//! Models](https://arxiv.org/abs/2411.09009), which does so on a GPU).

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is compiled for the oldest machine there is, not for this one"
)]

use super::exp::exp;
use pulp::{Arch, Simd, WithSimd};

/// Items of a block; a multiple of [`ROWS`] and of [`STRIP`].
pub(super) const ITEMS: usize = 96;
/// Tokens of a tile; a multiple of [`ROWS`].
const TOKENS: usize = 96;
/// Rows of a matrix product that are worked on together: as many as leave their sums in registers.
pub(super) const ROWS: usize = 6;
/// What widths are padded to: two vectors of the widest machine.
pub(super) const STRIP: usize = 32;

/// One side by side with the other: hidden states and item table, padded with zeros.
pub(super) struct Operands<'a> {
    /// Width of a row, a multiple of [`STRIP`].
    pub width: usize,
    /// `[tokens, width]`, tokens a multiple of [`ROWS`].
    pub hidden: &'a [f32],
    /// The same as `[tokens / ROWS, width, ROWS]`.
    pub packed: &'a [[f32; ROWS]],
    /// `[blocks * ITEMS, width]`.
    pub table: &'a [f32],
    /// Rows of the table that are items or, the first, padding.
    pub rows: usize,
}

/// The softmax of one token over some items: `sum` of the exponentials of its logits less `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LogSum {
    pub max: f32,
    pub sum: f32,
}

impl LogSum {
    /// Over no items.
    pub(super) const NONE: Self = Self {
        max: f32::NEG_INFINITY,
        sum: 0.0,
    };

    /// Over the items of both.
    pub(super) fn and(self, other: Self) -> Self {
        let max = self.max.max(other.max);
        Self {
            max,
            sum: self.sum * exp(self.max - max) + other.sum * exp(other.max - max),
        }
    }

    /// The logarithm of the sum of all exponentials.
    pub(super) fn value(self) -> f32 {
        self.max + self.sum.ln()
    }
}

/// What a token's gradient is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// Logarithm of the sum of the exponentials of its logits.
    pub log_sum: f32,
    /// Row of its target.
    pub target: usize,
    /// Its share of the loss; 0 for a token that only pads.
    pub scale: f32,
}

/// Each token's softmax over the items of these blocks.
pub(super) fn log_sums(operands: &Operands<'_>, blocks: std::ops::Range<usize>) -> Vec<LogSum> {
    Arch::new().dispatch(Sums { operands, blocks })
}

/// Gradients of the blocks: with respect to their rows of the table into `table`, `[blocks * ITEMS,
/// width]`, and what they add to that with respect to the hidden states, `[tokens, width]`.
pub(super) fn gradients(
    operands: &Operands<'_>,
    blocks: std::ops::Range<usize>,
    tokens: &[Token],
    table: &mut [f32],
) -> Vec<f32> {
    Arch::new().dispatch(Gradients {
        operands,
        blocks,
        tokens,
        table,
    })
}

struct Sums<'a> {
    operands: &'a Operands<'a>,
    blocks: std::ops::Range<usize>,
}

impl WithSimd for Sums<'_> {
    type Output = Vec<LogSum>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<LogSum> {
        let Self { operands, blocks } = self;
        let width = operands.width;
        let mut sums = vec![LogSum::NONE; operands.hidden.len() / width];
        let mut columns = vec![[0.0; ITEMS]; width];
        let mut logits = [[0.0; ITEMS]; ROWS];
        for block in blocks {
            transpose(operands.block(block), width, &mut columns);
            let groups = operands.packed.chunks_exact(width);
            for (packed, sums) in groups.zip(sums.chunks_exact_mut(ROWS)) {
                multiply(simd, packed, &columns, &mut logits);
                for (row, sum) in logits.iter_mut().zip(sums) {
                    operands.bar(block, row);
                    *sum = add(*sum, row);
                }
            }
        }
        sums
    }
}

struct Gradients<'a> {
    operands: &'a Operands<'a>,
    blocks: std::ops::Range<usize>,
    tokens: &'a [Token],
    table: &'a mut [f32],
}

impl WithSimd for Gradients<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self {
            operands,
            blocks,
            tokens,
            table,
        } = self;
        let width = operands.width;
        let mut hidden_gradient = vec![0.0; operands.hidden.len()];
        let mut columns = vec![[0.0; ITEMS]; width];
        let mut tile = vec![[0.0; ITEMS]; TOKENS];
        for (block, table_gradient) in blocks.zip(table.chunks_exact_mut(ITEMS * width)) {
            transpose(operands.block(block), width, &mut columns);
            let packed = operands.packed.chunks(TOKENS / ROWS * width);
            let hidden = operands.hidden.chunks(TOKENS * width);
            let gradient = hidden_gradient.chunks_mut(TOKENS * width);
            let tiles = packed.zip(hidden).zip(gradient).zip(tokens.chunks(TOKENS));
            for (((packed, hidden), hidden_gradient), tokens) in tiles {
                let tile = &mut tile[..tokens.len()];
                let (groups, _) = tile.as_chunks_mut::<ROWS>();
                for (packed, logits) in packed.chunks_exact(width).zip(groups) {
                    multiply(simd, packed, &columns, logits);
                }
                for (row, token) in tile.iter_mut().zip(tokens) {
                    operands.bar(block, row);
                    to_gradient(row, token, block * ITEMS);
                }
                add_to_table(simd, tile, hidden, width, table_gradient);
                add_to_hidden(simd, tile, operands.block(block), width, hidden_gradient);
            }
        }
        hidden_gradient
    }
}

impl Operands<'_> {
    /// Rows of the table in a block, `[ITEMS, width]`.
    #[inline(always)]
    fn block(&self, block: usize) -> &[f32] {
        let size = ITEMS * self.width;
        &self.table[block * size..(block + 1) * size]
    }

    /// Takes what is no item out of a row of logits.
    #[inline(always)]
    fn bar(&self, block: usize, row: &mut [f32; ITEMS]) {
        if block == 0 {
            row[0] = f32::NEG_INFINITY;
        }
        let items = self.rows - block * ITEMS;
        if items < ITEMS {
            row[items..].fill(f32::NEG_INFINITY);
        }
    }
}

/// `[ITEMS, width]` to `[width, ITEMS]`.
#[inline(always)]
fn transpose(rows: &[f32], width: usize, columns: &mut [[f32; ITEMS]]) {
    for (item, row) in rows.chunks_exact(width).enumerate() {
        for (column, &value) in columns.iter_mut().zip(row) {
            column[item] = value;
        }
    }
}

/// Adds a row of logits to a token's sums.
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

/// Turns a row of logits, of which the first is that of row `first` of the table, into
/// `scale * (softmax - one_hot(target))`.
#[inline(always)]
fn to_gradient(row: &mut [f32; ITEMS], token: &Token, first: usize) {
    for x in row.iter_mut() {
        *x = token.scale * exp(*x - token.log_sum);
    }
    if let Some(x) = row.get_mut(token.target.wrapping_sub(first)) {
        *x -= token.scale;
    }
}

/// Sums of `a * b` over all terms, for each of [`ROWS`] rows and for two vectors of columns from
/// `strip` on.
#[inline(always)]
fn accumulate<'b, S: Simd>(
    simd: S,
    terms: impl Iterator<Item = ([f32; ROWS], &'b [f32])>,
    strip: usize,
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    for (a, b) in terms {
        let (b, _) = S::as_simd_f32s(&b[strip..strip + 2 * S::F32_LANES]);
        let (low, high) = (b[0], b[1]);
        for (sum, a) in sums.iter_mut().zip(a) {
            let a = simd.splat_f32s(a);
            sum[0] = simd.mul_add_e_f32s(a, low, sum[0]);
            sum[1] = simd.mul_add_e_f32s(a, high, sum[1]);
        }
    }
    sums
}

/// Adds those sums to rows that are `width` wide.
#[inline(always)]
fn add_rows<S: Simd>(
    simd: S,
    sums: &[[S::f32s; 2]; ROWS],
    out: &mut [f32],
    width: usize,
    strip: usize,
) {
    for (sum, row) in sums.iter().zip(out.chunks_exact_mut(width)) {
        let (row, _) = S::as_mut_simd_f32s(&mut row[strip..strip + 2 * S::F32_LANES]);
        row[0] = simd.add_f32s(row[0], sum[0]);
        row[1] = simd.add_f32s(row[1], sum[1]);
    }
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
