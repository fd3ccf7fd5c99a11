//! The GPU: Burn's tensors on the browser's WebGPU.

use std::cell::OnceCell;

use burn::prelude::Device;
use ingle_bundle::Bundle;
use ingle_model::{Click, Engine, Info, RecommendOptions, Recommendation, Similar, SimilarOptions};

use crate::error::Failure;

/// A loaded bundle on the GPU.
#[derive(Debug)]
pub(crate) struct Native(Engine);

impl Native {
    pub(crate) async fn open(bundle: Bundle) -> Result<Self, Failure> {
        Ok(Self(Engine::new(bundle, &device().await?)?))
    }

    pub(crate) async fn recommend(
        &self,
        history: &[String],
        options: &RecommendOptions,
    ) -> Result<Vec<Recommendation>, Failure> {
        Ok(self.0.recommend(history, options).await?)
    }

    pub(crate) async fn similar(
        &self,
        items: &[String],
        options: &SimilarOptions,
    ) -> Result<Vec<Similar>, Failure> {
        Ok(self.0.similar(items, options).await?)
    }

    pub(crate) async fn explain(&self, history: &[String]) -> Result<Vec<Click>, Failure> {
        Ok(self.0.explain(history).await?)
    }

    pub(crate) fn info(&self) -> Info {
        self.0.info()
    }

    pub(crate) fn items(&self) -> Vec<String> {
        self.0.items()
    }
}

/// The GPU, opened once in the life of this wasm instance: a second initialisation is an error.
async fn device() -> Result<Device, Failure> {
    thread_local! {
        static DEVICE: OnceCell<Device> = const { OnceCell::new() };
    }
    if let Some(device) = DEVICE.with(|cell| cell.get().cloned()) {
        return Ok(device);
    }
    let device = (Device::wgpu_options().init_async().await).map_err(|error| Failure {
        code: "device/unavailable",
        message: format!("the GPU could not be opened: {error}"),
    })?;
    Ok(DEVICE.with(|cell| cell.get_or_init(|| device).clone()))
}
