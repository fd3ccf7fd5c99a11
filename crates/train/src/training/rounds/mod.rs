//! The rounds of DC4SR: soft labels for the log's own clicks, and the use of the views' disagreement.
//!
//! In each round the language model scores the log ([`reader`]) and the prior learns from its scores. The
//! posterior learns from the recommender's learning dynamics ([`dynamics`]), turned into soft labels
//! ([`mixture`]). The histories on which the views disagree most ([`disputes`]) refine the language model for
//! the next round.

pub mod account;
pub mod disputes;
pub mod dynamics;
pub mod mixture;
pub mod reader;

use crate::data::Dataset;
use dynamics::Dynamics;
use mixture::{Click, responsibilities};

/// Soft labels from learning dynamics: the noise probability of each training click by user, times `weight`.
/// `believed` is the prior probability of noise of each click. Clicks that were never predicted get 0.
pub fn from_dynamics(
    data: &Dataset,
    dynamics: &Dynamics,
    believed: &[Vec<f32>],
    weight: f32,
) -> Vec<Vec<f32>> {
    let counts = data.train_counts();
    let mut clicks = Vec::new();
    let mut places = Vec::new();
    for (user, believed) in believed.iter().enumerate() {
        let items = data.train(user);
        for (place, trajectory) in dynamics.of(user).into_iter().enumerate() {
            let Some(trajectory) = trajectory else {
                continue;
            };
            places.push((user, place));
            clicks.push(Click {
                trajectory,
                place,
                popularity: counts[items[place] as usize],
                believed: believed[place],
            });
        }
    }
    let mut beliefs: Vec<Vec<f32>> = (0..data.n_users())
        .map(|user| vec![0.0; data.train(user).len()])
        .collect();
    for ((user, place), found) in places.into_iter().zip(responsibilities(&clicks)) {
        beliefs[user][place] = weight * found;
    }
    beliefs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    #[test]
    fn beliefs_lie_where_their_clicks_are_and_count_as_asked() {
        let data = dataset(&[&[1, 2, 3, 4, 1, 2], &[2, 3, 1, 4]], &[]);
        let mut dynamics = Dynamics::new(&data);
        dynamics.observe(&[0, 1], &[2, 1], &[1.0, 2.0, 3.0]);
        let believed = [vec![0.1, 0.2, 0.3, 0.4], vec![0.5, 0.6]];
        let beliefs = from_dynamics(&data, &dynamics, &believed, 0.5);
        assert_eq!(beliefs, [vec![0.0, 0.0, 0.15, 0.2], vec![0.0, 0.3]]);
    }
}
