//! Sentence embeddings of the items' titles by a language model ([Reimers and Gurevych,
//! 2019](https://arxiv.org/abs/1908.10084)).

use crate::data::Item;
use ingle_lm::LanguageModel;
use ingle_lm::sentence::{SENTENCE_TOKENS, embed};
use rayon::prelude::*;

/// Titles per parallel task.
const CHUNK: usize = 128;

/// One row of length 1 per item, `[items, columns]`, and the number of columns; zeros for an item without a title.
/// `done` is called with the number of titles after every few.
pub fn embeddings(
    lm: &LanguageModel,
    items: &[Item],
    done: impl Fn(usize) + Sync,
) -> (Vec<f32>, usize) {
    let columns = lm.config.hidden_size;
    let mut rows = vec![0.0; items.len() * columns];
    (rows.par_chunks_mut(CHUNK * columns))
        .zip(items.par_chunks(CHUNK))
        .for_each(|(rows, items)| {
            let titled = items.iter().zip(rows.chunks_exact_mut(columns));
            let titled = titled.filter_map(|(item, row)| Some((item.title.as_deref()?, row)));
            let (titles, slots): (Vec<&str>, Vec<&mut [f32]>) = titled.unzip();
            for (slot, row) in slots.into_iter().zip(embed(lm, &titles, SENTENCE_TOKENS)) {
                slot.copy_from_slice(&row);
            }
            done(items.len());
        });
    (rows, columns)
}
