//! Paired differences: the mean difference over the same cases, and its standard error.
//!
//! Several cases may be of one user, and the same cases may be repeated with other noise, so they are not
//! independent. The standard error is therefore clustered by user ([Liang and Zeger,
//! 1986](https://doi.org/10.1093/biomet/73.1.13)).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mean of differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The mean.
    pub value: f64,
    /// Its standard error; `None` for fewer than two users.
    pub error: Option<f64>,
}

impl Difference {
    /// The mean difference of `ours` and `theirs` over the cases; `users` gives the user of each case.
    ///
    /// # Panics
    /// If the three differ in length.
    pub fn paired<U: Ord + Copy>(ours: &[f64], theirs: &[f64], users: &[U]) -> Self {
        assert!(
            ours.len() == theirs.len() && ours.len() == users.len(),
            "pairs, and whose they are"
        );
        let differences = ours.iter().zip(theirs).map(|(a, b)| a - b);
        Self::of(&differences.collect::<Vec<_>>(), users)
    }

    /// The mean of differences.
    fn of<U: Ord + Copy>(differences: &[f64], users: &[U]) -> Self {
        let cases = differences.len().max(1) as f64;
        let value = differences.iter().sum::<f64>() / cases;
        let mut by_user: BTreeMap<U, f64> = BTreeMap::new();
        for (difference, &user) in differences.iter().zip(users) {
            *by_user.entry(user).or_default() += difference - value;
        }
        let clusters = by_user.len() as f64;
        let squares: f64 = by_user.values().map(|sum| sum * sum).sum();
        Self {
            value,
            error: (by_user.len() > 1)
                .then(|| (squares * clusters / (clusters - 1.0)).sqrt() / cases),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::Rng;

    #[test]
    fn of_one_case_a_user_it_is_the_error_of_a_mean() {
        let found = Difference::paired(&[1.0, 2.0, 3.0, 6.0], &[0.0; 4], &[1, 2, 3, 4]);
        assert_eq!(found.value, 3.0);
        // Variance 14 / 3 over 4 cases.
        assert!((found.error.expect("users") - (14.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn the_same_cases_again_are_no_news() {
        let (ours, users) = ([0.1, 0.4, 0.0, 0.7, 0.2], [1, 2, 3, 4, 5]);
        let once = Difference::paired(&ours, &[0.0; 5], &users);
        let thrice = Difference::paired(&ours.repeat(3), &[0.0; 15], &users.repeat(3));
        assert!((once.value - thrice.value).abs() < 1e-12);
        let errors = [once, thrice].map(|found| found.error.expect("users"));
        assert!((errors[0] - errors[1]).abs() < 1e-12, "{errors:?}");
    }

    #[test]
    fn nobody_and_one_user_have_no_error_and_equals_no_difference() {
        assert_eq!(
            Difference::paired::<u32>(&[], &[], &[]),
            Difference::default()
        );
        assert_eq!(
            Difference::paired(&[0.5, 0.1], &[0.1, 0.1], &[7, 7]).error,
            None
        );
        let same = Difference::paired(&[0.5, 0.1], &[0.5, 0.1], &[7, 8]);
        assert_eq!((same.value, same.error), (0.0, Some(0.0)));
    }

    #[test]
    fn two_errors_hold_the_truth_about_as_often_as_they_should() {
        let mut rng = Rng::new(4, &[]);
        let covered = (0..400).filter(|_| {
            // 60 users with one to six cases each, whose differences are correlated.
            let (mut ours, mut users) = (Vec::new(), Vec::new());
            for user in 0..60 {
                let own = rng.normal(1.0);
                for _ in 0..=rng.below(6) {
                    ours.push(f64::from(0.3 + own + rng.normal(0.5)));
                    users.push(user);
                }
            }
            let found = Difference::paired(&ours, &vec![0.0; ours.len()], &users);
            let error = found.error.expect("users");
            (found.value - 0.3).abs() < 1.96 * error
        });
        let share = covered.count() as f64 / 400.0;
        assert!((0.91..0.98).contains(&share), "{share}");
    }
}
