//! A folder, a bucket or a host that signed releases are read from.

use crate::data::InputError;
use anyhow::{Result, bail};
use ingle_delivery::{CHANNEL, DeliveryError, Folder, Source, Store, is_bucket};
use std::path::Path;
use std::time::Duration;
use ureq::Agent;

/// Time limit for one file.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Opens the folder or the bucket at an address, to publish to.
pub(super) fn store(place: &str) -> Result<Box<dyn Store>> {
    ingle_delivery::open(place).map_err(told)
}

/// Opens the folder, the bucket or the host at an address, to read from.
pub(super) fn open(place: &str) -> Result<Box<dyn Source>> {
    if is_bucket(place) {
        return Ok(store(place)?);
    }
    if place.contains("://") {
        return Ok(Box::new(Host::new(place)?));
    }
    if Path::new(place).is_dir() {
        return Ok(Box::new(Folder::new(Path::new(place))));
    }
    bail!(InputError::other(format!(
        "{place} is neither a folder nor an address that begins with http://, https://, s3://, gs:// or az://"
    )))
}

/// An error of a release as one of the program: what the input is to blame for, or else what failed.
pub(super) fn told(error: DeliveryError) -> anyhow::Error {
    match error {
        DeliveryError::Io { .. }
        | DeliveryError::Conflict { .. }
        | DeliveryError::Denied { .. }
        | DeliveryError::Conditions { .. } => {
            anyhow::anyhow!("{error} ({})", error.code())
        }
        error => InputError::other(format!("{error} ({})", error.code())).into(),
    }
}

/// A host, asked as a page asks it: redirects are refused.
struct Host {
    agent: Agent,
    folder: String,
}

impl Host {
    fn new(address: &str) -> Result<Self, InputError> {
        if !address.starts_with("http://") && !address.starts_with("https://") {
            let reason =
                format!("{address} does not begin with http://, https://, s3://, gs:// or az://");
            return Err(InputError::other(reason));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("ingle/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.into(),
            folder: format!("{}/", address.trim_end_matches('/')),
        })
    }
}

impl Source for Host {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError> {
        let url = format!("{}{name}", self.folder);
        let failed = |reason: String| DeliveryError::Io {
            action: format!("fetch {url}"),
            reason,
        };
        let request = self.agent.get(&url).header("cache-control", "no-cache");
        let mut response = request.call().map_err(|error| failed(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(failed(format!("HTTP {status}"))),
        }
        let caching = response.headers().get("cache-control");
        let caching = caching.and_then(|value| value.to_str().ok());
        if name == CHANNEL && !caching.is_some_and(|value| value.contains("no-store")) {
            return Err(DeliveryError::Refused {
                reason: format!(
                    "{url} is not sent with `Cache-Control: no-store`: caches would keep an old one"
                ),
            });
        }
        // One byte more than may be there shows that there are more.
        let body = response.body_mut().with_config().limit(limit as u64 + 1);
        let bytes = body
            .read_to_vec()
            .map_err(|error| failed(error.to_string()))?;
        if bytes.len() > limit {
            return Err(failed(format!("it has more than {limit} bytes")));
        }
        Ok(Some(bytes))
    }
}
