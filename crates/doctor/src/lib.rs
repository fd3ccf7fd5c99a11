//! What is missing for Ingle: on this machine, in a bundle's folder, or at the host of a page and its bundle.
//!
//! Every thing that is looked at is a [`Check`]: what was found, and where that is not as it should be, what to do.

mod bundle;
mod engine;
mod fetch;
mod host;
mod machine;
mod markup;
mod page;
mod policy;

pub use bundle::folder;
pub use host::{Asked, address};
pub use machine::machine;

use serde::Serialize;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// It works, and could be better; or it is needed for some things only.
    Note,
    /// Something will not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is, in a word or two.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, where it is not good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Good,
            found: found.into(),
            advice: None,
        }
    }

    fn note(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Note,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    fn bad(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            state: State::Bad,
            ..Self::note(what, found, advice)
        }
    }
}
