//! Scores of the whole catalogue for histories.

use super::samples::{latest, longest};
use burn::prelude::*;
use ingle_kernel::product::{Matrix, add_product, transpose};
use ingle_model::backbone::OnSlices;
use ingle_model::{Batch, ItemFeatures, Model};
use rayon::prelude::*;

/// Histories that one core scores at a time.
const SHARD: usize = 32;

/// A model that scores the catalogue: on slices, as browsers do, where the encoder exists on slices and the model is in
/// main memory; otherwise on tensors.
pub(super) struct Scores<'a> {
    max_len: usize,
    rows: usize,
    on: On<'a>,
}

enum On<'a> {
    /// With the item table, `[width, items + 1]`.
    Slices(Box<OnSlices>, Vec<f32>),
    /// The same.
    Tensors {
        model: &'a Model,
        features: &'a ItemFeatures,
        device: &'a Device,
        transposed: Box<Tensor<2>>,
    },
}

impl<'a> Scores<'a> {
    pub(super) fn of(model: &'a Model, features: &'a ItemFeatures, device: &'a Device) -> Self {
        let [rows, width] = model.backbone.items.dims();
        let host = device.clone().inner() == Device::flex();
        let slices = host.then(|| model.backbone.on_slices()).flatten();
        let on = if let Some(backbone) = slices {
            let mut transposed = vec![0.0; rows * width];
            transpose(Matrix::new(&backbone.table, width), &mut transposed);
            On::Slices(Box::new(backbone), transposed)
        } else {
            On::Tensors {
                model,
                features,
                device,
                transposed: Box::new(model.backbone.items.val().inner().transpose()),
            }
        };
        Self {
            max_len: model.backbone.max_len(),
            rows,
            on,
        }
    }

    /// Items, plus 1 for padding.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The scores for the latest clicks of each history, as many as the model reads: `[histories, items + 1]`. Column 0 is
    /// padding.
    ///
    /// # Panics
    /// If a history is empty.
    pub(super) fn of_histories(&self, histories: &[&[u32]]) -> Vec<f32> {
        let histories: Vec<&[u32]> = histories.iter().map(|h| latest(h, self.max_len)).collect();
        match &self.on {
            On::Slices(backbone, transposed) => {
                let mut scores = vec![0.0; histories.len() * self.rows];
                let shards = scores.par_chunks_mut(SHARD * self.rows);
                shards
                    .zip(histories.par_chunks(SHARD))
                    .for_each(|(scores, histories)| {
                        let users: Vec<f32> =
                            histories.iter().flat_map(|h| backbone.user(h)).collect();
                        let users = Matrix::new(&users, users.len() / histories.len());
                        add_product(users, transposed, scores);
                    });
                scores
            }
            On::Tensors {
                model,
                features,
                device,
                transposed,
            } => {
                let batch = Batch::new(&histories, longest(&histories), features, device);
                let user = model.encode(batch, None).user;
                let scores = user.matmul(Tensor::clone(transposed)).into_data();
                scores
                    .as_slice::<f32>()
                    .expect("scores are floats")
                    .to_vec()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::samples::popularity;
    use ingle_model::backbone::Kind;
    use ingle_model::gate::GateConfig;
    use ingle_model::methods::MethodConfig;
    use ingle_model::{BackboneConfig, ModelConfig};

    #[test]
    fn slices_and_tensors_score_the_catalogue_alike() {
        for &kind in Kind::ALL {
            let config = ModelConfig {
                items: 70,
                backbone: BackboneConfig {
                    kind,
                    width: 12,
                    feed_forward: 16,
                    max_len: 5,
                    ..BackboneConfig::default()
                },
                method: MethodConfig::named("none").expect("a method"),
                gate: GateConfig::default(),
                keep: None,
            };
            let device = Device::flex();
            let mut model = Model::new(&config, 3, &device);
            model.backbone.items = model.backbone.items.map(|items| items * 20.0);
            let features = ItemFeatures::popularity(popularity(&[7; 71]));
            let histories: Vec<Vec<u32>> = (1..90)
                .map(|len| (0..len).map(|at| 1 + (at * 31 + len) % 70).collect())
                .collect();
            let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
            let slices = Scores::of(&model, &features, &device);
            assert!(matches!(slices.on, On::Slices(..)));
            let tensors = Scores {
                on: On::Tensors {
                    model: &model,
                    features: &features,
                    device: &device,
                    transposed: Box::new(model.backbone.items.val().transpose()),
                },
                ..slices
            };
            let found = Scores::of(&model, &features, &device).of_histories(&histories);
            let due = tensors.of_histories(&histories);
            assert_eq!(found.len(), due.len());
            for (found, due) in found.iter().zip(&due) {
                assert!((found - due).abs() < 1e-4, "{found} and not {due}");
            }
        }
    }
}
