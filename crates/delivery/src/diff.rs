//! What a shopper who has one bundle fetches for another.

use ingle_bundle::Manifest;

/// The difference between two bundles by the hashes of their files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Names and bytes of files that both have.
    pub kept: Vec<(String, u64)>,
    /// Those that only the new one has: they are fetched.
    pub fetched: Vec<(String, u64)>,
    /// Those that only the old one has.
    pub dropped: Vec<(String, u64)>,
}

/// Compares two bundles.
pub fn diff(old: &Manifest, new: &Manifest) -> Change {
    let (old, new) = (files(old), files(new));
    let (kept, fetched) = new.iter().cloned().partition(|file| old.contains(file));
    let dropped = old.into_iter().filter(|file| !new.contains(file)).collect();
    Change {
        kept,
        fetched,
        dropped,
    }
}

/// Each file once: equal blocks share one.
fn files(manifest: &Manifest) -> Vec<(String, u64)> {
    let mut files: Vec<(String, u64)> = Vec::new();
    for entry in &manifest.files {
        if files.iter().all(|(name, _)| *name != entry.name) {
            files.push((entry.name.clone(), entry.bytes));
        }
    }
    files
}
