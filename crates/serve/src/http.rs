//! Answers HTTP requests.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use hyper::service::Service;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::ServeError;
use crate::payload::Payload;
use crate::store::{Found, Store};

/// The path under which [`with_site`] serves the bundle.
pub const BUNDLE_PATH: &str = "/bundle";

/// Default content security policy of a site: it allows what Ingle needs, and nothing from other origins.
pub const SITE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
     img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The bundle of a folder, as it is served. All clients get the same answers.
#[derive(Clone)]
pub struct Bundle {
    store: Arc<Store>,
}

impl Bundle {
    /// Reads and verifies the bundle in `dir`, and watches the folder from then on.
    pub fn open(dir: &Path) -> Result<Self, ServeError> {
        let store = Store::open(dir).map_err(|source| ServeError::Bundle {
            dir: dir.to_owned(),
            source,
        })?;
        Ok(Self { store })
    }

    /// The answer without access to the disk, if possible; it usually is.
    ///
    /// Names are looked up without percent-decoding: no name that a manifest may list needs it.
    fn at_once<B>(&self, request: &Request<B>) -> Option<Response<Payload>> {
        let method = request.method();
        let mut refusal = match *method {
            Method::GET | Method::HEAD => {
                let found = match self.store.get(name(request.uri())) {
                    Found::Asset(asset) => return Some(asset.respond(method, request.headers())),
                    Found::Nothing => StatusCode::NOT_FOUND,
                    Found::Perhaps => return None,
                };
                answer(found)
            }
            // A CORS preflight request.
            Method::OPTIONS => answer(StatusCode::OK),
            _ => answer(StatusCode::METHOD_NOT_ALLOWED),
        };
        let headers = refusal.headers_mut();
        let mut put = |name, value| headers.insert(name, HeaderValue::from_static(value));
        match *method {
            Method::GET | Method::HEAD => None,
            Method::OPTIONS => {
                put(ACCESS_CONTROL_ALLOW_METHODS, "GET,HEAD");
                put(ACCESS_CONTROL_ALLOW_HEADERS, "*")
            }
            _ => put(ALLOW, "GET,HEAD"),
        };
        Some(refusal)
    }

    /// The answer after a search on the disk.
    async fn after_search<B>(self, request: Request<B>) -> Response<Payload> {
        match self.store.search(name(request.uri())).await {
            Some(asset) => asset.respond(request.method(), request.headers()),
            None => answer(StatusCode::NOT_FOUND),
        }
    }
}

impl<B: Send + 'static> hyper::service::Service<Request<B>> for Bundle {
    type Response = Response<Payload>;
    type Error = Infallible;
    type Future = Either<
        Ready<Result<Response<Payload>, Infallible>>,
        BoxFuture<'static, Result<Response<Payload>, Infallible>>,
    >;

    fn call(&self, request: Request<B>) -> Self::Future {
        match self.at_once(&request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(Box::pin(self.clone().after_search(request).map(Ok))),
        }
    }
}

fn name(uri: &Uri) -> &str {
    uri.path().strip_prefix('/').unwrap_or_default()
}

fn answer(status: StatusCode) -> Response<Payload> {
    let mut response = Response::new(Payload::default());
    *response.status_mut() = status;
    *response.headers_mut() = common_headers();
    response
}

/// Headers of every answer about a bundle: any origin may read it, cross-origin isolated pages included, and its type
/// must not be sniffed.
pub(crate) fn common_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "content-range"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

/// A router with the bundle in `dir` at its root. Reads and verifies the bundle.
///
/// It answers every request, with 404 if there is nothing at the path. To serve other things beside it, nest it under
/// a path with [`Router::nest`], as [`with_site`] does.
pub fn router(dir: &Path) -> Result<Router, ServeError> {
    let bundle = Bundle::open(dir)?;
    Ok(Router::new().fallback(move |request: Request| {
        let bundle = bundle.clone();
        async move { bundle.call(request).await }
    }))
}

/// A router with the site in `dir` at its root and `bundle` at [`BUNDLE_PATH`]: a page and its bundle from one
/// origin, for trials.
///
/// The site is sent with the content security policy `policy`, usually [`SITE_POLICY`]; if it is empty, none is sent.
/// `FILE.br` and `FILE.gz` are sent for a file if they exist beside it. Files whose name begins with a dot are not
/// served.
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
    let files = ServeDir::new(dir).precompressed_br().precompressed_gzip();
    let site = Router::new()
        .fallback(move |request: Request| send(files.clone(), request))
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
        .fallback_service(site)
        .layer(middleware::from_fn(with_path)))
}

/// A request may have a host but no path, though only CONNECT should; the file service would answer it with an error.
async fn with_path(request: Request, next: Next) -> Response<Body> {
    if request.uri().path().is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    next.run(request).await
}

/// Sends a file of the site. An invalid file name gives 404, as a missing file does.
async fn send(mut files: ServeDir, request: Request) -> Response<Body> {
    match files.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) if is_missing(error.kind()) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "a file of the site cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn is_missing(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    matches!(
        kind,
        NotFound | NotADirectory | PermissionDenied | InvalidFilename
    )
}

/// Does not serve hidden files: those of editors, version control and deployments.
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
