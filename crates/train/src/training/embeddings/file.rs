//! Reads initial item embeddings from a file, as `scripts/embed-titles.py` writes it.

use crate::data::{Dataset, InputError};
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

/// Name of the tensor in the file.
const TENSOR: &str = "embeddings";
/// Metadata key of the hash of the dataset; optional.
const DATA_HASH: &str = "data_hash";

/// The file's rows, `[items, columns]`, in the order of the dataset's items, and the number of columns.
///
/// # Errors
/// Input errors that name the file: it cannot be read, has another shape or dataset, or holds a value that is
/// not finite.
pub(super) fn read(path: &Path, data: &Dataset) -> Result<(Vec<f32>, usize), InputError> {
    let bad = |what: String| InputError::other(format!("{}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
    let hash = (metadata.metadata().as_ref()).and_then(|about| about.get(DATA_HASH));
    if hash.is_some_and(|hash| hash != data.hash()) {
        return Err(bad("these embeddings are of another dataset".into()));
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
    let tensor = tensors
        .tensor(TENSOR)
        .map_err(|_| bad(format!("it has no tensor {TENSOR}")))?;
    let (items, shape) = (data.n_items(), tensor.shape());
    let &[rows, columns] = shape else {
        return Err(bad(format!(
            "{TENSOR} is {shape:?}, but must be [{items}, width]"
        )));
    };
    if rows != items || columns == 0 || tensor.dtype() != Dtype::F32 {
        let kind = tensor.dtype();
        return Err(bad(format!(
            "{TENSOR} is {kind:?} {shape:?}, but must be F32 [{items}, width]: one row an item"
        )));
    }
    let words = tensor.data().as_chunks::<4>().0.iter();
    let values: Vec<f32> = words.map(|&word| f32::from_le_bytes(word)).collect();
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(bad(format!(
            "row {} holds a value that is no number",
            at / columns
        ))),
        None => Ok((values, columns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;
    use safetensors::serialize_to_file;
    use safetensors::tensor::TensorView;
    use std::collections::HashMap;

    const ROWS: [[f32; 3]; 6] = [[1.0, 0.1, 5.0]; 6];

    fn file(rows: &[[f32; 3]], hash: Option<&str>) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let bytes: Vec<u8> = rows
            .as_flattened()
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let view = TensorView::new(Dtype::F32, vec![rows.len(), 3], &bytes).expect("a tensor");
        let about = hash.map(|hash| HashMap::from([(DATA_HASH.to_owned(), hash.to_owned())]));
        serialize_to_file([(TENSOR, view)], about, file.path()).expect("written");
        file
    }

    #[test]
    fn reads_one_row_an_item() {
        let data = dataset(&[&[1, 2, 3, 4, 5, 6]], &[]);
        for hash in [None, Some(data.hash())] {
            let found = read(file(&ROWS, hash).path(), &data).expect("reads");
            assert_eq!(found, (ROWS.as_flattened().to_vec(), 3));
        }
    }

    #[test]
    fn refuses_what_is_not_of_these_items() {
        let data = dataset(&[&[1, 2, 3, 4, 5, 6]], &[]);
        let mut spoilt = ROWS;
        spoilt[4][1] = f32::NAN;
        for (file, part) in [
            (file(&ROWS[..5], None), "must be F32 [6, width]"),
            (file(&ROWS, Some("other")), "another dataset"),
            (file(&spoilt, None), "row 4"),
        ] {
            let error = read(file.path(), &data).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = read(Path::new("nowhere"), &data)
            .expect_err("none")
            .to_string();
        assert!(error.contains("nowhere"), "{error}");
    }
}
