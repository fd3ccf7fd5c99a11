//! Conversion between a module and its named parameters.

use super::{ITEM_TABLE, Weights, WeightsError};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_bundle::Tensor as Weight;

/// Copies every parameter of `module`. Blocks until the device has computed them, so it is for native use
/// only.
pub fn collect<M: Module>(module: &M) -> Weights {
    let mut collector = Collector::default();
    module.visit(&mut collector);
    collector.weights
}

/// Replaces every parameter of `module` by the weight of its name. Weights without a parameter are ignored;
/// an item table that is not among the weights stays unchanged.
///
/// # Errors
/// If a parameter has no weight, or one of another shape. The first is named.
pub fn load<M: Module>(module: M, weights: Weights) -> Result<M, WeightsError> {
    let mut loader = Loader {
        path: Vec::new(),
        weights,
        error: None,
    };
    let module = module.map(&mut loader);
    loader.error.map_or(Ok(module), Err)
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    weights: Weights,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let data = tensor.into_data().iter::<f32>().collect();
        self.weights
            .insert(self.path.join("."), Weight { shape, data });
    }
}

struct Loader {
    path: Vec<String>,
    weights: Weights,
    error: Option<WeightsError>,
}

impl ModuleMapper for Loader {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let expected = param.lazy_shape().to_vec();
        let Some(weight) = self.weights.remove(&name) else {
            if name == ITEM_TABLE {
                return param;
            }
            self.error.get_or_insert(WeightsError::Missing(name));
            return param;
        };
        if weight.shape != expected {
            self.error.get_or_insert(WeightsError::Shape {
                name,
                found: weight.shape,
                expected,
            });
            return param;
        }
        let device = param.lazy_device();
        let data = TensorData::new(weight.data, weight.shape);
        param.map(|old| Tensor::from_data(data, &device).set_require_grad(old.is_require_grad()))
    }
}
