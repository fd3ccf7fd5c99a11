//! Reading a manifest: what it must say for the rest of the bundle to be read.

use super::{
    Adapter, Calibration, FORMAT, FileEntry, ItemsSpec, Learning, MAX_BUNDLE_BYTES, MAX_CODE_WIDTH,
    MAX_FILE_BYTES, MAX_FILES, MAX_KEEP, MAX_MANIFEST_BYTES, MAX_POPULARITY, MAX_RATE, MAX_STEPS,
    MAX_WINDOW, Manifest, MethodSpec, Role, Scale, TableType,
};
use crate::{BundleError, naming, sha256_hex};
use serde::Deserialize;
use serde_json::Value;

impl Manifest {
    /// A manifest for a bundle to be written; writing fills in `items` and `files`.
    pub fn new(
        name: impl Into<String>,
        method: MethodSpec,
        backbone: Value,
        calibration: Calibration,
    ) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            method,
            backbone,
            items: ItemsSpec {
                count: 0,
                width: 0,
                dtype: TableType::Int8,
                code_width: 0,
                appended: 0,
            },
            files: Vec::new(),
            calibration,
            adapter: None,
            provenance: Value::Object(serde_json::Map::new()),
            evaluation: Value::Object(serde_json::Map::new()),
        }
    }

    /// Parses and checks a manifest. The files that it names are not read.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(too_long(bytes.len()));
        }
        check_format(bytes)?;
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| not_a_manifest(bytes, &error))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest as it is stored: indented JSON, so that people can read it.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, BundleError> {
        let mut json = serde_json::to_vec_pretty(self)
            .map_err(|error| BundleError::manifest(error.to_string()))?;
        json.push(b'\n');
        if json.len() > MAX_MANIFEST_BYTES {
            return Err(too_long(json.len()));
        }
        Ok(json)
    }

    /// The only file with this role.
    pub(crate) fn only(&self, role: &Role) -> Result<&FileEntry, BundleError> {
        let mut entries = self.files.iter().filter(|entry| entry.role == *role);
        match (entries.next(), entries.next()) {
            (Some(entry), None) => Ok(entry),
            (None, _) => Err(BundleError::Missing {
                what: format!("a file with the role {role:?} in manifest.json"),
            }),
            (Some(_), Some(second)) => Err(BundleError::manifest(format!(
                "{} is a second file with the role {role:?}, and there can be one; export the \
                 bundle again",
                second.name
            ))),
        }
    }

    /// The blocks of the item table in row order, each with its first row and number of rows.
    pub(crate) fn blocks(&self) -> Result<Vec<(usize, usize, &FileEntry)>, BundleError> {
        let mut blocks = Vec::new();
        for entry in self.files.iter().filter(|entry| entry.role == Role::Items) {
            match (entry.first_row, entry.rows) {
                (Some(first), Some(rows)) => blocks.push((first, rows, entry)),
                _ => {
                    return Err(BundleError::manifest(format!(
                        "{} is a block of items without first_row or rows; export the bundle again",
                        entry.name
                    )));
                }
            }
        }
        blocks.sort_by_key(|(first, ..)| *first);
        Ok(blocks)
    }

    fn check(&self) -> Result<(), BundleError> {
        self.calibration.check()?;
        self.adapter.as_ref().map_or(Ok(()), Adapter::check)?;
        self.items.check()?;
        for entry in &self.files {
            entry.check()?;
        }
        self.check_files()?;
        self.only(&Role::Model)?;
        self.check_ids(self.only(&Role::Ids)?)?;
        self.check_blocks()
    }

    /// Checks the number and the total size of the files. Two entries may have the same file name (equal blocks have
    /// equal names) but must then be equal in size and hash.
    fn check_files(&self) -> Result<(), BundleError> {
        let mut sorted: Vec<&FileEntry> = self.files.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        if sorted.len() > MAX_FILES {
            return Err(BundleError::manifest(format!(
                "it names {} files, and may name {MAX_FILES}; export with larger blocks",
                sorted.len()
            )));
        }
        for pair in sorted.windows(2) {
            if let [a, b] = pair
                && a.name == b.name
                && (a.sha256 != b.sha256 || a.bytes != b.bytes)
            {
                return Err(BundleError::manifest(format!(
                    "{} is named twice with different contents; export the bundle again",
                    a.name
                )));
            }
        }
        sorted.dedup_by(|a, b| a.name == b.name);
        let bytes: u64 = sorted.iter().map(|entry| entry.bytes).sum();
        if bytes > MAX_BUNDLE_BYTES {
            return Err(BundleError::manifest(format!(
                "its files have {bytes} bytes in all, and may have {MAX_BUNDLE_BYTES}; export fewer items or \
                 narrower ones"
            )));
        }
        Ok(())
    }

    /// Checks that the ids' file is long enough for this many empty ids, since memory is reserved by their number.
    fn check_ids(&self, entry: &FileEntry) -> Result<(), BundleError> {
        let least = (self.items.count as u64).saturating_mul(3);
        if entry.bytes < least {
            return Err(BundleError::manifest(format!(
                "{} has {} bytes, too few for {} ids; export the bundle again",
                entry.name, entry.bytes, self.items.count
            )));
        }
        Ok(())
    }

    /// The blocks of items must be contiguous: no gap and no overlap.
    fn check_blocks(&self) -> Result<(), BundleError> {
        let blocks = self.blocks()?;
        if blocks.is_empty() {
            return Err(BundleError::Missing {
                what: "a file with the role Items in manifest.json".to_owned(),
            });
        }
        let mut next = 0_usize;
        for (first, rows, entry) in blocks {
            if first != next || rows == 0 {
                return Err(BundleError::manifest(format!(
                    "{} holds {rows} rows from row {first}, where a block from row {next} is due; \
                     export the bundle again",
                    entry.name
                )));
            }
            let least = (rows as u64).saturating_mul(self.items.row_bytes());
            if entry.bytes < least {
                return Err(BundleError::manifest(format!(
                    "{} has {} bytes, too few for {rows} rows; export the bundle again",
                    entry.name, entry.bytes
                )));
            }
            next = next.checked_add(rows).ok_or_else(|| {
                BundleError::manifest(format!("{} holds more rows than can be", entry.name))
            })?;
        }
        if next != self.items.count {
            return Err(BundleError::manifest(format!(
                "its blocks hold {next} items and it counts {}; export the bundle again",
                self.items.count
            )));
        }
        Ok(())
    }
}

impl FileEntry {
    /// The entry of a new file with this content.
    pub fn for_bytes(role: Role, bytes: &[u8]) -> Self {
        let sha256 = sha256_hex(bytes);
        let (prefix, extension) = match &role {
            Role::Model => ("model", "safetensors"),
            Role::Items => ("items", "safetensors"),
            Role::Ids => ("ids", "json"),
            Role::Other(_) => ("other", "safetensors"),
        };
        Self {
            role,
            name: naming::file_name(prefix, &sha256, extension),
            bytes: bytes.len() as u64,
            sha256,
            first_row: None,
            rows: None,
        }
    }

    /// Checks that the bytes have the size and SHA-256 that the manifest states.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), BundleError> {
        self.verify_hashed(bytes.len() as u64, || sha256_hex(bytes))
    }

    /// The same for a number of bytes and a function that returns their SHA-256 in hex.
    pub fn verify_hashed(
        &self,
        length: u64,
        hash: impl FnOnce() -> String,
    ) -> Result<(), BundleError> {
        if length != self.bytes {
            return Err(BundleError::Size {
                name: self.name.clone(),
                expected: self.bytes,
                found: length,
            });
        }
        let found = hash();
        if found != self.sha256 {
            return Err(BundleError::Hash {
                name: self.name.clone(),
                expected: self.sha256.clone(),
                found,
            });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), BundleError> {
        naming::check(&self.name, &self.sha256)?;
        if self.bytes > MAX_FILE_BYTES {
            return Err(BundleError::manifest(format!(
                "{} has {} bytes, and a file may have {MAX_FILE_BYTES}; export with smaller blocks",
                self.name, self.bytes
            )));
        }
        Ok(())
    }
}

impl ItemsSpec {
    /// Bytes of a row in a block: its values and scale, its popularity and its code.
    fn row_bytes(self) -> u64 {
        let (value, scale) = match self.dtype {
            TableType::Int8 => (1, 4),
            TableType::F16 => (2, 0),
            TableType::F32 => (4, 0),
        };
        (self.width as u64)
            .saturating_mul(value)
            .saturating_add(scale + 4 + self.code_width as u64)
    }

    fn check(self) -> Result<(), BundleError> {
        let Self {
            count,
            width,
            code_width,
            appended,
            ..
        } = self;
        // Item indices are 32 bits wide, with 0 for padding.
        if count == 0 || count >= u32::MAX as usize || width == 0 {
            return Err(BundleError::manifest(format!(
                "an item table of {count} rows by {width} values cannot be; export the bundle again"
            )));
        }
        if appended >= count {
            return Err(BundleError::manifest(format!(
                "{appended} of its {count} items were added without training, which leaves none that was \
                 trained; export the bundle again"
            )));
        }
        if code_width > MAX_CODE_WIDTH {
            return Err(BundleError::manifest(format!(
                "semantic codes of {code_width} bytes an item are more than {MAX_CODE_WIDTH}; export the \
                 bundle again"
            )));
        }
        Ok(())
    }
}

impl Calibration {
    /// The scale of the fused logits.
    pub fn scale(&self) -> Scale {
        Scale {
            temperature: self.temperature,
            shift: self.shift,
        }
    }

    /// Checks the ranges.
    pub(crate) fn check(&self) -> Result<(), BundleError> {
        let Self {
            temperature,
            tau_low,
            tau_high,
            keep,
            views,
            ..
        } = self;
        let views = views.map(|views| [views.prior, views.posterior]);
        let scales = views.into_iter().flatten().chain([self.scale()]);
        let usable = scales.into_iter().all(Scale::is_usable);
        if !(usable && tau_low.is_finite() && tau_high.is_finite()) || tau_low > tau_high {
            return Err(BundleError::manifest(format!(
                "the calibration needs temperatures above 0, finite shifts and tau_low up to tau_high, \
                 and has temperature {temperature}, tau_low {tau_low}, tau_high {tau_high}; calibrate again"
            )));
        }
        if let Some(keep) = keep {
            let inside = keep.iter().all(|t| (0.0..=1.0).contains(t));
            let few = (1..=MAX_KEEP).contains(&keep.len());
            if !(few && inside && keep.is_sorted_by(|a, b| a < b)) {
                return Err(BundleError::manifest(format!(
                    "calibration.keep is 1 to {MAX_KEEP} thresholds from 0 to 1, each above the one before, \
                     and there are {} that are not so; export the bundle again",
                    keep.len()
                )));
            }
        }
        Ok(())
    }
}

impl Adapter {
    fn check(&self) -> Result<(), BundleError> {
        let Self {
            popularity,
            learning,
            gain,
        } = self;
        let within = |name: &str, value: f32, least: f32, most: f32| {
            (least..=most)
                .contains(&value)
                .then_some(())
                .ok_or_else(|| {
                    let must = format!("must be from {least} to {most}");
                    BundleError::manifest(format!(
                        "adapter.{name} is {value}, and {must}; export the bundle again"
                    ))
                })
        };
        within("popularity", *popularity, -MAX_POPULARITY, MAX_POPULARITY)?;
        within("gain.value", gain.value, -1.0, 1.0)?;
        within("gain.error", gain.error, 0.0, 1.0)?;
        let Some(Learning {
            bias_rate,
            weight_rate,
            steps,
            half_life,
            window,
            clicks,
        }) = *learning
        else {
            return Ok(());
        };
        within("learning.bias_rate", bias_rate, 0.0, MAX_RATE)?;
        within("learning.weight_rate", weight_rate, 0.0, MAX_RATE)?;
        within("learning.half_life", half_life, f32::MIN_POSITIVE, MAX_RATE)?;
        if bias_rate == 0.0 && weight_rate == 0.0 {
            return Err(BundleError::manifest(
                "adapter.learning has two rates of 0 and would learn nothing; export the bundle again",
            ));
        }
        for (name, value, least, most) in [
            ("steps", steps, 1, MAX_STEPS),
            ("window", window, 1, MAX_WINDOW),
            ("clicks", clicks, 2, usize::MAX),
        ] {
            if !(least..=most).contains(&value) {
                return Err(BundleError::manifest(format!(
                    "adapter.learning.{name} is {value}, and must be from {least} to {most}; export the bundle again"
                )));
            }
        }
        Ok(())
    }
}

/// Checks the version only: the rest of another version's manifest may have any form.
fn check_format(bytes: &[u8]) -> Result<(), BundleError> {
    #[derive(Deserialize)]
    struct Version {
        format: Option<Value>,
    }
    let version: Version =
        serde_json::from_slice(bytes).map_err(|error| not_a_manifest(bytes, &error))?;
    match version.format {
        None => Err(BundleError::manifest(
            "states no format: this is not the manifest of an Ingle bundle",
        )),
        Some(found) if found == FORMAT => Ok(()),
        Some(found) => Err(BundleError::Format {
            found: found.to_string().chars().take(40).collect(),
        }),
    }
}

fn too_long(bytes: usize) -> BundleError {
    BundleError::manifest(format!(
        "has {bytes} bytes, and a manifest may have {MAX_MANIFEST_BYTES}; export with larger blocks"
    ))
}

fn not_a_manifest(bytes: &[u8], error: &serde_json::Error) -> BundleError {
    let advice = if !bytes.trim_ascii_start().starts_with(b"{") {
        "is this the address of an Ingle bundle?"
    } else if error.is_data() {
        "export the bundle again"
    } else {
        "it was cut short or damaged; fetch or copy it again"
    };
    BundleError::manifest(format!("is not a manifest ({error}): {advice}"))
}
