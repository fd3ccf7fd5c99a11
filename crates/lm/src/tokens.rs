//! Text to word pieces, as the model was trained to read it.

use crate::{EncoderConfig, LmError};
use std::path::Path;
use tokenizers::Tokenizer;

/// A model's tokeniser with the ids of its special tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    tokenizer: Tokenizer,
    /// Begins every input.
    pub cls: u32,
    /// Ends every text.
    pub sep: u32,
    /// Stands for what has no word piece.
    pub unknown: u32,
}

impl Tokens {
    /// Parses `tokenizer.json`. Truncation and padding that the file asks for are left out: inputs are
    /// cut and laid by whoever makes them.
    ///
    /// # Errors
    /// [`LmError::Tokenizer`] if it is none, has no `[CLS]`, `[SEP]` or `[UNK]`, or knows word pieces
    /// that the model has no embedding for.
    pub fn parse(path: &Path, bytes: &[u8], config: &EncoderConfig) -> Result<Self, LmError> {
        let bad = |reason: String| LmError::Tokenizer {
            path: path.to_owned(),
            reason,
        };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|e| bad(e.to_string()))?;
        tokenizer
            .with_padding(None)
            .with_truncation(None)
            .map_err(|e| bad(e.to_string()))?;
        let largest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
        if largest as usize >= config.vocab_size {
            return Err(bad(format!(
                "it has a token {largest}, and the model knows 0 to {}",
                config.vocab_size - 1
            )));
        }
        let special = |name: &str| {
            let id = tokenizer.token_to_id(name);
            id.ok_or_else(|| bad(format!("it has no token {name}")))
        };
        let (cls, sep, unknown) = (special("[CLS]")?, special("[SEP]")?, special("[UNK]")?);
        Ok(Self {
            tokenizer,
            cls,
            sep,
            unknown,
        })
    }

    /// Word pieces of a text, at most `limit`, without special tokens. A text that the tokeniser can
    /// make nothing of has none.
    pub fn pieces(&self, text: &str, limit: usize) -> Vec<u32> {
        let encoded = self.tokenizer.encode_fast(text, false);
        let mut pieces = encoded.map_or_else(|_| Vec::new(), |encoded| encoded.get_ids().to_vec());
        pieces.truncate(limit);
        pieces
    }

    /// A text as an input of its own, `[CLS] text [SEP]`, at most `limit` tokens in all.
    pub fn input(&self, text: &str, limit: usize) -> Vec<u32> {
        [
            &[self.cls],
            self.pieces(text, limit.saturating_sub(2)).as_slice(),
            &[self.sep],
        ]
        .concat()
    }

    /// Word pieces as an input of their own; where there are none, `[UNK]` stands for them.
    pub(crate) fn wrap(&self, pieces: &[u32]) -> Vec<u32> {
        let unknown = [self.unknown];
        let pieces = if pieces.is_empty() { &unknown } else { pieces };
        [&[self.cls], pieces, &[self.sep]].concat()
    }
}
