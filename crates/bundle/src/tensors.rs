//! Reads and writes safetensors files.
//!
//! Writing uses the `safetensors` crate. Reading is our own code: version 0.8 of the crate adds the offsets of a
//! malicious header without checking for overflow, and a bundle is read from the network. Here every offset is
//! checked by `get`, and no allocation depends on the header alone.

use std::collections::BTreeMap;

use safetensors::{Dtype, tensor::TensorView};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::BundleError;

/// Largest header, enough for some thousand tensors.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// A safetensors file with its header parsed.
pub(crate) struct TensorFile<'a> {
    file: &'a str,
    entries: BTreeMap<String, Entry>,
    data: &'a [u8],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Tensor(Info),
    /// The file's `__metadata__`, or any other entry that is not a tensor.
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The bytes of a tensor, its type and size checked.
struct Located<'a> {
    shape: &'a [usize],
    bytes: &'a [u8],
}

impl<'a> TensorFile<'a> {
    /// Parses the header of `bytes`; `file` is the name in errors.
    pub(crate) fn parse(file: &'a str, bytes: &'a [u8]) -> Result<Self, BundleError> {
        let refuse = |reason: String| {
            BundleError::tensor(
                file,
                format!("is not a safetensors file ({reason}); export the bundle again"),
            )
        };
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or_else(|| refuse("no header".to_owned()))?;
        let length = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .filter(|length| *length <= MAX_HEADER_BYTES)
            .ok_or_else(|| refuse("its header is too long".to_owned()))?;
        let (header, data) = rest
            .split_at_checked(length)
            .ok_or_else(|| refuse("its header is cut short".to_owned()))?;
        let entries: BTreeMap<String, Entry> =
            serde_json::from_slice(header).map_err(|error| refuse(error.to_string()))?;
        if !fills(&entries, data.len()) {
            return Err(refuse(
                "its tensors do not follow each other from its first byte to its last".to_owned(),
            ));
        }
        Ok(Self {
            file,
            entries,
            data,
        })
    }

    /// The names of all tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(|(_, entry)| matches!(entry, Entry::Tensor(_)))
            .map(|(name, _)| name.as_str())
    }

    /// A tensor in single precision, all values finite, with its shape.
    pub(crate) fn f32(&self, name: &str) -> Result<(&[usize], Vec<f32>), BundleError> {
        let Located { shape, bytes } = self.locate(name, "F32", 4)?;
        let numbers: Vec<f32> = words(bytes).map(f32::from_le_bytes).collect();
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            return Err(self.refuse(format!(
                "value {at} of the tensor {name:?} is {}; train again",
                numbers[at]
            )));
        }
        Ok((shape, numbers))
    }

    /// A tensor in half precision, as bits.
    pub(crate) fn f16_bits(&self, name: &str) -> Result<(&[usize], Vec<u16>), BundleError> {
        let Located { shape, bytes } = self.locate(name, "F16", 2)?;
        Ok((shape, words(bytes).map(u16::from_le_bytes).collect()))
    }

    /// A tensor of signed bytes.
    pub(crate) fn i8(&self, name: &str) -> Result<(&[usize], Vec<i8>), BundleError> {
        let Located { shape, bytes } = self.locate(name, "I8", 1)?;
        Ok((shape, bytemuck::cast_slice(bytes).to_vec()))
    }

    /// An error about this file.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> BundleError {
        BundleError::tensor(self.file, reason)
    }

    fn locate(&self, name: &str, dtype: &str, size: usize) -> Result<Located<'_>, BundleError> {
        let Some(Entry::Tensor(info)) = self.entries.get(name) else {
            return Err(self.refuse(format!(
                "the tensor {name:?} is missing; export the bundle again"
            )));
        };
        if info.dtype != dtype {
            return Err(self.refuse(format!(
                "the tensor {name:?} is of type {:.16}, where {dtype} is due; export the bundle \
                 again",
                info.dtype
            )));
        }
        let [from, to] = info.data_offsets;
        let bytes = self.data.get(from..to);
        let due = count(&info.shape).and_then(|count| count.checked_mul(size));
        match bytes {
            Some(bytes) if due == Some(bytes.len()) => Ok(Located {
                shape: &info.shape,
                bytes,
            }),
            _ => Err(self.refuse(format!(
                "the tensor {name:?} does not fill the bytes {from}..{to} with its shape {:?}; \
                 export the bundle again",
                info.shape
            ))),
        }
    }
}

/// Whether the tensors cover `bytes` exactly, without gap or overlap, so that no byte is read twice.
fn fills(entries: &BTreeMap<String, Entry>, bytes: usize) -> bool {
    let mut places: Vec<[usize; 2]> = entries
        .values()
        .filter_map(|entry| match entry {
            Entry::Tensor(info) => Some(info.data_offsets),
            Entry::Other(_) => None,
        })
        .collect();
    places.sort_unstable();
    let end = places.iter().try_fold(0, |end, &[from, to]| {
        (from == end && to >= from).then_some(to)
    });
    end == Some(bytes)
}

/// The number of values of a shape, unless it overflows.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |count, axis| count.checked_mul(*axis))
}

/// The bytes of numbers in little-endian order.
pub(crate) fn le_bytes<T: Copy, const N: usize>(
    numbers: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    numbers.iter().flat_map(|x| encode(*x)).collect()
}

/// A safetensors file of these tensors: name, type, shape and little-endian bytes.
pub(crate) fn to_bytes(
    file: &str,
    tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)],
) -> Result<Vec<u8>, BundleError> {
    let refuse = |error: &dyn std::fmt::Display| BundleError::tensor(file, error.to_string());
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes)
                .map(|view| (*name, view))
                .map_err(|error| refuse(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, None).map_err(|error| refuse(&error))
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn refusal(bytes: &[u8]) -> String {
        TensorFile::parse("model", bytes)
            .and_then(|file| file.f32("w").map(|_| ()))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn reads_what_the_safetensors_crate_writes() {
        let numbers = [1.5_f32, -2.0, 0.25];
        let bytes = to_bytes(
            "model",
            &[
                (
                    "w",
                    Dtype::F32,
                    vec![3],
                    le_bytes(&numbers, f32::to_le_bytes),
                ),
                ("b", Dtype::I8, vec![2, 1], vec![255, 3]),
                (
                    "scalar",
                    Dtype::F32,
                    vec![],
                    le_bytes(&[7.0], f32::to_le_bytes),
                ),
            ],
        )
        .unwrap();
        let file = TensorFile::parse("model", &bytes).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["b", "scalar", "w"]);
        assert_eq!(file.f32("w").unwrap(), (&[3][..], numbers.to_vec()));
        assert_eq!(file.i8("b").unwrap(), (&[2, 1][..], vec![-1, 3]));
        assert_eq!(file.f32("scalar").unwrap(), (&[][..], vec![7.0]));
    }

    #[test]
    fn passes_over_metadata_and_unknown_types() {
        let header = r#"{"__metadata__":{"by":"hand"},
            "new":{"dtype":"Q3","shape":[9],"data_offsets":[4,8]},
            "w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let bytes = file_with(header, &[1.0_f32.to_le_bytes(); 2].concat());
        let file = TensorFile::parse("model", &bytes).unwrap();
        assert_eq!(file.f32("w").unwrap(), (&[1][..], vec![1.0]));
    }

    #[test]
    fn refuses_a_header_that_is_cut_short_or_endless() {
        assert!(refusal(b"").contains("no header"));
        assert!(refusal(&[0; 7]).contains("no header"));
        assert!(refusal(&[9, 0, 0, 0, 0, 0, 0, 0, b'{']).contains("cut short"));
        assert!(refusal(&[255; 64]).contains("too long"));
        assert!(refusal(&file_with("{\"w\":", &[])).contains("not a safetensors file"));
    }

    #[test]
    fn refuses_offsets_and_shapes_that_do_not_fit() {
        let most = usize::MAX;
        for entry in [
            r#""shape":[1],"data_offsets":[0,8]"#.to_owned(),
            r#""shape":[1],"data_offsets":[4,0]"#.to_owned(),
            r#""shape":[2],"data_offsets":[0,4]"#.to_owned(),
            format!(r#""shape":[{most}],"data_offsets":[0,4]"#),
            format!(r#""shape":[{most},{most}],"data_offsets":[0,4]"#),
            format!(r#""shape":[1],"data_offsets":[{},{most}]"#, most - 4),
        ] {
            let header = format!(r#"{{"w":{{"dtype":"F32",{entry}}}}}"#);
            let error = refusal(&file_with(&header, &1.0_f32.to_le_bytes()));
            let told = ["does not fill", "do not follow each other"];
            assert!(
                told.iter().any(|told| error.contains(told)),
                "{entry}: {error}"
            );
        }
    }

    #[test]
    fn refuses_tensors_that_overlap_leave_gaps_or_are_named_twice() {
        let tensor = |name: &str, from: usize, to: usize| {
            format!(
                r#""{name}":{{"dtype":"F32","shape":[{}],"data_offsets":[{from},{to}]}}"#,
                (to - from) / 4
            )
        };
        for (tensors, fine) in [
            (vec![tensor("w", 0, 8)], true),
            (vec![tensor("w", 0, 4), tensor("v", 4, 8)], true),
            (vec![tensor("w", 4, 8), tensor("v", 0, 4)], true),
            (vec![tensor("w", 0, 8), tensor("e", 8, 8)], true),
            (vec![tensor("w", 0, 8), tensor("v", 0, 8)], false),
            (vec![tensor("w", 0, 8), tensor("v", 4, 8)], false),
            (vec![tensor("w", 0, 4)], false),
            (vec![tensor("w", 4, 8)], false),
            (vec![tensor("w", 0, 4), tensor("w", 4, 8)], false),
            (vec![], false),
        ] {
            let bytes = file_with(&format!("{{{}}}", tensors.join(",")), &[0; 8]);
            let read = TensorFile::parse("model", &bytes);
            assert_eq!(read.is_ok(), fine, "{tensors:?}");
        }
    }

    #[test]
    fn refuses_offsets_that_would_overflow_when_added_up() {
        let eighth = usize::MAX / 8;
        let entries: Vec<String> = (0..8)
            .map(|i| (i * eighth, (i + 1) * eighth))
            .chain([(8 * eighth, usize::MAX)])
            .map(|(from, to)| {
                let shape = to - from;
                format!(
                    r#""{from}":{{"dtype":"I8","shape":[{shape}],"data_offsets":[{from},{to}]}}"#
                )
            })
            .collect();
        let bytes = file_with(&format!("{{{}}}", entries.join(",")), &[]);
        assert_eq!(
            TensorFile::parse("model", &bytes).err().unwrap().code(),
            "bundle/tensor"
        );
    }

    #[test]
    fn refuses_another_type_a_missing_tensor_and_a_number_that_is_none() {
        let header = |dtype: &str| {
            format!(r#"{{"w":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,4]}}}}"#)
        };
        let one = 1.0_f32.to_le_bytes();
        assert!(refusal(&file_with(&header("I32"), &one)).contains("of type I32"));
        let other = header("F32").replace("\"w\"", "\"v\"");
        assert!(refusal(&file_with(&other, &one)).contains("\"w\" is missing"));
        let nan = f32::NAN.to_le_bytes();
        assert!(refusal(&file_with(&header("F32"), &nan)).contains("NaN"));
    }
}
