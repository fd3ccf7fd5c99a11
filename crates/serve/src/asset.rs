//! One file as it is sent: its bytes in every encoding, and the headers that go with them.

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::response::Builder;
use axum::http::{HeaderMap, Response, StatusCode};

use crate::encoding::Encoding;

/// Digits of a file's SHA-256 in its `ETag`.
const TAG_DIGITS: usize = 32;

/// How long a file may be kept without asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Ask each time whether it is still the same.
    Revalidate,
    /// For ever: its name changes with its contents.
    Immutable,
}

impl Lifetime {
    fn cache_control(self) -> &'static str {
        match self {
            Self::Revalidate => "no-cache",
            Self::Immutable => "public, max-age=31536000, immutable",
        }
    }
}

/// A file in memory (`sha256` is checked by now), compressed once for all who will ask.
pub(crate) struct Asset {
    content_type: &'static str,
    lifetime: Lifetime,
    sha256: String,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

impl Asset {
    pub(crate) fn new(name: &str, sha256: &str, bytes: Vec<u8>, lifetime: Lifetime) -> Self {
        Self {
            content_type: match name.rsplit_once('.') {
                Some((_, "json")) => "application/json",
                _ => "application/octet-stream",
            },
            lifetime,
            sha256: sha256.to_owned(),
            brotli: Encoding::Brotli.encode(&bytes),
            gzip: Encoding::Gzip.encode(&bytes),
            plain: bytes.into(),
        }
    }

    /// Whether this is the file with that SHA-256.
    pub(crate) fn is(&self, sha256: &str) -> bool {
        self.sha256 == sha256
    }

    /// The answer to a request with these headers: the file in the encoding that the client likes
    /// best, or word that it has it already.
    pub(crate) fn respond(&self, headers: &HeaderMap) -> Response<Body> {
        let (encoding, bytes) = self.choose(headers);
        // Each encoding is a representation of its own, and so has a tag of its own.
        let tag = &self.sha256[..TAG_DIGITS];
        let etag = match encoding {
            Encoding::Identity => format!("\"{tag}\""),
            _ => format!("\"{tag}-{}\"", encoding.token()),
        };
        let known = is_known(headers, &etag);
        let response = Response::builder()
            .header(ETAG, etag)
            .header(CACHE_CONTROL, self.lifetime.cache_control())
            .header(VARY, "accept-encoding");
        if known {
            return finish(response.status(StatusCode::NOT_MODIFIED), Body::empty());
        }
        let mut response = response.header(CONTENT_TYPE, self.content_type);
        if encoding != Encoding::Identity {
            response = response.header(CONTENT_ENCODING, encoding.token());
        }
        finish(response, Body::from(bytes.clone()))
    }

    fn choose(&self, headers: &HeaderMap) -> (Encoding, &Bytes) {
        Encoding::wanted(headers)
            .into_iter()
            .find_map(|encoding| {
                let bytes = match encoding {
                    Encoding::Brotli => self.brotli.as_ref(),
                    Encoding::Gzip => self.gzip.as_ref(),
                    Encoding::Identity => Some(&self.plain),
                };
                bytes.map(|bytes| (encoding, bytes))
            })
            .unwrap_or((Encoding::Identity, &self.plain))
    }
}

/// Whether the client says that it has this representation. Tags compare weakly, as `If-None-Match`
/// asks: a proxy may have weakened them.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn finish(response: Builder, body: Body) -> Response<Body> {
    response
        .body(body)
        .expect("every header is made of ASCII text that is written here")
}
