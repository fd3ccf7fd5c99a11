//! From histories to what a language model reads: the titles of the latest clicks.

use super::Settings;
use crate::data::Dataset;
use crate::training::samples::latest;
use ingle_lm::{LanguageModel, Tokens, Window};
use rayon::prelude::*;

/// The longest input, in tokens, whatever a model could read.
const MOST_TOKENS: usize = 512;

/// The titles of a catalogue as word pieces, each cut to the setting.
#[derive(Debug)]
pub struct Titles {
    tokens: Tokens,
    /// By item index; entry 0 is padding's. An item without a title has none, and is read as `[UNK]`.
    pieces: Vec<Vec<u32>>,
    window: usize,
    limit: usize,
}

impl Titles {
    /// Reads all titles of a dataset.
    pub fn new(lm: &LanguageModel, data: &Dataset, settings: &Settings) -> Self {
        let read = |title: &Option<String>| {
            let title = title.as_deref().unwrap_or_default();
            lm.tokens.pieces(title, settings.title_tokens)
        };
        let titles = data.items().par_iter().map(|item| read(&item.title));
        let pieces = std::iter::once(Vec::new()).chain(titles.collect::<Vec<_>>());
        Self {
            tokens: lm.tokens.clone(),
            pieces: pieces.collect(),
            window: settings.window,
            limit: MOST_TOKENS.min(lm.config.max_position_embeddings),
        }
    }

    /// The titles of a history's latest clicks, joined; `None` of an empty history. Where they are more
    /// tokens than fit, the window has fewer titles than clicks.
    pub fn window(&self, history: &[u32]) -> Option<Window> {
        let titles: Vec<&[u32]> = (latest(history, self.window).iter())
            .map(|&item| self.pieces[item as usize].as_slice())
            .collect();
        (!titles.is_empty()).then(|| Window::join(&self.tokens, &titles, self.limit))
    }
}
