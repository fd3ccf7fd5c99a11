//! Which server is asked, and how.

use crate::error::EndpointError;
use crate::prompt::Template;
use std::path::PathBuf;
use std::time::Duration;

/// The environment variable that holds the key, unless another is named.
const KEY_VARIABLE: &str = "INGLE_API_KEY";

/// Which server is asked, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The address before `/completions`, such as `http://127.0.0.1:8000/v1`. No user, password or query.
    pub base: String,
    /// The model's name at the server. Answers of different models are kept apart.
    pub model: String,
    /// The file in which answers are kept; it is made if there is none.
    pub cache: PathBuf,
    /// The environment variable that holds the key. Where it is not set, no key is sent.
    pub key_variable: String,
    /// What stands around instruction and input.
    pub template: Template,
    /// Prompts sent at once, 1 or more. Where a server takes one at a time, one is sent.
    pub prompts_per_request: usize,
    /// Requests under way at the same time, 1 or more.
    pub connections: usize,
    /// At most so many requests in a minute, evenly spread, if any; 1 or more.
    pub requests_per_minute: Option<u32>,
    /// How long one request may take in all.
    pub timeout: Duration,
    /// How often a request is sent before it is given up, 1 or more.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one, up to half a minute, and a
    /// random half of it is left out. A server that says how long to wait is believed, up to ten minutes.
    pub first_wait: Duration,
    /// Seed of the waits' randomness. Nothing else is random.
    pub seed: u64,
}

impl Settings {
    /// The usual settings: no key variable but `INGLE_API_KEY`, 16 prompts a request, 4 connections, no
    /// limit of requests, two minutes for a request, 6 attempts, half a second before the second.
    pub fn new(
        base: impl Into<String>,
        model: impl Into<String>,
        cache: impl Into<PathBuf>,
    ) -> Self {
        Self {
            base: base.into(),
            model: model.into(),
            cache: cache.into(),
            key_variable: KEY_VARIABLE.to_owned(),
            template: Template::default(),
            prompts_per_request: 16,
            connections: 4,
            requests_per_minute: None,
            timeout: Duration::from_mins(2),
            attempts: 6,
            first_wait: Duration::from_millis(500),
            seed: 0,
        }
    }

    /// The address that is asked.
    pub(crate) fn url(&self) -> String {
        format!("{}/completions", self.base.trim_end_matches('/'))
    }

    pub(crate) fn check(&self) -> Result<(), EndpointError> {
        let bad = |setting: &'static str, what: &str| {
            let what = what.to_owned();
            Err(EndpointError::Setting { setting, what })
        };
        self.check_base()?;
        if self.model.is_empty() {
            return bad("model", "the server needs a model's name");
        }
        if self.key_variable.is_empty() || self.key_variable.contains(['=', '\0']) {
            return bad("key_variable", "this is no name of an environment variable");
        }
        for (setting, is_none) in [
            ("prompts_per_request", self.prompts_per_request == 0),
            ("connections", self.connections == 0),
            ("requests_per_minute", self.requests_per_minute == Some(0)),
            ("timeout", self.timeout.is_zero()),
            ("attempts", self.attempts == 0),
        ] {
            if is_none {
                return bad(setting, "it must be more than nothing");
            }
        }
        Ok(())
    }

    /// The address itself is not repeated where it may hold a password.
    fn check_base(&self) -> Result<(), EndpointError> {
        let bad = |what: String| {
            let setting = "base";
            Err(EndpointError::Setting { setting, what })
        };
        let Ok(uri) = self.base.parse::<ureq::http::Uri>() else {
            return bad("this is no address, such as http://127.0.0.1:8000/v1".to_owned());
        };
        let authority = uri.authority().map_or("", |a| a.as_str());
        if authority.contains('@') {
            let variable = &self.key_variable;
            return bad(format!(
                "an address with a user or password is not taken: put a key into {variable}"
            ));
        }
        if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.is_empty() {
            return bad(format!(
                "{} is no address that begins with http:// or https://",
                self.base
            ));
        }
        if uri.query().is_some() {
            return bad("an address with a query is not taken".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Spoil = (&'static str, fn(&mut Settings));

    #[test]
    fn the_address_ends_in_completions() {
        for base in ["http://[::1]:80/v1", "http://[::1]:80/v1/"] {
            let settings = Settings::new(base, "m", "c");
            settings.check().expect("sound");
            assert_eq!(settings.url(), "http://[::1]:80/v1/completions");
        }
    }

    #[test]
    fn refuses_what_is_no_address_and_keeps_passwords_to_itself() {
        for base in [
            "",
            "localhost:8000",
            "ftp://a/v1",
            "/v1",
            "http://",
            "https://a/v1?b=c",
        ] {
            let error = Settings::new(base, "m", "c").check().expect_err(base);
            assert!(error.to_string().starts_with("base: "), "{error}");
        }
        let error = Settings::new("https://me:secret@a/v1", "m", "c").check();
        let error = error.expect_err("a password").to_string();
        assert!(
            error.contains("INGLE_API_KEY") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn refuses_nothing_where_something_is_needed() {
        let sound = || Settings::new("http://a/v1", "m", "c");
        let spoil: [Spoil; 7] = [
            ("model", |s| s.model.clear()),
            ("key_variable", |s| s.key_variable = "A=B".to_owned()),
            ("prompts_per_request", |s| s.prompts_per_request = 0),
            ("connections", |s| s.connections = 0),
            ("requests_per_minute", |s| s.requests_per_minute = Some(0)),
            ("timeout", |s| s.timeout = Duration::ZERO),
            ("attempts", |s| s.attempts = 0),
        ];
        for (name, spoil) in spoil {
            let mut settings = sound();
            spoil(&mut settings);
            let error = settings.check().expect_err(name).to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
