//! Rows of the table that are excluded from a token's softmax, such as those of its own history.

use super::ITEMS;

/// Excluded rows, by block.
#[derive(Debug)]
pub(super) struct Bars {
    /// By block, then by token.
    barred: Vec<Barred>,
    /// Start of each block's rows in `barred`, and the end.
    starts: Vec<usize>,
}

/// A row of a block that is excluded for a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Barred {
    token: u32,
    column: u32,
}

impl Bars {
    /// Sorts pairs of a token and a row by block and token. A token's own target is never excluded.
    pub(super) fn new(pairs: &[(u32, u32)], targets: &[u32], blocks: usize) -> Self {
        let others = (pairs.iter()).filter(|(token, row)| targets[*token as usize] != *row);
        let mut sorted: Vec<(usize, Barred)> = others
            .map(|&(token, row)| {
                let column = row % ITEMS as u32;
                (row as usize / ITEMS, Barred { token, column })
            })
            .collect();
        sorted.sort_unstable_by_key(|(block, barred)| (*block, barred.token));
        let starts = (0..=blocks).map(|block| sorted.partition_point(|(of, _)| *of < block));
        Self {
            starts: starts.collect(),
            barred: sorted.into_iter().map(|(_, barred)| barred).collect(),
        }
    }

    /// The excluded rows of a block, by token.
    #[inline(always)]
    pub(super) fn of_block(&self, block: usize) -> &[Barred] {
        &self.barred[self.starts[block]..self.starts[block + 1]]
    }
}

/// Masks the logits of excluded rows. `first` is the token of the first row of logits. Returns the excluded
/// rows of later tokens.
#[inline(always)]
pub(super) fn bar<'b>(
    barred: &'b [Barred],
    first: usize,
    logits: &mut [[f32; ITEMS]],
) -> &'b [Barred] {
    let mut left = barred;
    while let Some((next, rest)) = left.split_first() {
        let Some(row) = logits.get_mut(next.token as usize - first) else {
            break;
        };
        row[next.column as usize] = f32::NEG_INFINITY;
        left = rest;
    }
    left
}
