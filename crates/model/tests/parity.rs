//! The backbones against the same networks in `PyTorch`. The constants below are what
//! `scripts/parity/backbone.py` and `scripts/parity/gru4rec.py` print; weights come from one formula on both
//! sides.

use burn::prelude::*;
use ingle_bundle::Tensor as Weight;
use ingle_model::backbone::Kind;
use ingle_model::gate::GateConfig;
use ingle_model::methods::MethodConfig;
use ingle_model::weights::{collect, load};
use ingle_model::{BackboneConfig, Batch, ItemFeatures, Model, ModelConfig};

const ITEMS: usize = 12;
const MAX_LEN: usize = 6;

/// Histories and the scores of items 0 (padding) to 12.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, clippy::excessive_precision, reason = "as the script prints them")]
const EXPECTED: &[(&[u32], [f32; ITEMS + 1])] = &[
    (&[3], [-3.498196, 3.552500, -3.489979, 3.312689, -3.026460, 2.640704, -2.168108, 1.624213, -1.026905, 0.395827, 0.248268, -0.884198, 1.491052]),
    (&[1, 2, 3], [-3.487039, 3.545852, -3.488059, 3.315559, -3.034026, 2.652718, -2.184174, 1.643803, -1.049375, 0.420438, 0.222326, -0.857778, 1.465022]),
    (&[12, 5, 5, 7, 1, 9], [-3.221775, 3.342091, -3.352502, 3.252664, -3.045861, 2.738894, -2.341857, 1.867807, -1.332334, 0.753047, -0.148995, -0.459957, 1.053782]),
    (&[4, 8, 4, 11, 2, 10], [-1.602502, 1.178527, -0.715796, 0.229526, 0.264292, -0.749419, 1.209901, -1.630595, 1.997666, -2.299043, 2.524815, -2.667558, 2.722577]),
];

/// Histories of the recurrent backbone, what each click keeps, and the scores.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, clippy::excessive_precision, reason = "as the script prints them")]
const RECURRENT: &[(&[u32], &[f32], [f32; ITEMS + 1])] = &[
    (&[3], &[1.0], [-3.458957, 3.528404, -3.481819, 3.320733, -3.050443, 2.679838, -2.221106, 1.689332, -1.102003, 0.478435, 0.160867, -0.794878, 1.402750]),
    (&[1, 2, 3], &[1.0, 1.0, 1.0], [-3.378056, 3.469299, -3.446454, 3.310270, -3.065227, 2.719382, -2.284110, 1.773724, -1.205008, 0.596665, 0.031299, -0.658234, 1.263523]),
    (&[12, 5, 5, 7, 1, 9], &[1.0, 0.0, 0.25, 1.0, 0.5, 1.0], [-3.414569, 3.496451, -3.463351, 3.316358, -3.060305, 2.703612, -2.258011, 1.738153, -1.161136, 0.545935, 0.087220, -0.717506, 1.324197]),
    (&[4, 8, 4, 11, 2, 10], &[1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [-3.226919, 3.346122, -3.355287, 3.254112, -3.045924, 2.737570, -2.339190, 1.863884, -1.327284, 0.747036, -0.142222, -0.467270, 1.061395]),
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

/// A model of that encoder with the weights of the formula.
fn model(kind: Kind, device: &Device) -> (ModelConfig, Model) {
    let config = ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            kind,
            width: 8,
            blocks: 2,
            heads: 2,
            feed_forward: 16,
            max_len: MAX_LEN,
            dropout: 0.5,
        },
        method: MethodConfig::named("none").expect("registered"),
        gate: GateConfig::default(),
        keep: None,
    };
    let model = Model::new(&config, 0, device);
    let weights = collect(&model).into_iter();
    let weights = weights
        .map(|(name, w)| (name.clone(), formula(&name, &w.shape)))
        .collect();
    (config, load(model, weights).expect("every tensor fits"))
}

fn batch(history: &[u32], len: usize, device: &Device) -> Batch {
    let features = ItemFeatures::popularity(vec![0.0; ITEMS + 1]);
    Batch::new(&[history], len, &features, device)
}

fn assert_scores(model: &Model, user: Tensor<2>, expected: &[f32], history: &[u32]) {
    let scores = user.matmul(model.backbone.items.val().transpose());
    for (got, expected) in scores.into_data().iter::<f32>().zip(expected) {
        assert!(
            (got - expected).abs() < 1e-4,
            "{history:?}: {got} and {expected}"
        );
    }
}

#[test]
fn scores_equal_those_of_pytorch() {
    let device = Device::flex();
    let (config, model) = model(Kind::SASREC, &device);
    for (history, expected) in EXPECTED {
        for len in [history.len(), MAX_LEN] {
            let user = model
                .encode(batch(history, len, &device), Some(&config.gate))
                .user;
            assert_scores(&model, user, expected, history);
        }
    }
}

#[test]
fn gru4rec_scores_equal_those_of_pytorch() {
    let device = Device::flex();
    let (_, model) = model(Kind::GRU4REC, &device);
    for (history, keep, expected) in RECURRENT {
        for len in [history.len(), MAX_LEN] {
            let batch = batch(history, len, &device);
            let mut padded = vec![1.0; len - keep.len()];
            padded.extend_from_slice(keep);
            let keep = Tensor::<1>::from_floats(padded.as_slice(), &device).reshape([1, len]);
            let embedded = model.backbone.embed(batch.items);
            let user = model.attend(embedded, Some(&keep), &batch.real);
            assert_scores(&model, user, expected, history);
        }
    }
}
