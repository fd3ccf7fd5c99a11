//! Gradient descent by Burn's automatic differentiation.

use super::super::download;
use super::{EngineError, Lesson};
use crate::adapter::Adapter;
use burn::prelude::*;
use ingle_bundle::Learning;

/// The adapter after the steps, before each of which it waits for `rest`; `None` if one is not finite. Nothing is read
/// back before the last: what is not finite stays so.
pub(super) async fn learn(
    lesson: Lesson,
    start: f32,
    learning: &Learning,
    rest: &impl AsyncFn() -> Result<(), EngineError>,
) -> Result<Option<Adapter>, EngineError> {
    let device = lesson.items.device();
    let [width, _] = lesson.items.dims();
    let mut bias = Tensor::<2>::zeros([1, width], &device);
    let mut weight = Tensor::<2>::full([1, 1], start, &device);
    // The same on the tape, as constants.
    let lesson = Lesson {
        items: lesson.items.autodiff(),
        popularity: lesson.popularity.autodiff(),
        likely: lesson.likely.autodiff(),
        weights: lesson.weights.autodiff(),
        due: lesson.due.autodiff(),
    };
    for _ in 0..learning.steps {
        rest().await?;
        let leaf = |value: &Tensor<2>, rate| {
            let value = value.clone().autodiff();
            value.set_require_grad(rate > 0.0)
        };
        let own = (
            leaf(&bias, learning.bias_rate),
            leaf(&weight, learning.weight_rate),
        );
        let gradients = lesson.loss(own.0.clone(), own.1.clone()).backward();
        if let Some(gradient) = own.0.grad(&gradients) {
            bias = bias - gradient * learning.bias_rate;
        }
        if let Some(gradient) = own.1.grad(&gradients) {
            weight = weight - gradient * learning.weight_rate;
        }
    }
    let vector = download(Tensor::cat(vec![bias, weight], 1)).await?;
    Ok(Adapter::from_values(&vector, width))
}

impl Lesson {
    /// The mean cross-entropy of the clicks, less what no adapter changes.
    fn loss(&self, bias: Tensor<2>, weight: Tensor<2>) -> Tensor<1> {
        let shape = self.popularity.dims();
        let mut tilts = self.popularity.clone() * weight.expand(shape);
        // A bias that is not learnt is 0.
        if bias.is_require_grad() {
            tilts = tilts + bias.matmul(self.items.clone());
        }
        // The loss stays the same if all tilts are moved; so they are moved to where exponentials are finite.
        let most = tilts.clone().detach().max_dim(1);
        let tilts = tilts - most.expand(shape);
        let sums = self.likely.clone().matmul(tilts.clone().exp().transpose());
        (sums.log() * self.weights.clone()).sum() - (tilts * self.due.clone()).sum()
    }
}
