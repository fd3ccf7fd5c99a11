//! Errors of the GPU.

use ingle_model::EngineError;

/// A GPU could not be opened, or stopped working.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// There is no GPU, or it cannot be opened.
    #[error("the GPU could not be opened: {0}")]
    Unavailable(String),
    /// The catalogue does not fit.
    #[error(
        "the GPU takes {limit} bytes at once, and the item table has {needed}: the processor answers instead"
    )]
    TooLarge {
        /// Bytes of the table in the GPU's layout.
        needed: u64,
        /// Largest buffer of the GPU, in bytes.
        limit: u64,
    },
    /// Its memory is full.
    #[error("the GPU has no memory left for the catalogue: {0}")]
    Memory(String),
    /// The GPU rejects a kernel or a buffer.
    #[error("the GPU refuses the model: {0}")]
    Refused(String),
    /// The GPU failed while computing, or was lost.
    #[error("the GPU failed while computing: {0}")]
    Lost(String),
}

impl GpuError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "device/unavailable",
            Self::TooLarge { .. } | Self::Memory(_) => "device/memory",
            Self::Refused(_) | Self::Lost(_) => "device/compute",
        }
    }
}

impl From<GpuError> for EngineError {
    fn from(error: GpuError) -> Self {
        Self::Device(error.to_string())
    }
}
