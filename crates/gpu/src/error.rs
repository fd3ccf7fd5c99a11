//! Why a GPU cannot be used.

use ingle_model::EngineError;

/// Why a GPU was not opened, or stopped working.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// There is none, or it will not be opened.
    #[error("the GPU could not be opened: {0}")]
    Unavailable(String),
    /// The catalogue does not fit.
    #[error(
        "the GPU takes {limit} bytes at once, and the item table has {needed}: the processor answers instead"
    )]
    TooLarge {
        /// Bytes of the table as the GPU would hold it.
        needed: u64,
        /// Bytes that it takes.
        limit: u64,
    },
    /// Its memory is full.
    #[error("the GPU has no memory left for the catalogue: {0}")]
    Memory(String),
    /// It refuses a kernel or a buffer.
    #[error("the GPU refuses the model: {0}")]
    Refused(String),
    /// It failed while computing, or is gone.
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
