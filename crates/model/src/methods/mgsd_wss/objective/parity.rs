//! Compares the method with an implementation in `PyTorch`: the constants are printed by
//! `scripts/parity/mgsd_wss.py`, and both sides compute the weights by one formula.

use super::*;
use crate::methods::Denoise;
use crate::methods::mgsd_wss::Kernel;
use crate::weights::{collect, load};
use crate::{BackboneConfig, Batch, Known};
use ingle_bundle::Tensor as Weight;

const ITEMS: usize = 12;
const WIDTH: usize = 8;
const MAX_LEN: usize = 6;

type Logits = (Kernel, bool, &'static [u32], &'static [f32]);
type Losses = (Target, &'static [u32], [f32; 3]);

/// What makes numbers of a cosine, whether of the other clicks too, a history, and the noise logits of its clicks.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "as the script prints them")]
const LOGITS: &[Logits] = &[
    (Kernel::Gaussian, true, &[3], &[0.256687]),
    (Kernel::Gaussian, true, &[1, 2, 3], &[0.273492, 0.322917, 0.339372]),
    (Kernel::Gaussian, true, &[12, 5, 5, 7, 1, 9], &[0.359315, 0.238037, 0.264668, 0.312463, 0.261590, 0.350853]),
    (Kernel::Gaussian, true, &[4, 8, 4, 11, 2, 10], &[0.498323, 0.549349, 0.513813, 0.262280, 0.534791, 0.577145]),
    (Kernel::Gaussian, false, &[3], &[0.256687]),
    (Kernel::Gaussian, false, &[1, 2, 3], &[0.161419, 0.546653, 0.213067]),
    (Kernel::Gaussian, false, &[12, 5, 5, 7, 1, 9], &[0.361064, 0.130090, 0.208467, 0.139460, 0.124604, 0.182862]),
    (Kernel::Gaussian, false, &[4, 8, 4, 11, 2, 10], &[0.278421, 0.205653, 0.260755, 0.246461, 0.230933, 0.263865]),
    (Kernel::Mlp, true, &[3], &[0.008672]),
    (Kernel::Mlp, true, &[1, 2, 3], &[0.407053, 0.458523, 0.471191]),
    (Kernel::Mlp, true, &[12, 5, 5, 7, 1, 9], &[0.603189, 0.512917, 0.579594, 0.547660, 0.557014, 0.576108]),
    (Kernel::Mlp, true, &[4, 8, 4, 11, 2, 10], &[0.780696, 0.663394, 0.778302, 0.685830, 0.735504, 0.772886]),
    (Kernel::Mlp, false, &[3], &[0.008672]),
    (Kernel::Mlp, false, &[1, 2, 3], &[0.117023, 0.107210, 0.127394]),
    (Kernel::Mlp, false, &[12, 5, 5, 7, 1, 9], &[-0.018076, -0.025576, -0.005813, -0.022387, -0.017461, -0.019546]),
    (Kernel::Mlp, false, &[4, 8, 4, 11, 2, 10], &[0.032575, 0.019975, 0.047016, 0.046627, 0.051081, 0.042569]),
];

/// What is the target, the history, the loss of the weak signal, and those of both contrasts.
#[rustfmt::skip]
#[expect(clippy::unreadable_literal, reason = "as the script prints them")]
const LOSSES: &[Losses] = &[
    (Target::Last, &[12, 5, 5, 7, 1, 9], [0.268701, 0.876398, 0.371676]),
    (Target::Next, &[12, 5, 5, 7, 1, 9], [0.262172, 0.517872, 0.386212]),
    (Target::Last, &[4, 8, 4, 11, 2, 10], [0.302941, 0.529027, 0.440317]),
    (Target::Next, &[4, 8, 4, 11, 2, 10], [0.294928, 0.385547, 0.461262]),
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

fn method(kernel: Kernel, pooled: bool) -> MgsdWss {
    let config = Config {
        scorer_width: WIDTH,
        scorer_heads: 2,
        scorer_blocks: 1,
        kernel,
        kernels: 10,
        pooled,
        interests: 3,
        contrast_temperature: 0.5,
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
    let batch = Batch::new(&[history], MAX_LEN, &Known::popularity(popularity), &device);
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
    for &(kernel, pooled, history, due) in LOGITS {
        let opinion = method(kernel, pooled).opinion(&clicks(history));
        let fused = opinion.expect("an opinion").fused;
        let fused: Vec<f32> = fused.into_data().iter().collect();
        assert_close(&fused[MAX_LEN - history.len()..], due, history);
    }
}

#[test]
fn losses_equal_those_of_pytorch() {
    let method = method(Kernel::Gaussian, true);
    for &(target, history, due) in LOSSES {
        let clicks = clicks(history);
        let next = Tensor::full(
            [1, 1],
            if target == Target::Next { 1.0 } else { 0.0 },
            &Device::flex(),
        );
        let sight = Sight::of(&clicks).before_the_last(&next);
        let judged = sight.real.clone();
        let count = history.len() - usize::from(target == Target::Next);
        let every = |n: usize, len: usize, count: usize| {
            let flags = (0..count).map(|at| if at % n == 0 { 1.0 } else { 0.0 });
            let flags: Vec<f32> = std::iter::repeat_n(0.0, len - count).chain(flags).collect();
            Tensor::<2>::from_data(TensorData::new(flags, [1, len]), &Device::flex())
        };
        let reading = method.look(&sight, None);
        let aimed = Aimed {
            embedded: clicks.embedded,
            labels: every(3, MAX_LEN, count),
            wanted: judged.ones_like().slice([0..1, 0..1]),
            next: Vec::new(),
            judged,
            sight,
        };
        let signal = signal(&reading, &reading.fused(), &aimed);
        let of_items = method.of_items(&reading, &aimed, every(2, MAX_LEN, count));
        let of_interests = method.of_interests(&reading, &aimed, every(2, 3, 3));
        let found = [signal, of_items, of_interests].map(Tensor::into_scalar::<f32>);
        assert_close(&found, &due, history);
    }
}
