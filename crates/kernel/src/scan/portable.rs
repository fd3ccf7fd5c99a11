//! Sums of products for every machine but the browser's: plain loops that the compiler widens.

use super::LANES;
use crate::vector::widest;

/// The inner products of four rows.
#[inline]
pub(super) fn dots(rows: &[i8], width: usize, query: &[[i16; LANES]], sums: &mut [i32; 4]) {
    let query = query.as_flattened();
    widest(
        #[inline(always)]
        || {
            for (row, sum) in rows.chunks_exact(width).zip(sums) {
                let pairs = row.iter().zip(query);
                *sum = pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
            }
        },
    );
}
