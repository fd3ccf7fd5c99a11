//! A bundle's files in memory, to be damaged and opened.

use std::collections::BTreeMap;

use ingle_bundle::{Bundle, BundleError, FileEntry, MANIFEST, Role};
use serde_json::Value;

use crate::golden_bundle;

/// A bundle's files by name.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    pub(crate) fn of(bundle: &Bundle, block_rows: usize) -> Self {
        Self(bundle.write(block_rows).unwrap().into_iter().collect())
    }

    pub(crate) fn golden() -> Self {
        Self::of(&golden_bundle::bundle(), golden_bundle::BLOCK_ROWS)
    }

    pub(crate) fn open(&self) -> Result<Bundle, BundleError> {
        Bundle::open(&self.0[MANIFEST], |entry| {
            self.0.get(&entry.name).ok_or_else(|| BundleError::Missing {
                what: entry.name.clone(),
            })
        })
    }

    /// The code and the message that opening is refused with.
    pub(crate) fn refusal(&self) -> (&'static str, String) {
        let error = self.open().unwrap_err();
        (error.code(), error.to_string())
    }

    /// Edits the manifest as JSON.
    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut manifest: Value = serde_json::from_slice(&self.0[MANIFEST]).unwrap();
        edit(&mut manifest);
        self.0
            .insert(MANIFEST.to_owned(), serde_json::to_vec(&manifest).unwrap());
        self
    }

    /// The position in the manifest, and the name, of the first file with a role.
    pub(crate) fn find(&self, role: &str) -> (usize, String) {
        let manifest: Value = serde_json::from_slice(&self.0[MANIFEST]).unwrap();
        let files = manifest["files"].as_array().unwrap();
        let at = files.iter().position(|file| file["role"] == role).unwrap();
        (at, files[at]["name"].as_str().unwrap().to_owned())
    }

    /// Gives the first file with a role other contents, and a manifest that agrees with them.
    pub(crate) fn replace(self, role: &str, edit: impl FnOnce(&mut Vec<u8>)) -> Self {
        let (at, name) = self.find(role);
        let mut bytes = self.0[&name].clone();
        edit(&mut bytes);
        let entry = FileEntry::for_bytes(role_of(role), &bytes);
        let mut sealed = self.edit(|manifest| {
            let file = &mut manifest["files"][at];
            file["name"] = entry.name.clone().into();
            file["bytes"] = entry.bytes.into();
            file["sha256"] = entry.sha256.clone().into();
        });
        sealed.0.insert(entry.name, bytes);
        sealed
    }
}

fn role_of(role: &str) -> Role {
    serde_json::from_value(role.into()).unwrap()
}
