//! The devices on which a training can run.

use crate::data::InputError;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// A kind of device. The program is built with some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Compute {
    /// The processor: the backbone by hand, on all cores
    #[default]
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX
    Wgpu,
    /// An NVIDIA GPU through CUDA
    Cuda,
}

impl Compute {
    /// Opens the device.
    ///
    /// # Errors
    /// If the program was built without it, or the machine has none.
    pub fn open(self) -> Result<Device, InputError> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu_options().init().map_err(|error| {
                InputError::other(format!("no GPU can be used ({error}): use --device cpu"))
            }),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[allow(
                unreachable_patterns,
                reason = "with every feature there is nothing left"
            )]
            other => {
                let name = other.name();
                Err(InputError::other(format!(
                    "this program was built without {name}: build it with `--features {name}`, or use --device cpu"
                )))
            }
        }
    }

    /// The name, as `--device` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_the_program_was_not_built_with_says_how_to_get_it() {
        assert!(Compute::Cpu.open().is_ok());
        #[cfg(not(feature = "cuda"))]
        {
            let error = Compute::Cuda.open().expect_err("not built in").to_string();
            assert!(error.contains("--features cuda"), "{error}");
        }
    }
}
