//! The loss of one batch of users and its gradients.

use super::backbone::Gradient;
use super::epoch::{Batch, Context, Course, Learns, ROUND, Trained};
use super::on_device::{self, CatalogueSoftmax};
use super::samples::{Labelling, labelled, next_items};
use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use ingle_model::Rng;
use ingle_model::methods::objective::recommendation;
use ingle_model::methods::{Objective, Part, Step};

/// Loss and gradients of a step that is not taken yet.
pub enum Found {
    /// Of the backbone, by hand-written gradients.
    ByHand(Gradient),
    /// By Burn's autodiff.
    Graph {
        /// Mean loss.
        loss: f32,
        /// Loss of each target, in stages that train a recommender.
        losses: Vec<f32>,
        /// Gradients of the model's parameters.
        model: GradientsParams,
        /// Gradients of the coder, in the stage that trains it.
        coder: Option<GradientsParams>,
    },
}

impl Found {
    /// Mean loss of the step.
    pub fn loss(&self) -> f32 {
        match self {
            Self::ByHand(gradient) => gradient.loss,
            Self::Graph { loss, .. } => *loss,
        }
    }

    /// Loss of each target, in stages that train a recommender.
    pub fn losses(&self) -> &[f32] {
        match self {
            Self::ByHand(gradient) => &gradient.losses,
            Self::Graph { losses, .. } => losses,
        }
    }
}

/// Computes loss and gradients of one batch of users.
pub fn find(
    context: &Context<'_>,
    course: &Course,
    trained: &mut Trained,
    batch: &Batch,
    epoch: usize,
    rng: &mut Rng,
) -> Found {
    let max_len = trained.model.backbone.max_len();
    if let Some(learner) = &mut trained.learner {
        let lessons = context.lessons(&batch.users, max_len, epoch as u64);
        return Found::ByHand(learner.gradient(&lessons, rng));
    }
    let (loss, losses) = match course.learns {
        Learns::Scorer(part, round) => {
            let loss = denoising_loss(context, (part, round), trained, batch, epoch, rng);
            (loss, Vec::new())
        }
        Learns::Items | Learns::Encoder => {
            recommendation_loss(context, course, trained, &batch.users, epoch, rng)
        }
    };
    let mut gradients = loss.backward();
    let coder = trained.coder.as_ref();
    Found::Graph {
        loss: loss.inner().into_scalar::<f32>(),
        losses,
        coder: coder.map(|coder| coder.gradients(&mut gradients)),
        model: GradientsParams::from_grads(gradients, &trained.model),
    }
}

fn recommendation_loss(
    context: &Context<'_>,
    course: &Course,
    trained: &Trained,
    users: &[usize],
    epoch: usize,
    rng: &mut Rng,
) -> (Tensor<1>, Vec<f32>) {
    let model = &trained.model;
    let max_len = model.backbone.max_len();
    let lessons = context.lessons(users, max_len, epoch as u64);
    let (batch, targets) = next_items(&lessons, &trained.features, &context.device);
    let mut backbone = model.backbone.clone();
    if course.learns == Learns::Encoder {
        let items = backbone.items.val().detach();
        backbone.items = Param::initialized(ParamId::new(), items);
    } else if course.schedule.unit {
        let directions = on_device::unit_rows(backbone.items.val());
        backbone.items = Param::initialized(ParamId::new(), directions);
    }
    let weights = lessons.iter().flat_map(|lesson| lesson.weights.iter());
    let weights = weights.copied().collect();
    let mut rank = CatalogueSoftmax::new(backbone.items.val()).weighted(weights);
    let mut step = Step {
        backbone: &backbone,
        histories: Some(batch),
        targets: &targets,
        labelled: None,
        consistency: 0.0,
        rank: &mut rank,
        rng,
    };
    let loss = recommendation(&mut step);
    let losses = trained.dynamics.as_ref().map(|_| rank.losses());
    (loss, losses.unwrap_or_default())
}

fn denoising_loss(
    context: &Context<'_>,
    (part, round): (Part, usize),
    trained: &Trained,
    batch: &Batch,
    epoch: usize,
    rng: &mut Rng,
) -> Tensor<1> {
    let model = &trained.model;
    let mut backbone = model.backbone.valid();
    // The item table is constant here: a scorer does not train it.
    let mut rank = CatalogueSoftmax::new(backbone.items.val());
    if let Some(fold) = batch.fold {
        backbone.items = Param::from_tensor(trained.folds[fold].clone());
    }
    let device = backbone.items.val().device();
    // A user can be judged twice in an epoch, by a fold and by the backbone; the corruptions differ.
    let again = u64::from(batch.fold.is_none());
    let stream = ROUND * (round - 1) as u64 + 2 * epoch as u64 + again;
    let labelling = Labelling {
        corruption: context.corruption(),
        sessions: context.denoising.sessions,
        draw: (context.seed, stream),
        beliefs: trained.beliefs.as_deref(),
        log_labels: context.knows_noise(),
    };
    let (data, known, max_len) = (context.data, &trained.features, backbone.max_len());
    let mut labelled = labelled(data, &batch.users, max_len, &labelling, known, &device);
    if let Some(coder) = &trained.coder {
        labelled.batch.codes = Some(coder.of(labelled.batch.items.clone()));
    }
    let mut step = Step {
        backbone: &backbone,
        histories: None,
        targets: &[],
        labelled: Some(labelled),
        consistency: context.denoising.consistency,
        rank: &mut rank,
        rng,
    };
    model.method.loss(part, &mut step)
}
