//! Checks the package's files at a host: the workers and the wasm that a page loads.

use crate::Check;
use crate::fetch::{Answer, Client};
use crate::host::{cache_control, compressed, max_age};
use crate::policy::Policies;

/// Upper bound on the size of any of the files, in bytes.
const LARGEST: u64 = 16 << 20;
/// Name of the wasm's last section, which names the build.
const RELEASE: &[u8] = b"ingle-release";

/// Checks the folder of the engine's files.
pub(crate) fn engine(client: &Client, folder: &str) -> Vec<Check> {
    let folder = folder.trim_end_matches('/');
    let mut checks = Vec::new();
    let mut get = |name: &'static str| -> Option<Answer> {
        let url = format!("{folder}/{name}");
        let refused = match client.get(&url, &[], LARGEST) {
            Err(why) => why,
            Ok(answer) => match answer.refusal() {
                None => return Some(answer),
                Some(refusal) => refusal,
            },
        };
        let advice = "copy worker-cpu.js, worker-gpu.js, cpu.wasm and gpu.wasm of the package there, or name their folder with the option assets";
        checks.push(Check::bad("engine", format!("{url}: {refused}"), advice));
        None
    };
    let scripts = ["worker-cpu.js", "worker-gpu.js"].map(|name| (name, get(name)));
    let modules = ["cpu.wasm", "gpu.wasm"].map(|name| (name, get(name)));
    for (name, answer) in scripts
        .iter()
        .filter_map(|(name, answer)| Some((name, answer.as_ref()?)))
    {
        let kind = answer.media_type();
        if !matches!(&*kind, "text/javascript" | "application/javascript") {
            let found = format!(
                "{name} is sent as {}, which browsers do not run",
                if kind.is_empty() { "nothing" } else { &kind }
            );
            checks.push(Check::bad(
                "engine, content types",
                found,
                "send .js as text/javascript",
            ));
        }
        let own = Policies::new(answer.headers("content-security-policy"));
        if !own.allows_wasm() {
            let found = format!(
                "{name} is sent with its own content security policy, which forbids WebAssembly in the worker"
            );
            checks.push(Check::bad(
                "engine, policy",
                found,
                "add 'wasm-unsafe-eval' to the script-src that is sent with the script",
            ));
        }
    }
    for (name, answer) in modules
        .iter()
        .filter_map(|(name, answer)| Some((name, answer.as_ref()?)))
    {
        let kind = answer.media_type();
        if !answer.body.starts_with(b"\0asm") {
            let found = format!("{name} is not WebAssembly (sent as {kind})");
            checks.push(Check::bad(
                "engine",
                found,
                "the host answers unknown addresses with its page: copy the file there",
            ));
        } else if kind != "application/wasm" {
            let found = format!(
                "{name} is sent as {}, so browsers compile it only after the whole download",
                if kind.is_empty() { "nothing" } else { &kind }
            );
            checks.push(Check::note(
                "engine, content types",
                found,
                "send .wasm as application/wasm",
            ));
        }
    }
    let all = || {
        scripts
            .iter()
            .chain(&modules)
            .filter_map(|(name, answer)| Some((*name, answer.as_ref()?)))
    };
    let aged = all().find(|(_, answer)| {
        max_age(&cache_control(answer)).is_some_and(|age| age > 0)
            && !cache_control(answer).iter().any(|word| word == "no-cache")
    });
    if let Some((name, _)) = aged {
        let found =
            format!("caches may keep {name} without revalidation, and its name does not change");
        checks.push(Check::note(
            "engine, caching",
            found,
            "send `Cache-Control: no-cache`, or put the files under a path with the release in it",
        ));
    }
    checks.extend(releases(&scripts, &modules));
    if modules[0].1.is_some() {
        let (url, advice) = (
            format!("{folder}/cpu.wasm"),
            "let the host compress .wasm with brotli or gzip: it then has a third of the bytes",
        );
        checks.push(compressed(client, &url, "cpu.wasm", advice));
    }
    checks
}

/// Whether scripts and wasm are of the same build.
fn releases(
    scripts: &[(&str, Option<Answer>)],
    modules: &[(&str, Option<Answer>)],
) -> Option<Check> {
    let releases: Vec<(&str, String)> = modules
        .iter()
        .filter_map(|(name, answer)| Some((*name, release(&answer.as_ref()?.body)?)))
        .collect();
    let (_, first) = releases.first()?;
    let other = releases
        .iter()
        .find(|(_, release)| release != first)
        .map(|(name, _)| *name);
    let script = scripts
        .iter()
        .filter_map(|(name, answer)| Some((*name, answer.as_ref()?)));
    let stale = script
        .filter(|(_, answer)| !contains(&answer.body, first.as_bytes()))
        .map(|(name, _)| name)
        .next();
    Some(match other.or(stale) {
        None => Check::good("engine", format!("all four files are of build {first}")),
        Some(name) => Check::bad(
            "engine",
            format!("cpu.wasm is of build {first}, and {name} of another"),
            "upload all files of the package together",
        ),
    })
}

/// The name of the build in a wasm file's last section.
fn release(wasm: &[u8]) -> Option<String> {
    let at = wasm
        .windows(RELEASE.len())
        .rposition(|window| window == RELEASE)?;
    let name = &wasm[at + RELEASE.len()..];
    let named = !name.is_empty() && name.iter().all(u8::is_ascii_hexdigit);
    named.then(|| String::from_utf8_lossy(name).into_owned())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
