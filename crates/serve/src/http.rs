//! Requests to answers.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use ingle_bundle::MANIFEST;
use tower_http::cors::{Any, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::ServeError;
use crate::store::Store;

/// Where [`with_site`] puts the bundle.
pub const BUNDLE_PATH: &str = "/bundle";

/// A router with the bundle in `dir` at its root. The bundle is read and verified here.
///
/// It answers every request, with 404 where there is nothing to send; to serve other things beside
/// it, put it under a path of its own with [`Router::nest`], as [`with_site`] does.
pub fn router(dir: &Path) -> Result<Router, ServeError> {
    let store = Store::open(dir).map_err(|source| ServeError::Bundle {
        dir: dir.to_owned(),
        source,
    })?;
    // The answers are the same for every origin, so nothing but the encoding makes them vary.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(Any)
        .vary([]);
    Ok(Router::new()
        .fallback(get(answer))
        .with_state(Arc::new(store))
        // For pages that are cross-origin isolated.
        .layer(always("cross-origin-resource-policy", "cross-origin"))
        .layer(always(X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"))
        .layer(cors))
}

/// A router with the files of the site in `dir` at its root, and `bundle` at [`BUNDLE_PATH`]: a page
/// and its bundle from one origin, to try things out.
pub fn with_site(bundle: Router, dir: &Path) -> Result<Router, ServeError> {
    if !dir.join("index.html").is_file() {
        return Err(ServeError::Site {
            dir: dir.to_owned(),
        });
    }
    let site = Router::new()
        .fallback_service(ServeDir::new(dir))
        .layer(always(CACHE_CONTROL.as_str(), "no-cache"))
        .layer(always(X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"));
    Ok(Router::new()
        .nest(BUNDLE_PATH, bundle)
        .fallback_service(site))
}

/// Names are looked up as they came, undecoded: nothing that a manifest may list needs decoding.
async fn answer(State(store): State<Arc<Store>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let name = uri.path().strip_prefix('/').unwrap_or_default();
    if name == MANIFEST {
        let store = store.clone();
        // Should this task be lost, what was served before is still there.
        let _ = tokio::task::spawn_blocking(move || store.refresh()).await;
    }
    match store.get(name) {
        Some(asset) => asset.respond(&headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn always(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}
