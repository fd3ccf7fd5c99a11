//! Writes a bundle so that little of it differs from the one before: items keep their rows, rows keep their scales,
//! and stored numbers move in steps that are coarse beside the rounding of a table of bytes and fine beside what
//! training changes. What moved by less than half a step stays as it was, so no error adds up over releases.

use std::collections::BTreeMap;

use ingle_bundle::{Bundle, ItemTable, TableType, TableValues, Tensor};

/// Units of a row's scale in which the row's bytes move.
const ROW_STEP: f32 = 2.0;
/// A row keeps its scale while its largest byte would be in this range; up to 127 it is cut off.
const ROW_RANGE: std::ops::RangeInclusive<f32> = 64.0..=127.0 + 2.0 * ROW_STEP;
/// Steps in the standard deviation of a weight matrix. Vectors, which are few numbers, have finer ones.
const MATRIX_STEPS: f32 = 64.0;
const VECTOR_STEPS: f32 = 256.0;
/// Most steps that one weight moves by in a delta; a tensor in which one moves further is written as it is.
pub(crate) const MOST_STEPS: f64 = 32_767.0;

/// `new`, whose table is exact, stored in the way of `old`: items that both have are in the same rows where there are
/// rows for them, and numbers move from those of `old` in steps. Where shapes differ, numbers are stored anew.
///
/// # Panics
/// If the parts of `new` are not of one number of rows.
pub fn follow(new: &Bundle, old: &Bundle) -> Bundle {
    let order = order(new, old);
    let width = new.items.width;
    let code_width = new.code_width();
    let exact = new.items.dequantize();
    let rows = |wide: usize| move |&row: &usize| row * wide..(row + 1) * wide;
    let table: Vec<f32> = (order.iter().map(rows(width)))
        .flat_map(|span| exact[span].iter().copied())
        .collect();
    let codes = order.iter().map(rows(code_width));
    let ids: Vec<&str> = order.iter().map(|&row| &new.ids[row]).collect();
    let items = match old.items.dtype() {
        TableType::Int8 => {
            let known = ids.iter().map(|id| old.ids.row(id));
            let known: Vec<Option<usize>> = known.collect();
            follow_rows(&table, width, &known, &old.items)
        }
        TableType::F16 => ItemTable::f16(&table, width),
        TableType::F32 => ItemTable::f32(table, width),
    };
    Bundle {
        manifest: new.manifest.clone(),
        weights: follow_weights(&new.weights, &old.weights),
        items,
        popularity: order.iter().map(|&row| new.popularity[row]).collect(),
        codes: codes
            .flat_map(|span| new.codes[span].iter().copied())
            .collect(),
        ids: ids.into_iter().collect(),
    }
}

/// For each row, which row of `new` it takes. Items that were added without training stay behind the others.
fn order(new: &Bundle, old: &Bundle) -> Vec<usize> {
    let trained = new.items.rows - new.manifest.items.appended.min(new.items.rows);
    let mut order = Vec::with_capacity(new.items.rows);
    for span in [0..trained, trained..new.items.rows] {
        let mut places: Vec<Option<usize>> = vec![None; span.len()];
        let mut others = Vec::new();
        for row in span.clone() {
            let place = old.ids.row(&new.ids[row]);
            match place.filter(|place| span.contains(place)) {
                Some(place) => places[place - span.start] = Some(row),
                None => others.push(row),
            }
        }
        let mut others = others.into_iter();
        let filled = places.into_iter().map(|place| {
            let row = place.or_else(|| others.next());
            row.expect("as many rows as places")
        });
        order.extend(filled);
    }
    order
}

/// A table of bytes whose rows move in steps from those of `old`.
fn follow_rows(table: &[f32], width: usize, known: &[Option<usize>], old: &ItemTable) -> ItemTable {
    let fresh = ItemTable::quantize(table, width);
    let (
        TableValues::Int8 {
            mut values,
            mut scales,
        },
        TableValues::Int8 {
            values: before,
            scales: scales_before,
        },
    ) = (fresh.values, &old.values)
    else {
        unreachable!("both are tables of bytes");
    };
    let rows = table.chunks_exact(width).zip(known).enumerate();
    for (row, (exact, place)) in rows {
        let Some(place) = place.filter(|_| old.width == width) else {
            continue;
        };
        let scale = scales_before[place];
        let largest = exact.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let finite = scales[row].is_finite();
        if !finite || scale <= 0.0 || !ROW_RANGE.contains(&(largest / scale)) {
            continue;
        }
        scales[row] = scale;
        let stored = &mut values[row * width..(row + 1) * width];
        let before = &before[place * width..(place + 1) * width];
        for ((stored, x), before) in stored.iter_mut().zip(exact).zip(before) {
            let before = f32::from(*before);
            let moved = ((x / scale - before) / ROW_STEP).round() * ROW_STEP;
            *stored = (before + moved).clamp(-127.0, 127.0) as i8;
        }
    }
    ItemTable {
        values: TableValues::Int8 { values, scales },
        ..fresh
    }
}

/// Weights that move in steps from those of `old`.
fn follow_weights(
    new: &BTreeMap<String, Tensor>,
    old: &BTreeMap<String, Tensor>,
) -> BTreeMap<String, Tensor> {
    let follow = |(name, tensor): (&String, &Tensor)| {
        let before = old.get(name).filter(|old| old.shape == tensor.shape);
        let data = before.and_then(|before| {
            let step = step(&before.data, before.shape.len())?;
            let moved = before.data.iter().zip(&tensor.data).map(|(&from, &to)| {
                let steps = (f64::from(to) - f64::from(from)) / f64::from(step);
                (steps.abs() <= MOST_STEPS).then(|| from + steps.round() as f32 * step)
            });
            moved.collect::<Option<Vec<f32>>>()
        });
        let shape = tensor.shape.clone();
        let data = data.unwrap_or_else(|| tensor.data.clone());
        (name.clone(), Tensor { shape, data })
    };
    new.iter().map(follow).collect()
}

/// The step in which weights move from these: a power of two, so that products with whole numbers are exact. `None`
/// for weights that are all equal, or too small.
pub(crate) fn step(weights: &[f32], axes: usize) -> Option<f32> {
    let count = weights.len() as f64;
    let mean = weights.iter().copied().map(f64::from).sum::<f64>() / count;
    let squares = weights.iter().map(|&x| (f64::from(x) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / count).sqrt() as f32;
    let steps = if axes > 1 { MATRIX_STEPS } else { VECTOR_STEPS };
    let step = (deviation / steps).log2().floor().exp2();
    (step.is_normal() && step > 1e-30).then_some(step)
}
