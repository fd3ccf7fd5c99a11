//! Checks a page, its bundle and the engine's files over HTTP.

use crate::bundle::opened_as;
use crate::engine::engine;
use crate::fetch::{Answer, Client, LARGEST_PAGE};
use crate::page::Page;
use crate::policy::origin;
use crate::{Check, State};
use ingle_bundle::{Bundle, BundleError, FileEntry, Manifest};
use std::collections::BTreeMap;
use ureq::http::Uri;

/// A shorter time for which browsers may keep a bundle's files is reported: a week, in seconds.
const LONG_S: u64 = 7 * 24 * 3600;

/// Addresses to check, beside the page's or the bundle's own.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The bundle's folder, if the page does not name it.
    pub bundle: Option<String>,
    /// The folder of the engine's files.
    pub assets: Option<String>,
    /// The page from whose origin a bundle is fetched, if the address is the bundle's.
    pub page: Option<String>,
}

/// Checks an address, either a page's or a bundle's.
pub fn address(url: &str, asked: &Asked) -> Vec<Check> {
    let client = Client::new();
    let mut checks = Vec::new();
    let found = match Page::open(&client, url) {
        Ok(found) => found,
        Err(why) => return vec![Check::bad("address", format!("{url}: {why}"), REACH)],
    };
    let Some(page) = found else {
        let from = asked.page.as_deref().and_then(|page| page.parse().ok());
        checks.extend(bundle(&client, url, from.as_ref()));
        if let Some(assets) = &asked.assets {
            checks.extend(engine(&client, assets));
        }
        return checks;
    };
    checks.extend(page.checks());
    let assets = asked.assets.clone().or_else(|| page.assets());
    let bundles: Vec<String> = match &asked.bundle {
        Some(bundle) => vec![page.resolve(bundle)],
        None => page.bundles(),
    };
    if bundles.is_empty() {
        checks.push(Check::note(
            "bundle",
            "the page's markup names no bundle (a script may)",
            "name its folder with --bundle to check it",
        ));
    }
    for at in bundles {
        checks.push(page.may_fetch(&at));
        checks.extend(bundle(&client, &at, Some(&page.url)));
    }
    match assets {
        Some(at) => {
            let at = page.resolve(&at);
            checks.push(page.may_work(&at));
            checks.extend(engine(&client, &at));
        }
        None => checks.push(Check::note(
            "engine",
            "the markup does not say where the engine's files are",
            "name the folder of cpu.wasm with --assets to check them",
        )),
    }
    checks
}

const REACH: &str = "is the address right, and does the host answer from here?";

/// Checks a bundle's host, for a page of this origin.
fn bundle(client: &Client, url: &str, page: Option<&Uri>) -> Vec<Check> {
    let folder = match url.strip_suffix("manifest.json") {
        Some(folder) => folder.to_owned(),
        None => format!("{}/", url.trim_end_matches('/')),
    };
    let at = format!("{folder}manifest.json");
    let origin = page.map(written_origin);
    let ask: Vec<(&str, &str)> = origin.iter().map(|origin| ("Origin", &**origin)).collect();
    let manifest = match client.get(&at, &ask, LARGEST_PAGE) {
        Err(why) => return vec![Check::bad("manifest", format!("{at}: {why}"), REACH)],
        Ok(answer) => answer,
    };
    if let Some(refusal) = manifest.refusal() {
        let advice = "give the bundle's final address: redirects to it are not followed";
        return vec![Check::bad("manifest", format!("{at}: {refusal}"), advice)];
    }
    let mut checks = vec![manifest_caching(&manifest)];
    checks.extend(identity(&manifest));
    checks.extend(page.and_then(|page| cors(&manifest, &at, page)));
    let parsed = match Manifest::parse(&manifest.body) {
        Ok(parsed) => parsed,
        Err(error) if manifest.media_type() == "text/html" => {
            let found = format!("{at} is a page and not a manifest: {error}");
            let advice = "the host answers unknown addresses with its page: deploy the bundle, or correct the address";
            checks.push(Check::bad("manifest", found, advice));
            return checks;
        }
        Err(error) => {
            checks.extend(opened_as(&Err(error)));
            return checks;
        }
    };
    let mut answers = BTreeMap::new();
    for file in &parsed.files {
        match client.get(&format!("{folder}{}", file.name), &ask, file.bytes + 1) {
            Err(why) => checks.push(Check::bad("file", format!("{}: {why}", file.name), REACH)),
            Ok(answer) => match answer.refusal() {
                Some(refusal) => checks.push(Check::bad(
                    "file",
                    format!("{}: {refusal}", file.name),
                    "deploy every file of the bundle, the manifest last",
                )),
                None => drop(answers.insert(file.name.clone(), answer)),
            },
        }
    }
    if answers.len() == parsed.files.len() {
        let bytes = |entry: &FileEntry| -> Result<Vec<u8>, BundleError> {
            Ok(answers[&entry.name].body.clone())
        };
        checks.extend(opened_as(&Bundle::open(&manifest.body, bytes)));
    }
    let files: Vec<(&str, &Answer)> = answers
        .iter()
        .map(|(name, answer)| (&**name, answer))
        .collect();
    checks.extend(page.and_then(|page| {
        files.iter().find_map(|(name, answer)| {
            cors(answer, &format!("{folder}{name}"), page).filter(|check| check.state == State::Bad)
        })
    }));
    checks.push(file_caching(&files));
    checks.push(types(&manifest, &files));
    checks.push(sniffing(&manifest));
    checks.extend(compression(client, &folder, &parsed.files));
    checks
}

/// Scheme, host and port in the form of the `Origin` header.
fn written_origin(page: &Uri) -> String {
    let authority = page.authority().map_or("", |authority| authority.as_str());
    format!("{}://{authority}", page.scheme_str().unwrap_or("https"))
}

/// The directives of `Cache-Control`, in lower case.
pub(crate) fn cache_control(answer: &Answer) -> Vec<String> {
    let values = answer
        .headers("cache-control")
        .flat_map(|value| value.split(','));
    values
        .map(|word| word.trim().to_ascii_lowercase())
        .collect()
}

/// The `max-age`, in seconds.
pub(crate) fn max_age(directives: &[String]) -> Option<u64> {
    directives
        .iter()
        .find_map(|word| word.strip_prefix("max-age=")?.parse().ok())
}

fn manifest_caching(answer: &Answer) -> Check {
    let directives = cache_control(answer);
    let has = |word: &str| directives.iter().any(|directive| directive == word);
    let said = if directives.is_empty() {
        "nothing".to_owned()
    } else {
        directives.join(", ")
    };
    let what = "manifest, caching";
    let advice = "send `Cache-Control: no-store` with manifest.json";
    if has("no-store") {
        Check::good(what, "no-store")
    } else if has("no-cache") || max_age(&directives) == Some(0) {
        Check::note(
            what,
            format!("{said}: it is revalidated every time"),
            advice,
        )
    } else if directives.is_empty() {
        Check::note(
            what,
            "Cache-Control says nothing about it, so caches decide",
            advice,
        )
    } else {
        Check::bad(
            what,
            format!("{said}: caches may send an old bundle"),
            advice,
        )
    }
}

/// A check on headers that a browser would send back at the next visit.
fn identity(answer: &Answer) -> Option<Check> {
    let sent: Vec<&str> = ["etag", "last-modified", "set-cookie"]
        .into_iter()
        .filter(|name| answer.header(name).is_some())
        .collect();
    (!sent.is_empty()).then(|| {
        let found = format!("the manifest comes with {}", sent.join(" and "));
        let advice = "leave it out: a browser sends it back, and a visitor can be recognised by it";
        Check::note("manifest, identity", found, advice)
    })
}

/// Whether a page of another origin may read the answer; nothing for the same origin.
fn cors(answer: &Answer, url: &str, page: &Uri) -> Option<Check> {
    let url: Uri = url.parse().ok()?;
    if origin(&url) == origin(page) {
        return None;
    }
    let wanted = written_origin(page);
    Some(match answer.header("access-control-allow-origin") {
        Some(allowed) if allowed == "*" || allowed == wanted => {
            Check::good("CORS", format!("pages of {wanted} may read it"))
        }
        other => Check::bad(
            "CORS",
            format!(
                "{url}: Access-Control-Allow-Origin is {}, and the page is of {wanted}",
                other.unwrap_or("missing")
            ),
            "send `Access-Control-Allow-Origin: *` with every file of the bundle",
        ),
    })
}

fn file_caching(files: &[(&str, &Answer)]) -> Check {
    let short: Vec<&str> = files
        .iter()
        .filter(|(_, answer)| max_age(&cache_control(answer)).is_none_or(|age| age < LONG_S))
        .map(|(name, _)| *name)
        .collect();
    match short.first() {
        None => Check::good(
            "files, caching",
            "kept for long: their names change with their contents",
        ),
        Some(first) => Check::note(
            "files, caching",
            format!(
                "{} of {} are kept less than a week, {first} first",
                short.len(),
                files.len()
            ),
            "send `Cache-Control: public, max-age=31536000, immutable` with all files but manifest.json",
        ),
    }
}

fn types(manifest: &Answer, files: &[(&str, &Answer)]) -> Check {
    let json = files.iter().filter(|(name, _)| has_extension(name, "json"));
    let wrong = std::iter::once(&("manifest.json", manifest))
        .chain(json)
        .map(|(name, answer)| (*name, answer.media_type()))
        .find(|(_, kind)| kind != "application/json");
    match wrong {
        None => Check::good("content types", "JSON is application/json"),
        Some((name, kind)) => Check::note(
            "content types",
            format!(
                "{name} is sent as {}",
                if kind.is_empty() { "nothing" } else { &kind }
            ),
            "send .json as application/json",
        ),
    }
}

pub(crate) fn has_extension(name: &str, extension: &str) -> bool {
    std::path::Path::new(name)
        .extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn sniffing(answer: &Answer) -> Check {
    match answer.header("x-content-type-options") {
        Some(value) if value.eq_ignore_ascii_case("nosniff") => Check::good("nosniff", "sent"),
        _ => Check::note(
            "nosniff",
            "X-Content-Type-Options is not sent",
            "send `X-Content-Type-Options: nosniff`, so that browsers do not guess another type",
        ),
    }
}

/// Whether the host compresses files for clients that accept it.
fn compression(client: &Client, folder: &str, files: &[FileEntry]) -> Option<Check> {
    // Ids and weights compress well; a table of small integers hardly does.
    let file = files
        .iter()
        .filter(|file| file.bytes > 1024)
        .min_by_key(|file| (!has_extension(&file.name, "json"), file.bytes))?;
    let advice =
        "let the host compress with brotli or gzip, or send the files of `ingle export --compress`";
    let url = format!("{folder}{}", file.name);
    Some(compressed(client, &url, &file.name, advice))
}

/// Whether one file is sent compressed.
pub(crate) fn compressed(client: &Client, url: &str, name: &str, advice: &str) -> Check {
    let what = "compression";
    let answer = client.get(url, &[("Accept-Encoding", "br, gzip")], 0);
    match answer.map(|answer| {
        answer
            .header("content-encoding")
            .map(str::to_ascii_lowercase)
    }) {
        Ok(Some(encoding)) if ["br", "gzip", "zstd"].contains(&&*encoding) => {
            Check::good(what, format!("{name} is sent as {encoding}"))
        }
        Ok(_) => Check::note(what, format!("{name} is sent uncompressed"), advice),
        Err(why) => Check::note(what, format!("{name}: {why}"), REACH),
    }
}
