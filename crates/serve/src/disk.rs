//! A file that is sent from the disk.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use ingle_bundle::sha256_hex_of;

use crate::memory::Memory;

/// Bytes per read when a file is sent from the disk.
const PIECE: u64 = 256 << 10;
/// A file modified more recently than this may be modified again with the same time stamp, depending on the file
/// system's resolution.
const FRESH: Duration = Duration::from_secs(2);

/// An open file. It can be sent to its end even if it is deleted or replaced meanwhile.
pub(crate) struct Disk {
    file: Arc<File>,
    /// The file's metadata at the last full read. `None` if the metadata would not show a later change.
    stamp: Mutex<Option<Stamp>>,
}

/// A file's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: SystemTime,
    /// The time of the last change of contents or metadata (ctime), on systems that have it.
    changed: (i64, i64),
    is_deleted: bool,
}

impl Disk {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Opening a pipe would block.
        if !path.metadata()?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self {
            file: Arc::new(File::open(path)?),
            stamp: Mutex::default(),
        })
    }

    /// The file's length.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads the whole file; returns its SHA-256 and its length.
    pub(crate) fn hash(&self) -> io::Result<(String, u64)> {
        let stamp = Stamp::of(&self.file.metadata()?)?;
        let found = sha256_hex_of(Cursor {
            file: &self.file,
            at: 0,
        })?;
        let mut held = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        *held = stamp.is_telling().then_some(stamp);
        Ok(found)
    }

    /// Whether the file was certainly not written to since it was last read.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.compare(Stamp::allows)
    }

    /// Whether, in addition, it was neither deleted nor replaced.
    pub(crate) fn is_in_place(&self) -> bool {
        self.compare(Stamp::eq)
    }

    fn compare(&self, same: impl Fn(&Stamp, &Stamp) -> bool) -> bool {
        let held = *self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self
            .file
            .metadata()
            .and_then(|metadata| Stamp::of(&metadata));
        held.is_some_and(|held| now.is_ok_and(|now| same(&held, &now)))
    }

    /// The whole file, if it has this length.
    pub(crate) fn read_all(&self, length: u64) -> Option<Memory> {
        if self.length().ok()? != length {
            return None;
        }
        read(&self.file, 0, length).ok()
    }

    /// A body of `count` bytes from `first` on. It is cut short if they cannot be read.
    pub(crate) fn body(&self, first: u64, count: u64) -> Body {
        let (file, end) = (self.file.clone(), first + count);
        Body::from_stream(futures_util::stream::try_unfold(first, move |at| {
            let file = file.clone();
            async move {
                let count = (end - at).min(PIECE);
                if count == 0 {
                    return Ok::<_, io::Error>(None);
                }
                let piece = tokio::task::spawn_blocking(move || read(&file, at, count)).await;
                let piece = piece.map_err(io::Error::other)??;
                Ok(Some((piece.bytes().clone(), at + count)))
            }
        }))
    }
}

impl Stamp {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified()?,
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            is_deleted: metadata.nlink() == 0,
        })
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified()?,
            changed: (0, 0),
            is_deleted: false,
        })
    }

    /// Whether any later write would change the metadata.
    fn is_telling(&self) -> bool {
        let age = SystemTime::now().duration_since(self.modified);
        age.is_ok_and(|age| age > FRESH)
    }

    /// Whether a file with this metadata has unchanged contents if its metadata are now `now`. Deletion changes the
    /// metadata too, but a deleted file cannot be opened for writing.
    fn allows(&self, now: &Self) -> bool {
        let same = self.length == now.length && self.modified == now.modified;
        same && (self.changed == now.changed || now.is_deleted)
    }
}

/// Reads a file that others read at the same time, with its own position.
struct Cursor<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn read(file: &File, first: u64, count: u64) -> io::Result<Memory> {
    let mut cursor = Cursor { file, at: first };
    Memory::filled(count as usize, |bytes| cursor.read_exact(bytes))
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}
