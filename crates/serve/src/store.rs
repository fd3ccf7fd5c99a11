//! The served bundle, and the watch on its folder.
//!
//! The current bundle is in memory. Older files, and new ones that are not loaded yet, are sent from the disk. A file
//! is sent only after its contents were found to match its name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ingle_bundle::{BundleError, FileEntry, MANIFEST, Manifest, dir, is_delta_name, is_file_name};
use memmap2::Mmap;

use crate::asset::Asset;
use crate::compress;
use crate::disk::Disk;
use crate::encoding::Encoding;
use crate::memory::Memory;

/// Interval between reads of the folder's manifest: a deployment shows within this time plus the time to read the new
/// files.
const TICK: Duration = Duration::from_millis(250);
/// A rejected bundle is read again after this time, or after [`RETRY_SHARE`] times what reading it took if longer.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_SHARE: u32 = 10;
/// Longest wait for downloads of the previous bundle before the next one is loaded into memory.
const GOING: Duration = Duration::from_mins(1);
/// Largest number of files of earlier bundles that are held open.
const MAX_EARLIER: usize = 256;
/// Compressed forms take at most this fraction (one in so many) of the size of the bundle's files.
const COMPRESSED_SHARE: u64 = 4;
/// Bytes that compressed forms may take in any case.
const COMPRESSED_ANYWAY: u64 = 4 << 20;

/// Which signed release pages use; replaced with every release. `docs/bundle.md` has the signed files.
pub(crate) const CHANNEL: &str = "channel.json";
/// Largest signed file of a name without a hash.
const MAX_SIGNED: u64 = 32 << 10;

/// The bundle of a folder, in the last version that was valid.
pub(crate) struct Store {
    dir: PathBuf,
    served: RwLock<Arc<Served>>,
    /// One search at a time, since it may read a large file.
    search: tokio::sync::Mutex<()>,
    /// Files that no manifest seen by this server lists, whether their contents match their names or not.
    earlier: Mutex<HashMap<String, Arc<Asset>>>,
    watch: Mutex<Watch>,
}

struct Served {
    current: Arc<Snapshot>,
    /// For visitors who fetched the manifest just before it was replaced, even if its files are deleted.
    previous: Option<Arc<Snapshot>>,
}

/// The result of a look-up without access to the disk.
pub(crate) enum Found {
    Asset(Arc<Asset>),
    Nothing,
    /// Only a search on the disk can tell.
    Perhaps,
}

/// A verified bundle: its files by name.
struct Snapshot {
    bytes: Vec<u8>,
    manifest: Arc<Asset>,
    files: HashMap<String, Arc<Asset>>,
}

/// The last rejected manifest, the reason, and when it is read again.
#[derive(Default)]
struct Watch {
    refused: Option<(Vec<u8>, String, Instant)>,
}

impl Store {
    /// Reads and verifies the bundle in a folder, and watches the folder until the store is dropped.
    pub(crate) fn open(dir: &Path) -> Result<Arc<Self>, BundleError> {
        let current = Arc::new(Snapshot::open(dir, dir::read_manifest(dir)?, None)?);
        current.load(&|| true);
        let store = Arc::new(Self {
            dir: dir.to_owned(),
            served: RwLock::new(Arc::new(Served {
                current: current.clone(),
                previous: None,
            })),
            search: tokio::sync::Mutex::default(),
            earlier: Mutex::default(),
            watch: Mutex::default(),
        });
        store.prepare(&current, Vec::new());
        let weak = Arc::downgrade(&store);
        in_background("ingle-watch", move || {
            while let Some(store) = weak.upgrade() {
                store.refresh();
                drop(store);
                thread::sleep(TICK);
            }
        });
        Ok(store)
    }

    /// The manifest, or the file with this name in the current bundle, without access to the disk.
    pub(crate) fn get(&self, name: &str) -> Found {
        if name == MANIFEST {
            return Found::Asset(self.served().current.manifest.clone());
        }
        if is_signed_name(name) {
            return Found::Perhaps;
        }
        if !is_file_name(name) && !is_delta_name(name) {
            return Found::Nothing;
        }
        let served = self.served();
        match served.current.files.get(name) {
            Some(asset) if asset.bytes().is_some() => Found::Asset(asset.clone()),
            _ => Found::Perhaps,
        }
    }

    /// The file with this name: of the current bundle, of the previous one, or else a file in the folder whose
    /// contents match its name.
    ///
    /// Signed files are read anew: they are small, and those who read them check them.
    pub(crate) async fn search(self: &Arc<Self>, name: &str) -> Option<Arc<Asset>> {
        if is_signed_name(name) {
            let path = self.dir.join(name);
            let read = tokio::task::spawn_blocking(move || read_small(&path)).await;
            let bytes = read.ok().flatten()?;
            return Some(Arc::new(Asset::small(name, bytes)));
        }
        match self.known(name) {
            Some(asset) if asset.is_for(name) && asset.is_sound() => Some(asset),
            _ => {
                let _one = self.search.lock().await;
                let (store, name) = (self.clone(), name.to_owned());
                let read = tokio::task::spawn_blocking(move || store.read(&name));
                read.await.ok().flatten()
            }
        }
    }

    fn known(&self, name: &str) -> Option<Arc<Asset>> {
        let served = self.served();
        let find = |snapshot: &Snapshot| snapshot.files.get(name).cloned();
        find(&served.current)
            .or_else(|| served.previous.as_deref().and_then(find))
            .or_else(|| lock(&self.earlier).get(name).cloned())
    }

    /// Reads a file if it is not known to be valid. Blocks on the disk.
    fn read(&self, name: &str) -> Option<Arc<Asset>> {
        if let Some(asset) = self.known(name) {
            if !asset.is_for(name) {
                // It was read before and is unchanged.
                if asset.is_in_place() {
                    return None;
                }
            } else if asset.check() {
                return Some(asset);
            }
        }
        let disk = Disk::open(&self.dir.join(name)).ok()?;
        let found = disk.hash().ok()?;
        let asset = Arc::new(Asset::on_disk(name, found, disk));
        let mut earlier = lock(&self.earlier);
        if earlier.len() >= MAX_EARLIER {
            earlier.clear();
        }
        earlier.insert(name.to_owned(), asset.clone());
        asset.is_for(name).then_some(asset)
    }

    /// Checks whether another bundle was written to the folder, and serves it if it is valid; otherwise the current
    /// one stays. Blocks on the disk.
    fn refresh(self: &Arc<Self>) {
        let current = self.served().current.clone();
        let bytes = match dir::read_manifest(&self.dir) {
            Ok(bytes) if bytes == current.bytes => {
                lock(&self.watch).refused = None;
                return;
            }
            Ok(bytes) => bytes,
            Err(error) => return self.refuse(Vec::new(), &error, Duration::ZERO),
        };
        if lock(&self.watch).refused_lately(&bytes) {
            return;
        }
        let start = Instant::now();
        match Snapshot::open(&self.dir, bytes.clone(), Some(&current)) {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                let previous = Some(Arc::new(current.earlier_than(&snapshot)));
                *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Served {
                    current: snapshot.clone(),
                    previous,
                });
                lock(&self.watch).refused = None;
                let going = current.memory_beside(&snapshot);
                drop(current);
                self.prepare(&snapshot, going);
            }
            Err(error) => self.refuse(bytes, &error, start.elapsed()),
        }
    }

    /// Remembers a rejected bundle and logs it once.
    fn refuse(&self, bytes: Vec<u8>, error: &BundleError, took: Duration) {
        let mut watch = lock(&self.watch);
        let error = error.to_string();
        if watch
            .refused
            .as_ref()
            .is_none_or(|(_, known, _)| *known != error)
        {
            let dir = self.dir.display();
            tracing::warn!(%dir, %error, "a new bundle was rejected; the previous one stays");
        }
        watch.refused = Some((bytes, error, Instant::now() + RETRY.max(took * RETRY_SHARE)));
    }

    /// Loads a bundle into memory and adds the compressed forms, in the background, as long as it is the current one.
    ///
    /// Running downloads still hold `going`, the memory of the previous bundle. They are awaited first, so that
    /// memory does not hold both; until then the new files are sent from the disk.
    fn prepare(self: &Arc<Self>, snapshot: &Arc<Snapshot>, mut going: Vec<Weak<Mmap>>) {
        let (store, snapshot, dir) = (Arc::downgrade(self), snapshot.clone(), self.dir.clone());
        in_background("ingle-prepare", move || {
            let wanted = || {
                Weak::upgrade(&store)
                    .is_some_and(|store| Arc::ptr_eq(&store.served().current, &snapshot))
            };
            let until = Instant::now() + GOING;
            while !going.is_empty() && Instant::now() < until && wanted() {
                going.retain(|pages| pages.strong_count() > 0);
                thread::sleep(TICK / 10);
            }
            snapshot.load(&wanted);
            snapshot.compress(&dir, &wanted);
        });
    }

    fn served(&self) -> Arc<Served> {
        let served = self.served.read();
        served.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch {
    fn refused_lately(&self, bytes: &[u8]) -> bool {
        self.refused
            .as_ref()
            .is_some_and(|(refused, _, retry)| refused == bytes && Instant::now() < *retry)
    }
}

impl Snapshot {
    /// Verifies every file that the manifest lists, whatever its role. Files that `before` has are reused: the same
    /// name means the same contents.
    fn open(dir: &Path, bytes: Vec<u8>, before: Option<&Self>) -> Result<Self, BundleError> {
        let manifest = Manifest::parse(&bytes)?;
        let mut files = HashMap::new();
        for entry in &manifest.files {
            if files.contains_key(&entry.name) {
                continue;
            }
            let known = before.and_then(|before| before.files.get(&entry.name));
            let asset = match known.filter(|asset| asset.is(&entry.sha256) && asset.check()) {
                Some(known) => known.clone(),
                None => Arc::new(open(dir, entry)?),
            };
            files.insert(entry.name.clone(), asset);
        }
        tracing::info!(
            dir = %dir.display(),
            bundle = manifest.name,
            items = manifest.items.count,
            files = files.len(),
            bytes = manifest.files.iter().map(|entry| entry.bytes).sum::<u64>(),
            "the bundle is valid and served"
        );
        let asset = Asset::small(MANIFEST, bytes.clone());
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            if let Some(encoded) = compress::encode(encoding, &bytes, u64::MAX, &|| true) {
                asset.add(encoding, encoded);
            }
        }
        Ok(Self {
            bytes,
            manifest: Arc::new(asset),
            files,
        })
    }

    /// The files that remain of this bundle when `next` replaces it: those that `next` does not have, on the disk.
    fn earlier_than(&self, next: &Self) -> Self {
        let files = self
            .files
            .iter()
            .filter(|(name, _)| !next.files.contains_key(*name));
        Self {
            bytes: Vec::new(),
            manifest: self.manifest.clone(),
            files: files
                .map(|(name, asset)| (name.clone(), Arc::new(asset.without_memory())))
                .collect(),
        }
    }

    /// The memory of this bundle that `next` does not share.
    fn memory_beside(&self, next: &Self) -> Vec<Weak<Mmap>> {
        let left = |name: &String| !next.files.contains_key(name);
        let files = self.files.iter().filter(|(name, _)| left(name));
        files
            .flat_map(|(_, asset)| asset.memory())
            .map(Memory::pages)
            .collect()
    }

    /// Loads all files into memory. A file that has changed since it was verified is skipped, and checked again when
    /// it is requested.
    fn load(&self, wanted: compress::Wanted<'_>) {
        for (name, asset) in self.by_length() {
            if !wanted() {
                return;
            }
            if !asset.load() {
                tracing::warn!(file = name, "has changed since the bundle was read");
            }
        }
    }

    /// Adds compressed forms as long as there is room: small files first, which compress best, and Brotli first,
    /// which nearly all clients accept.
    fn compress(&self, dir: &Path, wanted: compress::Wanted<'_>) {
        let files = self.by_length();
        let plain: u64 = files
            .iter()
            .filter_map(|(_, asset)| asset.length_in(Encoding::Identity))
            .sum();
        let mut room = (plain / COMPRESSED_SHARE).max(COMPRESSED_ANYWAY);
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            for (name, asset) in &files {
                if !wanted() {
                    return;
                }
                if asset.length_in(encoding).is_none()
                    && let Some(bytes) = asset.bytes()
                    && let Some(encoded) =
                        compress::read(encoding, &dir.join(name), bytes, room, wanted)
                            .or_else(|| compress::encode(encoding, bytes, room, wanted))
                {
                    asset.add(encoding, encoded);
                }
                room = room.saturating_sub(asset.length_in(encoding).unwrap_or(0));
            }
        }
        tracing::info!("the bundle's compressed forms are ready");
    }

    /// The files, smallest first.
    fn by_length(&self) -> Vec<(&String, &Arc<Asset>)> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|(name, asset)| (asset.length_in(Encoding::Identity), *name));
        files
    }
}

/// Opens and verifies a file of a bundle.
fn open(dir: &Path, entry: &FileEntry) -> Result<Asset, BundleError> {
    let path = dir.join(&entry.name);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => BundleError::Missing {
            what: path.display().to_string(),
        },
        _ => BundleError::Io {
            action: format!("read {}", path.display()),
            source,
        },
    };
    let disk = Disk::open(&path).map_err(failed)?;
    let length = disk.length().map_err(failed)?;
    if length != entry.bytes {
        entry.verify_hashed(length, String::new)?;
    }
    let found = disk.hash().map_err(failed)?;
    entry.verify_hashed(found.1, || found.0.clone())?;
    Ok(Asset::on_disk(&entry.name, found, disk))
}

/// Whether this is the channel or a file of keys.
fn is_signed_name(name: &str) -> bool {
    let epoch = name
        .strip_prefix("keys-")
        .and_then(|rest| rest.strip_suffix(".json"));
    let is_keys = epoch.is_some_and(|epoch| {
        !epoch.is_empty() && epoch.len() <= 16 && epoch.bytes().all(|digit| digit.is_ascii_digit())
    });
    name == CHANNEL || is_keys
}

/// A file, if it is there and not too long.
fn read_small(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MAX_SIGNED + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_SIGNED).then_some(bytes)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread. If the system refuses, the current bundle stays, and a warning is logged.
fn in_background(name: &str, work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
        tracing::warn!(%error, "no thread for {name}: new bundles may go unnoticed");
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use ingle_bundle::{ItemTable, Role};

    use super::*;

    /// Writes a bundle with an item table large enough for its own memory mapping.
    fn write(folder: &Path, value: f32) -> String {
        const ROWS: usize = 20_000;
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundle/tests/data/v1");
        let mut bundle = dir::read_dir(&golden).unwrap();
        bundle.items = ItemTable::quantize(&[value].repeat(4 * ROWS), 4);
        bundle.popularity = vec![1.0; ROWS];
        bundle.codes = Vec::new();
        bundle.ids = (0..ROWS).map(|row| row.to_string()).collect();
        dir::write_dir(&bundle, folder).unwrap();
        let manifest = Manifest::parse(&dir::read_manifest(folder).unwrap()).unwrap();
        let mut files = manifest.files.into_iter();
        files.find(|file| file.role == Role::Items).unwrap().name
    }

    fn bytes(store: &Store, name: &str) -> Option<Bytes> {
        match store.get(name) {
            Found::Asset(asset) => asset.bytes().cloned(),
            _ => None,
        }
    }

    fn eventually(found: impl Fn() -> bool) {
        let is_found = (0..1_000).any(|_| {
            thread::sleep(Duration::from_millis(20));
            found()
        });
        assert!(is_found, "not within 20 seconds");
    }

    #[tokio::test]
    async fn two_bundles_are_not_in_memory_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path(), 0.5);
        let store = Store::open(folder.path()).unwrap();
        let download = bytes(&store, &first).expect("the first is in memory");

        let second = write(folder.path(), 0.25);
        assert_ne!(first, second);
        eventually(|| matches!(store.get(&second), Found::Perhaps));
        thread::sleep(4 * TICK);
        assert!(bytes(&store, &second).is_none());
        assert!(store.search(&second).await.is_some(), "sent from the disk");

        drop(download);
        eventually(|| bytes(&store, &second).is_some());
    }
}
