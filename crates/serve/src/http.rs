//! Requests to answers.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::get;
use tower_http::cors::{Any, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::ServeError;
use crate::store::Store;

/// Where [`with_site`] puts the bundle.
pub const BUNDLE_PATH: &str = "/bundle";

/// The content security policy of a site: what Ingle needs, and nothing from anywhere else.
pub const SITE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
     img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
        .expose_headers([CONTENT_RANGE])
        .vary([]);
    Ok(Router::new()
        .fallback(get(answer))
        .with_state(store)
        // For pages that are cross-origin isolated.
        .layer(always("cross-origin-resource-policy", "cross-origin"))
        .layer(always(X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"))
        .layer(cors))
}

/// A router with the files of the site in `dir` at its root, and `bundle` at [`BUNDLE_PATH`]: a page
/// and its bundle from one origin, to try things out.
///
/// The site is sent with a content security `policy`, [`SITE_POLICY`] as a rule; an empty one is none. A file's
/// compressed forms, `FILE.br` and `FILE.gz`, are sent where they lie beside it. What has a name that begins
/// with a dot is not sent.
pub fn with_site(bundle: Router, dir: &Path, policy: &str) -> Result<Router, ServeError> {
    if !dir.join("index.html").is_file() {
        return Err(ServeError::Site {
            dir: dir.to_owned(),
        });
    }
    let refused = |_| ServeError::Policy {
        policy: policy.to_owned(),
    };
    let policy = HeaderValue::from_str(policy).map_err(refused)?;
    let policy = (!policy.is_empty()).then_some(policy);
    let site = Router::new()
        .fallback_service(ServeDir::new(dir).precompressed_br().precompressed_gzip())
        .layer(middleware::from_fn(hide))
        .layer(SetResponseHeaderLayer::overriding(
            CONTENT_SECURITY_POLICY,
            policy,
        ))
        .layer(always(REFERRER_POLICY.as_str(), "no-referrer"))
        .layer(always(CACHE_CONTROL.as_str(), "no-cache"))
        .layer(always(X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"));
    Ok(Router::new()
        .nest(BUNDLE_PATH, bundle)
        .fallback_service(site))
}

/// Names are looked up as they came, undecoded: nothing that a manifest may list needs decoding.
async fn answer(
    State(store): State<Arc<Store>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let name = uri.path().strip_prefix('/').unwrap_or_default();
    match store.get(name).await {
        Some(asset) => asset.respond(&method, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Hidden files are not part of a site: editors, version control and deployments leave them.
async fn hide(request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path();
    let is_hidden = |part: &str| [".", "%2e", "%2E"].iter().any(|dot| part.starts_with(dot));
    if path.split('/').any(is_hidden) && !path.starts_with("/.well-known/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

fn always(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}
