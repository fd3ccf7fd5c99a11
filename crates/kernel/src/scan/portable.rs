//! Sums of products on all machines but the browser's: plain loops that the compiler vectorises.

use super::LANES;
use crate::vector::widest;

/// The inner products of four rows with each query.
#[inline]
pub(super) fn dots<const N: usize>(
    rows: &[i8],
    width: usize,
    queries: [&[[i16; LANES]]; N],
    sums: &mut [[i32; 4]; N],
) {
    widest(
        #[inline(always)]
        || {
            for (query, sums) in queries.into_iter().zip(sums) {
                let query = query.as_flattened();
                for (row, sum) in rows.chunks_exact(width).zip(sums) {
                    let pairs = row.iter().zip(query);
                    *sum = pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                }
            }
        },
    );
}
