//! Options on their way in. Typed arrays are copied whole: as values they would be read entry by entry.

use ingle_model::{RecommendOptions, SimilarOptions};
use js_sys::{Float32Array, Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::error::{Failure, input};

pub(crate) fn recommend(value: JsValue) -> Result<RecommendOptions, JsValue> {
    let (allow, boost) = (bytes(&value, "allow")?, floats(&value, "boost")?);
    let (adapter, weights) = (floats(&value, "adapter")?, floats(&value, "weights")?);
    let options: RecommendOptions = plain(value)?;
    Ok(RecommendOptions {
        allow,
        boost,
        weights,
        adapter,
        ..options
    })
}

pub(crate) fn similar(value: JsValue) -> Result<SimilarOptions, JsValue> {
    let (allow, boost) = (bytes(&value, "allow")?, floats(&value, "boost")?);
    let options: SimilarOptions = plain(value)?;
    Ok(SimilarOptions {
        allow,
        boost,
        ..options
    })
}

/// What is not a typed array.
fn plain<T: Default + DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    if value.is_undefined() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(value).map_err(|error| input("options", &error))
}

fn bytes(options: &JsValue, name: &str) -> Result<Option<Vec<u8>>, JsValue> {
    let found = array::<Uint8Array>(options, name, "Uint8Array")?;
    Ok(found.map(|array| array.to_vec()))
}

fn floats(options: &JsValue, name: &str) -> Result<Option<Vec<f32>>, JsValue> {
    let found = array::<Float32Array>(options, name, "Float32Array")?;
    Ok(found.map(|array| array.to_vec()))
}

/// An option that is there; `undefined` and `null` are not.
fn array<T: JsCast>(options: &JsValue, name: &str, kind: &str) -> Result<Option<T>, JsValue> {
    // Only an object has entries: what is none is refused by `plain`.
    let found = Reflect::get(options, &name.into()).unwrap_or_default();
    if found.is_undefined() || found.is_null() {
        return Ok(None);
    }
    let (code, message) = ("input/options", format!("{name} is not a {kind}"));
    (found.dyn_into().map(Some)).map_err(|_| Failure { code, message }.into())
}
