//! Where releases are published to and read from.

use std::time::SystemTime;

use crate::DeliveryError;

/// A file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What changes when the file does: to be given to [`Store::replace`].
    pub version: String,
}

/// Where files are read from: a folder, a host, a store.
pub trait Source {
    /// A file of at most `limit` bytes; `None` if there is none. A longer one is an error, and so is one that is not
    /// where it should be but somewhere that the host redirects to.
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError>;

    /// The same, but a missing file is an error.
    fn need(&self, name: &str, limit: usize) -> Result<Vec<u8>, DeliveryError> {
        self.get(name, limit)?
            .ok_or_else(|| DeliveryError::Missing {
                file: name.to_owned(),
            })
    }
}

/// Where releases are published to.
pub trait Store: Source {
    /// The file with its version.
    fn read(&self, name: &str, limit: usize) -> Result<Option<Stored>, DeliveryError>;
    /// The names of all files, and when they were last changed.
    fn list(&self) -> Result<Vec<(String, SystemTime)>, DeliveryError>;
    /// Writes a file in one piece, whatever was there.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError>;
    /// Writes a file in one piece if there is none; else a [`DeliveryError::Conflict`].
    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError>;
    /// Replaces a file in one piece if it is still of this version (`None`: if there is still none); else a
    /// [`DeliveryError::Conflict`].
    fn replace(&self, name: &str, bytes: &[u8], version: Option<&str>)
    -> Result<(), DeliveryError>;
    /// Deletes a file; a missing one is no error.
    fn delete(&self, name: &str) -> Result<(), DeliveryError>;
}
