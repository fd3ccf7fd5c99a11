//! Weights of a history's clicks by their age.

use crate::error::{Error, within};

/// Number of clicks after which a click of the history counts half; `None`: all count the same.
pub type HalfLife = Option<f64>;

/// What [`tune`](crate::tune()) chooses from, the first one while it chooses other settings.
pub(crate) const CANDIDATES: [HalfLife; 6] =
    [Some(4.0), None, Some(16.0), Some(2.0), Some(1.0), Some(0.5)];

/// The distinct items of a history, latest first, each with the weight of its latest click: `0.5^(age / half_life)`,
/// where the latest click has age 0.
pub fn weights(history: &[u32], half_life: HalfLife) -> Vec<(u32, f32)> {
    let mut seen = std::collections::HashSet::new();
    let latest_first = history.iter().rev().enumerate();
    let distinct = latest_first.filter(|(_, item)| seen.insert(**item));
    let weight = |age: usize| half_life.map_or(1.0, |clicks| 0.5_f64.powf(age as f64 / clicks));
    distinct
        .map(|(age, &item)| (item, weight(age) as f32))
        .collect()
}

/// Rejects a half-life that is not above 0.
pub(crate) fn check(method: &'static str, half_life: HalfLife) -> Result<(), Error> {
    let Some(clicks) = half_life else {
        return Ok(());
    };
    let fits = clicks.is_finite() && clicks > 0.0;
    within(
        fits,
        (method, "history_half_life"),
        clicks,
        "above 0 clicks, or left out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_counts_half_after_its_half_life_and_an_item_once() {
        assert_eq!(
            weights(&[7, 5, 7, 6], Some(1.0)),
            [(6, 1.0), (7, 0.5), (5, 0.25)]
        );
        assert_eq!(weights(&[7, 5], None), [(5, 1.0), (7, 1.0)]);
        assert_eq!(weights(&[], Some(2.0)), []);
    }
}
