//! Checks a page: whether its headers and markup allow an engine to run in it.

use crate::Check;
use crate::fetch::{Client, LARGEST_PAGE};
use crate::markup::elements;
use crate::policy::{Policies, origin};
use ureq::http::Uri;

/// A page as its host sent it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Uri,
    text: String,
    policies: Policies,
    base: Uri,
}

impl Page {
    /// Fetches a page; `None` if the answer is not a page.
    pub(crate) fn open(client: &Client, url: &str) -> Result<Option<Self>, String> {
        let parsed: Uri = url.parse().map_err(|error| format!("{error}"))?;
        if parsed.host().is_none() || !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return Err("an address begins with http:// or https://".to_owned());
        }
        let answer = client.get(url, &[("Accept", "text/html,*/*")], LARGEST_PAGE)?;
        // A bundle's folder is not a page.
        if answer.media_type() != "text/html" || url.ends_with("manifest.json") {
            return Ok(None);
        }
        if let Some(refusal) = answer.refusal() {
            return if url.ends_with('/') {
                Ok(None)
            } else {
                Err(refusal)
            };
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let metas = elements(&text, "meta");
        let said = metas.iter().filter(|meta| {
            let name = meta.get("http-equiv").map(|name| name.to_ascii_lowercase());
            name.as_deref() == Some("content-security-policy")
        });
        let said = said.filter_map(|meta| meta.get("content").map(|value| &**value));
        let policies = Policies::new(answer.headers("content-security-policy").chain(said));
        let base = elements(&text, "base");
        let base = base.first().and_then(|base| base.get("href"));
        let base = base.and_then(|base| resolve(&parsed, base).parse().ok());
        Ok(Some(Self {
            base: base.unwrap_or_else(|| parsed.clone()),
            url: parsed,
            text,
            policies,
        }))
    }

    pub(crate) fn checks(&self) -> Vec<Check> {
        vec![self.security(), self.wasm()]
    }

    /// The bundle folders that elements name, without duplicates.
    pub(crate) fn bundles(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in ["ingle-shelf", "ingle-privacy"] {
            for element in elements(&self.text, name) {
                let at = element.get("src").map(|src| self.resolve(src));
                found.extend(at.filter(|at| !found.contains(at)));
            }
        }
        found
    }

    /// The folder of the engine's files, if the page states it or loads the plain script.
    pub(crate) fn assets(&self) -> Option<String> {
        let named = ["script", "meta"].into_iter().find_map(|name| {
            let all = elements(&self.text, name);
            all.iter()
                .find_map(|element| element.get("data-ingle-base").cloned())
        });
        named.or_else(|| {
            let scripts = elements(&self.text, "script");
            let sources = scripts.iter().filter_map(|script| script.get("src"));
            let script = sources.filter(|src| {
                src.split('?')
                    .next()
                    .is_some_and(|src| src.ends_with("ingle.iife.js"))
            });
            let folder = |src: &String| {
                src.split('?')
                    .next()
                    .unwrap_or_default()
                    .rsplit_once('/')
                    .map_or("./".to_owned(), |(folder, _)| format!("{folder}/"))
            };
            script.map(folder).next()
        })
    }

    /// A reference in the page as an absolute address.
    pub(crate) fn resolve(&self, reference: &str) -> String {
        resolve(&self.base, reference)
    }

    /// Whether the page's policy lets it fetch a bundle.
    pub(crate) fn may_fetch(&self, bundle: &str) -> Check {
        let allowed = bundle
            .parse()
            .is_ok_and(|url| self.policies.allows_fetch(&url, &self.url));
        if allowed {
            Check::good("policy, bundle", format!("the page may fetch {bundle}"))
        } else {
            let (scheme, host, _) = bundle
                .parse()
                .as_ref()
                .map_or_else(|_| Default::default(), origin);
            Check::bad(
                "policy, bundle",
                format!("the page's content security policy does not let it fetch {bundle}"),
                format!("add {scheme}://{host} (or 'self' for the page's own) to connect-src"),
            )
        }
    }

    /// Whether the page's policy lets it start the engine's worker.
    pub(crate) fn may_work(&self, assets: &str) -> Check {
        let worker = format!("{}/worker-cpu.js", assets.trim_end_matches('/'));
        let allowed = worker
            .parse()
            .is_ok_and(|url| self.policies.allows_worker(&url, &self.url));
        if allowed {
            Check::good("policy, worker", "the engine may run in a worker")
        } else {
            Check::note(
                "policy, worker",
                "the page's content security policy forbids the worker, so the engine runs on the page's own thread",
                "add worker-src 'self'",
            )
        }
    }

    fn security(&self) -> Check {
        let (scheme, host, _) = origin(&self.url);
        let own = host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host.starts_with("127.");
        if scheme == "https" || own {
            Check::good("secure page", format!("{scheme}://{host}"))
        } else {
            Check::note(
                "secure page",
                format!(
                    "{scheme}://{host} is not: browsers have no WebGPU, no cache for bundles and no service worker there"
                ),
                "serve the page over https",
            )
        }
    }

    fn wasm(&self) -> Check {
        if self.policies.is_empty() {
            Check::good(
                "policy, WebAssembly",
                "the page has no content security policy",
            )
        } else if self.policies.allows_wasm() {
            Check::good("policy, WebAssembly", "allowed")
        } else {
            Check::bad(
                "policy, WebAssembly",
                "the page's content security policy forbids it, so only popular items can be shown",
                "add 'wasm-unsafe-eval' to script-src",
            )
        }
    }
}

/// Resolves a reference against a base address, as browsers do.
fn resolve(base: &Uri, reference: &str) -> String {
    let reference = reference.trim();
    if reference
        .parse::<Uri>()
        .is_ok_and(|uri| uri.scheme().is_some())
    {
        return reference.to_owned();
    }
    let scheme = base.scheme_str().unwrap_or("https");
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let mut path: Vec<&str> = match reference.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => base.path().split('/').skip(1).collect(),
    };
    // The part after the last slash is the page itself.
    path.pop();
    let parts: Vec<&str> = reference.trim_start_matches('/').split('/').collect();
    let last = parts.len() - 1;
    for (n, part) in parts.into_iter().enumerate() {
        match part {
            "." | ".." => {
                if part == ".." {
                    path.pop();
                }
                if n == last {
                    path.push("");
                }
            }
            part => path.push(part),
        }
    }
    format!("{scheme}://{authority}/{}", path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_browsers_do() {
        let base: Uri = "https://shop.example/a/b?c".parse().expect("an address");
        for (reference, expected) in [
            ("/recommender/", "https://shop.example/recommender/"),
            ("recommender/", "https://shop.example/a/recommender/"),
            ("./", "https://shop.example/a/"),
            ("../x", "https://shop.example/x"),
            ("..", "https://shop.example/"),
            ("//cdn.example/b/", "https://cdn.example/b/"),
            ("http://cdn.example/b/", "http://cdn.example/b/"),
        ] {
            assert_eq!(resolve(&base, reference), expected, "{reference}");
        }
    }
}
