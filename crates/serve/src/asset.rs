//! One file as it is sent: its bytes in every encoding, or a part of them, and the headers that go with them.

use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use ingle_bundle::{MANIFEST, check_name, sha256_hex};

use crate::disk::Disk;
use crate::encoding::Encoding;
use crate::range::Part;

/// Digits of a SHA-256 in an `ETag`.
const TAG_DIGITS: usize = 32;

/// A file that may be sent: what `sha256` names is what its bytes were found to be.
pub(crate) struct Asset {
    sha256: String,
    length: u64,
    content_type: HeaderValue,
    /// The manifest has none: a browser would send it back at every visit, and so be known again by it.
    etag: Option<HeaderValue>,
    disk: Option<Arc<Disk>>,
    memory: OnceLock<Bytes>,
    brotli: OnceLock<Encoded>,
    gzip: OnceLock<Encoded>,
}

/// A compressed form, which has a tag of its own.
struct Encoded {
    bytes: Bytes,
    etag: Option<HeaderValue>,
}

/// What is sent: a file as it is, or a compressed form of it.
#[derive(Clone, Copy)]
struct Form<'a> {
    encoding: Encoding,
    length: u64,
    etag: Option<&'a HeaderValue>,
    /// `None` where it is read from the disk.
    bytes: Option<&'a Bytes>,
}

impl Asset {
    /// The manifest, which is kept by nobody.
    pub(crate) fn manifest(bytes: Vec<u8>) -> Self {
        let asset = Self::new(MANIFEST, sha256_hex(&bytes), bytes.len() as u64, None);
        let _ = asset.memory.set(bytes.into());
        Self {
            etag: None,
            ..asset
        }
    }

    /// A file that lies on the disk and was found to have this SHA-256 and length.
    pub(crate) fn on_disk(name: &str, (sha256, length): (String, u64), disk: Disk) -> Self {
        Self::new(name, sha256, length, Some(disk))
    }

    fn new(name: &str, sha256: String, length: u64, disk: Option<Disk>) -> Self {
        let content_type = match name.rsplit_once('.') {
            Some((_, "json")) => "application/json",
            _ => "application/octet-stream",
        };
        Self {
            etag: Some(tag(&sha256)),
            sha256,
            length,
            content_type: HeaderValue::from_static(content_type),
            disk: disk.map(Arc::new),
            memory: OnceLock::new(),
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// The same file without what is held of it in memory.
    pub(crate) fn without_memory(&self) -> Self {
        Self {
            sha256: self.sha256.clone(),
            length: self.length,
            content_type: self.content_type.clone(),
            etag: self.etag.clone(),
            disk: self.disk.clone(),
            memory: OnceLock::new(),
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// Whether this is the file with that SHA-256.
    pub(crate) fn is(&self, sha256: &str) -> bool {
        self.sha256 == sha256
    }

    /// Whether this name says what is in it.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        check_name(name, &self.sha256).is_ok()
    }

    /// Whether it can be sent: it is in memory, or has certainly not been changed on the disk.
    pub(crate) fn is_sound(&self) -> bool {
        self.memory.get().is_some() || self.disk.as_ref().is_some_and(|disk| disk.is_unchanged())
    }

    /// The same, after reading it once more where that is not certain.
    pub(crate) fn check(&self) -> bool {
        let found = || self.disk.as_ref().and_then(|disk| disk.hash().ok());
        self.is_sound() || found().is_some_and(|(sha256, _)| self.is(&sha256))
    }

    /// Whether it is still to be found where it was, as it was.
    pub(crate) fn is_in_place(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.is_in_place())
    }

    /// Its bytes, where they are in memory.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.memory.get()
    }

    /// Takes it into memory, if it is still what it was; says whether it is there now.
    pub(crate) fn load(&self) -> bool {
        if self.memory.get().is_none()
            && let Some(bytes) = self
                .disk
                .as_ref()
                .and_then(|disk| disk.read_all(self.length))
            && self.is(&sha256_hex(&bytes))
        {
            let _ = self.memory.set(bytes.into());
        }
        self.memory.get().is_some()
    }

    /// Adds a compressed form.
    pub(crate) fn add(&self, encoding: Encoding, bytes: Vec<u8>) {
        // Two ways to compress a file give different bytes, which must not share a tag.
        let etag = self.etag.is_some().then(|| tag(&sha256_hex(&bytes)));
        let encoded = Encoded {
            bytes: bytes.into(),
            etag,
        };
        if let Some(slot) = self.slot(encoding) {
            let _ = slot.set(encoded);
        }
    }

    /// Bytes of its form in this encoding, where there is one.
    pub(crate) fn length_in(&self, encoding: Encoding) -> Option<u64> {
        self.form(encoding).map(|form| form.length)
    }

    fn slot(&self, encoding: Encoding) -> Option<&OnceLock<Encoded>> {
        match encoding {
            Encoding::Brotli => Some(&self.brotli),
            Encoding::Gzip => Some(&self.gzip),
            Encoding::Identity => None,
        }
    }

    /// The answer to a request: the file in the encoding that the client likes best, a part of it, or word that the
    /// client has it already. `HEAD` is answered as `GET` is, and without a body by whoever sends it.
    pub(crate) fn respond(&self, method: &Method, headers: &HeaderMap) -> Response<Body> {
        let forms: Vec<Form<'_>> = Encoding::wanted(headers)
            .into_iter()
            .filter_map(|encoding| self.form(encoding))
            .collect();
        let best = forms[0];
        let mut response = Response::new(Body::empty());
        let cache_control = match self.etag {
            Some(_) => "public, max-age=31536000, immutable",
            None => "no-store",
        };
        let out = response.headers_mut();
        out.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        out.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(etag) = best.etag {
            out.insert(ETAG, etag.clone());
            if is_known(headers, etag) {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
            out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        let (form, part) = match part(method, headers, &forms) {
            Some(found) => found,
            None => (best, Part::Whole),
        };
        let out = response.headers_mut();
        if let Some(etag) = form.etag {
            out.insert(ETAG, etag.clone());
        }
        let (first, count) = match part {
            Part::Whole => (0, form.length),
            Part::Bytes { first, count } => (first, count),
            Part::Beyond => {
                out.insert(CONTENT_RANGE, text(format!("bytes */{}", form.length)));
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                return response;
            }
        };
        out.insert(CONTENT_TYPE, self.content_type.clone());
        out.insert(CONTENT_LENGTH, count.into());
        if form.encoding != Encoding::Identity {
            out.insert(
                CONTENT_ENCODING,
                HeaderValue::from_static(form.encoding.token()),
            );
        }
        if part != Part::Whole {
            let last = first + count - 1;
            out.insert(
                CONTENT_RANGE,
                text(format!("bytes {first}-{last}/{}", form.length)),
            );
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        *response.body_mut() = match (form.bytes, &self.disk) {
            _ if method == Method::HEAD => Body::empty(),
            (Some(bytes), _) => Body::from(bytes.slice(first as usize..(first + count) as usize)),
            (None, Some(disk)) => disk.body(first, count),
            (None, None) => Body::empty(),
        };
        response
    }

    /// The form in this encoding, where there is one.
    fn form(&self, encoding: Encoding) -> Option<Form<'_>> {
        let Some(slot) = self.slot(encoding) else {
            return Some(Form {
                encoding,
                length: self.length,
                etag: self.etag.as_ref(),
                bytes: self.memory.get(),
            });
        };
        slot.get().map(|encoded| Form {
            encoding,
            length: encoded.bytes.len() as u64,
            etag: encoded.etag.as_ref(),
            bytes: Some(&encoded.bytes),
        })
    }
}

/// The part that is asked for, and of which form: the one that `If-Range` names, else the file as it is, since a client
/// that goes on where a download broke off counts in those bytes. `None` where the whole is to be sent.
fn part<'a>(method: &Method, headers: &HeaderMap, forms: &[Form<'a>]) -> Option<(Form<'a>, Part)> {
    let mut ranges = headers.get_all(RANGE).iter();
    let range = ranges.next().filter(|_| method == Method::GET)?;
    if ranges.next().is_some() {
        return None;
    }
    let form = forms
        .iter()
        .find(|form| match (headers.get(IF_RANGE), form.etag) {
            // Tags compare strongly here: a weak one, or a date, is none of ours.
            (Some(condition), Some(etag)) => condition == etag,
            (None, Some(_)) => form.encoding == Encoding::Identity,
            (_, None) => false,
        })?;
    Some((*form, Part::parse(range.to_str().ok()?, form.length)))
}

/// Whether the client says that it has this representation. Tags compare weakly, as `If-None-Match`
/// asks: a proxy may have weakened them.
fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || etag == tag.strip_prefix("W/").unwrap_or(tag))
}

fn tag(sha256: &str) -> HeaderValue {
    text(format!("\"{}\"", &sha256[..TAG_DIGITS]))
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("digits and ASCII signs make a header")
}
