//! What both engines answer: on tensors the caller has to wait, on slices the answer is there at once.

use super::answer::Click;
use super::error::EngineError;
use super::ranker::Ranker;
use super::slices::SliceEngine;
#[cfg(feature = "burn")]
use super::tensors::Engine;

/// An engine, whichever it is.
#[allow(async_fn_in_trait, reason = "awaited where it is called")]
pub trait Ask {
    /// The verdicts on all clicks, in the given order.
    ///
    /// # Errors
    /// If the device fails.
    async fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError>;

    /// The adapter that a history teaches, oldest click first; `previous` if it teaches none. Empty if there is
    /// neither. Waits for `rest` between pieces of work. See [`SliceEngine::adapt`].
    ///
    /// # Errors
    /// If the device fails, or `rest` says that it has.
    async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn() -> Result<(), EngineError>,
    ) -> Result<Vec<f32>, EngineError>;
}

impl<R: Ranker> Ask for SliceEngine<R> {
    async fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError> {
        Ok(self.explain(history))
    }

    async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn() -> Result<(), EngineError>,
    ) -> Result<Vec<f32>, EngineError> {
        self.adapt(history, previous, rest).await
    }
}

#[cfg(feature = "burn")]
impl Ask for Engine {
    async fn explain(&self, history: &[String]) -> Result<Vec<Click>, EngineError> {
        self.explain(history).await
    }

    async fn adapt(
        &self,
        history: &[String],
        previous: Option<&[f32]>,
        rest: &impl AsyncFn() -> Result<(), EngineError>,
    ) -> Result<Vec<f32>, EngineError> {
        self.adapt(history, previous, rest).await
    }
}
