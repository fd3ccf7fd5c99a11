//! Sentence embeddings: the mean of a text's hidden states, normalised to length 1 ([Reimers and Gurevych,
//! 2019](https://arxiv.org/abs/1908.10084)).

use crate::LanguageModel;
use crate::encoder::TokenBatch;
use burn::prelude::*;
use burn::tensor::TensorData;

/// The longest input of all-MiniLM-L6-v2, in tokens with the special ones.
pub const SENTENCE_TOKENS: usize = 256;

/// Tokens per batch.
const BATCH_TOKENS: usize = 2048;

/// Embeds texts, cut to `limit` tokens or to the model's longest input.
///
/// # Shapes
/// - output: one row `[width]` per text, of length 1
pub fn embed(model: &LanguageModel, texts: &[&str], limit: usize) -> Vec<Vec<f32>> {
    let limit = limit.min(model.config.max_position_embeddings);
    let inputs: Vec<Vec<u32>> = (texts.iter())
        .map(|text| model.tokens.input(text, limit))
        .collect();
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|&text| inputs[text].len());
    let mut rows = vec![Vec::new(); texts.len()];
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        // The longest comes last; the others are padded to it.
        let fits = |&n: &usize| n * inputs[rest[n - 1]].len() <= BATCH_TOKENS;
        let count = (1..=rest.len()).take_while(fits).last().unwrap_or(1);
        let (batch, later) = rest.split_at(count);
        let tokens: Vec<&[u32]> = batch.iter().map(|&text| inputs[text].as_slice()).collect();
        for (row, &text) in pooled(model, &tokens).into_iter().zip(batch) {
            rows[text] = row;
        }
        rest = later;
    }
    rows
}

fn pooled(model: &LanguageModel, inputs: &[&[u32]]) -> Vec<Vec<f32>> {
    let batch = TokenBatch::new(inputs);
    let [_, hidden] = model.encoder.forward(&batch, 0);
    let [count, len, width] = hidden.dims();
    let share = |input: &&[u32]| {
        let real = input.len();
        (0..len).map(move |at| {
            if at < real {
                (real as f32).recip()
            } else {
                0.0
            }
        })
    };
    let shares: Vec<f32> = inputs.iter().flat_map(share).collect();
    let shares = Tensor::<3>::from_data(TensorData::new(shares, [count, 1, len]), &hidden.device());
    let means = shares.matmul(hidden).reshape([count, width]);
    let lengths = (means.clone() * means.clone()).sum_dim(1).sqrt();
    let rows: Vec<f32> = (means / lengths.clamp_min(1e-12))
        .into_data()
        .iter()
        .collect();
    rows.chunks_exact(width).map(<[f32]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::default_folder;

    /// Printed by `scripts/parity/minilm.py`.
    const GOLDEN: [[f32; 10]; 5] = [
        [
            -0.007_874, -0.005_019, -0.014_536, 0.031_773, 0.040_151, -0.061_834, 0.072_910,
            0.055_058, -1.018_516, -1.500_908,
        ],
        [
            0.080_385, 0.033_912, 0.021_611, -0.044_743, -0.027_542, -0.063_513, 0.006_649,
            -0.019_183, -0.401_682, -1.405_494,
        ],
        [
            -0.069_344, 0.104_620, -0.018_407, -0.059_664, -0.046_396, 0.039_541, 0.143_842,
            0.125_563, 0.211_315, -0.574_024,
        ],
        [
            -0.118_838, 0.048_299, -0.002_548, -0.011_011, 0.051_951, 0.010_292, 0.115_433,
            0.000_701, -0.425_133, -1.001_276,
        ],
        [
            -0.037_893, -0.094_024, 0.081_359, -0.046_729, -0.014_293, 0.050_046, -0.004_909,
            0.016_550, -0.030_377, 1.015_775,
        ],
    ];

    #[test]
    fn embeddings_equal_those_of_sentence_transformers() {
        let dir = default_folder();
        assert!(
            dir.exists(),
            "this test needs the weights of all-MiniLM-L6-v2 in {}: run scripts/fetch-lm",
            dir.display()
        );
        let model = LanguageModel::open(&dir, &Device::flex()).expect("the model");
        let long = "shampoo and conditioner for dry hair ".repeat(60);
        let texts = [
            "Olay Pro-X Advanced Cleansing System 0.68 Fl Oz, 1-Count",
            "Crème brûlée façade, naïve Ångström",
            "日本の化粧品 シャンプー 400ml",
            "",
            &long,
        ];
        let rows = embed(&model, &texts, SENTENCE_TOKENS);
        for (text, (row, golden)) in texts.iter().zip(rows.iter().zip(GOLDEN)) {
            let ramp = |f: fn(f32) -> f32, turns: f32| -> f32 {
                let at = |i: usize| f(turns * i as f32 / row.len() as f32);
                row.iter().enumerate().map(|(i, x)| x * at(i)).sum()
            };
            let found = [&row[..8], &[ramp(f32::cos, 7.0), ramp(f32::sin, 50.0)]].concat();
            for (a, b) in found.iter().zip(golden) {
                assert!((a - b).abs() < 1e-4, "{text:.20}: {a} and not {b}");
            }
        }
    }
}
