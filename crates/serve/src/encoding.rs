//! Content encodings: negotiation by `Accept-Encoding`.

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};

/// A content encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The encodings that a client accepts, most preferred first; among equals, the one with the smaller result
    /// first. Identity is always included, and last unless the client ranks it higher.
    pub(crate) fn wanted(headers: &HeaderMap) -> Vec<Self> {
        let offered = Offered::parse(headers);
        let mut wanted: Vec<(Self, f32)> = [Self::Brotli, Self::Gzip]
            .map(|encoding| (encoding, offered.quality(encoding.token())))
            .into_iter()
            .filter(|(_, quality)| *quality > 0.0)
            .collect();
        // Identity has the client's quality if it is named, else 0.
        wanted.push((Self::Identity, offered.named("identity").unwrap_or(0.0)));
        wanted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        wanted.into_iter().map(|(encoding, _)| encoding).collect()
    }

    /// The encoding's name in HTTP.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// The suffix of file names in this encoding.
    pub(crate) fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gz"),
            Self::Identity => None,
        }
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

/// Parses `br;q=0.8`; `None` if the quality is not valid.
fn parse_entry(entry: &str) -> Option<(String, f32)> {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let quality = match parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))) {
        Some(text) => text.parse().ok().filter(|q| (0.0..=1.0).contains(q))?,
        None => 1.0,
    };
    Some((name, quality))
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
}
