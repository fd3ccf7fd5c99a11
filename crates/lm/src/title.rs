//! Titles after the lower layers of an encoder. Each is read alone and only once, since an item's title is the same
//! in every window.

use crate::encoder::TokenBatch;
use crate::{Encoder, Tokens};

/// The stored states of a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Title {
    /// Hidden states of its word pieces and the following `[SEP]`, `[tokens, width]`.
    pub(crate) states: Vec<f32>,
    /// The mean of its word pieces' hidden states after the last layer, read alone.
    pub(crate) meaning: Vec<f32>,
}

impl Title {
    /// Number of its tokens in a window.
    pub fn tokens(&self) -> usize {
        self.states.len() / self.meaning.len()
    }

    /// The title without its last word pieces, so that it takes at most `limit` tokens.
    pub(crate) fn cut(&self, limit: usize) -> Self {
        let (width, tokens) = (self.meaning.len(), self.tokens());
        let kept = limit.min(tokens) - 1;
        let separator = &self.states[(tokens - 1) * width..];
        Self {
            states: [&self.states[..kept * width], separator].concat(),
            meaning: self.meaning.clone(),
        }
    }
}

/// Reads titles, given as word pieces, through all but the last `above` layers. A title without word pieces is read
/// as `[UNK]`. Titles of a batch should be of similar length.
pub fn read<T: AsRef<[u32]>>(
    encoder: &Encoder,
    tokens: &Tokens,
    titles: &[T],
    above: usize,
) -> Vec<Title> {
    let inputs: Vec<Vec<u32>> = titles
        .iter()
        .map(|title| tokens.wrap(title.as_ref()))
        .collect();
    let inputs: Vec<&[u32]> = inputs.iter().map(Vec::as_slice).collect();
    let batch = TokenBatch::new(&inputs);
    let [between, last] = encoder.forward(&batch, encoder.depth() - above.min(encoder.depth()));
    let [_titles, len, width] = last.dims();
    let [between, last] = [between, last].map(|x| x.into_data().iter().collect::<Vec<f32>>());
    let rows = between
        .chunks_exact(len * width)
        .zip(last.chunks_exact(len * width));
    rows.zip(&inputs)
        .map(|((between, last), input)| {
            // Without [CLS] and [SEP].
            let pieces = last[width..(input.len() - 1) * width].chunks_exact(width);
            let mut meaning = vec![0.0; width];
            for piece in pieces {
                for (sum, x) in meaning.iter_mut().zip(piece) {
                    *sum += x / (input.len() - 2) as f32;
                }
            }
            Title {
                states: between[width..input.len() * width].to_vec(),
                meaning,
            }
        })
        .collect()
}
