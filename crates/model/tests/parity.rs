//! The backbone against the same network in `PyTorch`. The constants below are what
//! `scripts/parity/backbone.py` prints; weights come from one formula on both sides.

use burn::prelude::*;
use ingle_bundle::Tensor as Weight;
use ingle_model::gate::GateConfig;
use ingle_model::methods::MethodConfig;
use ingle_model::weights::{collect, load};
use ingle_model::{BackboneConfig, Batch, Known, Model, ModelConfig};

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

fn formula(name: &str, shape: &[usize]) -> Weight {
    let start: u32 = name.bytes().map(u32::from).sum();
    let offset = if name.ends_with("gamma") { 1.0 } else { 0.0 };
    let value = |j: usize| (0.5 * (f64::from(start) + 0.37 * j as f64).sin()) as f32 + offset;
    Weight {
        shape: shape.to_vec(),
        data: (0..shape.iter().product()).map(value).collect(),
    }
}

#[test]
fn scores_equal_those_of_pytorch() {
    let device = Device::flex();
    let config = ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            width: 8,
            blocks: 2,
            heads: 2,
            feed_forward: 16,
            max_len: MAX_LEN,
            dropout: 0.5,
        },
        method: MethodConfig::named("sasrec").expect("registered"),
        gate: GateConfig::default(),
    };
    let model = Model::new(&config, 0, &device);
    let weights = collect(&model).into_iter();
    let weights = weights
        .map(|(name, w)| (name.clone(), formula(&name, &w.shape)))
        .collect();
    let model = load(model, weights).expect("every tensor fits");
    for (history, expected) in EXPECTED {
        for len in [history.len(), MAX_LEN] {
            let batch = Batch::new(
                &[history],
                len,
                &Known::popularity(vec![0.0; ITEMS + 1]),
                &device,
            );
            let user = model.encode(batch, Some(&config.gate)).user;
            let scores = user
                .matmul(model.backbone.items.val().transpose())
                .into_data();
            for (got, expected) in scores.iter::<f32>().zip(expected) {
                assert!(
                    (got - expected).abs() < 1e-4,
                    "{history:?}: {got} and {expected}"
                );
            }
        }
    }
}
