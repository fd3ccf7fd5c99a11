//! A folder in a bucket of S3, Google Cloud Storage or Azure as a store.

use std::cell::Cell;
use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ingle_bundle::MANIFEST;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, Error, ObjectStore, ObjectStoreExt as _, PutMode,
    PutOptions, RetryConfig, UpdateVersion,
};
use tokio::runtime::{Builder, Runtime};

use crate::DeliveryError;
use crate::channel::CHANNEL;
use crate::store::{Source, Store, Stored};

/// Time limit for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Most characters of a server's answer that are told.
const TOLD: usize = 600;

/// How a bucket is reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// Credentials, region, endpoint and the like, by the names of the environment's variables, in any case.
    pub settings: Vec<(String, String)>,
    /// Time limit for one file.
    pub timeout: Duration,
    /// What was refused for a time, or broke, is tried again until this long after the first time.
    pub retry: Duration,
}

impl Access {
    /// As the environment says: `AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`,
    /// `AZURE_STORAGE_ACCOUNT_NAME` and the others that the crate `object_store` reads.
    pub fn from_env() -> Self {
        let named = std::env::vars_os().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            match &*name {
                "SERVICE_ACCOUNT" => Some(("google_service_account".to_owned(), value)),
                "IDENTITY_ENDPOINT" => Some(("azure_msi_endpoint".to_owned(), value)),
                // Shorter names are known too, and may mean something else in an environment.
                _ => {
                    let mut known = ["AWS_", "GOOGLE_", "AZURE_"].into_iter();
                    known
                        .any(|one| name.starts_with(one))
                        .then_some((name, value))
                }
            }
        });
        Self::new(named)
    }

    /// With these settings.
    pub fn new(settings: impl IntoIterator<Item = (String, String)>) -> Self {
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        Self {
            settings: settings.collect(),
            timeout: Duration::from_mins(5),
            retry: Duration::from_mins(1),
        }
    }
}

/// A folder in a bucket.
pub struct Bucket {
    address: String,
    store: Arc<dyn ObjectStore>,
    folder: Path,
    runtime: Runtime,
    /// Whether it was seen that it refuses what a condition forbids.
    is_conditional: Cell<bool>,
}

/// The store that a builder makes.
macro_rules! build {
    ($builder:ty, $address:expr, $access:expr) => {{
        let access: &Access = $access;
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(8),
            base: 3.0,
        };
        // The time is what bounds it.
        let retry = RetryConfig {
            backoff,
            max_retries: 1_000,
            retry_timeout: access.retry,
        };
        let builder = <$builder>::new().with_retry(retry).with_url($address);
        let limit = |time: Duration| format!("{}ms", time.as_millis());
        let limits = [
            ("timeout".to_owned(), limit(access.timeout)),
            (
                "connect_timeout".to_owned(),
                limit(access.timeout.min(CONNECT)),
            ),
        ];
        let settings = limits.iter().chain(&access.settings);
        let told = settings.fold(builder, |builder, (name, value)| match name.parse() {
            Ok(name) => builder.with_config(name, value),
            Err(_) => builder,
        });
        told.build()
            .map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
    }};
}

impl Bucket {
    /// The folder at an address: `s3://bucket/folder`, `gs://bucket/folder` or `az://container/folder`.
    pub fn open(address: &str, access: &Access) -> Result<Self, DeliveryError> {
        let wrong = |reason: &str| DeliveryError::refused(format!("{address}: {reason}"));
        let (scheme, place) = address
            .split_once("://")
            .ok_or_else(|| wrong("no address of a bucket"))?;
        let place = place.trim_end_matches('/');
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(wrong("it names no bucket"));
        }
        if let Some(odd) = place.find(['?', '#', '%', '\\']) {
            return Err(wrong(&format!(
                "a folder's name cannot have {:?}",
                &place[odd..=odd]
            )));
        }
        let folder = Path::parse(folder).map_err(|error| wrong(&error.to_string()))?;
        // For connections with TLS. Where another part of the program has chosen already, that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root = format!("{scheme}://{bucket}");
        let built = match scheme {
            "s3" => build!(AmazonS3Builder, root, access),
            "gs" => build!(GoogleCloudStorageBuilder, root, access),
            "az" => build!(MicrosoftAzureBuilder, root, access),
            _ => return Err(wrong("buckets are at s3://, gs:// and az://")),
        };
        let store = built.map_err(|error| wrong(&brief(&error)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            address: format!("{scheme}://{place}"),
            store,
            folder,
            runtime: runtime.map_err(|error| DeliveryError::io("start a runtime", &error))?,
            is_conditional: Cell::new(false),
        })
    }

    fn path(&self, name: &str) -> Path {
        self.folder.clone().join(name)
    }

    fn told(&self, verb: &str, name: &str, error: &Error) -> DeliveryError {
        let reason = brief(error);
        let action = format!("{verb} {name}").trim_end().to_owned();
        // What is wrong with a list is told by its text alone.
        let is = |status: &str| reason.contains(&format!("status code: {status}"));
        match error {
            Error::AlreadyExists { .. } | Error::Precondition { .. } => DeliveryError::Conflict {
                what: format!("{}/{name} has changed", self.address),
            },
            // A file that may be missing was asked for elsewhere: what is missing is the bucket.
            Error::NotFound { .. } => self.no_bucket(),
            Error::Generic { .. } if is("404") => self.no_bucket(),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                self.denied(action, reason)
            }
            Error::Generic { .. } if is("401") || is("403") => self.denied(action, reason),
            _ => DeliveryError::Io {
                action: format!("{action} at {}", self.address),
                reason,
            },
        }
    }

    fn no_bucket(&self) -> DeliveryError {
        DeliveryError::Missing {
            file: format!("the bucket of {}", self.address),
        }
    }

    fn denied(&self, action: String, reason: String) -> DeliveryError {
        DeliveryError::Denied {
            store: self.address.clone(),
            action,
            reason,
        }
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime.block_on(work)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<(), Error> {
        let caching = if name == CHANNEL || name == MANIFEST {
            "no-store"
        } else {
            "public, max-age=31536000, immutable"
        };
        let kind = match name.rsplit_once('.') {
            Some((_, "json")) => "application/json",
            _ => "application/octet-stream",
        };
        let attributes = [
            (Attribute::CacheControl, caching),
            (Attribute::ContentType, kind),
        ];
        let options = PutOptions {
            mode,
            attributes: Attributes::from_iter(attributes),
            ..PutOptions::default()
        };
        let path = self.path(name);
        let payload = bytes.to_vec().into();
        self.wait(async { self.store.put_opts(&path, payload, options).await })?;
        Ok(())
    }

    /// Writes a file on a condition. Where the answer was lost, and the client asked again, what it wrote itself is in
    /// its way: what is there says whether it was written.
    fn write_if(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<(), DeliveryError> {
        let Err(error) = self.write(name, bytes, mode) else {
            return Ok(());
        };
        let error = self.told("write", name, &error);
        let there = self.get(name, bytes.len());
        if there.is_ok_and(|there| there.is_some_and(|there| there == bytes)) {
            return Ok(());
        }
        Err(error)
    }

    /// Some stores take conditions and pay them no heed. This one must refuse to write a file, which has these bytes,
    /// under two conditions that do not hold; if it does write, the file is as it was.
    fn check_conditions(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        if self.is_conditional.get() {
            return Ok(());
        }
        let other = UpdateVersion {
            e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
            version: Some("1".to_owned()),
        };
        let conditions = [
            ("that there is no such file", PutMode::Create),
            ("that a file is of one version", PutMode::Update(other)),
        ];
        for (condition, mode) in conditions {
            match self.write(name, bytes, mode) {
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Err(error) => return Err(self.told("write", name, &error)),
                Ok(()) => {
                    return Err(DeliveryError::Conditions {
                        store: self.address.clone(),
                        condition,
                    });
                }
            }
        }
        self.is_conditional.set(true);
        Ok(())
    }
}

impl Source for Bucket {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, DeliveryError> {
        Ok(self.read(name, limit)?.map(|found| found.bytes))
    }
}

impl Store for Bucket {
    fn read(&self, name: &str, limit: usize) -> Result<Option<Stored>, DeliveryError> {
        let path = self.path(name);
        let found = self.wait(async {
            let found = match self.store.get(&path).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            let meta = found.meta.clone();
            if meta.size > limit as u64 {
                return Ok(Some((meta, None)));
            }
            Ok(Some((meta, Some(found.bytes().await?))))
        });
        let Some((meta, bytes)) = found.map_err(|error| self.told("read", name, &error))? else {
            return Ok(None);
        };
        let Some(bytes) = bytes else {
            let reason = format!("more than {limit} bytes");
            return Err(DeliveryError::format(name, reason));
        };
        let [e_tag, version] = [meta.e_tag, meta.version].map(Option::unwrap_or_default);
        Ok(Some(Stored {
            bytes: bytes.to_vec(),
            version: format!("{e_tag}\n{version}"),
        }))
    }

    fn list(&self) -> Result<Vec<(String, SystemTime)>, DeliveryError> {
        let found = self.wait(self.store.list_with_delimiter(Some(&self.folder)));
        let found = found.map_err(|error| self.told("list", "", &error))?;
        let named = found.objects.into_iter().filter_map(|object| {
            let name = object.location.filename()?.to_owned();
            Some((name, object.last_modified.into()))
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        Ok(named)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        self.write(name, bytes, PutMode::Overwrite)
            .map_err(|error| self.told("write", name, &error))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
        self.write_if(name, bytes, PutMode::Create)?;
        self.check_conditions(name, bytes)
    }

    fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        version: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let Some(version) = version else {
            return self.create(name, bytes);
        };
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (e_tag, version) = version.split_once('\n').unwrap_or((version, ""));
        let update = UpdateVersion {
            e_tag: given(e_tag),
            version: given(version),
        };
        self.write_if(name, bytes, PutMode::Update(update))
    }

    fn delete(&self, name: &str) -> Result<(), DeliveryError> {
        let path = self.path(name);
        match self.wait(async { self.store.delete(&path).await }) {
            Err(Error::NotFound { .. }) => Ok(()),
            done => done.map_err(|error| self.told("delete", name, &error)),
        }
    }
}

/// What went wrong and why, in one line that is not too long.
fn brief(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let reason = deeper.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = deeper.source();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
