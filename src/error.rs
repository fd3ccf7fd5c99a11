//! Errors on their way out: a JavaScript `Error` with a `code` that programs can rely on.

use ingle_bundle::BundleError;
use ingle_model::EngineError;
use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

/// What went wrong, as JavaScript will see it.
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Errors that have a code.
macro_rules! coded {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let (code, message) = (error.code(), error.to_string());
                Self { code, message }
            }
        })+
    };
}

coded!(BundleError, EngineError);
#[cfg(feature = "gpu")]
coded!(ingle_gpu::GpuError);

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let error = Error::new(&failure.message);
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&error, &"code".into(), &failure.code.into());
        error.into()
    }
}

/// An argument that is not what it should be.
pub(crate) fn input(what: &str, error: &serde_wasm_bindgen::Error) -> JsValue {
    let (code, message) = ("input/options", format!("{what}: {error}"));
    Failure { code, message }.into()
}
