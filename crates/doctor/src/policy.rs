//! Evaluates content security policies for what Ingle needs.

use ureq::http::Uri;

/// The policies of a page; an action must be allowed by all of them.
#[derive(Debug, Default)]
pub(crate) struct Policies(Vec<Policy>);

/// Directives, each with its sources.
#[derive(Debug)]
struct Policy(Vec<(String, Vec<String>)>);

impl Policies {
    /// Parses the values of headers and `meta` elements.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let each = values.into_iter().flat_map(|value| value.split(','));
        let policies = each.map(Policy::new).filter(|policy| !policy.0.is_empty());
        Self(policies.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether WebAssembly may be compiled.
    pub(crate) fn allows_wasm(&self) -> bool {
        let words = ["'wasm-unsafe-eval'", "'unsafe-eval'"];
        self.0.iter().all(|policy| {
            let sources = policy.sources(&["script-src", "default-src"]);
            sources.is_none_or(|sources| sources.iter().any(|source| words.contains(&&**source)))
        })
    }

    /// Whether the page at `page` may start a worker from this address.
    pub(crate) fn allows_worker(&self, url: &Uri, page: &Uri) -> bool {
        let names = ["worker-src", "child-src", "script-src", "default-src"];
        self.allow(&names, url, page)
    }

    /// Whether the page at `page` may fetch this address.
    pub(crate) fn allows_fetch(&self, url: &Uri, page: &Uri) -> bool {
        self.allow(&["connect-src", "default-src"], url, page)
    }

    fn allow(&self, names: &[&str], url: &Uri, page: &Uri) -> bool {
        self.0.iter().all(|policy| {
            let sources = policy.sources(names);
            sources.is_none_or(|sources| sources.iter().any(|source| matches(source, url, page)))
        })
    }
}

impl Policy {
    fn new(value: &str) -> Self {
        let directives = value.split(';').filter_map(|directive| {
            let mut words = directive.split_whitespace().map(str::to_ascii_lowercase);
            Some((words.next()?, words.collect()))
        });
        Self(directives.collect())
    }

    /// The sources of the first of these directives that the policy has.
    fn sources(&self, names: &[&str]) -> Option<&[String]> {
        names.iter().find_map(|name| {
            let directive = self.0.iter().find(|(directive, _)| directive == name);
            directive.map(|(_, sources)| &**sources)
        })
    }
}

/// Whether a source of a policy matches this address.
fn matches(source: &str, url: &Uri, page: &Uri) -> bool {
    if source == "'self'" {
        return origin(url) == origin(page);
    }
    if source.starts_with('\'') {
        return false;
    }
    if source == "*" {
        return true;
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return url.scheme_str() == Some(scheme);
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (page.scheme_str(), source),
    };
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, ""), |(a, path)| (a, path));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let (found_scheme, found_host, found_port) = origin(url);
    let upgraded = scheme == Some("http") && found_scheme == "https";
    let same_host = match host.strip_prefix("*.") {
        Some(domain) => found_host.ends_with(&format!(".{domain}")),
        None => host == "*" || found_host == host,
    };
    let same_port = match port {
        Some("*") => true,
        Some(port) => port.parse() == Ok(found_port),
        None => matches!(found_port, 80 | 443),
    };
    let path = format!("/{path}");
    let same_path = path == "/"
        || if path.ends_with('/') {
            url.path().starts_with(&path)
        } else {
            url.path() == path
        };
    (scheme == Some(&*found_scheme) || upgraded) && same_host && same_port && same_path
}

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &Uri) -> (String, String, u16) {
    let scheme = url.scheme_str().unwrap_or_default().to_ascii_lowercase();
    let usual = if scheme == "https" { 443 } else { 80 };
    let host = url.host().unwrap_or_default().to_ascii_lowercase();
    (scheme, host, url.port_u16().unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect("an address")
    }

    #[test]
    fn the_policy_of_the_guide_allows_everything_and_stricter_ones_name_what_they_forbid() {
        let page = uri("https://shop.example/a");
        let own = uri("https://shop.example/b/worker-cpu.js");
        let away = uri("https://cdn.shop.example/b/manifest.json");
        // Policy, and whether it allows wasm, a worker of the page's origin, and a bundle of another origin.
        for (policy, expected) in [
            ("", [true, true, true]),
            (
                "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
                [true, true, false],
            ),
            ("script-src 'self'", [false, true, true]),
            ("default-src 'self'", [false, true, false]),
            (
                "default-src 'none'; script-src 'unsafe-eval'; connect-src https://*.shop.example",
                [true, false, true],
            ),
            ("connect-src cdn.shop.example/b/", [true, true, true]),
            ("connect-src cdn.shop.example/c/", [true, true, false]),
            ("connect-src cdn.shop.example:8443", [true, true, false]),
            ("connect-src https:", [true, true, true]),
            ("connect-src *, connect-src 'self'", [true, true, false]),
            (
                "img-src 'none'; WORKER-SRC 'SELF' blob:",
                [true, true, true],
            ),
        ] {
            let policies = Policies::new([policy]);
            let found = [
                policies.allows_wasm(),
                policies.allows_worker(&own, &page),
                policies.allows_fetch(&away, &page),
            ];
            assert_eq!(found, expected, "{policy}");
        }
    }
}
