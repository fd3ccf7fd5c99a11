//! Tests of corrupt.

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
        assert!((data.clicks(user).iter().map(|&click| Some(click))).eq(truths.take(labels.len())));
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
