//! Windows: the titles of consecutive clicks, each followed by `[SEP]`, and batches of windows.

use crate::title::Title;
use burn::prelude::*;
use burn::tensor::TensorData;
use std::sync::Arc;

/// The titles of one window, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    titles: Vec<Arc<Title>>,
}

impl Window {
    /// Joins titles, oldest first. If they take more than `limit` tokens, the oldest are left out; the latest is cut
    /// if it is too long alone.
    ///
    /// # Panics
    /// If there is no title, or `limit` is below 2.
    pub fn join(titles: &[Arc<Title>], limit: usize) -> Self {
        let latest = titles.last().expect("a window has a title");
        assert!(limit >= 2, "a title has two tokens");
        let mut room = limit;
        let fits = |title: &&Arc<Title>| {
            let left = room.checked_sub(title.tokens());
            room = left.unwrap_or(0);
            left.is_some()
        };
        let kept = titles.iter().rev().take_while(fits).count();
        let titles = match kept {
            0 => vec![Arc::new(latest.cut(limit))],
            kept => titles[titles.len() - kept..].to_vec(),
        };
        Self { titles }
    }

    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.titles.iter().map(|title| title.tokens()).sum()
    }

    /// Number of titles: the latest of those given.
    pub fn titles(&self) -> usize {
        self.titles.len()
    }
}

/// A batch of windows.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    rows: &'a [&'a Window],
    /// Tokens of each window.
    pub(crate) lens: Vec<usize>,
    /// Tokens of the longest.
    len: usize,
    /// Largest number of titles of a window.
    most: usize,
}

impl<'a> Windows<'a> {
    /// Makes a batch of windows; there must be at least one. They should be of similar length, since each is padded
    /// to the longest.
    pub fn new(windows: &'a [&'a Window]) -> Self {
        let lens: Vec<usize> = windows.iter().map(|window| window.tokens()).collect();
        Self {
            rows: windows,
            len: lens.iter().copied().max().unwrap_or(0),
            lens,
            most: windows.iter().map(|w| w.titles()).max().unwrap_or(0),
        }
    }

    /// `[windows, largest number of titles of a window]`
    pub fn dims(&self) -> [usize; 2] {
        [self.rows.len(), self.most]
    }

    /// Number of titles of each window.
    pub fn counts(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().map(|window| window.titles())
    }

    /// Hidden states of the titles' tokens, title after title.
    ///
    /// # Shapes
    /// - output: `[windows, len, width]`; padding is 0
    pub(crate) fn states(&self, width: usize, device: &Device) -> Tensor<3> {
        let mut states = Vec::with_capacity(self.rows.len() * self.len * width);
        for (window, row) in self.rows.iter().zip(1..) {
            for title in &window.titles {
                states.extend(&title.states);
            }
            states.resize(row * self.len * width, 0.0);
        }
        let shape = [self.rows.len(), self.len, width];
        Tensor::from_data(TensorData::new(states, shape), device)
    }

    /// Mean hidden states of the titles, each read alone.
    ///
    /// # Shapes
    /// - output: `[windows, titles, width]`; 0 where there is no title
    pub(crate) fn meanings(&self, width: usize, device: &Device) -> Tensor<3> {
        let mut meanings = Vec::with_capacity(self.rows.len() * self.most * width);
        for (window, row) in self.rows.iter().zip(1..) {
            for title in &window.titles {
                meanings.extend(&title.meaning);
            }
            meanings.resize(row * self.most * width, 0.0);
        }
        let shape = [self.rows.len(), self.most, width];
        Tensor::from_data(TensorData::new(meanings, shape), device)
    }

    /// The weight of each token in the mean of each title; 0 for `[SEP]`.
    ///
    /// # Shapes
    /// - output: `[windows, titles, len]`; rows without a title are 0
    pub(crate) fn shares(&self, device: &Device) -> Tensor<3> {
        let (titles, len) = (self.most, self.len);
        let mut shares = vec![0.0; self.rows.len() * titles * len];
        for (rows, window) in shares.chunks_exact_mut(titles * len).zip(self.rows) {
            let mut start = 0;
            for (row, title) in rows.chunks_exact_mut(len).zip(&window.titles) {
                let pieces = title.tokens() - 1;
                row[start..start + pieces].fill((pieces as f32).recip());
                start += title.tokens();
            }
        }
        let shape = [self.rows.len(), titles, len];
        Tensor::from_data(TensorData::new(shares, shape), device)
    }

    /// For each title, the weight of every title in the mean of the others in its window.
    ///
    /// # Shapes
    /// - output: `[windows, titles, titles]`; 0 if there is no title, or no other one
    pub(crate) fn others(&self, device: &Device) -> Tensor<3> {
        let titles = self.most;
        let weight = |count: usize, row: usize, column: usize| {
            let other = row != column && row < count && column < count;
            if other {
                ((count - 1) as f32).recip()
            } else {
                0.0
            }
        };
        let of =
            |count| (0..titles * titles).map(move |at| weight(count, at / titles, at % titles));
        let weights: Vec<f32> = self.counts().flat_map(of).collect();
        let shape = [self.rows.len(), titles, titles];
        Tensor::from_data(TensorData::new(weights, shape), device)
    }
}

/// Splits windows into batches of about `budget` tokens with padding, grouping similar lengths. A longer window is a
/// batch of its own. Deterministic; the shortest come first.
pub fn bucket(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&window| (lengths[window], window));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for window in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * lengths[window] <= budget => batch.push(window),
            _ => batches.push(vec![window]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, WORDS};
    use crate::title;

    /// Titles with these numbers of word pieces.
    fn titles(pieces: &[usize]) -> Vec<Arc<Title>> {
        let lm = testing::tiny(1);
        let ids: Vec<Vec<u32>> = pieces.iter().map(|&count| vec![7; count]).collect();
        let titles = title::read(&lm.encoder, &lm.tokens, &ids, 1);
        titles.into_iter().map(Arc::new).collect()
    }

    #[test]
    fn every_title_brings_its_separator() {
        let window = Window::join(&titles(&[2, 1]), 64);
        assert_eq!((window.titles(), window.tokens()), (2, 5));
    }

    #[test]
    fn the_oldest_titles_go_first_and_the_latest_is_cut() {
        let titles = titles(&[4, 4, 4]);
        let window = Window::join(&titles, 12);
        assert_eq!((window.titles(), window.tokens()), (2, 10));
        let window = Window::join(&titles, 4);
        assert_eq!((window.titles(), window.tokens()), (1, 4));
    }

    #[test]
    fn a_title_without_word_pieces_is_unknown() {
        let lm = testing::tiny(1);
        let none: [&[u32]; 2] = [&[], &[lm.tokens.unknown]];
        let read = title::read(&lm.encoder, &lm.tokens, &none, 1);
        assert_eq!(read[0], read[1]);
        assert_eq!(read[0].tokens(), 2);
    }

    #[test]
    fn a_title_is_read_the_same_in_any_company() {
        let lm = testing::tiny(1);
        let all: [&[u32]; 3] = [&[7], &[8, 9, 10, 11], &[12, 7]];
        let together = title::read(&lm.encoder, &lm.tokens, &all, 1);
        for (title, together) in all.iter().zip(together) {
            let alone = &title::read(&lm.encoder, &lm.tokens, &[*title], 1)[0];
            let pairs = alone.states.iter().zip(&together.states);
            for (a, b) in pairs.chain(alone.meaning.iter().zip(&together.meaning)) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }

    #[test]
    fn long_titles_and_other_scripts_are_read() {
        let tokens = testing::tiny(1).tokens;
        let long = format!("{} ", WORDS[0]).repeat(1000);
        assert_eq!(tokens.pieces(&long, 16).len(), 16);
        assert_eq!(tokens.pieces("日本", 16), [tokens.unknown; 2]);
        assert_eq!(tokens.pieces(" \u{0}\t", 16), [0_u32; 0]);
    }

    #[test]
    fn batches_hold_every_window_once_and_pad_little() {
        let lengths: Vec<usize> = (0..500).map(|i| 10 + (i * 37) % 150).collect();
        let batches = bucket(&lengths, 1024);
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
        let padded = |batch: &Vec<usize>| batch.len() * lengths[batch[batch.len() - 1]];
        assert!(batches.iter().all(|batch| padded(batch) <= 1024));
        let [padded, real] = [
            batches.iter().map(padded).sum::<usize>(),
            lengths.iter().sum(),
        ];
        assert!(padded as f64 / (real as f64) < 1.1, "{padded} {real}");
        assert_eq!(bucket(&[2000], 1024), [[0]]);
    }
}
