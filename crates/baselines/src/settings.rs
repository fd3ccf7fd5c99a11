//! Which recommenders there are, and their settings.

use crate::bpr::{self, Bpr};
use crate::ease::{self, Ease};
use crate::item_knn::{self, ItemKnn};
use crate::popular::{self, Popular};
use crate::recency::HalfLife;
use crate::recent::{self, Recent};
use crate::{Error, Log, Recommender};
use serde::{Deserialize, Serialize};

/// A recommender by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// What is clicked most.
    Popular,
    /// The shopper's own items, then what was clicked most lately.
    Recent,
    /// Items that are clicked by the same users.
    ItemKnn,
    /// A linear model from items to items.
    Ease,
    /// Matrix factorisation.
    Bpr,
}

impl Method {
    /// All of them, simplest first.
    pub const ALL: [Self; 5] = [
        Self::Popular,
        Self::Recent,
        Self::ItemKnn,
        Self::Ease,
        Self::Bpr,
    ];

    /// Its name, as in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Popular => "popular",
            Self::Recent => "recent",
            Self::ItemKnn => "itemknn",
            Self::Ease => "ease",
            Self::Bpr => "bpr",
        }
    }

    /// Its settings before any are chosen.
    pub fn settings(self) -> Settings {
        match self {
            Self::Popular => Settings::Popular(popular::Settings::default()),
            Self::Recent => Settings::Recent(recent::Settings::default()),
            Self::ItemKnn => Settings::ItemKnn(item_knn::Settings::default()),
            Self::Ease => Settings::Ease(ease::Settings::default()),
            Self::Bpr => Settings::Bpr(bpr::Settings::default()),
        }
    }

    /// What [`tune`](crate::tune()) chooses from, but for weights of a history's clicks.
    pub(crate) fn candidates(self, log: &Log) -> Vec<Settings> {
        fn each<T>(settings: Vec<T>, of: fn(T) -> Settings) -> Vec<Settings> {
            settings.into_iter().map(of).collect()
        }
        match self {
            Self::Popular => each(popular::Settings::candidates(log), Settings::Popular),
            Self::Recent => each(recent::Settings::candidates(), Settings::Recent),
            Self::ItemKnn => each(item_knn::Settings::candidates(), Settings::ItemKnn),
            Self::Ease => each(ease::Settings::candidates(), Settings::Ease),
            Self::Bpr => each(bpr::Settings::candidates(), Settings::Bpr),
        }
    }
}

/// A recommender and its settings. In JSON an object with the name as `method`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Settings {
    /// See [`popular`].
    Popular(popular::Settings),
    /// See [`recent`].
    Recent(recent::Settings),
    /// See [`item_knn`].
    ItemKnn(item_knn::Settings),
    /// See [`ease`].
    Ease(ease::Settings),
    /// See [`bpr`].
    Bpr(bpr::Settings),
}

impl Settings {
    /// Whose settings they are.
    pub fn method(&self) -> Method {
        match self {
            Self::Popular(_) => Method::Popular,
            Self::Recent(_) => Method::Recent,
            Self::ItemKnn(_) => Method::ItemKnn,
            Self::Ease(_) => Method::Ease,
            Self::Bpr(_) => Method::Bpr,
        }
    }

    /// Number of clicks after which a click of the history counts half; `None` if all count the same, or none does.
    pub fn history_half_life(&self) -> HalfLife {
        match self {
            Self::Popular(_) | Self::Recent(_) => None,
            Self::ItemKnn(settings) => settings.history_half_life,
            Self::Ease(settings) => settings.history_half_life,
            Self::Bpr(settings) => settings.history_half_life,
        }
    }

    /// The same settings with another half-life of a history's clicks; `None` for a recommender that does not weigh
    /// them.
    pub(crate) fn with_history_half_life(&self, clicks: HalfLife) -> Option<Self> {
        let mut settings = self.clone();
        match &mut settings {
            Self::Popular(_) | Self::Recent(_) => return None,
            Self::ItemKnn(settings) => settings.history_half_life = clicks,
            Self::Ease(settings) => settings.history_half_life = clicks,
            Self::Bpr(settings) => settings.history_half_life = clicks,
        }
        Some(settings)
    }

    pub(crate) fn fit(&self, log: &Log, seed: u64) -> Result<Box<dyn Recommender>, Error> {
        fn boxed<R: Recommender + 'static>(
            log: &Log,
            settings: &R::Settings,
            seed: u64,
        ) -> Result<Box<dyn Recommender>, Error> {
            Ok(Box::new(R::fit(log, settings, seed)?))
        }
        match self {
            Self::Popular(settings) => boxed::<Popular>(log, settings, seed),
            Self::Recent(settings) => boxed::<Recent>(log, settings, seed),
            Self::ItemKnn(settings) => boxed::<ItemKnn>(log, settings, seed),
            Self::Ease(settings) => boxed::<Ease>(log, settings, seed),
            Self::Bpr(settings) => boxed::<Bpr>(log, settings, seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_settings_in_json() {
        for method in Method::ALL {
            let settings = method.settings();
            assert_eq!(settings.method(), method);
            let json = serde_json::to_value(&settings).unwrap();
            assert_eq!(json["method"], method.name());
            assert_eq!(serde_json::to_value(method).unwrap(), method.name());
            assert_eq!(serde_json::from_value::<Settings>(json).unwrap(), settings);
        }
    }

    #[test]
    fn settings_left_out_are_the_default_and_unknown_ones_are_refused() {
        let read = |json: &str| serde_json::from_str::<Settings>(json);
        assert_eq!(
            read(r#"{"method":"ease"}"#).unwrap(),
            Method::Ease.settings()
        );
        let error = read(r#"{"method":"ease","neighbors":3}"#).unwrap_err();
        assert!(error.to_string().contains("neighbors"), "{error}");
        assert!(read(r#"{"method":"itemcf"}"#).is_err());
    }
}
