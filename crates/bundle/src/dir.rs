//! Bundles in folders.
//!
//! Files are immutable, their names being their contents, so a folder can be written to while it is
//! served: new files are put beside the old ones, and `manifest.json` is replaced last and at once. A
//! reader sees the old bundle or the new one, whole, and a crash on the way leaves the old one. Files
//! of earlier bundles stay, for readers that still hold an earlier manifest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{BLOCK_ROWS, Bundle, BundleError, FileEntry, MANIFEST, MAX_MANIFEST_BYTES};

/// Reads the bundle in a folder.
pub fn read_dir(dir: &Path) -> Result<Bundle, BundleError> {
    Bundle::open(&read_manifest(dir)?, |entry| read_file(dir, entry))
}

/// Writes a bundle to a folder, made where it is missing. The item table is in blocks of
/// [`BLOCK_ROWS`] rows. Returns the names of the bundle's files, the manifest's last.
pub fn write_dir(bundle: &Bundle, dir: &Path) -> Result<Vec<String>, BundleError> {
    let files = bundle.write(BLOCK_ROWS)?;
    write_files(dir, &files)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// The bytes of a folder's manifest, unchecked but for their number.
pub fn read_manifest(dir: &Path) -> Result<Vec<u8>, BundleError> {
    read_up_to(&dir.join(MANIFEST), MAX_MANIFEST_BYTES as u64)
}

/// The bytes of one of a folder's files. No more is read than the manifest says, and one byte to see
/// that there is more; checking them is [`FileEntry::verify`].
pub fn read_file(dir: &Path, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
    // An entry that was not parsed from a manifest has not been checked yet.
    crate::naming::check(&entry.name, &entry.sha256)?;
    read_up_to(&dir.join(&entry.name), entry.bytes)
}

/// Puts the files that [`Bundle::write`] returned in a folder, in their order, each at once. Files
/// that are there already, bar the manifest, are left alone.
pub fn write_files(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), BundleError> {
    fs::create_dir_all(dir).map_err(|source| io_error("make the folder", dir, source))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        if name == MANIFEST || fs::read(&path).ok().as_ref() != Some(bytes) {
            replace(&path, bytes).map_err(|source| io_error("write", &path, source))?;
        }
    }
    Ok(())
}

/// Writes a file aside and renames it, so that nobody sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    let written = File::create(&aside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // The first error is the one to tell; what is left behind is a hidden file.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// A hidden name beside `path`, one for each process.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

/// Reads a file, and stops a byte after `limit`.
fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => BundleError::Missing {
            what: path.display().to_string(),
        },
        _ => io_error("read", path, source),
    };
    let file = File::open(path).map_err(fail)?;
    // As much as will be read, so that a large file is not copied from buffer to buffer as it grows.
    let expected = file.metadata().map_err(fail)?.len().min(limit);
    let mut bytes = Vec::with_capacity(expected as usize + 1);
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    Ok(bytes)
}

fn io_error(verb: &str, path: &Path, source: io::Error) -> BundleError {
    BundleError::Io {
        action: format!("{verb} {}", path.display()),
        source,
    }
}
