//! Mean and standard deviation of a figure over trainings that differ only in their seeds.

use serde::Serialize;

/// Mean and deviation of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation (over `n - 1`); `None` for one seed.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of the values of a figure; `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let free = values.len().checked_sub(1)?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            mean,
            deviation: (free > 0).then(|| (squares / free as f64).sqrt()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample_and_unknown_of_one() {
        let spread = Spread::of(&[1.0, 2.0, 3.0]).expect("values");
        assert_eq!((spread.mean, spread.deviation), (2.0, Some(1.0)));
        assert_eq!(Spread::of(&[4.0]).expect("a value").deviation, None);
        assert_eq!(Spread::of(&[]), None);
    }
}
