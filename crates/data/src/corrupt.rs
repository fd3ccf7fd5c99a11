//! Corruption: clicks replaced by other items, with the labels kept. It makes the labelled
//! histories that supervise every method, and the test sets that measure them.

mod likeness;

use super::{Corruption, Dataset, InputError};
use likeness::Likeness;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

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
    /// Every training click: a click drawn at random is an item drawn by popularity.
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
                // One number less, and those from `clicked` on moved up: each other item alike.
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
        // An item without a category is alike to none: a class of its own.
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

/// Replaces each click with probability `rate`; gives the clicks and 1 where one was replaced.
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

/// Puts items between the latest `last` clicks, one or more and at most `most`, never more than those clicks;
/// gives the clicks and 1 where one was put in.
pub fn insert_clicks(
    history: &[u32],
    rng: &mut impl Rng,
    (most, last): (usize, usize),
    sampler: &Sampler,
) -> (Vec<u32>, Vec<u8>) {
    let (mut clicks, mut noise) = (history.to_vec(), vec![0; history.len()]);
    let risky = history.len().min(last);
    if risky == 0 || most == 0 {
        return (clicks, noise);
    }
    for _ in 0..rng.random_range(1..=most.min(risky)) {
        let place = clicks.len() - rng.random_range(0..=risky);
        let inserted = sampler.draw(clicks[place.min(clicks.len() - 1)], rng);
        clicks.insert(place, inserted);
        noise.insert(place, 1);
    }
    (clicks, noise)
}

/// The dataset with clicks replaced: of each user the latest `last` before the last target, which
/// is the last click unless the dataset is split by time. What happens to a user depends on the seed and the user's id alone.
///
/// # Errors
/// If the dataset is corrupted already, the rate is no probability, or nothing can be drawn.
pub fn corrupt(
    data: &Dataset,
    rate: f64,
    kind: Kind,
    seed: u64,
    last: usize,
) -> Result<Dataset, InputError> {
    if data.has_labels() {
        return Err(InputError::other(
            "clicks of this dataset are replaced already: start from the clean one",
        ));
    }
    if !(0.0..=1.0).contains(&rate) {
        return Err(InputError::other(format!(
            "--rate is {rate}, but must be between 0 and 1"
        )));
    }
    let sampler = Sampler::new(kind, data)?;
    let before = &data.parts().clicks;
    let mut after = before.clone();
    let mut noise = vec![0; before.len()];
    let mut eligible = 0;
    for user in 0..data.n_users() {
        let start = data.range(user).start;
        let end = start + data.meta().split.last_target(data.timestamps(user));
        let risky = end.saturating_sub(last).max(start)..end;
        let mut rng = user_rng(seed, data.user_id(user));
        let (clicks, labels) = corrupt_history(&before[risky.clone()], &mut rng, rate, &sampler);
        eligible += risky.len();
        after[risky.clone()].copy_from_slice(&clicks);
        noise[risky].copy_from_slice(&labels);
    }
    let replaced = noise.iter().filter(|&&label| label == 1).count();
    let source = data.hash().to_owned();
    let corruption = Corruption {
        kind,
        rate,
        seed,
        last,
        eligible,
        replaced,
        source,
    };
    data.corrupted(after, noise, corruption)
        .map_err(InputError::other)
}

fn user_rng(seed: u64, user: &str) -> Xoshiro256PlusPlus {
    let digest = Sha256::digest(format!("{seed} {user}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    Xoshiro256PlusPlus::seed_from_u64(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dataset, from_parts, parts};
    use super::*;
    use crate::Split;

    fn long() -> Dataset {
        let history: Vec<u32> = (0..60).map(|i| 1 + i % 9).collect();
        let histories: Vec<&[u32]> = (0..200).map(|u| &history[u % 30..]).collect();
        dataset(&histories, &[])
    }

    #[test]
    fn some_items_are_put_between_the_latest_clicks_and_the_others_stay_in_order() {
        let data = long();
        let sampler = Sampler::new(Kind::Uniform, &data).expect("items");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut counts = std::collections::BTreeSet::new();
        for user in 0..data.n_users() {
            let history = data.clicks(user);
            let (clicks, noise) = insert_clicks(history, &mut rng, (5, 20), &sampler);
            let own = clicks.iter().zip(&noise).filter(|(_, noise)| **noise == 0);
            assert!(own.map(|(click, _)| click).eq(history));
            assert!(noise[..history.len() - 20].iter().all(|&noise| noise == 0));
            counts.insert(clicks.len() - history.len());
        }
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let (clicks, _) = insert_clicks(&[3], &mut rng, (5, 20), &sampler);
        assert_eq!(clicks.len(), 2, "no more than there are clicks");
        assert!(insert_clicks(&[], &mut rng, (5, 20), &sampler).0.is_empty());
    }

    #[test]
    fn about_the_asked_share_is_replaced_by_other_items() {
        let data = long();
        let noisy = corrupt(&data, 0.1, Kind::Uniform, 7, 20).expect("corrupts");
        let replaced = noisy.meta().corruption.as_ref().expect("noted").replaced;
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
        let noisy = corrupt(&data, 1.0, Kind::Uniform, 7, 20).expect("corrupts");
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
        let forth = corrupt(&forth, 0.5, Kind::Uniform, 3, 20).expect("corrupts");
        let back = corrupt(&back, 0.5, Kind::Uniform, 3, 20).expect("corrupts");
        assert_eq!(forth.clicks(0), back.clicks(1));
        assert_eq!(forth.clicks(1), back.clicks(0));
    }

    #[test]
    fn hard_noise_stays_in_the_category() {
        let data = long();
        let error = corrupt(&data, 0.5, Kind::Hard, 1, 20)
            .expect_err("no categories")
            .to_string();
        assert!(error.contains("category"), "{error}");
        let mut parts = data.parts().clone();
        for (row, item) in parts.items.iter_mut().enumerate() {
            item.category = Some(if row % 2 == 0 { "odd" } else { "even" }.into());
        }
        let data = from_parts(parts);
        let noisy = corrupt(&data, 0.5, Kind::Hard, 1, 20).expect("corrupts");
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
        let mut rng = user_rng(1, "x");
        let draws: Vec<u32> = (0..1000).map(|_| sampler.draw(2, &mut rng)).collect();
        assert!(draws.iter().filter(|&&item| item == 1).count() > 900);
        assert!(draws.iter().all(|item| [1, 3].contains(item)));
    }

    #[test]
    fn nonsense_is_refused() {
        let data = long();
        assert!(corrupt(&data, 1.5, Kind::Uniform, 1, 20).is_err());
        assert!(corrupt(&data, f64::NAN, Kind::Uniform, 1, 20).is_err());
        let noisy = corrupt(&data, 0.1, Kind::Uniform, 1, 20).expect("corrupts");
        assert!(corrupt(&noisy, 0.1, Kind::Uniform, 1, 20).is_err());
        assert!(corrupt(&dataset(&[&[1, 1]], &[]), 0.1, Kind::Uniform, 1, 20).is_err());
    }
}
