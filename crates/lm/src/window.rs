//! Windows: the titles of a stretch of clicks as one input, `[CLS] t1 [SEP] t2 [SEP] ...`, and batches
//! of such inputs.

use crate::Tokens;
use crate::encoder::TokenBatch;
use burn::prelude::*;
use burn::tensor::TensorData;
use std::ops::Range;

/// The titles of one window, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    ids: Vec<u32>,
    /// Where the tokens of each title are, oldest first.
    spans: Vec<Range<usize>>,
}

impl Window {
    /// Joins titles, given as word pieces, oldest first. One without word pieces is read as `[UNK]`: a
    /// title of which nothing is known. If the whole is longer than `limit` tokens, the oldest titles are
    /// left out; the latest is cut where it alone is too long.
    ///
    /// # Panics
    /// If there is no title, or `limit` is below 3.
    pub fn join<T: AsRef<[u32]>>(tokens: &Tokens, titles: &[T], limit: usize) -> Self {
        assert!(!titles.is_empty() && limit >= 3, "a window has a title");
        let unknown = [tokens.unknown];
        let pieces = |title: &T| title.as_ref().len().clamp(1, limit - 2);
        let mut room = limit - 1;
        let kept = titles.iter().rev().take_while(|title| {
            let needed = pieces(title) + 1;
            room = room.checked_sub(needed).unwrap_or(usize::MAX);
            room != usize::MAX
        });
        let first = titles.len() - kept.count();
        let mut ids = vec![tokens.cls];
        let mut spans = Vec::with_capacity(titles.len() - first);
        for title in &titles[first..] {
            let known = title.as_ref();
            let known = if known.is_empty() { &unknown } else { known };
            let start = ids.len();
            ids.extend(&known[..pieces(title)]);
            spans.push(start..ids.len());
            ids.push(tokens.sep);
        }
        Self { ids, spans }
    }

    /// Tokens of the input.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Titles in it: the latest of those given.
    pub fn titles(&self) -> usize {
        self.spans.len()
    }
}

/// Windows that are read at once.
#[derive(Clone, Debug)]
pub struct Windows {
    pub(crate) batch: TokenBatch,
    spans: Vec<Vec<Range<usize>>>,
    /// Titles of the window that has most.
    titles: usize,
}

impl Windows {
    /// Lays windows side by side; there must be one. Those of about the same number of tokens belong
    /// together: each is padded to the longest.
    pub fn new(windows: &[&Window]) -> Self {
        let ids: Vec<&[u32]> = windows.iter().map(|window| window.ids.as_slice()).collect();
        Self {
            batch: TokenBatch::new(&ids),
            spans: windows.iter().map(|window| window.spans.clone()).collect(),
            titles: windows.iter().map(|w| w.titles()).max().unwrap_or(0),
        }
    }

    /// `[windows, titles of the window that has most]`
    pub fn dims(&self) -> [usize; 2] {
        [self.spans.len(), self.titles]
    }

    /// Titles of each window.
    pub fn counts(&self) -> impl Iterator<Item = usize> {
        self.spans.iter().map(Vec::len)
    }

    /// Tokens of all windows, without padding.
    pub fn tokens(&self) -> usize {
        self.batch.tokens()
    }

    /// The share of each token in each title's mean.
    ///
    /// # Shapes
    /// - output: `[windows, titles, len]`; rows of titles there are not are 0
    pub(crate) fn shares(&self, device: &Device) -> Tensor<3> {
        let [windows, len] = self.batch.dims();
        let mut shares = vec![0.0; windows * self.titles * len];
        for (rows, spans) in shares.chunks_exact_mut(self.titles * len).zip(&self.spans) {
            for (row, span) in rows.chunks_exact_mut(len).zip(spans) {
                row[span.clone()].fill((span.len() as f32).recip());
            }
        }
        Tensor::from_data(TensorData::new(shares, [windows, self.titles, len]), device)
    }

    /// For each title, the weight of every title in the mean of the others of its window.
    ///
    /// # Shapes
    /// - output: `[windows, titles, titles]`; 0 where there is no title, or no other
    pub(crate) fn others(&self, device: &Device) -> Tensor<3> {
        let titles = self.titles;
        let weight = |count: usize, row: usize, column: usize| {
            let other = row != column && row < count && column < count;
            if other {
                ((count - 1) as f32).recip()
            } else {
                0.0
            }
        };
        let weights: Vec<f32> = (self.counts())
            .flat_map(|count| {
                (0..titles * titles).map(move |at| weight(count, at / titles, at % titles))
            })
            .collect();
        let shape = [self.spans.len(), titles, titles];
        Tensor::from_data(TensorData::new(weights, shape), device)
    }
}

/// Splits windows into batches of about `budget` tokens with padding, similar lengths together. A
/// window longer than that is a batch of its own. Deterministic; the shortest come first.
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

    fn tokens() -> Tokens {
        testing::tiny(1).tokens
    }

    #[test]
    fn titles_are_joined_between_special_tokens() {
        let tokens = tokens();
        let window = Window::join(&tokens, &[&[7, 8][..], &[9]], 64);
        assert_eq!(window.ids, [tokens.cls, 7, 8, tokens.sep, 9, tokens.sep]);
        assert_eq!(window.spans, [1..3, 4..5]);
    }

    #[test]
    fn the_oldest_titles_go_first_and_the_latest_is_cut() {
        let tokens = tokens();
        let titles = [vec![7; 4], vec![8; 4], vec![9; 4]];
        let window = Window::join(&tokens, &titles, 12);
        assert_eq!((window.titles(), window.tokens()), (2, 11));
        assert_eq!(window.ids[1], 8);
        let window = Window::join(&tokens, &titles, 5);
        assert_eq!((window.titles(), window.tokens()), (1, 5));
    }

    #[test]
    fn a_title_without_word_pieces_is_unknown() {
        let tokens = tokens();
        let window = Window::join(&tokens, &[&[][..], &[9]], 64);
        assert_eq!(window.ids[1], tokens.unknown);
        assert_eq!(window.titles(), 2);
    }

    #[test]
    fn long_titles_and_other_scripts_are_read() {
        let tokens = tokens();
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
