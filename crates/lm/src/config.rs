//! A model's `config.json`.

use crate::LmError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Sizes of an encoder, by the names that Hugging Face gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderConfig {
    /// Number of word pieces.
    pub vocab_size: usize,
    /// Width of a hidden state.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Longest input, in tokens.
    pub max_position_embeddings: usize,
    /// Number of segment types; only the first is used.
    pub type_vocab_size: usize,
    /// Added to variances in layer normalisation.
    pub layer_norm_eps: f64,
}

impl EncoderConfig {
    /// Parses `config.json`.
    ///
    /// # Errors
    /// [`LmError::Architecture`] for anything but BERT with the exact GELU and learnt positions; [`LmError::Config`]
    /// for an invalid configuration or a value out of range.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, LmError> {
        let bad = |reason: String| LmError::Config {
            path: path.to_owned(),
            reason,
        };
        let json: Value = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
        for (what, expected, needed) in [
            ("model_type", "bert", true),
            ("hidden_act", "gelu", true),
            ("position_embedding_type", "absolute", false),
        ] {
            let found = json.get(what);
            if found.is_none_or(|found| found != expected) && (needed || found.is_some()) {
                return Err(LmError::Architecture {
                    path: path.to_owned(),
                    what,
                    found: found.map_or_else(|| "missing".to_owned(), ToString::to_string),
                    expected,
                });
            }
        }
        let config: Self = serde_json::from_value(json).map_err(|e| bad(e.to_string()))?;
        config.check().map_err(bad)?;
        Ok(config)
    }

    /// Checks the sizes. The bounds are generous; they keep a damaged file from allocating all memory.
    fn check(&self) -> Result<(), String> {
        for (name, value, most) in [
            ("vocab_size", self.vocab_size, 4_000_000),
            ("hidden_size", self.hidden_size, 16_384),
            ("num_hidden_layers", self.num_hidden_layers, 256),
            (
                "num_attention_heads",
                self.num_attention_heads,
                self.hidden_size,
            ),
            ("intermediate_size", self.intermediate_size, 131_072),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                131_072,
            ),
            ("type_vocab_size", self.type_vocab_size, 1024),
        ] {
            if value == 0 || value > most {
                return Err(format!(
                    "{name} is {value}, but must be between 1 and {most}"
                ));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(format!(
                "num_attention_heads is {}, which does not divide hidden_size, {}",
                self.num_attention_heads, self.hidden_size
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(format!(
                "layer_norm_eps is {}, but must be between 0 and 1",
                self.layer_norm_eps
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(change: impl Fn(&mut Value)) -> Result<EncoderConfig, LmError> {
        let mut config = json!({
            "model_type": "bert", "hidden_act": "gelu", "vocab_size": 30, "hidden_size": 16,
            "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32,
            "max_position_embeddings": 64, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        });
        change(&mut config);
        EncoderConfig::parse(Path::new("config.json"), config.to_string().as_bytes())
    }

    #[test]
    fn reads_the_sizes() {
        let config = parse(|_| ()).expect("a BERT");
        assert_eq!((config.hidden_size, config.num_hidden_layers), (16, 2));
    }

    #[test]
    fn refuses_another_architecture_and_says_which() {
        for (key, value, part) in [
            ("model_type", json!("roberta"), "model_type is \"roberta\""),
            ("model_type", Value::Null, "only bert"),
            (
                "hidden_act",
                json!("gelu_new"),
                "hidden_act is \"gelu_new\"",
            ),
            (
                "position_embedding_type",
                json!("relative_key"),
                "only absolute",
            ),
        ] {
            let error = parse(|config| config[key] = value.clone()).expect_err(part);
            assert!(matches!(error, LmError::Architecture { .. }), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn refuses_sizes_that_are_none() {
        for (key, value) in [
            ("hidden_size", json!(0)),
            ("num_attention_heads", json!(3)),
            ("vocab_size", json!(1_u64 << 40)),
            ("layer_norm_eps", json!(-1.0)),
            ("intermediate_size", json!("many")),
        ] {
            let error = parse(|config| config[key] = value.clone()).expect_err(key);
            assert!(matches!(error, LmError::Config { .. }), "{error}");
        }
        let error = EncoderConfig::parse(Path::new("config.json"), b"{").expect_err("cut short");
        assert!(error.to_string().contains("scripts/fetch-lm"), "{error}");
    }
}
