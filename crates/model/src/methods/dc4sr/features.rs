//! What the scorer sees of a click: its embedding, what the backbone expected before it, and how
//! it agrees with the rest of the history. No feature needs a pass over the catalogue, so the
//! cost on the device does not grow with it.

use crate::methods::Clicks;
use burn::prelude::*;
use burn::tensor::activation::softmax;

/// Feature vectors as wide as an embedding.
pub(super) const VECTORS: usize = 5;
/// Scalar features.
pub(super) const SCALARS: usize = 14;

/// Sharpness of the similarity-weighted summary of the other clicks.
const SHARPNESS: f32 = 8.0;
/// Brings dot products, logarithms and lengths to the order of 1.
const TENTH: f32 = 0.1;

/// Features of every click.
///
/// # Shapes
/// - output: `[batch, len, VECTORS * width + SCALARS]`; what stands on padding means nothing
pub(super) fn features(clicks: &Clicks) -> Tensor<3> {
    let [batch, len, width] = clicks.embedded.dims();
    let real = clicks.batch.real.clone().reshape([batch, len, 1]);
    let scale = (width as f32).sqrt();
    let embedded = clicks.embedded.clone() * real.clone();
    let unit = unit(embedded.clone());
    let hidden = clicks.hidden.clone() * real.clone();
    let expected = shift_right(hidden.clone());
    let others = Others::of(&unit, &real);

    let last = hidden.clone().slice([0..batch, len - 1..len, 0..width]);
    let scalars = vec![
        dot(&expected, &embedded) * TENTH,
        dot(&self::unit(expected.clone()), &unit),
        others.mean_similarity,
        others.max_similarity,
        dot(&self::unit(others.nearest), &unit),
        dot(&shift_right(unit.clone()), &unit),
        dot(&shift_left(unit.clone()), &unit),
        dot(&hidden, &shift_left(embedded.clone())) * TENTH,
        dot(&last.expand([batch, len, width]), &embedded) * TENTH,
        shift_right(real.clone()),
        shift_left(real.clone()),
        clicks.batch.popularity.clone().reshape([batch, len, 1]) * TENTH,
        ages(&real) * TENTH,
        real.clone().sum_dim(1).expand([batch, len, 1]) * TENTH,
    ];
    let mut parts = vec![
        embedded.clone() * scale,
        expected.clone(),
        others.mean.clone() * scale,
        expected * embedded * scale,
        others.mean * unit * (width as f32),
    ];
    assert_eq!((parts.len(), scalars.len()), (VECTORS, SCALARS));
    parts.extend(scalars);
    Tensor::cat(parts, 2)
}

/// How a click relates to all others of its history.
struct Others {
    /// Mean of the others' unit embeddings, `[batch, len, width]`.
    mean: Tensor<3>,
    /// Their mean, those most like the click counting most, `[batch, len, width]`.
    nearest: Tensor<3>,
    /// `[batch, len, 1]`, 0 where there is no other click.
    mean_similarity: Tensor<3>,
    /// `[batch, len, 1]`, 0 where there is no other click.
    max_similarity: Tensor<3>,
}

impl Others {
    fn of(unit: &Tensor<3>, real: &Tensor<3>) -> Self {
        let [batch, len, width] = unit.dims();
        let different = Tensor::<2>::eye(len, &unit.device()).neg() + 1.0;
        let pairs = real.clone().matmul(real.clone().transpose())
            * different.unsqueeze::<3>().expand([batch, len, len]);
        let similarity = unit.clone().matmul(unit.clone().transpose()) * pairs.clone();
        let count = pairs.clone().sum_dim(2);
        let any = count.clone().clamp(0.0, 1.0);
        let count = count.clamp_min(1.0);
        let barred = (pairs.clone() - 1.0) * 1e4;
        let weights = softmax(similarity.clone() * SHARPNESS + barred.clone(), 2) * pairs.clone();
        Self {
            mean: pairs.matmul(unit.clone()) / count.clone().expand([batch, len, width]),
            nearest: weights.matmul(unit.clone()),
            mean_similarity: similarity.clone().sum_dim(2) / count,
            max_similarity: (similarity + barred).max_dim(2).clamp_min(-1.0) * any,
        }
    }
}

/// Clicks since each click, 0 for the latest, `[batch, len, 1]`.
fn ages(real: &Tensor<3>) -> Tensor<3> {
    let [batch, len, _] = real.dims();
    let ages: Vec<f32> = (0..len).rev().map(|age| age as f32).collect();
    let ages = Tensor::<1>::from_floats(ages.as_slice(), &real.device());
    ages.reshape([1, len, 1]).expand([batch, len, 1])
}

/// Scales the last axis to length 1; zeros stay zeros.
fn unit(x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let length = x.clone().square().sum_dim(2).sqrt().clamp_min(1e-6);
    x / length.expand(shape)
}

/// Inner products over the last axis, `[batch, len, 1]`.
fn dot(a: &Tensor<3>, b: &Tensor<3>) -> Tensor<3> {
    (a.clone() * b.clone()).sum_dim(2)
}

/// Moves every position one later; the first becomes zeros.
fn shift_right(x: Tensor<3>) -> Tensor<3> {
    let [batch, len, width] = x.dims();
    let first = Tensor::zeros([batch, 1, width], &x.device());
    Tensor::cat(vec![first, x.slice([0..batch, 0..len - 1, 0..width])], 1)
}

/// Moves every position one earlier; the last becomes zeros.
fn shift_left(x: Tensor<3>) -> Tensor<3> {
    let [batch, len, width] = x.dims();
    let last = Tensor::zeros([batch, 1, width], &x.device());
    Tensor::cat(vec![x.slice([0..batch, 1..len, 0..width]), last], 1)
}
