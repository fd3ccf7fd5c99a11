//! Sends one request as a browser would and returns the answer as received: redirects are not followed and nothing is
//! decompressed.

use std::time::Duration;
use ureq::Agent;

/// Time limit for one answer.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Largest size of a page or a manifest, in bytes.
pub(crate) const LARGEST_PAGE: u64 = 8 << 20;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(header, _)| header == name);
        named.map(|(_, value)| &**value)
    }

    /// All values of a header.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self
            .headers
            .iter()
            .filter(move |(header, _)| header == name);
        named.map(|(_, value)| &**value)
    }

    /// The media type, in lower case and without its parameters.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    /// The reason why the answer is unusable, if it is.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self.status {
            200 => None,
            status @ 300..=399 => {
                let to = self.header("location").unwrap_or("nowhere");
                Some(format!("HTTP {status}, moved to {to}"))
            }
            status => Some(format!("HTTP {status}")),
        }
    }
}

/// An HTTP client.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
}

impl Client {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The package fetches bundles without following redirects, so a moved bundle is not found.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("ingle-doctor/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
        }
    }

    /// Sends a GET request with further headers; reads at most `limit` bytes of the body.
    pub(crate) fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        limit: u64,
    ) -> Result<Answer, String> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let body = if limit == 0 {
            Vec::new()
        } else {
            let body = response.body_mut().with_config().limit(limit);
            body.read_to_vec().map_err(|error| error.to_string())?
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}
