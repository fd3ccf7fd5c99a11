//! GELU with `ingle-kernel`'s vectorised code. Burn's computes the error function element by element, which would
//! take a third of a forward pass.

use burn::prelude::*;
use burn::tensor::TensorData;
use ingle_kernel::gelu::{backward, forward};

/// GELU of every element. The gradient is only computed if `recorded`.
///
/// # Shapes
/// - `x` and output: `[rows, width]`
pub(crate) fn gelu(x: Tensor<2>, recorded: bool) -> Tensor<2> {
    let shape = x.dims();
    let device = x.device();
    let plain = x.clone().detach();
    let data = plain.clone().into_data();
    let values = data.as_slice::<f32>().expect("hidden states are floats");
    let output = Tensor::from_data(TensorData::new(forward(values), shape), &device);
    if !recorded {
        return output;
    }
    let mut slopes = vec![1.0; values.len()];
    backward(values, &mut slopes);
    // Adds zero to the value, and the derivative to the gradient.
    output + (x - plain) * Tensor::from_data(TensorData::new(slopes, shape), &device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::activation;

    #[test]
    fn values_and_gradients_are_those_of_burn() {
        let device = Device::flex().autodiff();
        let values = [[-6.0, -1.5, -0.1, 0.0], [0.2, 0.7, 3.0, 9.0]];
        let weights =
            Tensor::<2>::from_floats([[1.0, -2.0, 3.0, 0.5], [1.5, 1.0, -1.0, 2.0]], &device);
        let of = |function: fn(Tensor<2>) -> Tensor<2>| -> [Vec<f32>; 2] {
            let x = Tensor::<2>::from_floats(values, &device).require_grad();
            let y = function(x.clone());
            let gradients = (y.clone() * weights.clone()).sum().backward();
            let gradient = x.grad(&gradients).expect("recorded");
            [y, gradient].map(|tensor| tensor.into_data().iter().collect())
        };
        for (ours, theirs) in of(|x| gelu(x, true)).iter().zip(of(activation::gelu)) {
            for (a, b) in ours.iter().zip(theirs) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}
