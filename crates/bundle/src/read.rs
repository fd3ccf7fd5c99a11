//! Reads a bundle: from bytes to a checked [`Bundle`] or an error.
//!
//! Functions with loops over bytes are not inlined. A browser recompiles functions with hot loops; if all of loading
//! were one function, that compilation would delay the first answers.

use std::collections::BTreeMap;

use crate::tensors::{self, TensorFile};
use crate::{
    Bundle, BundleError, FileEntry, Ids, ItemTable, ItemsSpec, Manifest, Role, TableType,
    TableValues, Tensor, sha256_hex,
};

impl Bundle {
    /// Reads a bundle: its manifest from `manifest`, and every file it needs from `fetch`, which is called once per
    /// file and may return anything that holds bytes.
    ///
    /// The format, names, sizes, hashes, shapes and counts are checked before the contents are used, and every number
    /// must be finite. Files with a role unknown to this version are not fetched.
    pub fn open<B: AsRef<[u8]>>(
        manifest: &[u8],
        fetch: impl FnMut(&FileEntry) -> Result<B, BundleError>,
    ) -> Result<Self, BundleError> {
        Self::open_hashed(manifest, fetch, |_, bytes| sha256_hex(bytes))
    }

    /// The same with the caller's hash function: `hash` returns the SHA-256 of a file's bytes, in lower-case hex.
    pub fn open_hashed<B: AsRef<[u8]>>(
        manifest: &[u8],
        mut fetch: impl FnMut(&FileEntry) -> Result<B, BundleError>,
        mut hash: impl FnMut(&FileEntry, &[u8]) -> String,
    ) -> Result<Self, BundleError> {
        let manifest = Manifest::parse(manifest)?;
        let mut verified = |entry: &FileEntry| -> Result<B, BundleError> {
            let bytes = fetch(entry)?;
            entry.verify_hashed(bytes.as_ref().len() as u64, || hash(entry, bytes.as_ref()))?;
            Ok(bytes)
        };

        let entry = manifest.only(&Role::Model)?;
        let weights = read_weights(&entry.name, verified(entry)?.as_ref())?;

        let spec = manifest.items;
        let mut items = ItemTable::empty(spec.width, spec.dtype);
        let (mut popularity, mut codes) = (Vec::new(), Vec::new());
        for (_, rows, entry) in manifest.blocks()? {
            let bytes = verified(entry)?;
            let block = read_block(&entry.name, bytes.as_ref(), spec, rows)?;
            if items.rows == 0 {
                // Reserves memory for the number of rows in the manifest, limited by the size of the first block.
                items.reserve(spec.count.min(rows.saturating_mul(64)));
            }
            items.append(block.items);
            popularity.extend(block.popularity);
            codes.extend(block.codes);
        }

        let entry = manifest.only(&Role::Ids)?;
        let ids = read_ids(&entry.name, verified(entry)?.as_ref(), spec.count)?;
        Ok(Self {
            manifest,
            weights,
            items,
            popularity,
            codes,
            ids,
        })
    }
}

/// The content of a file of the item table.
struct Block {
    items: ItemTable,
    popularity: Vec<f32>,
    codes: Vec<i8>,
}

#[inline(never)]
fn read_weights(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, BundleError> {
    let tensors = TensorFile::parse(file, bytes)?;
    tensors
        .names()
        .map(|name| {
            let (shape, data) = tensors.f32(name)?;
            let shape = shape.to_vec();
            Ok((name.to_owned(), Tensor { shape, data }))
        })
        .collect()
}

/// Reads a block of the item table with its popularities and codes.
#[inline(never)]
fn read_block(
    file: &str,
    bytes: &[u8],
    spec: ItemsSpec,
    rows: usize,
) -> Result<Block, BundleError> {
    let tensors = TensorFile::parse(file, bytes)?;
    let due = [rows, spec.width];
    let values = match spec.dtype {
        TableType::Int8 => TableValues::Int8 {
            values: shaped(&tensors, "values", tensors.i8("values")?, &due)?,
            scales: shaped(&tensors, "scales", tensors.f32("scales")?, &due[..1])?,
        },
        TableType::F16 => TableValues::F16(shaped(
            &tensors,
            "values",
            tensors.f16_bits("values")?,
            &due,
        )?),
        TableType::F32 => {
            TableValues::F32(shaped(&tensors, "values", tensors.f32("values")?, &due)?)
        }
    };
    let items = ItemTable {
        rows,
        width: spec.width,
        values,
    };
    items.check(file)?;
    let popularity = tensors.f32("popularity")?;
    let popularity = shaped(&tensors, "popularity", popularity, &due[..1])?;
    check_popularity(file, rows, &popularity)?;
    let codes = match spec.code_width {
        0 => Vec::new(),
        width => shaped(&tensors, "codes", tensors.i8("codes")?, &[rows, width])?,
    };
    Ok(Block {
        items,
        popularity,
        codes,
    })
}

/// The values of a tensor, which must have this shape.
fn shaped<T>(
    tensors: &TensorFile<'_>,
    name: &str,
    (shape, values): (&[usize], Vec<T>),
    due: &[usize],
) -> Result<Vec<T>, BundleError> {
    if shape == due {
        return Ok(values);
    }
    Err(tensors.refuse(format!(
        "the tensor {name:?} has the shape {shape:?}, where manifest.json says {due:?}; export the \
         bundle again"
    )))
}

#[inline(never)]
fn read_ids(file: &str, bytes: &[u8], count: usize) -> Result<Ids, BundleError> {
    let ids: Ids = serde_json::from_slice(bytes)
        .map_err(|error| BundleError::ids(file, format!("is not a JSON list of ids: {error}")))?;
    check_ids(file, count, &ids)?;
    Ok(ids)
}

impl Bundle {
    /// Checks a bundle in memory in the same way as [`open`](Self::open) checks its input.
    pub(crate) fn check(&self) -> Result<(), BundleError> {
        self.manifest.calibration.check()?;
        for (name, tensor) in &self.weights {
            check_weight(name, tensor)?;
        }
        self.items.check("the item table")?;
        check_popularity("the popularities", self.items.rows, &self.popularity)?;
        if !self.codes.len().is_multiple_of(self.items.rows.max(1)) {
            return Err(BundleError::tensor(
                "the semantic codes",
                format!(
                    "have {} bytes for {} items: as many are due for each",
                    self.codes.len(),
                    self.items.rows
                ),
            ));
        }
        check_ids("the item ids", self.items.rows, &self.ids)
    }
}

fn check_weight(name: &str, tensor: &Tensor) -> Result<(), BundleError> {
    let Tensor { shape, data } = tensor;
    let refuse = |reason| Err(BundleError::tensor(&format!("the weight {name:?}"), reason));
    if name == "__metadata__" {
        return refuse("has a name that safetensors keeps for itself".to_owned());
    }
    if tensors::count(shape) != Some(data.len()) {
        return refuse(format!("{} values do not fill {shape:?}", data.len()));
    }
    match data.iter().find(|x| !x.is_finite()) {
        Some(x) => refuse(format!("holds {x}: training has diverged; train again")),
        None => Ok(()),
    }
}

fn check_popularity(file: &str, rows: usize, popularity: &[f32]) -> Result<(), BundleError> {
    if popularity.len() != rows {
        let found = popularity.len();
        return Err(BundleError::tensor(
            file,
            format!("{found} popularities are not one for each of {rows} rows"),
        ));
    }
    let bad = |x: &f32| !(0.0..=f32::MAX).contains(x);
    match popularity.iter().position(bad) {
        None => Ok(()),
        Some(row) => Err(BundleError::tensor(
            file,
            format!(
                "the popularity of row {row} is {}: popularities are finite and not negative",
                popularity[row]
            ),
        )),
    }
}

fn check_ids(file: &str, count: usize, ids: &Ids) -> Result<(), BundleError> {
    if ids.len() != count {
        return Err(BundleError::ids(
            file,
            format!(
                "{} ids are not one for each of {count} rows; export the bundle again",
                ids.len()
            ),
        ));
    }
    match ids.twice() {
        None => Ok(()),
        Some(row) => Err(BundleError::ids(
            file,
            format!(
                "the id {:?} is there twice; export the bundle again",
                &ids[row]
            ),
        )),
    }
}
