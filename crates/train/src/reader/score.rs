//! Scores histories with a reader: a group of them, or a whole split into a file, in chunks, so that an interrupted
//! call can be resumed.

use super::folder::Reader;
use super::learner::SHARD_TOKENS;
use super::scores::{ScoredSplit, Scores};
use super::windows::Titles;
use crate::data::{Dataset, InputError};
use crate::training::progress::Progress;
use anyhow::{Context as _, Result};
use ingle_lm::judge::Scorer;
use ingle_lm::window::bucket;
use ingle_lm::{LanguageModel, Window, Windows};
use rayon::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Histories per chunk: at most this many are scored again after an interruption.
const CHUNK: usize = 1024;

/// Noise logits of the latest clicks of each history, oldest first: as many as fit into the window, none for an empty
/// history.
pub fn logits(
    scorer: &Scorer,
    titles: &Titles,
    histories: &[&[u32]],
    done: impl Fn(usize) + Sync,
) -> Vec<Vec<f32>> {
    let windows = histories.par_iter().enumerate();
    let windows: Vec<(usize, Window)> = windows
        .filter_map(|(at, history)| Some((at, titles.window(history)?)))
        .collect();
    let lengths: Vec<usize> = windows.iter().map(|(_, window)| window.tokens()).collect();
    let mut batches = bucket(&lengths, SHARD_TOKENS);
    // Longest first, so that no core is left with a long one at the end.
    batches.reverse();
    let answered: Vec<Vec<Vec<f32>>> = (batches.par_iter())
        .map(|batch| {
            let windows: Vec<&Window> = batch.iter().map(|&at| &windows[at].1).collect();
            let logits = scorer.logits(&Windows::new(&windows));
            done(batch.len());
            logits
        })
        .collect();
    let mut all = vec![Vec::new(); histories.len()];
    for (batch, answers) in batches.iter().zip(answered) {
        for (&at, answer) in batch.iter().zip(answers) {
            all[windows[at].0] = answer;
        }
    }
    all
}

/// Scores every history of a split into `out`; `None` if `stop` was set before the end. Partial results stay beside
/// `out`, and the same call resumes from them.
///
/// # Errors
/// If files cannot be written.
pub fn split(
    reader: &Reader,
    lm: &LanguageModel,
    data: &Dataset,
    split: ScoredSplit,
    out: &Path,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Scores>> {
    let histories: Vec<&[u32]> = (0..data.n_users())
        .map(|user| split.history(data, user))
        .collect();
    if histories.iter().all(|history| history.is_empty()) {
        return Err(InputError::Nobody.into());
    }
    let titles = Titles::new(lm, data, &reader.about.settings);
    let scorer = reader.judge(lm)?.ready(lm.encoder.clone());
    let partial = Partial::open(out, &reader.hash()?, data, split)?;
    let (mut partial, mut rows) = partial;
    progress.start(format!("scoring {}", split.name()), histories.len());
    progress.done(rows.len());
    while rows.len() < histories.len() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let end = (rows.len() + CHUNK).min(histories.len());
        let chunk = logits(&scorer, &titles, &histories[rows.len()..end], |_| ());
        partial.append(&chunk)?;
        progress.done(chunk.len());
        rows.extend(chunk);
    }
    let scores = Scores::new(&rows, data, split, reader.hash()?);
    scores.save(out)?;
    partial.remove()?;
    Ok(Some(scores))
}

/// Partial results in a file beside the final one: a line that identifies the work, then for each chunk its number of
/// bytes, the lengths of its rows and their logits, little-endian.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    /// Opens the partial results of the same work, or a new file.
    fn open(
        out: &Path,
        reader: &str,
        data: &Dataset,
        split: ScoredSplit,
    ) -> Result<(Self, Vec<Vec<f32>>)> {
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let path = out.with_file_name(name);
        let header = format!("ingle scores 1 {reader} {} {}\n", data.hash(), split.name());
        let left = fs::read(&path).unwrap_or_default();
        let (rows, whole) = match left.strip_prefix(header.as_bytes()) {
            Some(chunks) => {
                let (rows, read) = whole_chunks(chunks, data.n_users());
                (rows, header.len() + read)
            }
            None => (Vec::new(), 0),
        };
        let cannot = || format!("cannot write {}", path.display());
        let file =
            (OpenOptions::new().append(true).create(true).open(&path)).with_context(cannot)?;
        file.set_len(whole as u64).with_context(cannot)?;
        let mut partial = Self { path, file };
        if whole == 0 {
            partial.write(header.as_bytes())?;
        }
        Ok((partial, rows))
    }

    fn append(&mut self, rows: &[Vec<f32>]) -> Result<()> {
        let counts = rows.iter().flat_map(|row| (row.len() as u32).to_le_bytes());
        let logits = rows.iter().flatten().flat_map(|logit| logit.to_le_bytes());
        let body: Vec<u8> = counts.chain(logits).collect();
        let sizes = [rows.len() as u64, body.len() as u64].map(u64::to_le_bytes);
        self.write(&[sizes.as_flattened(), &body].concat())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        (self.file.write_all(bytes))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn remove(self) -> Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// Rows of the complete chunks, at most `most`, and the number of bytes of these chunks.
fn whole_chunks(bytes: &[u8], most: usize) -> (Vec<Vec<f32>>, usize) {
    let mut rows = Vec::new();
    let mut rest = bytes;
    while let Some((chunk, later)) = one_chunk(rest) {
        if rows.len() + chunk.len() > most {
            break;
        }
        rows.extend(chunk);
        rest = later;
    }
    (rows, bytes.len() - rest.len())
}

fn one_chunk(bytes: &[u8]) -> Option<(Vec<Vec<f32>>, &[u8])> {
    let (count, bytes) = bytes.split_first_chunk::<8>()?;
    let (size, bytes) = bytes.split_first_chunk::<8>()?;
    let [count, size] = [count, size].map(|&word| usize::try_from(u64::from_le_bytes(word)).ok());
    let (body, later) = bytes.split_at_checked(size?)?;
    let (counts, logits) = body.split_at_checked(count?.checked_mul(4)?)?;
    let mut logits = logits
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&x| f32::from_le_bytes(x));
    let rows: Vec<Vec<f32>> = (counts.as_chunks::<4>().0.iter())
        .map(|&count| {
            logits
                .by_ref()
                .take(u32::from_le_bytes(count) as usize)
                .collect()
        })
        .collect();
    Some((rows, later))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    #[test]
    fn what_is_done_is_found_again_and_a_torn_end_is_not() {
        let home = tempfile::tempdir().expect("a folder");
        let out = home.path().join("scores.safetensors");
        let data = dataset(&[&[1, 2, 3], &[1], &[2, 3, 1]], &[]);
        let open =
            |reader: &str| Partial::open(&out, reader, &data, ScoredSplit::Train).expect("opens");
        let rows = vec![vec![0.5, -1.0], vec![]];
        let (mut partial, found) = open("a");
        assert!(found.is_empty());
        partial.append(&rows).expect("written");
        assert_eq!(open("a").1, rows);
        partial.append(&[vec![2.0]]).expect("written");
        let bytes = fs::read(&partial.path).expect("there");
        fs::write(&partial.path, &bytes[..bytes.len() - 1]).expect("written");
        let (mut partial, found) = open("a");
        assert_eq!(found, rows);
        partial.append(&[vec![2.0]]).expect("written");
        assert_eq!(open("a").1.len(), 3);
        assert!(open("b").1.is_empty(), "another reader's are not taken");
    }
}
