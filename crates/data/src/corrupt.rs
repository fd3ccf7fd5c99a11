//! Corruption: replaces clicks by other items or inserts noise, and keeps the labels. It makes the labelled
//! histories that train and evaluate every scorer.

mod insert;
mod likeness;
mod session;

use super::dataset::Noisy;
use super::{Corruption, Dataset, InputError};
pub use insert::insert_at_rate;
use likeness::Likeness;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
pub use session::Sessions;
use sha2::{Digest as _, Sha256};
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
    Likeness(Likeness),
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
            Draw::Likeness(likeness) => likeness.draw(clicked, rng),
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
        return Likeness::of(data).map(Draw::Likeness);
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
mod tests {
    use super::super::testing::{dataset, from_parts, parts};
    use super::*;
    use crate::{Case, Protocol, Split};
    use proptest::prelude::*;

    fn asked(rate: f64, kind: Kind, seed: u64) -> Asked {
        Asked {
            rate: Some(rate),
            kind: Some(kind),
            seed,
            ..Asked::default()
        }
    }

    fn long() -> Dataset {
        let history: Vec<u32> = (0..60).map(|i| 1 + i % 9).collect();
        let histories: Vec<&[u32]> = (0..200).map(|u| &history[u % 30..]).collect();
        dataset(&histories, &[])
    }

    #[test]
    fn about_the_asked_share_is_replaced_by_other_items() {
        let data = long();
        let noisy = corrupt(&data, &asked(0.1, Kind::Uniform, 7)).expect("corrupts");
        let replaced = noisy.meta().corruption.as_ref().expect("noted").noisy;
        assert!(
            (200 * 20 / 13..200 * 20 / 8).contains(&replaced),
            "{replaced}"
        );
        for user in 0..data.n_users() {
            let labels = noisy.noise(user).expect("labels");
            let clicks = noisy.clicks(user).iter().zip(data.clicks(user)).zip(labels);
            assert!(
                clicks
                    .into_iter()
                    .all(|((now, before), &label)| (now != before) == (label == 1))
            );
            let start = noisy.range(user).start;
            let truths = (start..).map(|click| noisy.parts().truth(click));
            assert!(
                (data.clicks(user).iter().map(|&click| Some(click))).eq(truths.take(labels.len()))
            );
        }
    }

    #[test]
    fn targets_and_clicks_further_back_stay_clean() {
        let data = long();
        let noisy = corrupt(&data, &asked(1.0, Kind::Uniform, 7)).expect("corrupts");
        for user in 0..data.n_users() {
            let labels = noisy.noise(user).expect("labels");
            let n = labels.len();
            assert_eq!(labels[n - 1], 0);
            assert!(labels[n - 21..n - 1].iter().all(|&label| label == 1));
            assert!(labels[..n - 21].iter().all(|&label| label == 0));
        }
        let case = noisy.case(0, Split::Valid).expect("long enough");
        assert_eq!(
            case.target,
            data.case(0, Split::Valid).expect("long enough").target
        );
    }

    #[test]
    fn the_seed_and_the_user_decide_not_the_order_of_users() {
        let (a, b): (&[u32], &[u32]) = (&[1, 2, 3, 4, 5, 6, 7, 8], &[8, 7, 6, 5, 4, 3, 2, 1]);
        let named = |histories: &[&[u32]], users: [&str; 2]| {
            let mut parts = parts(histories, &[]);
            parts.users = users.into_iter().collect();
            from_parts(parts)
        };
        let forth = named(&[a, b], ["ann", "bob"]);
        let back = named(&[b, a], ["bob", "ann"]);
        let forth = corrupt(&forth, &asked(0.5, Kind::Uniform, 3)).expect("corrupts");
        let back = corrupt(&back, &asked(0.5, Kind::Uniform, 3)).expect("corrupts");
        assert_eq!(forth.clicks(0), back.clicks(1));
        assert_eq!(forth.clicks(1), back.clicks(0));
    }

    #[test]
    fn hard_noise_stays_in_the_category() {
        let data = long();
        let error = corrupt(&data, &asked(0.5, Kind::Hard, 1))
            .expect_err("no categories")
            .to_string();
        assert!(error.contains("category"), "{error}");
        let mut parts = data.parts().clone();
        for (row, item) in parts.items.iter_mut().enumerate() {
            item.category = Some(if row % 2 == 0 { "odd" } else { "even" }.into());
        }
        let data = from_parts(parts);
        let noisy = corrupt(&data, &asked(0.5, Kind::Hard, 1)).expect("corrupts");
        let pairs = noisy.parts().clicks.iter().zip(&data.parts().clicks);
        assert!(pairs.into_iter().all(|(now, before)| now % 2 == before % 2));
        assert_ne!(noisy.parts().clicks, data.parts().clicks);
    }

    #[test]
    fn popular_items_replace_more_often() {
        let mut histories: Vec<&[u32]> = vec![&[1, 1, 1, 1]; 90];
        histories.extend(vec![&[2, 3, 2, 3][..]; 10]);
        let data = dataset(&histories, &[]);
        let sampler = Sampler::new(Kind::Popularity, &data).expect("items");
        let mut rng = user_rng(1, "", "x");
        let draws: Vec<u32> = (0..1000).map(|_| sampler.draw(2, &mut rng)).collect();
        assert!(draws.iter().filter(|&&item| item == 1).count() > 900);
        assert!(draws.iter().all(|item| [1, 3].contains(item)));
    }

    #[test]
    fn nonsense_is_refused() {
        let data = long();
        assert!(corrupt(&data, &asked(1.5, Kind::Uniform, 1)).is_err());
        assert!(corrupt(&data, &asked(f64::NAN, Kind::Uniform, 1)).is_err());
        let noisy = corrupt(&data, &asked(0.1, Kind::Uniform, 1)).expect("corrupts");
        assert!(corrupt(&noisy, &asked(0.1, Kind::Uniform, 1)).is_err());
        assert!(corrupt(&dataset(&[&[1, 1]], &[]), &asked(0.1, Kind::Uniform, 1)).is_err());
    }

    /// The clicks of a dataset before noise was added.
    fn own(noisy: &Dataset, user: usize) -> Vec<u32> {
        let clicks = noisy
            .clicks(user)
            .iter()
            .zip(noisy.noise(user).expect("labels"));
        clicks
            .filter(|(_, label)| **label == 0)
            .map(|(&click, _)| click)
            .collect()
    }

    #[test]
    fn what_is_put_in_leaves_every_click_and_every_target_in_its_place() {
        let data = long();
        let inserted = corrupt(
            &data,
            &Asked {
                how: How::Insert,
                ..asked(0.2, Kind::Uniform, 7)
            },
        );
        let sessions = corrupt(
            &data,
            &Asked {
                how: How::Session,
                ..Asked::default()
            },
        );
        for noisy in [inserted, sessions].map(|noisy| noisy.expect("corrupts")) {
            for user in 0..data.n_users() {
                assert_eq!(own(&noisy, user), data.clicks(user));
                for split in [Split::Valid, Split::Test] {
                    let before = data.case(user, split).expect("long enough");
                    let case = noisy.case(user, split).expect("long enough");
                    assert_eq!(
                        (case.real(), case.target),
                        (before.history.to_vec(), before.target)
                    );
                }
                let learnt = noisy.train(user);
                assert_eq!(
                    learnt,
                    noisy.case(user, Split::Valid).expect("a case").history
                );
                let labels = noisy.noise(user).expect("labels");
                let first = labels.iter().position(|&label| label == 1);
                assert!(first.is_none_or(|at| at >= data.clicks(user).len() - 1 - LAST));
            }
        }
    }

    #[test]
    fn about_one_click_is_put_in_for_every_five_at_a_rate_of_a_fifth() {
        let data = long();
        for kind in [Kind::Uniform, Kind::Popularity] {
            let noisy = corrupt(
                &data,
                &Asked {
                    how: How::Insert,
                    ..asked(0.2, kind, 7)
                },
            );
            let noisy = noisy.expect("corrupts");
            let done = noisy.meta().corruption.as_ref().expect("noted");
            assert_eq!(done.eligible, 200 * 20);
            assert!((700..900).contains(&done.noisy), "{}", done.noisy);
            assert_eq!(noisy.n_clicks(), data.n_clicks() + done.noisy);
        }
    }

    #[test]
    fn a_foreign_session_is_of_clicks_in_a_row_of_somebody_else() {
        // Each user has items of his own, in sequence.
        let histories: Vec<Vec<u32>> = (0..20)
            .map(|user| (user * 10 + 1..user * 10 + 9).collect())
            .collect();
        let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        let data = dataset(&views, &[3]);
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..5 {
            let noisy = corrupt(
                &data,
                &Asked {
                    how: How::Session,
                    seed,
                    ..Asked::default()
                },
            );
            let noisy = noisy.expect("corrupts");
            for user in 0..data.n_users() {
                let labels = noisy.noise(user).expect("labels");
                let (clicks, original) = (noisy.clicks(user), noisy.original(user).expect("known"));
                let at = labels
                    .iter()
                    .position(|&label| label == 1)
                    .expect("a session");
                let session: Vec<u32> = (clicks[at..].iter().zip(&labels[at..]))
                    .take_while(|(_, label)| **label == 1)
                    .map(|(&click, _)| click)
                    .collect();
                let count = labels.iter().filter(|&&label| label == 1).count();
                assert_eq!(session.len(), count, "in a row");
                lengths.insert(count);
                assert!(session.windows(2).all(|pair| pair[1] == pair[0] + 1));
                assert!(!data.clicks(user).contains(&session[0]));
                assert!((0..20).any(|other| data.train(other).contains(&session[count - 1])));
                assert!(original[at..at + count].iter().all(|&item| item == 0));
            }
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
        let three = Asked {
            how: How::Session,
            session: Some(3),
            rate: Some(0.5),
            ..Asked::default()
        };
        let noisy = corrupt(&data, &three).expect("corrupts");
        let sessions = noisy.meta().corruption.as_ref().expect("noted").noisy;
        assert!(
            sessions.is_multiple_of(3) && (3 * 5..=3 * 15).contains(&sessions),
            "{sessions}"
        );
    }

    #[test]
    fn a_log_is_corrupted_as_a_whole_and_training_can_be_kept_from_the_labels() {
        let data = long();
        let log = Asked {
            part: Part::Log,
            ..asked(1.0, Kind::Uniform, 7)
        };
        let noisy = corrupt(&data, &log).expect("corrupts");
        for user in 0..data.n_users() {
            let labels = noisy.noise(user).expect("labels");
            assert!(labels[..labels.len() - 1].iter().all(|&label| label == 1));
            assert_eq!(labels[labels.len() - 1], 0);
        }
        let (hash, clicks) = (noisy.hash().to_owned(), noisy.clicks(0).to_vec());
        let told = noisy.without_labels();
        assert!(!told.has_labels() && told.noise(0).is_none());
        assert_eq!((told.hash(), told.clicks(0)), (&*hash, &*clicks));
        assert_eq!(
            told.case(0, Split::Valid).expect("a case").target,
            clicks[clicks.len() - 2]
        );
    }

    #[test]
    fn what_is_put_in_moves_no_click_over_a_moment() {
        let mut parts = parts(&[&[1, 2, 3, 4, 5, 6], &[6, 5, 4]], &[1]);
        parts.timestamps = vec![1, 9, 10, 15, 20, 25, 2, 9, 22];
        let mut meta = dataset(&[&[1]], &[]).meta().clone();
        meta.split = Protocol::Time {
            valid_from: 10,
            test_from: 20,
        };
        let data = Dataset::new(parts, meta).expect("fits");
        for seed in 0..50 {
            let noisy = corrupt(
                &data,
                &Asked {
                    how: How::Insert,
                    ..asked(1.0, Kind::Uniform, seed)
                },
            );
            let noisy = noisy.expect("corrupts");
            for (user, split, target) in [
                (0, Split::Valid, 3),
                (0, Split::Test, 5),
                (1, Split::Unseen, 4),
            ] {
                assert_eq!(noisy.case(user, split).expect("a case").target, target);
            }
        }
    }

    #[test]
    fn a_session_needs_somebody_else_and_no_kind() {
        let session = Asked {
            how: How::Session,
            ..Asked::default()
        };
        let message =
            |asked: &Asked, data: &Dataset| corrupt(data, asked).expect_err("refused").to_string();
        let alone = dataset(&[&[1, 2, 3]], &[]);
        assert!(message(&session, &alone).contains("another user"));
        let (mut kind, mut none, mut replaced) = (
            session.clone(),
            session.clone(),
            asked(0.1, Kind::Uniform, 1),
        );
        kind.kind = Some(Kind::Uniform);
        none.session = Some(0);
        replaced.session = Some(2);
        assert!(message(&kind, &long()).contains("--kind"));
        assert!(message(&none, &long()).contains("--clicks"));
        assert!(message(&replaced, &long()).contains("--clicks"));
        assert!(message(&Asked::default(), &long()).contains("--rate"));
    }

    proptest! {
        #[test]
        fn tiny_and_odd_datasets_are_corrupted_or_refused_and_their_targets_stay(
            histories in prop::collection::vec(prop::collection::vec(1_u32..5, 0..6), 1..6),
            held in 0_usize..6, rate in 0.0..=1.0, seed in 0_u64..9,
            how in prop::sample::select(vec![How::Replace, How::Insert, How::Session]),
            part in prop::sample::select(vec![Part::Histories, Part::Log]),
            last in prop::option::of(0_usize..4),
        ) {
            prop_assume!(histories.iter().any(|history| !history.is_empty()));
            let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
            let data = dataset(&views, &[held % histories.len()]);
            let asked = Asked { how, part, rate: Some(rate), seed, last, ..Asked::default() };
            let Ok(noisy) = corrupt(&data, &asked) else { return Ok(()) };
            for user in 0..data.n_users() {
                for split in [Split::Valid, Split::Test, Split::Unseen] {
                    let (before, after) = (data.case(user, split), noisy.case(user, split));
                    prop_assert_eq!(before.map(|case| case.target), after.map(|case| case.target));
                    let Some((before, after)) = before.zip(after) else { continue };
                    prop_assert_eq!(after.real(), before.history);
                    let real = |case: &Case<'_>| (case.target, case.real());
                    let earlier = |data: &Dataset| -> Vec<_> {
                        data.cases(user, split, 6).iter().map(real).collect()
                    };
                    prop_assert_eq!(earlier(&noisy), earlier(&data));
                }
            }
        }
    }
}
