//! Reads and writes bundles in folders.
//!
//! Files are immutable, since their names contain the hash of their contents. A folder can therefore be written to
//! while it is served: new files are added beside the old ones, and `manifest.json` is replaced last, atomically. A
//! reader sees either the whole old bundle or the whole new one; after a crash in between, it sees the old one. Files
//! of earlier bundles are kept for readers that still have an earlier manifest.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{BLOCK_ROWS, Bundle, BundleError, FileEntry, MANIFEST, MAX_MANIFEST_BYTES};

/// Reads the bundle in a folder.
pub fn read_dir(dir: &Path) -> Result<Bundle, BundleError> {
    Bundle::open(&read_manifest(dir)?, |entry| read_file(dir, entry))
}

/// Writes a bundle to a folder, which is created if it is missing. The item table is split into blocks of
/// [`BLOCK_ROWS`] rows. Returns the names of the bundle's files, the manifest's last.
pub fn write_dir(bundle: &Bundle, dir: &Path) -> Result<Vec<String>, BundleError> {
    let files = bundle.write(BLOCK_ROWS)?;
    write_files(dir, &files)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// The bytes of a folder's manifest. Only their number is checked.
pub fn read_manifest(dir: &Path) -> Result<Vec<u8>, BundleError> {
    read_up_to(&dir.join(MANIFEST), MAX_MANIFEST_BYTES as u64)
}

/// The bytes of a file in a folder. At most one byte more than the manifest states is read, to detect a file that is
/// too long. [`FileEntry::verify`] checks the bytes.
pub fn read_file(dir: &Path, entry: &FileEntry) -> Result<Vec<u8>, BundleError> {
    // An entry that does not come from a parsed manifest has not been checked yet.
    crate::naming::check(&entry.name, &entry.sha256)?;
    read_up_to(&dir.join(&entry.name), entry.bytes)
}

/// Writes the files that [`Bundle::write`] returned to a folder, in their order, each atomically. Files that exist
/// already are left alone, except the manifest.
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

/// Writes to a temporary file and renames it, so that no reader sees a part of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    let written = File::create(&aside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // The first error is returned; at worst a hidden file is left behind.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// A hidden name beside `path`, unique per process.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

/// Reads a file, at most one byte beyond `limit`.
fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => BundleError::Missing {
            what: path.display().to_string(),
        },
        _ => io_error("read", path, source),
    };
    let file = File::open(path).map_err(fail)?;
    // Reserves as much as will be read, so that a large file is not copied while the buffer grows.
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
