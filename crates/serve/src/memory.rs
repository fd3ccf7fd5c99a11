//! Files in memory. A large file has its own memory mapping, which is returned to the system with the last answer
//! that sends it. An allocator would keep the memory, and after a deployment the process would take the memory of two
//! bundles.

use std::io;
use std::sync::{Arc, Weak};

use axum::body::Bytes;
use memmap2::{Mmap, MmapMut};

/// From this number of bytes on a file is large.
const LARGE: usize = 64 << 10;

/// The bytes of a file, or of a compressed form of it.
#[derive(Clone)]
pub(crate) struct Memory {
    bytes: Bytes,
    pages: Weak<Mmap>,
}

struct Pages(Arc<Mmap>);

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Memory {
    /// A buffer of this length, zeroed and then filled by `fill`.
    pub(crate) fn filled(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        Self::written(length, |bytes| fill(bytes).map(|()| length))
    }

    /// A buffer of at most this length, zeroed and then filled by `write`, which returns the number of bytes it
    /// wrote. Only pages that are written take memory.
    pub(crate) fn written(
        most: usize,
        write: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Self> {
        if most < LARGE {
            let mut bytes = vec![0; most];
            let length = write(&mut bytes)?;
            bytes.truncate(length);
            return Ok(Self::small(bytes));
        }
        let mut map = MmapMut::map_anon(most)?;
        let length = write(&mut map)?;
        let pages = Arc::new(map.make_read_only()?);
        Ok(Self {
            pages: Arc::downgrade(&pages),
            bytes: Bytes::from_owner(Pages(pages)).slice(..length),
        })
    }

    /// A buffer of bytes that are already in memory.
    pub(crate) fn small(bytes: Vec<u8>) -> Self {
        Self {
            bytes: bytes.into(),
            pages: Weak::new(),
        }
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The mapping of a large file, which exists as long as its bytes are in use.
    pub(crate) fn pages(&self) -> Weak<Mmap> {
        self.pages.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_leave_memory_with_the_last_who_sends_them() {
        for length in [0, 1, LARGE - 1, LARGE, 3 * LARGE + 1] {
            let memory = Memory::filled(length, |bytes| {
                bytes.fill(7);
                Ok(())
            });
            let memory = memory.unwrap();
            assert_eq!(&memory.bytes()[..], &vec![7; length][..]);
            let (pages, part) = (memory.pages(), memory.bytes().slice(length / 2..));
            drop(memory);
            assert_eq!(pages.strong_count(), usize::from(length >= LARGE));
            drop(part);
            assert_eq!(pages.strong_count(), 0);
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_memory() {
        for length in [1, LARGE] {
            assert!(Memory::filled(length, |_| Err(io::ErrorKind::UnexpectedEof.into())).is_err());
        }
    }
}
