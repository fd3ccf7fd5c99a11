//! A file as it is sent: its bytes in every encoding, ranges of them, and the headers.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use ingle_bundle::{MANIFEST, check_name, delta_name, sha256_hex};

use crate::disk::Disk;
use crate::encoding::Encoding;
use crate::http::common_headers;
use crate::memory::Memory;
use crate::payload::Payload;
use crate::range::Part;
use crate::store::CHANNEL;

/// Hex digits of the SHA-256 in an `ETag`.
const TAG_DIGITS: usize = 32;

/// A verified file: its bytes were found to have the hash `sha256`.
pub(crate) struct Asset {
    name: String,
    sha256: String,
    plain: Head,
    disk: Option<Arc<Disk>>,
    memory: OnceLock<Memory>,
    brotli: OnceLock<(Head, Memory)>,
    gzip: OnceLock<(Head, Memory)>,
}

/// The headers of a file or of a compressed form, built once.
struct Head {
    encoding: Encoding,
    length: u64,
    /// What changes under its name has none: a browser would send it back at every visit and could be recognised by it.
    etag: Option<HeaderValue>,
    headers: HeaderMap,
}

/// A representation of a file: unencoded or compressed.
#[derive(Clone, Copy)]
struct Form<'a> {
    head: &'a Head,
    /// `None` if it is read from the disk.
    bytes: Option<&'a Bytes>,
}

impl Asset {
    /// The manifest, or a signed file of a name without a hash.
    pub(crate) fn small(name: &str, bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        let asset = Self::new(name, sha256_hex(&bytes), length, None);
        let _ = asset.memory.set(Memory::small(bytes));
        asset
    }

    /// A file on the disk that was found to have this SHA-256 and length.
    pub(crate) fn on_disk(name: &str, (sha256, length): (String, u64), disk: Disk) -> Self {
        Self::new(name, sha256, length, Some(Arc::new(disk)))
    }

    fn new(name: &str, sha256: String, length: u64, disk: Option<Arc<Disk>>) -> Self {
        Self {
            plain: Head::new(name, &sha256, length, Encoding::Identity),
            name: name.to_owned(),
            sha256,
            disk,
            memory: OnceLock::new(),
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// The same file without its bytes in memory.
    pub(crate) fn without_memory(&self) -> Self {
        let (name, sha256) = (&self.name, self.sha256.clone());
        Self::new(name, sha256, self.plain.length, self.disk.clone())
    }

    /// Whether the file has this SHA-256.
    pub(crate) fn is(&self, sha256: &str) -> bool {
        self.sha256 == sha256
    }

    /// Whether this name contains the start of the file's hash.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        check_name(name, &self.sha256).is_ok() || name == delta_name(&self.sha256)
    }

    /// Whether it may be sent: it is in memory, or the file on the disk is certainly unchanged.
    pub(crate) fn is_sound(&self) -> bool {
        self.memory.get().is_some() || self.disk.as_ref().is_some_and(|disk| disk.is_unchanged())
    }

    /// The same, but reads the file again if that is not certain.
    pub(crate) fn check(&self) -> bool {
        let found = || self.disk.as_ref().and_then(|disk| disk.hash().ok());
        self.is_sound() || found().is_some_and(|(sha256, _)| self.is(&sha256))
    }

    /// Whether the file is still at its path, unchanged.
    pub(crate) fn is_in_place(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.is_in_place())
    }

    /// Its bytes, if they are in memory.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.memory.get().map(Memory::bytes)
    }

    /// All of the file's buffers in memory.
    pub(crate) fn memory(&self) -> impl Iterator<Item = &Memory> {
        let compressed = [&self.brotli, &self.gzip].into_iter();
        let compressed = compressed.filter_map(|form| form.get().map(|(_, memory)| memory));
        self.memory.get().into_iter().chain(compressed)
    }

    /// Reads the file into memory if it is unchanged; returns whether it is in memory now.
    pub(crate) fn load(&self) -> bool {
        if self.memory.get().is_none()
            && let Some(memory) = self
                .disk
                .as_ref()
                .and_then(|disk| disk.read_all(self.plain.length))
            && self.is(&sha256_hex(memory.bytes()))
        {
            let _ = self.memory.set(memory);
        }
        self.memory.get().is_some()
    }

    /// Adds a compressed form.
    pub(crate) fn add(&self, encoding: Encoding, memory: Memory) {
        if let Some(slot) = self.slot(encoding) {
            // Different compressed forms of a file have different bytes and must not share a tag.
            let sha256 = sha256_hex(memory.bytes());
            let head = Head::new(&self.name, &sha256, memory.bytes().len() as u64, encoding);
            let _ = slot.set((head, memory));
        }
    }

    /// Length of the form in this encoding, if there is one.
    pub(crate) fn length_in(&self, encoding: Encoding) -> Option<u64> {
        self.form(encoding).map(|form| form.head.length)
    }

    fn slot(&self, encoding: Encoding) -> Option<&OnceLock<(Head, Memory)>> {
        match encoding {
            Encoding::Brotli => Some(&self.brotli),
            Encoding::Gzip => Some(&self.gzip),
            Encoding::Identity => None,
        }
    }

    /// The answer to a request: the file in the client's preferred encoding, a range of it, or "not modified".
    pub(crate) fn respond(&self, method: &Method, headers: &HeaderMap) -> Response<Payload> {
        let forms: Vec<Form<'_>> = Encoding::wanted(headers)
            .into_iter()
            .filter_map(|encoding| self.form(encoding))
            .collect();
        let best = forms[0];
        let (form, part) = match part(method, headers, &forms) {
            Some(found) => found,
            None => (best, Part::Whole),
        };
        let mut response = Response::new(Payload::default());
        *response.headers_mut() = form.head.headers.clone();
        let out = response.headers_mut();
        let length = form.head.length;
        let (first, count, status) = match part {
            _ if is_known(headers, best.head) => (0, 0, StatusCode::NOT_MODIFIED),
            Part::Whole => (0, length, StatusCode::OK),
            Part::Beyond => {
                out.insert(CONTENT_RANGE, text(format!("bytes */{length}")));
                (0, 0, StatusCode::RANGE_NOT_SATISFIABLE)
            }
            Part::Bytes { first, count } => {
                let last = first + count - 1;
                out.insert(
                    CONTENT_RANGE,
                    text(format!("bytes {first}-{last}/{length}")),
                );
                out.insert(CONTENT_LENGTH, count.into());
                (first, count, StatusCode::PARTIAL_CONTENT)
            }
        };
        if !status.is_success() {
            for header in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING] {
                out.remove(header);
            }
        }
        *response.status_mut() = status;
        if method != Method::HEAD && count > 0 {
            *response.body_mut() = match (form.bytes, &self.disk) {
                (Some(bytes), _) => bytes.slice(first as usize..(first + count) as usize).into(),
                (None, Some(disk)) => disk.body(first, count).into(),
                (None, None) => Payload::default(),
            };
        }
        response
    }

    /// The form in this encoding, if there is one.
    fn form(&self, encoding: Encoding) -> Option<Form<'_>> {
        match self.slot(encoding) {
            None => Some(Form {
                head: &self.plain,
                bytes: self.bytes(),
            }),
            Some(slot) => slot.get().map(|(head, memory)| Form {
                head,
                bytes: Some(memory.bytes()),
            }),
        }
    }
}

impl Head {
    fn new(name: &str, sha256: &str, length: u64, encoding: Encoding) -> Self {
        let changes = name == MANIFEST || name == CHANNEL;
        let mut headers = common_headers();
        let mut put = |name, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        put(VARY, "accept-encoding");
        put(
            CONTENT_TYPE,
            match name.rsplit_once('.') {
                Some((_, "json")) => "application/json",
                _ => "application/octet-stream",
            },
        );
        if encoding != Encoding::Identity {
            put(CONTENT_ENCODING, encoding.token());
        }
        let etag = (!changes).then(|| text(format!("\"{}\"", &sha256[..TAG_DIGITS])));
        match &etag {
            None => put(CACHE_CONTROL, "no-store"),
            Some(etag) => {
                put(CACHE_CONTROL, "public, max-age=31536000, immutable");
                put(ACCEPT_RANGES, "bytes");
                headers.insert(ETAG, etag.clone());
            }
        }
        headers.insert(CONTENT_LENGTH, length.into());
        Self {
            encoding,
            length,
            etag,
            headers,
        }
    }
}

/// The requested range and the form that it refers to: the one whose tag is in `If-Range`, else the unencoded file,
/// since a client that resumes a download counts its bytes. `None` if the whole file is to be sent.
fn part<'a>(method: &Method, headers: &HeaderMap, forms: &[Form<'a>]) -> Option<(Form<'a>, Part)> {
    let mut ranges = headers.get_all(RANGE).iter();
    let range = ranges.next().filter(|_| method == Method::GET)?;
    if ranges.next().is_some() {
        return None;
    }
    let form = forms
        .iter()
        .find(|form| match (headers.get(IF_RANGE), &form.head.etag) {
            // Strong comparison: a weak tag or a date does not match.
            (Some(condition), Some(etag)) => condition == etag,
            (None, Some(_)) => form.head.encoding == Encoding::Identity,
            (_, None) => false,
        })?;
    Some((*form, Part::parse(range.to_str().ok()?, form.head.length)))
}

/// Whether the client has this representation already. `If-None-Match` uses weak comparison, since a proxy may have
/// made a tag weak.
fn is_known(headers: &HeaderMap, head: &Head) -> bool {
    let Some(etag) = &head.etag else {
        return false;
    };
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || etag == tag.strip_prefix("W/").unwrap_or(tag))
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("digits and ASCII signs make a header")
}
