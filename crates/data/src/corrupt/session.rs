//! Foreign sessions: consecutive clicks of another user.

use crate::{Dataset, InputError};
use rand::{Rng, RngExt as _};

/// Default length of a session.
const CLICKS: std::ops::RangeInclusive<usize> = 1..=3;

/// The training clicks of all users, by shopper.
#[derive(Debug)]
pub struct Sessions {
    histories: Vec<(String, Vec<u32>)>,
    clicks: std::ops::RangeInclusive<usize>,
}

impl Sessions {
    /// The sessions of a dataset, of length `clicks` if given.
    ///
    /// # Errors
    /// If there are no two shoppers to draw from, or a session would be empty.
    pub fn of(data: &Dataset, clicks: Option<usize>) -> Result<Self, InputError> {
        if clicks == Some(0) {
            return Err(InputError::other("--clicks is 0, but must be at least 1"));
        }
        let histories: Vec<(String, Vec<u32>)> = (0..data.n_users())
            .filter(|&user| !data.train(user).is_empty())
            .map(|user| (data.shopper(user).to_owned(), data.train(user).to_vec()))
            .collect();
        // Every user needs another shopper: two with training clicks, or one to whom no user belongs.
        let first = histories.first().map(|(shopper, _)| shopper);
        let others = |user| Some(data.shopper(user)) != first.map(String::as_str);
        let two = histories.iter().any(|(shopper, _)| Some(shopper) != first);
        if first.is_none() || !(two || (0..data.n_users()).all(others)) {
            return Err(InputError::other(
                "a foreign session needs another user with clicks to learn from",
            ));
        }
        Ok(Self {
            histories,
            clicks: clicks.map_or(CLICKS, |clicks| clicks..=clicks),
        })
    }

    /// Consecutive clicks of a shopper other than this one; fewer if that shopper has no more.
    pub fn draw(&self, shopper: &str, rng: &mut impl Rng) -> &[u32] {
        let history = loop {
            let (other, history) = &self.histories[rng.random_range(0..self.histories.len())];
            if other != shopper {
                break history;
            }
        };
        let count = rng.random_range(self.clicks.clone()).min(history.len());
        let first = rng.random_range(0..=history.len() - count);
        &history[first..first + count]
    }
}
