//! Compares the method with an implementation in `PyTorch`: the constants are printed by
//! `scripts/parity/mgsd_wss.py`, and both sides compute the weights by one formula.

use super::*;
use crate::methods::ScoreTensors;
use crate::methods::mgsd_wss::Config;
use crate::rng::Rng;
use crate::weights::{collect, load};
use crate::{BackboneConfig, Batch, ItemFeatures};
use burn::tensor::TensorData;
use ingle_bundle::Tensor as Weight;

const ITEMS: usize = 12;
const WIDTH: usize = 8;
const MAX_LEN: usize = 6;

type Logits = (&'static [u32], &'static [f32]);

/// A history, and the noise logits of its clicks.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "as the script prints them")]
const LOGITS: &[Logits] = &[
    (&[3], &[0.256687]),
    (&[1, 2, 3], &[0.273492, 0.322917, 0.339372]),
    (&[12, 5, 5, 7, 1, 9], &[0.359315, 0.238037, 0.264668, 0.312463, 0.261590, 0.350853]),
    (&[4, 8, 4, 11, 2, 10], &[0.498323, 0.549349, 0.513813, 0.262280, 0.534791, 0.577145]),
];

/// A history, and the loss of the weak signal where every third click is noise.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "as the script prints them")]
const LOSSES: &[(&[u32], f32)] = &[
    (&[12, 5, 5, 7, 1, 9], 0.268701),
    (&[4, 8, 4, 11, 2, 10], 0.302941),
];

fn formula(name: &str, shape: &[usize]) -> Weight {
    let start: u32 = name.bytes().map(u32::from).sum();
    let offset = if name.ends_with("gamma") { 1.0 } else { 0.0 };
    let value = |j: usize| (0.5 * (f64::from(start) + 0.37 * j as f64).sin()) as f32 + offset;
    Weight {
        shape: shape.to_vec(),
        data: (0..shape.iter().product()).map(value).collect(),
    }
}

fn method() -> MgsdWss {
    let config = Config {
        scorer_width: WIDTH,
        scorer_heads: 2,
        scorer_blocks: 1,
        kernels: 10,
        interests: 3,
        ..Config::default()
    };
    let sizes = BackboneConfig {
        width: WIDTH,
        max_len: MAX_LEN,
        ..BackboneConfig::default()
    };
    let model = MgsdWss::new(&config, &sizes, &mut Rng::new(1, &[]), &Device::flex());
    let weights = collect(&model).into_iter();
    let weights = weights.map(|(name, w)| (name.clone(), formula(&name, &w.shape)));
    load(model, weights.collect()).expect("every tensor fits")
}

/// A left-padded history.
fn clicks(history: &[u32]) -> Clicks {
    let device = Device::flex();
    let popularity = (0..=ITEMS).map(|item| (item as f32).ln_1p()).collect();
    let batch = Batch::new(
        &[history],
        MAX_LEN,
        &ItemFeatures::popularity(popularity),
        &device,
    );
    let table = formula("items", &[ITEMS + 1, WIDTH]).data;
    let mut embedded = vec![0.0; (MAX_LEN - history.len()) * WIDTH];
    for &item in history {
        embedded.extend(&table[item as usize * WIDTH..][..WIDTH]);
    }
    let embedded = TensorData::new(embedded, [1, MAX_LEN, WIDTH]);
    Clicks {
        embedded: Tensor::from_data(embedded, &device),
        batch,
    }
}

fn assert_close(found: &[f32], due: &[f32], of: &[u32]) {
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(due) {
        assert!((found - due).abs() < 1e-4, "{of:?}: {found} and {due}");
    }
}

#[test]
fn logits_of_noise_equal_those_of_pytorch() {
    for &(history, due) in LOGITS {
        let logits = method().noise_logits(&clicks(history));
        let fused = logits.expect("noise logits").fused;
        let fused: Vec<f32> = fused.into_data().iter().collect();
        assert_close(&fused[MAX_LEN - history.len()..], due, history);
    }
}

#[test]
fn the_loss_equals_that_of_pytorch() {
    for &(history, due) in LOSSES {
        assert_eq!(history.len(), MAX_LEN, "no padding");
        let clicks = clicks(history);
        let labels = (0..MAX_LEN).map(|at| f32::from(at % 3 == 0));
        let labels = TensorData::new(labels.collect::<Vec<_>>(), [1, MAX_LEN]);
        let labelled = Labelled {
            labels: Tensor::from_data(labels, &Device::flex()),
            judged: clicks.batch.real.clone(),
            batch: clicks.batch.clone(),
            beliefs: None,
        };
        let output = method().look(&Inputs::of(&clicks), None);
        let found = signal(&output, &labelled).into_scalar::<f32>();
        assert_close(&[found], &[due], history);
    }
}
