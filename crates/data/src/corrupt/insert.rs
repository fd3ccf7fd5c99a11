//! Inserted noise: items between the shopper's own clicks, which all stay.

use super::Sampler;
use rand::{Rng, RngExt as _};
use std::ops::Range;

/// Inserts an item before each of the latest `last` clicks with probability `rate`. Returns the clicks and their
/// labels (1 = inserted).
pub fn insert_at_rate(
    history: &[u32],
    rng: &mut impl Rng,
    (rate, last): (f64, usize),
    sampler: &Sampler,
) -> (Vec<u32>, Vec<u8>) {
    let risky = history.len().saturating_sub(last)..history.len();
    let (mut clicks, mut noise) = (history.to_vec(), vec![0; history.len()]);
    // From the end, so that earlier indices stay valid.
    for (place, item) in drawn(history, risky, rng, rate, sampler).into_iter().rev() {
        clicks.insert(place, item);
        noise.insert(place, 1);
    }
    (clicks, noise)
}

/// For each click of a range, an item with probability `rate`, and the index of the click that it is inserted
/// before, in order.
pub(super) fn drawn(
    clicks: &[u32],
    risky: Range<usize>,
    rng: &mut impl Rng,
    rate: f64,
    sampler: &Sampler,
) -> Vec<(usize, u32)> {
    let count = risky.clone().filter(|_| rng.random_bool(rate)).count();
    let places = (0..count).map(|_| rng.random_range(risky.start..=risky.end));
    let mut places: Vec<usize> = places.collect();
    places.sort_unstable();
    let mut inserted = Vec::with_capacity(places.len());
    for place in places {
        let beside = clicks[place.min(clicks.len() - 1)];
        let item = sampler.draw(beside, rng);
        // There may be no other item to draw.
        inserted.extend((item != beside).then_some((place, item)));
    }
    inserted
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use crate::testing::dataset;
    use rand::SeedableRng as _;
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn about_the_asked_share_is_put_between_the_latest_clicks_and_the_others_stay_in_order() {
        let history: Vec<u32> = (0..50).map(|i| 1 + i % 9).collect();
        let data = dataset(&[&history, &[1, 2, 3]], &[]);
        let sampler = Sampler::new(Kind::Uniform, &data).expect("items");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut inserted = 0;
        for _ in 0..500 {
            let (clicks, noise) = insert_at_rate(&history, &mut rng, (0.2, 20), &sampler);
            let own = clicks.iter().zip(&noise).filter(|(_, noise)| **noise == 0);
            assert!(own.map(|(click, _)| click).eq(&history));
            assert!(noise[..30].iter().all(|&noise| noise == 0));
            inserted += clicks.len() - history.len();
        }
        assert!((1800..2200).contains(&inserted), "{inserted} of 10000");
        let untouched = insert_at_rate(&history, &mut rng, (0.0, 20), &sampler);
        assert_eq!(untouched, (history.clone(), vec![0; 50]));
        assert!(
            insert_at_rate(&[], &mut rng, (1.0, 20), &sampler)
                .0
                .is_empty()
        );
    }
}
