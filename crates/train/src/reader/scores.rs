//! The noise logits of a split's histories, as a file: `offsets` of each user's logits, the `logits`, and in its
//! metadata the dataset, split and reader. A reader rejects another dataset or split, so that logits are never used
//! for other clicks.

use crate::data::{Dataset, InputError, Split};
use crate::training::checkpoint::write_atomically;
use anyhow::Result;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::Path;

const OFFSETS: &str = "offsets";
const LOGITS: &str = "logits";
const DATA: &str = "data_hash";
const READER: &str = "reader_hash";
const SPLIT: &str = "split";

/// The histories of a scores file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScoredSplit {
    /// The clicks that a model may learn from
    Train,
    /// The history before the validation target
    Valid,
    /// The history before the test target
    Test,
    /// The same, of users held out of training (`prepare --holdout-users`)
    Unseen,
}

impl ScoredSplit {
    /// Its name in `--split`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
            Self::Unseen => "unseen",
        }
    }

    /// A user's history in the split; empty if there is none.
    pub fn history(self, data: &Dataset, user: usize) -> &[u32] {
        let case = |split| data.case(user, split).map_or(&[][..], |case| case.history);
        match self {
            Self::Train => data.train(user),
            Self::Valid => case(Split::Valid),
            Self::Test => case(Split::Test),
            Self::Unseen => case(Split::Unseen),
        }
    }

    /// The noise labels of that history (1 = replaced); `None` in a dataset without labels.
    pub fn noise(self, data: &Dataset, user: usize) -> Option<&[u8]> {
        // In every split, the history begins with the user's first click.
        let clicks = self.history(data, user).len();
        data.noise(user).map(|noise| &noise[..clicks])
    }
}

/// Noise logits of the latest clicks of every user's history in a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The split of the histories.
    pub split: ScoredSplit,
    /// Hash of the reader that computed them.
    pub reader: String,
    data: String,
    offsets: Vec<u64>,
    logits: Vec<f32>,
}

impl Scores {
    /// One row per user.
    ///
    /// # Panics
    /// If the number of rows is not the number of users.
    pub fn new(rows: &[Vec<f32>], data: &Dataset, split: ScoredSplit, reader: String) -> Self {
        assert_eq!(rows.len(), data.n_users(), "one row a user");
        let mut offsets = vec![0];
        for row in rows {
            offsets.push(offsets[offsets.len() - 1] + row.len() as u64);
        }
        Self {
            split,
            reader,
            data: data.hash().to_owned(),
            offsets,
            logits: rows.concat(),
        }
    }

    /// Noise logits of the latest clicks of a user's history, oldest first: fewer than clicks if the window was
    /// shorter, none for a user who is not in the split.
    pub fn of(&self, user: usize) -> &[f32] {
        &self.logits[self.offsets[user] as usize..self.offsets[user + 1] as usize]
    }

    /// Number of logits of all users.
    pub fn len(&self) -> usize {
        self.logits.len()
    }

    /// Whether there are no logits.
    pub fn is_empty(&self) -> bool {
        self.logits.is_empty()
    }

    /// Writes the file atomically.
    pub fn save(&self, path: &Path) -> Result<()> {
        let offsets: Vec<u8> = self.offsets.iter().flat_map(|x| x.to_le_bytes()).collect();
        let logits: Vec<u8> = self.logits.iter().flat_map(|x| x.to_le_bytes()).collect();
        let about = [
            (DATA, self.data.as_str()),
            (READER, &self.reader),
            (SPLIT, self.split.name()),
        ];
        let about = about.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let views = [
            (
                OFFSETS,
                TensorView::new(Dtype::U64, vec![self.offsets.len()], &offsets)?,
            ),
            (
                LOGITS,
                TensorView::new(Dtype::F32, vec![self.logits.len()], &logits)?,
            ),
        ];
        let bytes = safetensors::serialize(views, Some(HashMap::from(about)))?;
        write_atomically(path, &bytes)
    }

    /// Reads the scores of a split of a dataset.
    ///
    /// # Errors
    /// An input error that names the file: it cannot be read, is of another dataset or split, or does not have one
    /// row per user with finite logits, at most one per click.
    pub fn open(path: &Path, data: &Dataset, split: ScoredSplit) -> Result<Self, InputError> {
        let bad = |what: String| InputError::other(format!("{}: {what}", path.display()));
        let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
        let about = |key: &str| {
            let found = header.metadata().as_ref().and_then(|about| about.get(key));
            found.ok_or_else(|| bad(format!("no scores of a reader: it does not say its {key}")))
        };
        if about(DATA)? != data.hash() {
            let again = "`ingle reader score` makes those of this one";
            return Err(bad(format!("these scores are of another dataset; {again}")));
        }
        let found = about(SPLIT)?;
        if found != split.name() {
            let wanted = split.name();
            return Err(bad(format!(
                "these scores are of split {found}, not {wanted}: `ingle reader score --split {wanted}` makes those"
            )));
        }
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        let scores = Self {
            split,
            reader: about(READER)?.clone(),
            data: data.hash().to_owned(),
            offsets: words(&tensors, OFFSETS, Dtype::U64, u64::from_le_bytes).map_err(bad)?,
            logits: words(&tensors, LOGITS, Dtype::F32, f32::from_le_bytes).map_err(bad)?,
        };
        scores.check(data).map_err(bad)?;
        Ok(scores)
    }

    fn check(&self, data: &Dataset) -> Result<(), String> {
        let ends = (self.offsets.first(), self.offsets.last());
        let bounded = ends == (Some(&0), Some(&(self.logits.len() as u64)));
        if self.offsets.len() != data.n_users() + 1 || !bounded || !self.offsets.is_sorted() {
            return Err("its offsets do not divide the logits among the users".to_owned());
        }
        for user in 0..data.n_users() {
            let (found, clicks) = (self.of(user).len(), self.split.history(data, user).len());
            if found > clicks || (found == 0 && clicks > 0) {
                let id = data.user_id(user);
                return Err(format!("user {id} has {clicks} clicks and {found} logits"));
            }
        }
        match self.logits.iter().position(|logit| !logit.is_finite()) {
            Some(at) => Err(format!("logit {at} is no number")),
            None => Ok(()),
        }
    }
}

/// The values of a one-dimensional tensor.
fn words<T, const N: usize>(
    tensors: &SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    from: fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let tensor = tensors.tensor(name);
    let tensor = tensor.map_err(|_| format!("it has no tensor {name}"))?;
    if tensor.dtype() != dtype || tensor.shape().len() != 1 {
        return Err(format!("{name} must be {dtype:?} with one axis"));
    }
    let words = tensor.data().as_chunks::<N>().0.iter();
    Ok(words.map(|&word| from(word)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    fn scored(rows: &[Vec<f32>]) -> (Dataset, Scores, tempfile::NamedTempFile) {
        let data = dataset(&[&[1, 2, 3, 4], &[2], &[1, 2, 3]], &[2]);
        let scores = Scores::new(rows, &data, ScoredSplit::Train, "abc".to_owned());
        (
            data,
            scores,
            tempfile::NamedTempFile::new().expect("a file"),
        )
    }

    #[test]
    fn come_back_as_they_were() {
        let (data, scores, file) = scored(&[vec![0.5, -1.5], vec![2.0], vec![]]);
        scores.save(file.path()).expect("written");
        let back = Scores::open(file.path(), &data, ScoredSplit::Train).expect("reads");
        assert_eq!(back, scores);
        assert_eq!((back.of(0), back.of(2)), (&[0.5, -1.5][..], &[][..]));
        assert_eq!((back.len(), back.is_empty()), (3, false));
    }

    #[test]
    fn refuses_another_dataset_or_split() {
        let (data, scores, file) = scored(&[vec![0.5, -1.5], vec![2.0], vec![]]);
        scores.save(file.path()).expect("written");
        let error = Scores::open(file.path(), &data, ScoredSplit::Test).expect_err("split");
        assert!(
            error.to_string().contains("split train, not test"),
            "{error}"
        );
        let other = dataset(&[&[1, 2, 3, 3], &[2], &[1, 2, 3, 4]], &[2]);
        let error = Scores::open(file.path(), &other, ScoredSplit::Train).expect_err("dataset");
        assert!(error.to_string().contains("another dataset"), "{error}");
    }

    #[test]
    fn refuses_what_does_not_fit_the_histories() {
        for (rows, part) in [
            (
                vec![vec![0.5; 3], vec![2.0], vec![]],
                "2 clicks and 3 logits",
            ),
            (vec![vec![0.5; 2], vec![], vec![]], "1 clicks and 0 logits"),
            (
                vec![vec![0.5; 2], vec![2.0], vec![1.0]],
                "0 clicks and 1 logits",
            ),
            (vec![vec![f32::NAN; 2], vec![2.0], vec![]], "no number"),
        ] {
            let (data, scores, file) = scored(&rows);
            scores.save(file.path()).expect("written");
            let error = Scores::open(file.path(), &data, ScoredSplit::Train).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
        let (data, _, file) = scored(&[const { Vec::new() }; 3]);
        for bytes in [&b""[..], b"not safetensors at all", &[255; 40]] {
            std::fs::write(file.path(), bytes).expect("written");
            Scores::open(file.path(), &data, ScoredSplit::Train).expect_err("no scores");
        }
    }
}
