//! Writes a [`Bundle`] as files; the same bundle always gives the same bytes.

use safetensors::Dtype;

use crate::tensors::{le_bytes, to_bytes};
use crate::{
    Bundle, BundleError, FORMAT, FileEntry, ItemTable, ItemsSpec, MANIFEST, Manifest, Role,
    TableValues,
};

/// Default number of rows in a block of the item table.
pub const BLOCK_ROWS: usize = 65_536;

impl Bundle {
    /// The files of this bundle with their names, `manifest.json` last. The item table is split into blocks of
    /// `block_rows` rows (at least 1; usually [`BLOCK_ROWS`]). The manifest's `format`, `items` and `files` are set
    /// from what is written.
    ///
    /// An error if [`open`](Self::open) would reject the bundle.
    pub fn write(&self, block_rows: usize) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
        self.check()?;
        let mut writer = Writer::default();
        writer.add(FileEntry::for_bytes, Role::Model, self.weights_file()?);

        let block_rows = block_rows.max(1);
        for first_row in (0..self.items.rows).step_by(block_rows) {
            let rows = block_rows.min(self.items.rows - first_row);
            let entry = |role, bytes: &[u8]| FileEntry {
                first_row: Some(first_row),
                rows: Some(rows),
                ..FileEntry::for_bytes(role, bytes)
            };
            writer.add(entry, Role::Items, self.block_file(first_row, rows)?);
        }

        let ids = serde_json::to_vec(&self.ids)
            .map_err(|error| BundleError::ids("the item ids", error.to_string()))?;
        writer.add(FileEntry::for_bytes, Role::Ids, ids);

        let manifest = Manifest {
            format: FORMAT,
            items: ItemsSpec {
                count: self.items.rows,
                width: self.items.width,
                dtype: self.items.dtype(),
                code_width: self.code_width(),
                appended: self.manifest.items.appended,
            },
            files: writer.entries,
            ..self.manifest.clone()
        };
        let json = manifest.to_json()?;
        Manifest::parse(&json)?;
        writer.files.push((MANIFEST.to_owned(), json));
        Ok(writer.files)
    }

    /// Values of an item's semantic code; 0 if items have none.
    pub fn code_width(&self) -> usize {
        self.codes.len() / self.items.rows.max(1)
    }

    fn weights_file(&self) -> Result<Vec<u8>, BundleError> {
        let tensors: Vec<_> = self
            .weights
            .iter()
            .map(|(name, tensor)| {
                let bytes = le_bytes(&tensor.data, f32::to_le_bytes);
                (name.as_str(), Dtype::F32, tensor.shape.clone(), bytes)
            })
            .collect();
        to_bytes("the model's weights", &tensors)
    }

    fn block_file(&self, first_row: usize, rows: usize) -> Result<Vec<u8>, BundleError> {
        let span = first_row..first_row + rows;
        let mut tensors = block_tensors(&self.items, first_row, rows);
        let popularity = le_bytes(&self.popularity[span], f32::to_le_bytes);
        tensors.push(("popularity", Dtype::F32, vec![rows], popularity));
        let width = self.code_width();
        if width > 0 {
            let codes = &self.codes[first_row * width..(first_row + rows) * width];
            let codes = le_bytes(codes, i8::to_le_bytes);
            tensors.push(("codes", Dtype::I8, vec![rows, width], codes));
        }
        to_bytes("the item table", &tensors)
    }
}

/// Collects files, each once, and the manifest's entries for them.
#[derive(Default)]
struct Writer {
    files: Vec<(String, Vec<u8>)>,
    entries: Vec<FileEntry>,
}

impl Writer {
    fn add(&mut self, entry: impl Fn(Role, &[u8]) -> FileEntry, role: Role, bytes: Vec<u8>) {
        let entry = entry(role, &bytes);
        // Equal blocks share one file.
        if self.files.iter().all(|(name, _)| *name != entry.name) {
            self.files.push((entry.name.clone(), bytes));
        }
        self.entries.push(entry);
    }
}

type NamedTensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn block_tensors(items: &ItemTable, first_row: usize, rows: usize) -> Vec<NamedTensor> {
    let span = first_row * items.width..(first_row + rows) * items.width;
    let shape = vec![rows, items.width];
    match &items.values {
        TableValues::Int8 { values, scales } => {
            let scales = &scales[first_row..first_row + rows];
            vec![
                (
                    "values",
                    Dtype::I8,
                    shape,
                    le_bytes(&values[span], i8::to_le_bytes),
                ),
                (
                    "scales",
                    Dtype::F32,
                    vec![rows],
                    le_bytes(scales, f32::to_le_bytes),
                ),
            ]
        }
        TableValues::F16(bits) => {
            vec![(
                "values",
                Dtype::F16,
                shape,
                le_bytes(&bits[span], u16::to_le_bytes),
            )]
        }
        TableValues::F32(values) => {
            vec![(
                "values",
                Dtype::F32,
                shape,
                le_bytes(&values[span], f32::to_le_bytes),
            )]
        }
    }
}
