//! The arrays of a dataset as one safetensors file, written from and read into the final arrays without a second copy
//! in memory.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::dataset::{Parts, Relabelled};

/// Values converted at a time.
const BLOCK: usize = 8192;
/// Bytes of the header's length field at the start of the file, and the longest header that is accepted.
const LENGTH: usize = 8;
const LONGEST_HEADER: u64 = 1 << 16;

/// Writes offsets, items, timestamps and unseen; weights if there are any; and for a dataset with labels noise and, if
/// known, the original clicks.
pub(super) fn write(parts: &Parts, file: &mut dyn Write) -> io::Result<()> {
    let header = serde_json::to_vec(&header(parts)?)?;
    let padded = header.len().next_multiple_of(LENGTH);
    file.write_all(&(padded as u64).to_le_bytes())?;
    file.write_all(&header)?;
    file.write_all(&vec![b' '; padded - header.len()])?;
    array(file, &parts.offsets, |&n| (n as u64).to_le_bytes())?;
    array(file, &parts.timestamps, |n| n.to_le_bytes())?;
    array(file, &parts.clicks, |n| n.to_le_bytes())?;
    if let Some(weights) = &parts.weights {
        array(file, weights, |x| x.to_le_bytes())?;
    }
    if let Some(truth) = &parts.relabelled {
        if let Some(original) = &truth.original {
            array(file, original, |n| n.to_le_bytes())?;
        }
        array(file, &truth.noise, |&b| [b])?;
    }
    array(file, &parts.unseen, |&b| [u8::from(b)])
}

/// The arrays of the file in order: wider numbers first, so that all are aligned.
fn header(parts: &Parts) -> io::Result<Metadata> {
    let clicks = parts.clicks.len();
    let mut arrays = vec![
        ("offsets", Dtype::U64, parts.offsets.len()),
        ("timestamps", Dtype::I64, clicks),
        ("items", Dtype::U32, clicks),
    ];
    if parts.weights.is_some() {
        arrays.push(("weights", Dtype::F32, clicks));
    }
    if let Some(truth) = &parts.relabelled {
        let original = truth.original.as_ref();
        arrays.extend(original.map(|_| ("original", Dtype::U32, clicks)));
        arrays.push(("noise", Dtype::U8, clicks));
    }
    arrays.push(("unseen", Dtype::U8, parts.unseen.len()));
    let mut end = 0;
    let tensors = arrays.into_iter().map(|(name, dtype, count)| {
        let start = end;
        end += count * dtype.bitsize() / 8;
        let info = TensorInfo {
            dtype,
            shape: vec![count],
            data_offsets: (start, end),
        };
        (name.to_owned(), info)
    });
    Metadata::new(None, tensors.collect()).map_err(io::Error::other)
}

fn array<T, const N: usize>(
    file: &mut dyn Write,
    values: &[T],
    encode: impl Fn(&T) -> [u8; N],
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(BLOCK * N);
    for block in values.chunks(BLOCK) {
        bytes.clear();
        bytes.extend(block.iter().flat_map(&encode));
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads a file of [`write`], one array at a time.
pub(super) fn read(path: &Path) -> Result<Parts, Wrong> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let header = read_header(&mut file, length)?;
    let mut arrays = Arrays { file, header };
    let relabelled = if arrays.has("noise") {
        let original = (arrays.has("original"))
            .then(|| arrays.read("original", Dtype::U32, u32::from_le_bytes));
        Some(Relabelled {
            original: original.transpose()?,
            noise: arrays.read("noise", Dtype::U8, |[b]: [u8; 1]| b)?,
        })
    } else {
        None
    };
    let weights = (arrays.has("weights"))
        .then(|| arrays.read("weights", Dtype::F32, f32::from_le_bytes))
        .transpose()?;
    Ok(Parts {
        weights,
        offsets: arrays.read("offsets", Dtype::U64, |b| u64::from_le_bytes(b) as usize)?,
        clicks: arrays.read("items", Dtype::U32, u32::from_le_bytes)?,
        timestamps: arrays.read("timestamps", Dtype::I64, i64::from_le_bytes)?,
        unseen: arrays.read("unseen", Dtype::U8, |[b]: [u8; 1]| b != 0)?,
        relabelled,
        ..Parts::default()
    })
}

/// Errors of reading a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    /// The file is missing, or the disk fails.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The file was not written by [`write`].
    #[error("{0}")]
    Content(String),
}

impl Wrong {
    fn overwritten(what: impl Display) -> Self {
        Self::Content(format!("is truncated or overwritten ({what})"))
    }
}

/// The arrays of a file, and the offset of the first one.
struct Header {
    arrays: Metadata,
    start: u64,
}

fn read_header(file: &mut File, length: u64) -> Result<Header, Wrong> {
    let mut bytes = [0; LENGTH];
    if length < LENGTH as u64 {
        return Err(Wrong::overwritten(format!("{length} bytes")));
    }
    file.read_exact(&mut bytes)?;
    let size = u64::from_le_bytes(bytes);
    if size > LONGEST_HEADER.min(length - LENGTH as u64) {
        return Err(Wrong::overwritten(format!("a header of {size} bytes")));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header)?;
    let arrays: Metadata = serde_json::from_slice(&header).map_err(Wrong::overwritten)?;
    let start = LENGTH as u64 + size;
    if arrays.data_len() as u64 != length - start {
        let there = length - start;
        return Err(Wrong::overwritten(format!(
            "{there} of {} bytes",
            arrays.data_len()
        )));
    }
    Ok(Header { arrays, start })
}

/// The arrays of an open file.
struct Arrays {
    file: File,
    header: Header,
}

impl Arrays {
    fn has(&self, name: &str) -> bool {
        self.header.arrays.info(name).is_some()
    }

    fn read<T, const N: usize>(
        &mut self,
        name: &str,
        dtype: Dtype,
        decode: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Wrong> {
        let wrong = |what: &str| Wrong::Content(format!("has an array {name} that {what}"));
        let info = self
            .header
            .arrays
            .info(name)
            .ok_or_else(|| wrong("is missing"))?;
        let (start, end) = info.data_offsets;
        let [count] = info.shape[..] else {
            return Err(wrong("has another shape"));
        };
        // Checks sizes against the length of the file before anything is allocated.
        let bytes = end
            .checked_sub(start)
            .filter(|_| end <= self.header.arrays.data_len());
        if info.dtype != dtype || bytes.is_none() || bytes != count.checked_mul(N) {
            return Err(wrong("has another type or size"));
        }
        self.file
            .seek(SeekFrom::Start(self.header.start + start as u64))?;
        let mut values = Vec::with_capacity(count);
        let mut block = vec![0; BLOCK * N];
        while values.len() < count {
            let bytes = &mut block[..BLOCK.min(count - values.len()) * N];
            self.file.read_exact(bytes)?;
            values.extend(bytes.as_chunks::<N>().0.iter().map(|&value| decode(value)));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::parts;
    use super::*;
    use safetensors::SafeTensors;

    #[test]
    fn it_is_a_safetensors_file_of_more_than_one_block() {
        let histories = vec![&[1, 2, 3][..]; BLOCK];
        let mut written = parts(&histories, &[3]);
        for (arrays, original) in [(5, None), (7, Some(written.clicks.clone()))] {
            written.weights = original.as_ref().map(|_| vec![0.5; 3 * BLOCK]);
            let noise = vec![0; 3 * BLOCK];
            written.relabelled = Some(Relabelled { noise, original });
            comes_back(&written, arrays);
        }
    }

    fn comes_back(written: &Parts, arrays: usize) {
        let mut bytes = Vec::new();
        write(written, &mut bytes).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.len(), arrays);
        let items = tensors.tensor("items").unwrap();
        assert_eq!(
            (items.dtype(), items.shape()),
            (Dtype::U32, &[3 * BLOCK][..])
        );

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sequences.safetensors");
        std::fs::write(&path, &bytes).unwrap();
        let (users, items) = (written.users.clone(), written.items.clone());
        let found = read(&path).unwrap();
        assert!(
            Parts {
                users,
                items,
                ..found
            } == *written
        );
    }

    #[test]
    fn claims_of_a_damaged_header_are_not_believed() {
        let mut bytes = Vec::new();
        write(&parts(&[&[1, 2, 3]], &[]), &mut bytes).unwrap();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sequences.safetensors");
        let text = String::from_utf8_lossy(&bytes[8..]).into_owned();
        for (from, to) in [
            ("\"shape\":[3]", "\"shape\":[9]"),
            ("\"I64\"", "\"U64\""),
            ("\"items\"", "\"itens\""),
            ("[16,40]", "[99,40]"),
        ] {
            assert!(text.contains(from), "{text}");
            let changed = text.replacen(from, to, 1);
            let file = [&bytes[..8], changed.as_bytes()].concat();
            std::fs::write(&path, file).unwrap();
            assert!(
                matches!(read(&path), Err(Wrong::Content(_))),
                "{from} as {to}"
            );
        }
        std::fs::write(&path, [u64::MAX.to_le_bytes(); 4].concat()).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("overwritten"), "{error}");
    }
}
