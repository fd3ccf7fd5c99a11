//! Gradient descent on the host, as the small engines do it: automatic differentiation is 126 kB in the browser, more
//! than a quarter of the build that computes on the CPU.

use super::super::download;
use super::{EngineError, Lesson};
use crate::adapter::{self, Adapter, Candidates, Rates};
use ingle_bundle::Learning;
use ingle_kernel::vector::{add_scaled, dot};

/// Rows of the item table in floats.
struct Rows {
    values: Vec<f32>,
    width: usize,
}

impl Candidates for Rows {
    fn scores(&self, vector: &[f32], out: &mut [f32]) {
        for (out, row) in out.iter_mut().zip(self.values.chunks_exact(self.width)) {
            *out = dot(row, vector);
        }
    }

    fn add_scaled(&self, factors: &[f32], out: &mut [f32]) {
        for (factor, row) in factors.iter().zip(self.values.chunks_exact(self.width)) {
            add_scaled(out, *factor, row);
        }
    }
}

/// The adapter after the steps, before each of which it waits for `rest`; `None` if one is not finite.
pub(super) async fn learn(
    constant: Lesson,
    start: f32,
    learning: &Learning,
    rest: &impl AsyncFn() -> Result<(), EngineError>,
) -> Result<Option<Adapter>, EngineError> {
    let [width, _] = constant.items.dims();
    let rates = Rates {
        bias: learning.bias_rate,
        weight: learning.weight_rate,
    };
    let lesson = adapter::Lesson {
        candidates: Rows {
            values: download(constant.items.transpose()).await?,
            width,
        },
        popularity: download(constant.popularity).await?,
        stands_for: Vec::new(),
        likely: download(constant.likely).await?,
        weights: download(constant.weights).await?,
        due: download(constant.due).await?,
    };
    let start = Adapter::of_popularity(width, start);
    lesson.learn(start, rates, learning.steps, rest).await
}
