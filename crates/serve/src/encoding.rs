//! Content encodings: which one a client takes, and the compressing itself.

use std::io::{self, Write};

use axum::body::Bytes;
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Brotli's quality: near its best, at some megabytes a second.
const BROTLI_QUALITY: i32 = 9;
/// Brotli's window as a power of two: the largest that every browser takes.
const BROTLI_WINDOW: i32 = 24;

/// A way to send bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The encodings of a client's `Accept-Encoding`, most wanted first; among equals the smaller
    /// result first. Identity is always there, last, unless the client asks for it sooner.
    pub(crate) fn wanted(headers: &HeaderMap) -> Vec<Self> {
        let offered = Offered::parse(headers);
        let mut wanted: Vec<(Self, f32)> = [Self::Brotli, Self::Gzip]
            .map(|encoding| (encoding, offered.quality(encoding.token())))
            .into_iter()
            .filter(|(_, quality)| *quality > 0.0)
            .collect();
        // A client that names identity ranks it; one that does not takes it last.
        wanted.push((Self::Identity, offered.named("identity").unwrap_or(0.0)));
        wanted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        wanted.into_iter().map(|(encoding, _)| encoding).collect()
    }

    /// The name in HTTP.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// The bytes in this encoding, or `None` where that saves less than a sixteenth.
    pub(crate) fn encode(self, bytes: &[u8]) -> Option<Bytes> {
        let encoded = match self {
            Self::Brotli => brotli(bytes),
            Self::Gzip => gzip(bytes),
            Self::Identity => return None,
        };
        // Writing to memory does not fail; if it did, the bytes would go out as they are.
        let encoded = encoded.ok()?;
        (encoded.len() + bytes.len() / 16 < bytes.len()).then(|| Bytes::from(encoded))
    }
}

/// A parsed `Accept-Encoding`: names with their qualities.
struct Offered(Vec<(String, f32)>);

impl Offered {
    fn parse(headers: &HeaderMap) -> Self {
        let entries = headers
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value: &HeaderValue| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(parse_entry)
            .collect();
        Self(entries)
    }

    fn named(&self, name: &str) -> Option<f32> {
        let entry = self.0.iter().find(|(offered, _)| offered == name);
        entry.map(|(_, quality)| *quality)
    }

    fn quality(&self, name: &str) -> f32 {
        self.named(name).or_else(|| self.named("*")).unwrap_or(0.0)
    }
}

/// `br;q=0.8` as a name and a quality; nothing where the quality is none.
fn parse_entry(entry: &str) -> Option<(String, f32)> {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let quality = match parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))) {
        Some(text) => text.parse().ok().filter(|q| (0.0..=1.0).contains(q))?,
        None => 1.0,
    };
    Some((name, quality))
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut encoded, &params)?;
    Ok(encoded)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip, Identity};

    fn wanted(accept: &str) -> Vec<Encoding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap());
        Encoding::wanted(&headers)
    }

    #[test]
    fn prefers_brotli_among_equals() {
        assert_eq!(wanted("gzip, deflate, br, zstd"), [Brotli, Gzip, Identity]);
        assert_eq!(wanted("*"), [Brotli, Gzip, Identity]);
    }

    #[test]
    fn follows_the_qualities() {
        assert_eq!(wanted("br;q=0.5, gzip;q=0.8"), [Gzip, Brotli, Identity]);
        assert_eq!(wanted("br;q=0, gzip"), [Gzip, Identity]);
        assert_eq!(wanted("*;q=0, gzip;q=0.1"), [Gzip, Identity]);
        assert_eq!(wanted("identity, br;q=0.5"), [Identity, Brotli]);
        assert_eq!(wanted("GZIP ; Q=0.9"), [Gzip, Identity]);
    }

    #[test]
    fn sends_plain_bytes_to_those_who_ask_for_nothing() {
        assert_eq!(Encoding::wanted(&HeaderMap::new()), [Identity]);
        assert_eq!(wanted(""), [Identity]);
        assert_eq!(wanted("zstd, deflate"), [Identity]);
        assert_eq!(wanted("br;q=x, gzip;q=-1, ;;q=2,,"), [Identity]);
    }

    #[test]
    fn keeps_only_what_is_smaller() {
        let noise: Vec<u8> = (0..4096_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761).rotate_left(i % 31) >> 13) as u8)
            .collect();
        let text = "shop ".repeat(800);
        for encoding in [Brotli, Gzip] {
            assert!(encoding.encode(&noise).is_none(), "{encoding:?}");
            assert!(encoding.encode(text.as_bytes()).unwrap().len() < 200);
            assert!(encoding.encode(b"").is_none());
        }
    }
}
