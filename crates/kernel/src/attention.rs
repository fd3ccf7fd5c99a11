//! Causal self-attention within one history ([Attention Is All You Need](https://arxiv.org/abs/1706.03762)):
//! each click attends to itself and to the clicks before it. There is no padding.

use crate::exp::exp;
use crate::product::{Matrix, add_product, transpose};
use crate::vector::{dot_inlined, largest, mul_add, sum_of, widest};
use std::ops::Range;

/// Queries, keys and values of one history, each `[len, width]`.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Queries.
    pub query: &'a [f32],
    /// Keys.
    pub key: &'a [f32],
    /// Values.
    pub value: &'a [f32],
    /// Width of a row.
    pub width: usize,
    /// Number of heads; divides `width`.
    pub heads: usize,
}

impl Inputs<'_> {
    /// Number of clicks, and width of a head.
    #[inline(always)]
    fn dims(&self) -> [usize; 2] {
        [self.query.len() / self.width, self.width / self.heads]
    }

    /// The range of a click's part of a head.
    #[inline(always)]
    fn part(&self, head: usize, click: usize) -> Range<usize> {
        let [_, depth] = self.dims();
        let start = click * self.width + head * depth;
        start..start + depth
    }

    /// Factor of the scores.
    #[inline(always)]
    fn scale(&self) -> f32 {
        let [_, depth] = self.dims();
        1.0 / (depth as f32).sqrt()
    }

    /// Number of attention weights: `heads * len * len`.
    pub fn weights(&self) -> usize {
        let [len, _] = self.dims();
        self.heads * len * len
    }
}

/// Computes attention. Writes the weights after the softmax into `weights`, 0 for later clicks, and the
/// weighted values into `out`.
///
/// # Shapes
/// - `dropout`: `[heads, len, len]`, factors of the weights before they are applied to the values; empty for
///   1
/// - `weights`: `[heads, len, len]`
/// - `out`: `[len, width]`, overwritten
pub fn forward(inputs: &Inputs<'_>, dropout: &[f32], weights: &mut [f32], out: &mut [f32]) {
    let Inputs {
        query, key, value, ..
    } = *inputs;
    let ([len, _], scale) = (inputs.dims(), inputs.scale());
    out.fill(0.0);
    widest(
        #[inline(always)]
        || {
            for (row, weights) in weights.chunks_exact_mut(len).enumerate() {
                let [head, at] = [row / len, row % len];
                let part = |of: usize| inputs.part(head, of);
                let query = &query[part(at)];
                for (other, weight) in weights[..=at].iter_mut().enumerate() {
                    *weight = scale * dot_inlined(query, &key[part(other)]);
                }
                weights[at + 1..].fill(0.0);
                softmax(&mut weights[..=at]);
                let out = &mut out[part(at)];
                for (other, &weight) in weights[..=at].iter().enumerate() {
                    let weight = weight * dropout.get(row * len + other).unwrap_or(&1.0);
                    add_scaled(out, weight, &value[part(other)]);
                }
            }
        },
    );
}

/// Attention for inference: does not store the weights, can compute the latest queries alone, and takes any
/// mask.
///
/// # Shapes
/// - `inputs`: queries `[queries, width]` of the latest clicks, keys and values `[len, width]`
/// - `bias`: added to the scores, `[heads, queries, len]`; `None` for causal attention
/// - `out`: `[queries, width]`, overwritten
pub fn infer(inputs: &Inputs<'_>, bias: Option<&[f32]>, out: &mut [f32]) {
    let Inputs {
        query,
        key,
        value,
        width,
        heads,
    } = *inputs;
    let ([queries, depth], len) = (inputs.dims(), key.len() / width);
    let (mut keys, mut values) = (vec![0.0; depth * len], vec![0.0; len * depth]);
    let (mut weights, mut mixed) = (vec![0.0; queries * len], vec![0.0; queries * depth]);
    for head in 0..heads {
        let part = head * depth..(head + 1) * depth;
        transpose(Matrix::new(key, width).part(part.clone()), &mut keys);
        weights.fill(0.0);
        let query = Matrix::new(query, width).part(part.clone());
        add_product(query, &keys, &mut weights);
        for (at, row) in weights.chunks_exact_mut(len).enumerate() {
            let bias = bias.map(|bias| &bias[(head * queries + at) * len..][..len]);
            let seen = bias.map_or(len - queries + at + 1, |_| len);
            weigh(&mut row[..seen], inputs.scale(), bias);
            row[seen..].fill(0.0);
        }
        copy_part(value, width, &part, &mut values);
        mixed.fill(0.0);
        add_product(Matrix::new(&weights, len), &values, &mut mixed);
        for (out, mixed) in (out.chunks_exact_mut(width)).zip(mixed.chunks_exact(depth)) {
            out[part.clone()].copy_from_slice(mixed);
        }
    }
}

/// Copies some columns of rows of `width` values.
fn copy_part(from: &[f32], width: usize, part: &Range<usize>, to: &mut [f32]) {
    let rows = from.chunks_exact(width);
    for (to, row) in to.chunks_exact_mut(part.len()).zip(rows) {
        to.copy_from_slice(&row[part.clone()]);
    }
}

/// Turns scores into the weights of one click, in vectors; summing in one variable would prevent that.
fn weigh(row: &mut [f32], scale: f32, bias: Option<&[f32]>) {
    widest(
        #[inline(always)]
        || {
            for (at, score) in row.iter_mut().enumerate() {
                *score = *score * scale + bias.map_or(0.0, |bias| bias[at]);
            }
        },
    );
    let shift = largest(row);
    widest(
        #[inline(always)]
        || {
            for score in row.iter_mut() {
                *score = exp(*score - shift);
            }
            let share = 1.0 / sum_of(row, |x| x);
            for weight in row.iter_mut() {
                *weight *= share;
            }
        },
    );
}

/// Adds the gradients with respect to queries, keys and values, given that of the output.
///
/// # Shapes
/// - `dropout`, `weights`: as in [`forward`]
/// - `out_gradient` and the three gradients: `[len, width]`
pub fn backward(
    inputs: &Inputs<'_>,
    [dropout, weights]: [&[f32]; 2],
    out_gradient: &[f32],
    [query_gradient, key_gradient, value_gradient]: [&mut [f32]; 3],
) {
    let Inputs {
        query, key, value, ..
    } = *inputs;
    let ([len, _], scale) = (inputs.dims(), inputs.scale());
    let mut slopes = vec![0.0; len];
    widest(
        #[inline(always)]
        || {
            for (row, weights) in weights.chunks_exact(len).enumerate() {
                let [head, at] = [row / len, row % len];
                let part = |of: usize| inputs.part(head, of);
                let out = &out_gradient[part(at)];
                let mut mean = 0.0;
                for other in 0..=at {
                    let kept = *dropout.get(row * len + other).unwrap_or(&1.0);
                    slopes[other] = kept * dot_inlined(out, &value[part(other)]);
                    mean += weights[other] * slopes[other];
                    add_scaled(&mut value_gradient[part(other)], weights[other] * kept, out);
                }
                for other in 0..=at {
                    let slope = scale * weights[other] * (slopes[other] - mean);
                    add_scaled(&mut query_gradient[part(at)], slope, &key[part(other)]);
                    add_scaled(&mut key_gradient[part(other)], slope, &query[part(at)]);
                }
            }
        },
    );
}

#[inline(always)]
fn softmax(row: &mut [f32]) {
    let max = row.iter().fold(f32::NEG_INFINITY, |max, &x| max.max(x));
    let mut sum = 0.0;
    for x in row.iter_mut() {
        *x = exp(*x - max);
        sum += *x;
    }
    for x in row {
        *x /= sum;
    }
}

#[inline(always)]
fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = mul_add(*from, scale, *to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{close, differences, random, weigh};

    const LEN: usize = 5;
    const WIDTH: usize = 6;

    fn inputs([query, key, value]: [&[f32]; 3], heads: usize) -> Inputs<'_> {
        Inputs {
            query,
            key,
            value,
            width: WIDTH,
            heads,
        }
    }

    fn mix(inputs: &Inputs<'_>, dropout: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut weights, mut out) = (vec![9.0; inputs.weights()], vec![9.0; LEN * WIDTH]);
        forward(inputs, dropout, &mut weights, &mut out);
        (weights, out)
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let [query, key, value, direction] = [1, 2, 3, 4].map(|seed| random(LEN * WIDTH, seed));
        for heads in [1, 2, 3] {
            let inputs = inputs([&query, &key, &value], heads);
            let dropout: Vec<f32> = (0..inputs.weights())
                .map(|i| [0.0, 2.0, 1.0][i % 3])
                .collect();
            let (weights, _) = mix(&inputs, &dropout);
            let mut gradients = [(); 3].map(|()| vec![0.0; LEN * WIDTH]);
            let [q, k, v] = &mut gradients;
            backward(&inputs, [&dropout, &weights], &direction, [q, k, v]);
            let loss = |inputs: Inputs<'_>| {
                let (_, out) = mix(&inputs, &dropout);
                weigh(&out, &direction)
            };
            let by_query = differences(&query, |x| loss(Inputs { query: x, ..inputs }));
            let by_key = differences(&key, |x| loss(Inputs { key: x, ..inputs }));
            let by_value = differences(&value, |x| loss(Inputs { value: x, ..inputs }));
            for (found, expected) in gradients.iter().zip([by_query, by_key, by_value]) {
                close(found, &expected, 1e-3);
            }
        }
    }

    #[test]
    fn inference_equals_training_for_all_clicks_and_for_the_latest() {
        let [query, key, value] = [1, 2, 3].map(|seed| random(LEN * WIDTH, seed));
        for heads in [1, 2, 3] {
            let inputs = inputs([&query, &key, &value], heads);
            let (_, expected) = mix(&inputs, &[]);
            let causal = (0..heads * LEN * LEN).map(|i| {
                let (at, other) = (i / LEN % LEN, i % LEN);
                if other > at { -1e9 } else { 0.0 }
            });
            let causal: Vec<f32> = causal.collect();
            for (first, bias) in [(0, None), (0, Some(&causal[..])), (LEN - 1, None)] {
                let query = &query[first * WIDTH..];
                let mut out = vec![9.0; query.len()];
                infer(&Inputs { query, ..inputs }, bias, &mut out);
                close(&out, &expected[first * WIDTH..], 1e-6);
            }
        }
    }

    #[test]
    fn a_click_looks_at_itself_and_at_earlier_ones_only() {
        let [query, key, value] = [1, 2, 3].map(|seed| random(LEN * WIDTH, seed));
        let inputs = inputs([&query, &key, &value], 1);
        let (weights, before) = mix(&inputs, &[]);
        for (at, row) in weights.chunks_exact(LEN).enumerate() {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!(row[at + 1..].iter().all(|&w| w == 0.0));
        }
        let mut value = value.clone();
        value[4 * WIDTH..].fill(7.0);
        let (_, after) = mix(
            &Inputs {
                value: &value,
                ..inputs
            },
            &[],
        );
        assert_eq!(before[..4 * WIDTH], after[..4 * WIDTH]);
        assert_ne!(before[4 * WIDTH..], after[4 * WIDTH..]);
    }
}
