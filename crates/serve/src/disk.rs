//! A file on the disk that may be sent from there.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use ingle_bundle::sha256_hex_of;

use crate::memory::Memory;

/// Bytes that are read at once where a file is sent from the disk.
const PIECE: u64 = 256 << 10;
/// A file that was changed so lately may be changed again at what its file system takes for the same time.
const FRESH: Duration = Duration::from_secs(2);

/// An open file, which can be sent to its end when it is deleted or replaced meanwhile.
pub(crate) struct Disk {
    file: Arc<File>,
    /// What it looked like when it was last read through. `None` where that says too little yet.
    stamp: Mutex<Option<Stamp>>,
}

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: SystemTime,
    /// The last change to the file or to what is known about it, where the system keeps that.
    changed: (i64, i64),
    is_deleted: bool,
}

impl Disk {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Opening a pipe would wait for somebody to write.
        if !path.metadata()?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self {
            file: Arc::new(File::open(path)?),
            stamp: Mutex::default(),
        })
    }

    /// Its length.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads it through: its SHA-256 and its length.
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

    /// Whether it is certain that nothing was written to it since it was last read through.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.compare(Stamp::allows)
    }

    /// Whether besides it has been neither deleted nor replaced.
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

    /// All of it, if it has this length.
    pub(crate) fn read_all(&self, length: u64) -> Option<Memory> {
        if self.length().ok()? != length {
            return None;
        }
        read(&self.file, 0, length).ok()
    }

    /// A body of `count` bytes from the one at `first` on. It breaks off where they cannot be read.
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

    /// Whether every later write would show.
    fn is_telling(&self) -> bool {
        let age = SystemTime::now().duration_since(self.modified);
        age.is_ok_and(|age| age > FRESH)
    }

    /// Whether a file that looked like this has the same contents if it looks like `now`. Deleting it is a change
    /// to what is known about it, and nobody can open it to write any more.
    fn allows(&self, now: &Self) -> bool {
        let same = self.length == now.length && self.modified == now.modified;
        same && (self.changed == now.changed || now.is_deleted)
    }
}

/// Reads a file that others read at the same time.
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
