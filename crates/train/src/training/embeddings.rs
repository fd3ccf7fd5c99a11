//! Where item embeddings begin: at random, or at what a language model makes of the titles, so that
//! items nobody has clicked often start beside those they resemble
//! ([Harte et al., 2023](https://arxiv.org/abs/2309.09261)).

use crate::data::{Dataset, InputError};
use nalgebra::{DMatrix, SymmetricEigen};
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

/// Name of the tensor in the file.
const TENSOR: &str = "embeddings";
/// Under which the file may say which dataset it is of.
const DATA_HASH: &str = "data_hash";

/// Reads one embedding an item, in the order of the dataset's items, and brings them to `width`
/// columns: `[items, width]`, each row of length `length`.
///
/// # Errors
/// Input errors that name the file: not readable, of another shape or dataset, or with a value that is
/// no number.
pub fn initial(
    path: &Path,
    data: &Dataset,
    width: usize,
    length: f32,
) -> Result<Vec<f32>, InputError> {
    let (rows, columns) = read(path, data)?;
    let mut brought = principal(&rows, columns, width);
    for row in brought.chunks_exact_mut(width) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        for x in row {
            *x *= length / norm.max(1e-12);
        }
    }
    Ok(brought)
}

/// The rows of the file, `[items, columns]`, and how wide they are.
///
/// # Errors
/// As [`initial`].
pub fn read(path: &Path, data: &Dataset) -> Result<(Vec<f32>, usize), InputError> {
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

/// The first `width` principal components of rows, each scaled by the fourth root of its variance's
/// inverse: between the components as they are, of which few decide everything, and whitened ones. Where
/// rows are narrower than `width`, the last columns are 0.
fn principal(rows: &[f32], columns: usize, width: usize) -> Vec<f32> {
    let count = rows.len() / columns;
    let all = rows.iter().map(|&x| f64::from(x));
    let mut matrix = DMatrix::from_row_iterator(count, columns, all);
    for mut column in matrix.column_iter_mut() {
        let mean = column.mean();
        column.add_scalar_mut(-mean);
    }
    let SymmetricEigen {
        eigenvalues,
        eigenvectors,
    } = SymmetricEigen::new(matrix.tr_mul(&matrix) / count as f64);
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| eigenvalues[b].total_cmp(&eigenvalues[a]));
    order.truncate(width);
    let mut out = vec![0.0; count * width];
    for (at, &component) in order.iter().enumerate() {
        let scale = eigenvalues[component].max(1e-12).powf(-0.25);
        let scores = &matrix * eigenvectors.column(component);
        for (row, score) in out.chunks_exact_mut(width).zip(scores.iter()) {
            row[at] = (score * scale) as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;
    use safetensors::serialize_to_file;
    use safetensors::tensor::TensorView;
    use std::collections::HashMap;

    /// Six items in two groups of three.
    const ROWS: [[f32; 3]; 6] = [
        [1.0, 0.1, 5.0],
        [0.9, 0.2, 5.0],
        [1.1, 0.0, 5.1],
        [-1.0, 0.1, 5.0],
        [-0.9, 0.0, 4.9],
        [-1.1, 0.2, 5.0],
    ];

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

    fn six_items() -> Dataset {
        dataset(&[&[1, 2, 3, 4, 5, 6]], &[])
    }

    #[test]
    fn keeps_what_is_alike_together_at_the_asked_width_and_length() {
        let data = six_items();
        for width in [2, 5] {
            let file = file(&ROWS, Some(data.hash()));
            let found = initial(file.path(), &data, width, 0.5).expect("reads");
            assert_eq!(found.len(), 6 * width);
            let row = |item: usize| &found[item * width..(item + 1) * width];
            let dot = |a, b| ingle_kernel::vector::dot(row(a), row(b));
            for item in 0..6 {
                assert!((dot(item, item) - 0.25).abs() < 1e-6);
            }
            assert!(dot(0, 1) > 0.1 && dot(3, 4) > 0.1 && dot(0, 3) < 0.0);
        }
    }

    #[test]
    fn refuses_what_is_not_of_these_items() {
        let data = six_items();
        let mut spoilt = ROWS;
        spoilt[4][1] = f32::NAN;
        for (file, part) in [
            (file(&ROWS[..5], None), "must be F32 [6, width]"),
            (file(&ROWS, Some("other")), "another dataset"),
            (file(&spoilt, None), "row 4"),
        ] {
            let error = initial(file.path(), &data, 2, 1.0)
                .expect_err(part)
                .to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = initial(Path::new("nowhere"), &data, 2, 1.0)
            .expect_err("none")
            .to_string();
        assert!(error.contains("nowhere"), "{error}");
    }
}
