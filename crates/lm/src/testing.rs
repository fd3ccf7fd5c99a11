//! A small random model, written and read in Hugging Face's file formats.

use crate::{EncoderConfig, LanguageModel};
use burn::prelude::*;
use ingle_model::Rng;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Its vocabulary.
pub const WORDS: [&str; 12] = [
    "lipstick", "mascara", "eyeliner", "blush", "powder", "brush", "hammer", "saw", "drill",
    "nail", "screw", "wrench",
];

const SPECIAL: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];

/// Its `config.json`: two layers of width 16.
pub fn config() -> Value {
    json!({
        "model_type": "bert", "hidden_act": "gelu", "vocab_size": SPECIAL.len() + WORDS.len(),
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32,
        "max_position_embeddings": 64, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    })
}

/// Names and shapes of its tensors in the file.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let config: EncoderConfig = serde_json::from_value(config()).expect("sizes");
    let (width, wide) = (config.hidden_size, config.intermediate_size);
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let mut add = |name: String, shape: &[usize]| shapes.push((name, shape.to_vec()));
    for (name, rows) in [
        ("word", config.vocab_size),
        ("position", config.max_position_embeddings),
        ("token_type", config.type_vocab_size),
    ] {
        add(
            format!("embeddings.{name}_embeddings.weight"),
            &[rows, width],
        );
    }
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..config.num_hidden_layers {
        let of = format!("encoder.layer.{layer}");
        for (name, output, input) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", wide, width),
            ("output.dense", width, wide),
        ] {
            add(format!("{of}.{name}.weight"), &[output, input]);
            add(format!("{of}.{name}.bias"), &[output]);
        }
        norms.push(format!("{of}.attention.output.LayerNorm"));
        norms.push(format!("{of}.output.LayerNorm"));
    }
    for name in norms {
        add(format!("{name}.weight"), &[width]);
        add(format!("{name}.bias"), &[width]);
    }
    shapes
}

/// Its weights, by their names in the file.
pub fn weights(seed: u64) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let mut rng = Rng::new(seed, &[]);
    let drawn = shapes().into_iter().map(|(name, shape)| {
        let base = f32::from(u8::from(name.ends_with("LayerNorm.weight")));
        let count = shape.iter().product();
        let values = (0..count).map(|_| base + rng.normal(0.3)).collect();
        (name, (shape, values))
    });
    drawn.collect()
}

/// Writes tensors as a safetensors file, with a prefix before their names.
pub fn write_weights(
    path: &Path,
    weights: &BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    prefix: &str,
) {
    let bytes: Vec<(String, &[usize], Vec<u8>)> = (weights.iter())
        .map(|(name, (shape, values))| {
            let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            (format!("{prefix}{name}"), shape.as_slice(), bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).expect("a tensor");
        (name, view)
    });
    safetensors::serialize_to_file(views, None, path).expect("written");
}

/// Writes the whole folder.
pub fn write(dir: &Path, seed: u64) {
    fs::create_dir_all(dir).expect("a folder");
    fs::write(dir.join("config.json"), config().to_string()).expect("written");
    fs::write(dir.join("tokenizer.json"), tokenizer()).expect("written");
    write_weights(&dir.join("model.safetensors"), &weights(seed), "");
}

/// Its `tokenizer.json`: BERT's, with whole words only.
pub fn tokenizer() -> String {
    let words = SPECIAL.iter().chain(&WORDS).zip(0..);
    let vocabulary: Map<String, Value> = words
        .map(|(word, id): (&&str, u32)| ((*word).to_owned(), id.into()))
        .collect();
    let special = |(id, token): (usize, &&str)| {
        json!({
            "id": id, "content": token, "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false,
        })
    };
    let special: Vec<Value> = SPECIAL.iter().enumerate().map(special).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    });
    tokenizer.to_string()
}

/// The model, read from a folder.
pub fn tiny(seed: u64) -> LanguageModel {
    tiny_on(seed, &Device::flex())
}

/// The model on a device.
pub fn tiny_on(seed: u64, device: &Device) -> LanguageModel {
    let name = format!(
        "ingle-tiny-lm-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    );
    let dir = std::env::temp_dir().join(name.replace(['(', ')'], "-"));
    write(&dir, seed);
    let model = LanguageModel::open(&dir, device).expect("the model");
    fs::remove_dir_all(&dir).expect("removed");
    model
}
