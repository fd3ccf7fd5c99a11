//! The bundle in memory, and the watch over its folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use ingle_bundle::{BundleError, MANIFEST, Manifest, dir, sha256_hex};

use crate::asset::{Asset, Lifetime};

/// How long a bundle that was refused is not looked at again.
const RETRY: Duration = Duration::from_secs(5);

/// The bundle of a folder, as it was when it was last found sound.
pub(crate) struct Store {
    dir: PathBuf,
    served: RwLock<Served>,
    watch: Mutex<Watch>,
}

#[derive(Clone)]
struct Served {
    current: Arc<Snapshot>,
    /// For visitors who fetched the manifest just before it was replaced.
    previous: Option<Arc<Snapshot>>,
}

/// A verified bundle: what may be served, by name.
struct Snapshot {
    manifest: Arc<Asset>,
    files: HashMap<String, Arc<Asset>>,
}

/// Which manifest was last looked at, and what came of it.
struct Watch {
    served: Stamp,
    refused: Option<(Stamp, Instant)>,
}

/// Tells one manifest on disk from the next.
type Stamp = Option<(SystemTime, u64)>;

impl Store {
    /// Reads and verifies the bundle in a folder.
    pub(crate) fn open(dir: &Path) -> Result<Self, BundleError> {
        let stamp = stamp(dir);
        let current = Arc::new(Snapshot::load(dir, None)?);
        Ok(Self {
            dir: dir.to_owned(),
            served: RwLock::new(Served {
                current,
                previous: None,
            }),
            watch: Mutex::new(Watch {
                served: stamp,
                refused: None,
            }),
        })
    }

    /// The file with this name, if the manifest, or the one before it, lists it.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Asset>> {
        let Served { current, previous } = self.served();
        if name == MANIFEST {
            return Some(current.manifest.clone());
        }
        let find = |snapshot: &Snapshot| snapshot.files.get(name).cloned();
        find(&current).or_else(|| previous.as_deref().and_then(find))
    }

    /// Looks whether another bundle has been written to the folder, and serves it if it is sound. If
    /// it is not, what was served before stays. Blocks on the disk.
    pub(crate) fn refresh(&self) {
        // Whoever holds the lock is at it already.
        let Ok(mut watch) = self.watch.try_lock() else {
            return;
        };
        let found = stamp(&self.dir);
        if found == watch.served || watch.refused_lately(found) {
            return;
        }
        let current = self.served().current;
        match Snapshot::load(&self.dir, Some(&current)) {
            Ok(snapshot) => {
                *self.served.write().unwrap_or_else(PoisonError::into_inner) = Served {
                    current: Arc::new(snapshot),
                    previous: Some(current),
                };
                watch.served = found;
                watch.refused = None;
            }
            Err(error) => {
                let dir = self.dir.display();
                tracing::warn!(%dir, %error, "a changed bundle was refused; the one before stays");
                watch.refused = Some((found, Instant::now()));
            }
        }
    }

    fn served(&self) -> Served {
        let served = self.served.read();
        served.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch {
    fn refused_lately(&self, found: Stamp) -> bool {
        self.refused
            .is_some_and(|(stamp, at)| stamp == found && at.elapsed() < RETRY)
    }
}

impl Snapshot {
    /// Reads every file that the manifest lists, whatever its role, and verifies it. Files that
    /// `before` has are taken from there: the same name is the same contents.
    fn load(dir: &Path, before: Option<&Self>) -> Result<Self, BundleError> {
        let bytes = dir::read_manifest(dir)?;
        let manifest = Manifest::parse(&bytes)?;
        let mut files = HashMap::new();
        for entry in &manifest.files {
            if files.contains_key(&entry.name) {
                continue;
            }
            let known = before.and_then(|before| before.files.get(&entry.name));
            let asset = if let Some(known) = known.filter(|asset| asset.is(&entry.sha256)) {
                known.clone()
            } else {
                let bytes = dir::read_file(dir, entry)?;
                entry.verify(&bytes)?;
                let lifetime = Lifetime::Immutable;
                Arc::new(Asset::new(&entry.name, &entry.sha256, bytes, lifetime))
            };
            files.insert(entry.name.clone(), asset);
        }
        tracing::info!(
            dir = %dir.display(),
            bundle = manifest.name,
            items = manifest.items.count,
            files = files.len(),
            bytes = manifest.files.iter().map(|entry| entry.bytes).sum::<u64>(),
            "the bundle is sound and served"
        );
        let sha256 = sha256_hex(&bytes);
        let manifest = Asset::new(MANIFEST, &sha256, bytes, Lifetime::Revalidate);
        Ok(Self {
            manifest: Arc::new(manifest),
            files,
        })
    }
}

fn stamp(dir: &Path) -> Stamp {
    let metadata = fs::metadata(dir.join(MANIFEST)).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
