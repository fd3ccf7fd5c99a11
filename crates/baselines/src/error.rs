//! Errors of fitting a recommender.

/// Why a recommender cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("{method}: {setting} is {value}, but must be {range}")]
    Setting {
        /// Name of the recommender.
        method: &'static str,
        /// Name of the setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        range: &'static str,
    },
    /// There is nothing to learn from.
    #[error("the dataset has no training clicks of a weight above 0")]
    NoClicks,
    /// The validation split has no cases to choose settings by.
    #[error("the dataset has no validation targets, by which settings are chosen")]
    NoValidation,
    /// A matrix that is positive definite was not so after rounding.
    #[error("the matrix of co-occurrences cannot be inverted with a ridge of {ridge}: raise it")]
    Singular {
        /// The ridge.
        ridge: f64,
    },
}

/// Rejects a setting out of its range.
pub(crate) fn within(
    fits: bool,
    (method, setting): (&'static str, &'static str),
    value: impl Copy + ToString,
    range: &'static str,
) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    let value = value.to_string();
    Err(Error::Setting {
        method,
        setting,
        value,
        range,
    })
}
