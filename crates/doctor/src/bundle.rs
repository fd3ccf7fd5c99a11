//! Checks a bundle, in a folder or as a host sent it.

use crate::{Check, State};
use ingle_bundle::{Bundle, BundleError, FORMAT, dir};
use serde_json::Value;
use std::path::Path;

/// Checks a bundle's folder.
pub fn folder(path: &Path) -> Vec<Check> {
    let manifest = match dir::read_manifest(path) {
        Ok(manifest) => manifest,
        Err(error) => return vec![unreadable(&error)],
    };
    let opened = Bundle::open(&manifest, |entry| dir::read_file(path, entry));
    let mut checks = opened_as(&opened);
    if let Ok(bundle) = &opened {
        let larger = bundle
            .manifest
            .files
            .iter()
            .filter(|file| file.bytes > 1024);
        let plain = larger
            .filter(|file| !path.join(format!("{}.br", file.name)).is_file())
            .count();
        if plain == 0 {
            let found = "precompressed files (.br, .gz) lie beside the files";
            checks.push(Check::good("compression", found));
        } else {
            checks.push(Check::note(
                "compression",
                format!("{plain} files have none beside them"),
                "`ingle export --compress` writes them, for hosts that do not compress by themselves",
            ));
        }
    }
    checks
}

/// Checks on an opened bundle, or on why it could not be opened.
pub(crate) fn opened_as(opened: &Result<Bundle, BundleError>) -> Vec<Check> {
    let bundle = match opened {
        Ok(bundle) => bundle,
        Err(error) => return vec![unreadable(error)],
    };
    let manifest = &bundle.manifest;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let whole = Check::good(
        "bundle",
        format!(
            "{}: method {}, {} items, {} files of {bytes} bytes, every hash checked",
            manifest.name,
            manifest.method.name,
            manifest.items.count,
            manifest.files.len(),
        ),
    );
    let (ours, theirs) = (
        env!("CARGO_PKG_VERSION"),
        manifest.provenance.get("ingle").and_then(Value::as_str),
    );
    let version = match theirs {
        Some(theirs) if theirs == ours => Check::good(
            "version",
            format!("made by ingle {theirs}, format {FORMAT}"),
        ),
        Some(theirs) => Check::note(
            "version",
            format!(
                "made by ingle {theirs}, and this program is {ours}; both read format {FORMAT}"
            ),
            "the package on the page must read the format too: use one of the same release",
        ),
        None => Check::good("version", format!("format {FORMAT}")),
    };
    vec![whole, version]
}

fn unreadable(error: &BundleError) -> Check {
    let advice = match error.code() {
        "bundle/format" | "method/unknown" => "update this program and the package on the page",
        "bundle/size" | "bundle/hash" => {
            "deploy the files again: this file does not match the manifest"
        }
        "bundle/manifest" => {
            "this manifest.json is not one of a bundle; give the folder that `ingle export` wrote"
        }
        _ => "export the bundle again, and deploy all of its files",
    };
    Check {
        what: "bundle".to_owned(),
        state: State::Bad,
        found: format!("{}: {error}", error.code()),
        advice: Some(advice.to_owned()),
    }
}
