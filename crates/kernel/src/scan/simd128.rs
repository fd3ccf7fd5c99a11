//! Sums of products in WebAssembly's 128-bit vectors.

use super::LANES;
use core::arch::wasm32::{
    i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4, i32x4_add, i32x4_dot_i16x8,
    i32x4_extract_lane, i32x4_shuffle, v128,
};
use pulp::bytemuck::cast;

/// The inner products of four rows with each query.
#[inline]
pub(super) fn dots<const N: usize>(
    rows: &[i8],
    width: usize,
    queries: [&[[i16; LANES]]; N],
    sums: &mut [[i32; 4]; N],
) {
    let (ab, cd) = rows.split_at(2 * width);
    let ((a, b), (c, d)) = (ab.split_at(width), cd.split_at(width));
    let rows = [a, b, c, d].map(<[i8]>::as_chunks::<LANES>);
    let whole = width / LANES;
    let [a, b, c, d] = rows.map(|(chunks, _)| &chunks[..whole]);
    let queries = queries.map(|query| &query[..width.div_ceil(LANES)]);
    let mut lanes = [[i32x4(0, 0, 0, 0); 4]; N];
    for at in 0..whole {
        add(
            &mut lanes,
            [&a[at], &b[at], &c[at], &d[at]],
            queries.map(|query| &query[at]),
        );
    }
    if whole * LANES < width {
        let rest = rows.map(|(_, rest)| filled(rest));
        add(
            &mut lanes,
            rest.each_ref(),
            queries.map(|query| &query[whole]),
        );
    }
    *sums = lanes.map(across);
}

/// Adds the products of one chunk of four rows with each query's.
#[inline]
fn add<const N: usize>(
    lanes: &mut [[v128; 4]; N],
    rows: [&[i8; LANES]; 4],
    queries: [&[i16; LANES]; N],
) {
    let queries: [[v128; 2]; N] = queries.map(|query| cast(*query));
    for (at, row) in rows.into_iter().enumerate() {
        let row: v128 = cast(*row);
        let (low, high) = (i16x8_extend_low_i8x16(row), i16x8_extend_high_i8x16(row));
        for (lanes, query) in lanes.iter_mut().zip(&queries) {
            let sum = i32x4_add(
                i32x4_dot_i16x8(low, query[0]),
                i32x4_dot_i16x8(high, query[1]),
            );
            lanes[at] = i32x4_add(lanes[at], sum);
        }
    }
}

/// The sum over each vector.
#[inline]
fn across([a, b, c, d]: [v128; 4]) -> [i32; 4] {
    let pairs = |a, b| {
        let even = i32x4_shuffle::<0, 2, 4, 6>(a, b);
        i32x4_add(even, i32x4_shuffle::<1, 3, 5, 7>(a, b))
    };
    let sums = pairs(pairs(a, b), pairs(c, d));
    [
        i32x4_extract_lane::<0>(sums),
        i32x4_extract_lane::<1>(sums),
        i32x4_extract_lane::<2>(sums),
        i32x4_extract_lane::<3>(sums),
    ]
}

/// The remaining values of a row, padded with zeros.
#[inline]
fn filled(rest: &[i8]) -> [i8; LANES] {
    let mut filled = [0; LANES];
    filled[..rest.len()].copy_from_slice(rest);
    filled
}
