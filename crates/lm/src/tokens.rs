//! Tokenises text into word pieces.

use crate::{EncoderConfig, LmError};
use std::path::Path;
use tokenizers::Tokenizer;

/// A model's tokeniser and the ids of its special tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    tokenizer: Tokenizer,
    /// First token of every input.
    pub cls: u32,
    /// Last token of every text.
    pub sep: u32,
    /// For text without a word piece.
    pub unknown: u32,
}

impl Tokens {
    /// Parses `tokenizer.json`. Its truncation and padding are turned off: callers cut and pad inputs.
    ///
    /// # Errors
    /// [`LmError::Tokenizer`] if it is not a tokeniser, has no `[CLS]`, `[SEP]` or `[UNK]`, or has word pieces for
    /// which the model has no embedding.
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

    /// Word pieces of a text, at most `limit`, without special tokens. Empty for a text that the tokeniser cannot
    /// process.
    pub fn pieces(&self, text: &str, limit: usize) -> Vec<u32> {
        let encoded = self.tokenizer.encode_fast(text, false);
        let mut pieces = encoded.map_or_else(|_| Vec::new(), |encoded| encoded.get_ids().to_vec());
        pieces.truncate(limit);
        pieces
    }

    /// A text as an input, `[CLS] text [SEP]`, of at most `limit` tokens in all.
    pub fn input(&self, text: &str, limit: usize) -> Vec<u32> {
        [
            &[self.cls],
            self.pieces(text, limit.saturating_sub(2)).as_slice(),
            &[self.sep],
        ]
        .concat()
    }

    /// Word pieces as an input; `[UNK]` if there are none.
    pub(crate) fn wrap(&self, pieces: &[u32]) -> Vec<u32> {
        let unknown = [self.unknown];
        let pieces = if pieces.is_empty() { &unknown } else { pieces };
        [&[self.cls], pieces, &[self.sep]].concat()
    }
}
