//! A language model's folder: `config.json`, `tokenizer.json` and `model.safetensors`, in Hugging Face's formats.

use crate::{Encoder, EncoderConfig, LmError, Tokens};
use burn::module::Module as _;
use burn::prelude::*;
use burn::store::{ApplyError, ModuleSnapshot as _, PyTorchToBurnAdapter, SafetensorsStore};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// Names of tensors in the file, and here.
const NAMES: [(&str, &str); 11] = [
    (r"^bert\.", ""),
    (r"^embeddings\.word_embeddings\.", "words."),
    (r"^embeddings\.position_embeddings\.", "positions."),
    (r"^embeddings\.token_type_embeddings\.", "segments."),
    (r"^embeddings\.LayerNorm\.", "norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.self\.", ".attention."),
    (r"\.attention\.output\.dense\.", ".attention.output."),
    (r"\.attention\.output\.LayerNorm\.", ".attention_norm."),
    (r"\.intermediate\.dense\.", ".widen."),
    (r"^(layers\.\d+)\.output\.", "${1}.feed."),
];

/// Further names of a layer, applied after attention's output was renamed, since it has the same names.
const FEED_NAMES: [(&str, &str); 2] = [
    (r"\.feed\.dense\.", ".narrow."),
    (r"\.feed\.LayerNorm\.", ".feed_norm."),
];

/// A language model, loaded and checked.
#[derive(Clone, Debug)]
pub struct LanguageModel {
    /// Name of its folder.
    pub name: String,
    /// Its sizes.
    pub config: EncoderConfig,
    /// Its tokeniser.
    pub tokens: Tokens,
    /// Its weights, frozen.
    pub encoder: Encoder,
    /// SHA-256 of the weights' file, in hex.
    pub hash: String,
}

impl LanguageModel {
    /// Loads a folder onto a device; use one with autodiff to train adapters.
    ///
    /// # Errors
    /// [`LmError`] says which file is missing or invalid, why, and how to get a model.
    pub fn open(dir: &Path, device: &Device) -> Result<Self, LmError> {
        let read = |file: &'static str| {
            std::fs::read(dir.join(file)).map_err(|source| LmError::Missing {
                folder: dir.to_owned(),
                file,
                source,
            })
        };
        let config = EncoderConfig::parse(&dir.join(CONFIG), &read(CONFIG)?)?;
        let tokens = Tokens::parse(&dir.join(TOKENIZER), &read(TOKENIZER)?, &config)?;
        let bytes = read(WEIGHTS)?;
        let hash = hex(&Sha256::digest(&bytes));
        let encoder = weights(&dir.join(WEIGHTS), bytes, &config, device)?;
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.into_owned(),
            config,
            tokens,
            encoder,
            hash,
        })
    }
}

/// The folder into which `scripts/fetch-lm` puts its model.
pub fn default_folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        cache.unwrap_or_else(|| PathBuf::from(set("HOME").unwrap_or_default()).join(".cache"));
    cache.join("ingle/lm/all-MiniLM-L6-v2")
}

/// Loads the weights into an encoder. Other tensors of the file (a pooler, heads) are ignored.
fn weights(
    path: &Path,
    bytes: Vec<u8>,
    config: &EncoderConfig,
    device: &Device,
) -> Result<Encoder, LmError> {
    let bad = |reason: String| LmError::Weights {
        path: path.to_owned(),
        reason,
    };
    let mut store = SafetensorsStore::from_bytes(Some(bytes))
        .with_from_adapter(PyTorchToBurnAdapter)
        .allow_partial(true)
        .validate(false);
    for (from, to) in NAMES.into_iter().chain(FEED_NAMES) {
        store = store.with_key_remapping(from, to);
    }
    let mut encoder = Encoder::empty(config, device);
    let applied = encoder
        .load_from(&mut store)
        .map_err(|e| bad(e.to_string()))?;
    if let Some(error) = applied.errors.first() {
        return Err(bad(match error {
            ApplyError::ShapeMismatch {
                path,
                expected,
                found,
            } => format!("{path} is {found:?}, but config.json makes it {expected:?}"),
            other => other.to_string(),
        }));
    }
    if let Some((name, _)) = applied.missing.first() {
        let known = applied.unused.first();
        let known = known.map_or_else(String::new, |name| format!(" (it has {name}, for one)"));
        return Err(bad(format!("it has no {name}{known}")));
    }
    Ok(encoder.no_grad())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::TokenBatch;
    use crate::testing;
    use std::fs;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        testing::write(dir.path(), 1);
        dir
    }

    fn refused(dir: &Path) -> LmError {
        LanguageModel::open(dir, &Device::flex()).expect_err("refused")
    }

    /// Hidden states of one input.
    fn states(dir: &Path) -> Vec<f32> {
        let model = LanguageModel::open(dir, &Device::flex()).expect("the model");
        let batch = TokenBatch::new(&[&[2, 4, 5, 3]]);
        let [_, states] = model.encoder.forward(&batch, 0);
        states.into_data().iter().collect()
    }

    #[test]
    fn a_missing_file_is_named_with_the_way_to_get_it() {
        for file in [CONFIG, TOKENIZER, WEIGHTS] {
            let dir = folder();
            fs::remove_file(dir.path().join(file)).expect("removed");
            let error = refused(dir.path());
            assert!(matches!(error, LmError::Missing { file: found, .. } if found == file));
            let text = error.to_string();
            assert!(
                text.contains(file) && text.contains("scripts/fetch-lm"),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_another_architecture() {
        let dir = folder();
        let mut config = testing::config();
        config["model_type"] = "t5".into();
        fs::write(dir.path().join(CONFIG), config.to_string()).expect("written");
        let error = refused(dir.path());
        assert!(matches!(error, LmError::Architecture { .. }), "{error}");
        assert!(error.to_string().contains("\"t5\""), "{error}");
    }

    #[test]
    fn refuses_a_tokenizer_that_is_none_or_of_another_model() {
        for (text, part) in [
            ("{".to_owned(), "not a tokeniser"),
            (
                testing::tokenizer().replace("[CLS]", "[BOS]"),
                "no token [CLS]",
            ),
            (
                testing::tokenizer().replace("\"wrench\":15", "\"wrench\":99"),
                "a token 99",
            ),
        ] {
            let dir = folder();
            fs::write(dir.path().join(TOKENIZER), text).expect("written");
            let error = refused(dir.path());
            assert!(matches!(error, LmError::Tokenizer { .. }), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    /// A modification of a weights file, and a part of the expected error.
    type Spoilt<'a> = (&'a dyn Fn(&Path), &'a str);

    #[test]
    fn refuses_weights_that_are_not_those_of_the_configuration() {
        let name = "encoder.layer.1.output.dense.weight";
        let wrong: [Spoilt<'_>; 3] = [
            (
                &|path| {
                    let mut weights = testing::weights(1);
                    weights.remove(name);
                    testing::write_weights(path, &weights, "");
                },
                "layers.1.narrow.weight",
            ),
            (
                &|path| {
                    let mut weights = testing::weights(1);
                    weights.insert(name.to_owned(), (vec![3, 2], vec![0.0; 6]));
                    testing::write_weights(path, &weights, "");
                },
                "layers.1.narrow.weight",
            ),
            (
                &|path| fs::write(path, b"no tensors").expect("written"),
                "model.safetensors",
            ),
        ];
        for (spoil, part) in wrong {
            let dir = folder();
            spoil(&dir.path().join(WEIGHTS));
            let error = refused(dir.path());
            assert!(matches!(error, LmError::Weights { .. }), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn names_may_stand_behind_bert_and_others_beside_them() {
        let dir = folder();
        let plain = states(dir.path());
        let mut weights = testing::weights(1);
        weights.insert("pooler.dense.bias".to_owned(), (vec![2], vec![1.0; 2]));
        testing::write_weights(&dir.path().join(WEIGHTS), &weights, "bert.");
        assert_eq!(states(dir.path()), plain);
        testing::write(dir.path(), 2);
        assert_ne!(
            states(dir.path()),
            plain,
            "the weights are those of the file"
        );
    }
}
