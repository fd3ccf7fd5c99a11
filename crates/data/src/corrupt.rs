//! Corruption: replaces clicks by other items or inserts noise, and keeps the labels. It makes the labelled
//! histories that train and evaluate every scorer.

mod insert;
mod session;
mod similarity;

use super::dataset::Noisy;
use super::{Corruption, Dataset, InputError};
pub use insert::insert_at_rate;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
pub use session::Sessions;
use sha2::{Digest as _, Sha256};
use similarity::Similarity;
use std::collections::HashMap;
use std::ops::Range;

/// What happens to a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A click becomes one on another item: what was there is lost
    #[default]
    Replace,
    /// Clicks on other items come between the shopper's own, which all stay
    Insert,
    /// Some clicks in a row of another user come between the shopper's own, as when a device is shared or
    /// a present is bought
    Session,
}

/// Which clicks are at risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The latest before the last target: for asking a model that was trained on the clean dataset
    #[default]
    Histories,
    /// All before the last target: for training as well, which is not told which clicks are noise
    Log,
}

/// How a replacement is drawn; it is never the item it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any item alike
    Uniform,
    /// As often as items are clicked in training
    Popularity,
    /// Any item of the same category; where there are none, one with a title much like it
    Hard,
}

/// Draws replacements.
#[derive(Clone, Debug)]
pub struct Sampler(Draw);

#[derive(Clone, Debug)]
enum Draw {
    Uniform {
        items: u32,
    },
    /// Every training click: a random click gives an item in proportion to its popularity.
    Popularity {
        clicks: Vec<u32>,
    },
    /// Category of each item, by index, and items of each category.
    Category {
        category: Vec<usize>,
        items: Vec<Vec<u32>>,
    },
    Similarity(Similarity),
}

impl Sampler {
    /// A sampler over the catalogue of `data`.
    ///
    /// # Errors
    /// If there are fewer than two items, or hard noise is asked for without categories and titles.
    pub fn new(kind: Kind, data: &Dataset) -> Result<Self, InputError> {
        if data.n_items() < 2 {
            return Err(InputError::other(
                "a click can only be replaced if there are two items or more",
            ));
        }
        Ok(Self(match kind {
            Kind::Uniform => Draw::Uniform {
                items: data.n_items() as u32,
            },
            Kind::Popularity => Draw::Popularity {
                clicks: (0..data.n_users())
                    .flat_map(|user| data.train(user))
                    .copied()
                    .collect(),
            },
            Kind::Hard => hard(data)?,
        }))
    }

    /// An item other than `clicked`; `clicked` itself if there is no other to draw.
    fn draw(&self, clicked: u32, rng: &mut impl Rng) -> u32 {
        match &self.0 {
            Draw::Uniform { items } => {
                // Draws from one number less and skips `clicked`, so that all other items are equally likely.
                let drawn = rng.random_range(1..*items);
                drawn + u32::from(drawn >= clicked)
            }
            Draw::Popularity { clicks } => another(clicks, clicked, rng),
            Draw::Category { category, items } => {
                another(&items[category[clicked as usize]], clicked, rng)
            }
            Draw::Similarity(similarity) => similarity.draw(clicked, rng),
        }
    }
}

/// A random element that is not `clicked`; `clicked` if there is none.
fn another(items: &[u32], clicked: u32, rng: &mut impl Rng) -> u32 {
    if items.iter().all(|&item| item == clicked) {
        return clicked;
    }
    loop {
        let drawn = items[rng.random_range(0..items.len())];
        if drawn != clicked {
            return drawn;
        }
    }
}

fn hard(data: &Dataset) -> Result<Draw, InputError> {
    if data.items().iter().all(|item| item.category.is_none()) {
        return Similarity::of(data).map(Draw::Similarity);
    }
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut items: Vec<Vec<u32>> = Vec::new();
    let mut category = vec![0];
    for (row, item) in data.items().iter().enumerate() {
        // An item without a category is in a category of its own.
        let number = match &item.category {
            Some(name) => *numbers.entry(name).or_insert(items.len()),
            None => items.len(),
        };
        if number == items.len() {
            items.push(Vec::new());
        }
        items[number].push(row as u32 + 1);
        category.push(number);
    }
    Ok(Draw::Category { category, items })
}

/// Replaces each click with probability `rate`; returns the clicks and their labels (1 = replaced).
pub fn corrupt_history(
    history: &[u32],
    rng: &mut impl Rng,
    rate: f64,
    sampler: &Sampler,
) -> (Vec<u32>, Vec<u8>) {
    let clicks = history.iter().map(|&clicked| {
        if !rng.random_bool(rate) {
            return (clicked, 0);
        }
        let replacement = sampler.draw(clicked, rng);
        (replacement, u8::from(replacement != clicked))
    });
    clicks.unzip()
}

/// Parameters of [`corrupt`].
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The kind of change.
    pub how: How,
    /// Which clicks are at risk.
    pub part: Part,
    /// How items are drawn; uniformly by default.
    pub kind: Option<Kind>,
    /// The probability that a click at risk is replaced or has one inserted before it, or that a user gets a
    /// foreign session (by default all do).
    pub rate: Option<f64>,
    /// Length of a foreign session; one to three by default.
    pub session: Option<usize>,
    /// Seed of all draws.
    pub seed: u64,
    /// How many of a user's latest clicks are at risk; by default [`LAST`] for histories and all for a log.
    pub last: Option<usize>,
}

/// Default number of latest clicks at risk.
pub const LAST: usize = 20;

/// The dataset with noise before the last target of each user, which is the last click unless the dataset is split
/// by time. The noise of a user depends on the seed and the user's id alone.
///
/// # Errors
/// If the dataset has noise labels already, a parameter is out of its range, or nothing can be drawn.
pub fn corrupt(data: &Dataset, asked: &Asked) -> Result<Dataset, InputError> {
    if data.has_labels() {
        return Err(InputError::other(
            "it is known of this dataset which clicks are noise already: start from a clean one",
        ));
    }
    let plan = Plan::of(asked, data)?;
    let mut noisy = Noisy {
        offsets: vec![0],
        ..Noisy::default()
    };
    let mut eligible = 0;
    for user in 0..data.n_users() {
        let (clicks, times) = (data.clicks(user), data.timestamps(user));
        let end = data.meta().split.last_target(times).min(clicks.len());
        let start = end.saturating_sub(plan.last);
        eligible += end - start;
        plan.add(data, user, start..end, &mut noisy);
        noisy.offsets.push(noisy.clicks.len());
    }
    let corruption = Corruption {
        how: asked.how,
        part: asked.part,
        kind: plan.kind,
        rate: plan.rate,
        seed: asked.seed,
        last: Some(plan.last).filter(|&last| last < usize::MAX),
        eligible,
        noisy: noisy.noise.iter().filter(|&&label| label == 1).count(),
        source: data.hash().to_owned(),
    };
    data.corrupted(noisy, corruption).map_err(InputError::other)
}

/// The checked parameters, and the samplers.
#[derive(Debug)]
struct Plan {
    source: Source,
    kind: Option<Kind>,
    rate: f64,
    seed: u64,
    last: usize,
}

#[derive(Debug)]
enum Source {
    Replaced(Sampler),
    Inserted(Sampler),
    Sessions(Sessions),
}

impl Plan {
    fn of(asked: &Asked, data: &Dataset) -> Result<Self, InputError> {
        let rate = match (asked.how, asked.rate) {
            (_, Some(rate)) => rate,
            (How::Session, None) => 1.0,
            _ => return Err(InputError::other("--rate is missing, such as --rate 0.2")),
        };
        if !(0.0..=1.0).contains(&rate) {
            return Err(InputError::other(format!(
                "--rate is {rate}, but must be between 0 and 1"
            )));
        }
        if asked.session.is_some() && asked.how != How::Session {
            return Err(InputError::other("--clicks is for --how session alone"));
        }
        let kind = asked.kind.unwrap_or(Kind::Uniform);
        let source = match asked.how {
            How::Replace => Source::Replaced(Sampler::new(kind, data)?),
            How::Insert => Source::Inserted(Sampler::new(kind, data)?),
            How::Session if asked.kind.is_some() => {
                return Err(InputError::other(
                    "--kind is not for --how session: its items are clicks of another user",
                ));
            }
            How::Session => Source::Sessions(Sessions::of(data, asked.session)?),
        };
        let all = match asked.part {
            Part::Histories => LAST,
            Part::Log => usize::MAX,
        };
        Ok(Self {
            source,
            kind: (asked.how != How::Session).then_some(kind),
            rate,
            seed: asked.seed,
            last: asked.last.unwrap_or(all),
        })
    }

    /// Adds a user's clicks; those in the range `risky` are at risk.
    fn add(&self, data: &Dataset, user: usize, risky: Range<usize>, noisy: &mut Noisy) {
        let (clicks, times) = (data.clicks(user), data.timestamps(user));
        let name = match self.source {
            Source::Replaced(_) => "",
            Source::Inserted(_) => "insert ",
            Source::Sessions(_) => "session ",
        };
        let mut rng = user_rng(self.seed, name, data.user_id(user));
        // Inserted items with the index of the click that follows, in order.
        let mut inserted: Vec<(usize, u32)> = Vec::new();
        let (mut own, mut labels) = (clicks.to_vec(), vec![0; clicks.len()]);
        match &self.source {
            Source::Replaced(sampler) => {
                let replaced =
                    corrupt_history(&clicks[risky.clone()], &mut rng, self.rate, sampler);
                own[risky.clone()].copy_from_slice(&replaced.0);
                labels[risky].copy_from_slice(&replaced.1);
            }
            Source::Inserted(sampler) => {
                inserted = insert::drawn(clicks, risky, &mut rng, self.rate, sampler);
            }
            // A user without clicks gets no session.
            Source::Sessions(sessions) => {
                if !risky.is_empty() && rng.random_bool(self.rate) {
                    let session = sessions.draw(data.shopper(user), &mut rng);
                    let place = rng.random_range(risky.start..=risky.end);
                    inserted.extend(session.iter().map(|&item| (place, item)));
                }
            }
        }
        let mut inserted = inserted.into_iter().peekable();
        for at in 0..=clicks.len() {
            while let Some((_, item)) = inserted.next_if(|&(place, _)| place == at) {
                // Not later than the click before, so that targets stay the first of their period.
                let time = times[at.saturating_sub(1)];
                noisy.push(item, time, 1, 0);
            }
            if at < clicks.len() {
                noisy.push(own[at], times[at], labels[at], clicks[at]);
            }
        }
    }
}

impl Noisy {
    fn push(&mut self, click: u32, time: i64, label: u8, original: u32) {
        self.clicks.push(click);
        self.timestamps.push(time);
        self.noise.push(label);
        self.original.push(original);
    }
}

fn user_rng(seed: u64, name: &str, user: &str) -> Xoshiro256PlusPlus {
    let digest = Sha256::digest(format!("{name}{seed} {user}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    Xoshiro256PlusPlus::seed_from_u64(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests;
