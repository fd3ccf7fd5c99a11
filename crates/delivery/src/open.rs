//! A store by its address.

use std::path::Path;

use crate::{DeliveryError, Folder, Store};

/// Whether an address is one of a bucket: `s3://`, `gs://` or `az://`.
pub fn is_bucket(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| ["s3", "gs", "az"].contains(&scheme))
}

/// The store at an address: a folder, or one in a bucket, which is reached as the environment says.
pub fn open(address: &str) -> Result<Box<dyn Store>, DeliveryError> {
    if is_bucket(address) {
        return bucket(address);
    }
    if address.contains("://") {
        return Err(DeliveryError::refused(format!(
            "{address} is neither a folder nor an address that begins with s3://, gs:// or az://"
        )));
    }
    Ok(Box::new(Folder::new(Path::new(address))))
}

#[cfg(feature = "object-stores")]
fn bucket(address: &str) -> Result<Box<dyn Store>, DeliveryError> {
    let access = crate::Access::from_env();
    Ok(Box::new(crate::Bucket::open(address, &access)?))
}

#[cfg(not(feature = "object-stores"))]
fn bucket(address: &str) -> Result<Box<dyn Store>, DeliveryError> {
    Err(DeliveryError::refused(format!(
        "{address}: this program is built without object stores: install it with `--features object-stores`"
    )))
}
