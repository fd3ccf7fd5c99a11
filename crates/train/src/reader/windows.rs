//! Windows for a language model: the titles of a history's latest clicks.

use super::Settings;
use super::learner::SHARD_TOKENS;
use crate::data::Dataset;
use crate::training::samples::latest;
use burn::module::Module as _;
use ingle_lm::window::bucket;
use ingle_lm::{LanguageModel, Title, Window, title};
use rayon::prelude::*;
use std::sync::Arc;

/// Longest window in tokens, even if a model could read more.
const MOST_TOKENS: usize = 512;

/// The titles of a catalogue, cut to the limit of the settings and read by the lower layers: about 24 KB of memory
/// per title.
#[derive(Debug)]
pub struct Titles {
    /// By item index; entry 0 is for padding. An item without a title is read as `[UNK]`.
    read: Vec<Arc<Title>>,
    window: usize,
    limit: usize,
}

impl Titles {
    /// Reads all titles of a dataset; equal titles are read once.
    pub fn new(lm: &LanguageModel, data: &Dataset, settings: &Settings) -> Self {
        let limit = MOST_TOKENS.min(lm.config.max_position_embeddings);
        let most = settings.title_tokens.min(limit - 2);
        let pieces = data.items().par_iter().map(|item| {
            let title = item.title.as_deref().unwrap_or_default();
            lm.tokens.pieces(title, most)
        });
        let all: Vec<Vec<u32>> = [vec![Vec::new()], pieces.collect::<Vec<_>>()].concat();
        let mut distinct = all.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let read = read(lm, &distinct, settings.adapt_layers);
        let place = |pieces: &Vec<u32>| distinct.binary_search(pieces).expect("it is among them");
        Self {
            read: all
                .iter()
                .map(|pieces| Arc::clone(&read[place(pieces)]))
                .collect(),
            window: settings.window,
            limit,
        }
    }

    /// The titles of a history's latest clicks; `None` for an empty history. If they exceed the token limit, the
    /// window has fewer titles than clicks.
    pub fn window(&self, history: &[u32]) -> Option<Window> {
        let titles: Vec<Arc<Title>> = (latest(history, self.window).iter())
            .map(|&item| Arc::clone(&self.read[item as usize]))
            .collect();
        (!titles.is_empty()).then(|| Window::join(&titles, self.limit))
    }
}

fn read(lm: &LanguageModel, pieces: &[Vec<u32>], above: usize) -> Vec<Arc<Title>> {
    // No gradients are needed here.
    let encoder = lm.encoder.valid();
    let lengths: Vec<usize> = pieces.iter().map(|pieces| pieces.len() + 2).collect();
    let batches = bucket(&lengths, SHARD_TOKENS);
    let read: Vec<Vec<Title>> = (batches.par_iter())
        .map(|batch| {
            let pieces: Vec<&[u32]> = batch.iter().map(|&at| pieces[at].as_slice()).collect();
            title::read(&encoder, &lm.tokens, &pieces, above)
        })
        .collect();
    let mut titles: Vec<Option<Arc<Title>>> = vec![None; pieces.len()];
    for (&at, title) in batches.iter().flatten().zip(read.into_iter().flatten()) {
        titles[at] = Some(Arc::new(title));
    }
    titles
        .into_iter()
        .map(|title| title.expect("every one is read"))
        .collect()
}
