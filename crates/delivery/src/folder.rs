//! A folder as a store.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use ingle_bundle::sha256_hex;

use crate::DeliveryError;
use crate::store::{Source, Store, Stored};

/// Held while a file is replaced. The system releases it when the process ends, however it ends.
const LOCK: &str = ".ingle.lock";
/// Number of files that this process has written: no two are written aside under one name.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A folder. Every file is written aside, flushed to the disk and renamed, so that no reader sees a part of it.
pub struct Folder {
    dir: PathBuf,
    /// Called before every system call that changes the folder, with what it does; an error ends it there.
    before: Box<Watch>,
}

type Watch = dyn Fn(&str) -> io::Result<()>;

impl Folder {
    /// The folder at this path, which is made if something is written to it.
    pub fn new(dir: &Path) -> Self {
        Self::watched(dir, |_| Ok(()))
    }

    /// The same; `before` is called before every system call that changes the folder. Tests end a publisher there.
    pub fn watched(dir: &Path, before: impl Fn(&str) -> io::Result<()> + 'static) -> Self {
        Self {
            dir: dir.to_owned(),
            before: Box::new(before),
        }
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn failed(&self, verb: &str, name: &str, error: &io::Error) -> DeliveryError {
        DeliveryError::io(format!("{verb} {}", self.dir.join(name).display()), error)
    }

    /// Waits until nobody else replaces a file in this folder.
    fn lock(&self) -> Result<File, DeliveryError> {
        let open = || {
            (self.before)("make the folder")?;
            fs::create_dir_all(&self.dir)?;
            (self.before)("open the lock")?;
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.dir.join(LOCK))?;
            (self.before)("lock")?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|error| self.failed("lock", LOCK, &error))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        let write = || -> io::Result<()> {
            (self.before)("make the folder")?;
            fs::create_dir_all(&self.dir)?;
            let (process, nth) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
            let aside = self.dir.join(format!(".{name}.{process}-{nth}"));
            (self.before)("create a file")?;
            let mut file = File::create(&aside)?;
            // In two parts, so that a test can end it between them.
            let (first, second) = bytes.split_at(bytes.len() / 2);
            (self.before)("write the first half")?;
            file.write_all(first)?;
            (self.before)("write the second half")?;
            file.write_all(second)?;
            (self.before)("flush the file")?;
            file.sync_all()?;
            (self.before)("rename the file")?;
            fs::rename(&aside, self.dir.join(name))?;
            (self.before)("flush the folder")?;
            flush(&self.dir)
        };
        write().map_err(|error| self.failed("write", name, &error))
    }
}

/// A rename is on the disk when its folder is.
#[cfg(unix)]
fn flush(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
fn flush(_: &Path) -> io::Result<()> {
    Ok(())
}

impl Source for Folder {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError> {
        let failed = |error: &io::Error| self.failed("read", name, error);
        let file = match File::open(self.dir.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let mut bytes = Vec::new();
        let read = file.take(limit as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| failed(&error))?;
        if bytes.len() > limit {
            let reason = format!("more than {limit} bytes");
            return Err(DeliveryError::format(name, reason));
        }
        Ok(Some(bytes))
    }
}

impl Store for Folder {
    fn read(&self, name: &str, limit: usize) -> Result<Option<Stored>, DeliveryError> {
        let found = self.get(name, limit)?;
        Ok(found.map(|bytes| Stored {
            version: sha256_hex(&bytes),
            bytes,
        }))
    }

    fn list(&self) -> Result<Vec<(String, SystemTime)>, DeliveryError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("list", "", &error)),
        };
        // What another publisher writes aside may be gone again when it is asked about.
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let found = entries.map(|entry| {
            let entry = entry?;
            let changed = entry.metadata()?.modified()?;
            Ok((entry.file_name().to_string_lossy().into_owned(), changed))
        });
        let mut found = found
            .filter(|found| !found.as_ref().is_err_and(gone))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| self.failed("list", "", &error))?;
        found.sort();
        Ok(found)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        self.write(name, bytes)
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        self.replace(name, bytes, None)
    }

    fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        version: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let _lock = self.lock()?;
        let found = self.read(name, usize::MAX - 1)?;
        if found.map(|found| found.version).as_deref() != version {
            return Err(DeliveryError::Conflict {
                what: format!("{} has changed", self.dir.join(name).display()),
            });
        }
        self.write(name, bytes)
    }

    fn delete(&self, name: &str) -> Result<(), DeliveryError> {
        let delete = || {
            (self.before)("delete a file")?;
            match fs::remove_file(self.dir.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        };
        delete().map_err(|error| self.failed("delete", name, &error))
    }
}
