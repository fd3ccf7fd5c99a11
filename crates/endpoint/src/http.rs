//! One request: its answer, or whether it is worth sending again. The key is here and nowhere else.

use crate::answer::excerpt;
use crate::error::{EndpointError, Trouble};
use crate::pace::retry_after;
use crate::settings::Settings;
use serde_json::Value;
use std::fmt;
use std::time::{Duration, SystemTime};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Answers larger than this are not read: bytes.
const LARGEST_ANSWER: u64 = 64 << 20;
/// Bytes of a refusal that are read.
const LARGEST_REFUSAL: u64 = 64 << 10;

/// Why there is no answer.
pub(crate) enum Failure {
    /// It may be there the next time, at the soonest after the wait that the server asks for.
    Passing(Trouble, Option<Duration>),
    /// It will not.
    Lasting(EndpointError),
}

/// A key that does not show itself.
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key]")
    }
}

#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    pub(crate) url: String,
    key: Option<Secret>,
    key_variable: String,
    timeout: Duration,
}

impl Http {
    /// Reads the key from its variable.
    pub(crate) fn new(settings: &Settings) -> Result<Self, EndpointError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The key goes to the address that was named, and nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(settings.timeout))
            .max_idle_connections_per_host(settings.connections)
            .user_agent(concat!("ingle/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.into(),
            url: settings.url(),
            key: read_key(&settings.key_variable)?,
            key_variable: settings.key_variable.clone(),
            timeout: settings.timeout,
        })
    }

    /// Sends a body of JSON: the answer's bytes.
    pub(crate) fn post(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut request = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/json");
        if let Some(Secret(key)) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(body).map_err(|e| self.no_answer(&e))?;
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER);
        body.read_to_vec().map_err(|e| self.no_answer(&e))
    }

    /// The text without the key, should a server repeat it.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.key {
            Some(Secret(key)) => text.replace(key, "[key]"),
            None => text.to_owned(),
        }
    }

    fn no_answer(&self, error: &ureq::Error) -> Failure {
        use ureq::Error as E;
        let unreachable = |error: &E| Trouble::Unreachable(self.redact(&error.to_string()));
        let trouble = match error {
            E::Timeout(_) => Trouble::TimedOut(self.timeout),
            E::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => {
                Trouble::TimedOut(self.timeout)
            }
            E::Io(_) | E::HostNotFound | E::ConnectionFailed | E::Protocol(_) => unreachable(error),
            E::BodyExceedsLimit(_) => {
                return Failure::Lasting(EndpointError::Unsupported {
                    url: self.url.clone(),
                    found: format!("it answers more than {} MiB", LARGEST_ANSWER >> 20),
                    remedy: "send fewer prompts in a request",
                });
            }
            // What TLS and addresses are refused for stays the same.
            _ => {
                return Failure::Lasting(EndpointError::GaveUp {
                    url: self.url.clone(),
                    attempts: 1,
                    trouble: unreachable(error),
                });
            }
        };
        Failure::Passing(trouble, None)
    }

    fn refusal(&self, mut response: Response<Body>) -> Failure {
        let status = response.status().as_u16();
        let header = |name| {
            response
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let wait = header("retry-after").and_then(|value| retry_after(&value, SystemTime::now()));
        let moved = header("location").unwrap_or_default();
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST_REFUSAL)
            .read_to_vec();
        let message = self.redact(&message(&body.unwrap_or_default()));
        if matches!(status, 408 | 429 | 500..) {
            return Failure::Passing(Trouble::Busy { status, message }, wait);
        }
        let (variable, is_set) = (&self.key_variable, self.key.is_some());
        let advice = match status {
            401 | 403 if is_set => format!("; check the key in {variable}"),
            401 | 403 => format!("; put a key into {variable}"),
            404 => "; check the address and the model's name".to_owned(),
            300..=399 => format!(
                "; it has moved to {}: set that address",
                self.redact(&moved)
            ),
            _ => String::new(),
        };
        let url = self.url.clone();
        Failure::Lasting(EndpointError::Refused {
            url,
            status,
            message,
            advice,
        })
    }
}

fn read_key(variable: &str) -> Result<Option<Secret>, EndpointError> {
    let Some(value) = std::env::var_os(variable) else {
        return Ok(None);
    };
    match value.to_str().map(str::trim) {
        Some("") => Ok(None),
        Some(key) if key.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
            Ok(Some(Secret(key.to_owned())))
        }
        _ => Err(EndpointError::Setting {
            setting: "key_variable",
            what: format!("{variable} holds characters that no key has"),
        }),
    }
}

/// What a server says in a refusal, in the forms that servers use, shortened.
fn message(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = ["/error/message", "/message", "/error", "/detail"]
        .iter()
        .find_map(|path| json.pointer(path)?.as_str());
    match said {
        Some(said) => excerpt(said.as_bytes()),
        None if body.is_empty() => "no reason given".to_owned(),
        None => excerpt(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_server_says() {
        for (body, said) in [
            (
                r#"{"error": {"message": "no such\n model", "code": 404}}"#,
                "no such model",
            ),
            (r#"{"object": "error", "message": "too long"}"#, "too long"),
            (r#"{"error": "busy"}"#, "busy"),
            (r#"{"detail": "Invalid API key"}"#, "Invalid API key"),
            (
                r#"{"detail": [{"loc": "prompt"}]}"#,
                r#"{"detail": [{"loc": "prompt"}]}"#,
            ),
            ("<h1>Bad\n gateway</h1>", "<h1>Bad gateway</h1>"),
            ("", "no reason given"),
        ] {
            assert_eq!(message(body.as_bytes()), said);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        // Cargo sets this one for tests.
        let mut settings = Settings::new("http://127.0.0.1:1/v1", "m", "c");
        settings.key_variable = "CARGO_PKG_DESCRIPTION".to_owned();
        let http = Http::new(&settings).expect("a client");
        let key = env!("CARGO_PKG_DESCRIPTION");
        assert_eq!(http.redact(&format!("no key {key}!")), "no key [key]!");
        assert!(!format!("{http:?}").contains(key));
        settings.key_variable = "INGLE_NO_SUCH_VARIABLE".to_owned();
        assert!(Http::new(&settings).expect("a client").key.is_none());
    }
}
