//! The shop's pages with the keys that they trust.

use std::error::Error;
use std::fs;
use std::path::Path;

/// The page.
const PAGE: &str = "index.html";
/// Behind this the page names its keys.
const HEAD: &str = "<head>";
/// Keeps the page for visits without a network: with other keys it must be kept anew, so its bytes must differ.
const SERVICE_WORKER: &str = "sw.js";

/// Copies a site, and writes into its page which keys it trusts.
pub(crate) fn copy(from: &Path, to: &Path, trust: &str) -> Result<(), Box<dyn Error>> {
    copy_all(from, to)?;
    let page = fs::read_to_string(to.join(PAGE))?;
    if !page.contains(HEAD) {
        return Err(format!("{} has no {HEAD}", from.join(PAGE).display()).into());
    }
    let content = trust.replace('&', "&amp;").replace('\'', "&#39;");
    let tag = format!("{HEAD}\n    <meta name=\"ingle-trust\" content='{content}' />");
    fs::write(to.join(PAGE), page.replacen(HEAD, &tag, 1))?;
    let worker = fs::read_to_string(to.join(SERVICE_WORKER))?;
    fs::write(to.join(SERVICE_WORKER), format!("{worker}\n// {trust}\n"))?;
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<(), std::io::Error> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let path = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &path)?;
        } else {
            fs::copy(entry.path(), path)?;
        }
    }
    Ok(())
}
