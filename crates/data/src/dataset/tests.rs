//! Tests of what a dataset lets a model learn from and asks it for.

use super::super::testing::{dataset, parts};
use super::*;
use proptest::prelude::*;

#[test]
fn leaves_the_last_two_clicks_of_a_seen_user_out_of_training() {
    let data = dataset(&[&[1, 2, 3, 4]], &[]);
    assert_eq!(data.train(0), [1, 2]);
    let valid = data.case(0, Split::Valid).unwrap();
    assert_eq!((valid.history, valid.target), (&[1, 2][..], 3));
    let test = data.case(0, Split::Test).unwrap();
    assert_eq!((test.history, test.target), (&[1, 2, 3][..], 4));
    assert_eq!(data.case(0, Split::Unseen), None);
}

#[test]
fn trains_on_short_histories_and_never_evaluates_them() {
    let data = dataset(&[&[1, 2], &[2]], &[]);
    assert_eq!((data.train(0), data.train(1)), (&[1, 2][..], &[2][..]));
    for split in [Split::Valid, Split::Test, Split::Unseen] {
        assert_eq!(data.case(0, split), None);
    }
}

#[test]
fn asks_unseen_users_only_for_their_last_click() {
    let data = dataset(&[&[1, 2], &[1, 2, 3]], &[0]);
    assert_eq!(data.train(0), [0_u32; 0]);
    let case = data.case(0, Split::Unseen).unwrap();
    assert_eq!((case.history, case.target), (&[1][..], 2));
    assert_eq!(data.case(0, Split::Test), None);
    assert_eq!(data.train_counts(), [0, 1, 0, 0]);
}

#[test]
fn a_case_keeps_the_labels_of_its_history_and_the_true_target() {
    let mut parts = parts(&[&[1, 3, 3, 4]], &[]);
    parts.relabelled = Some(Relabelled {
        noise: vec![0, 1, 1, 0],
        original: Some(vec![1, 2, 2, 4]),
    });
    let data = Dataset::new(parts, dataset(&[&[1]], &[]).meta().clone()).unwrap();
    let case = data.case(0, Split::Valid).unwrap();
    assert_eq!(case.history, [1, 3]);
    assert_eq!(case.noise, Some(&[0, 1][..]));
    assert_eq!(
        case.target, 2,
        "the validation target is the click as it was"
    );
}

#[test]
fn a_target_replaced_by_nobody_knows_what_is_not_predicted_and_its_history_is_judged() {
    let mut parts = parts(&[&[1, 2, 3], &[3, 2, 1]], &[0, 1]);
    parts.relabelled = Some(Relabelled {
        noise: vec![1, 0, 0, 1, 0, 1],
        original: None,
    });
    let data = Dataset::new(parts, dataset(&[&[1]], &[]).meta().clone()).unwrap();
    let case = data.case(0, Split::Unseen).unwrap();
    assert_eq!(
        (case.history, case.noise, case.target),
        (&[1, 2][..], Some(&[1, 0][..]), 3)
    );
    assert_eq!(data.case(1, Split::Unseen), None);
    let judged = data.history(1, Split::Unseen);
    assert_eq!(judged, Some((&[3, 2][..], Some(&[1, 0][..]))));
}

#[test]
fn refuses_labels_of_other_values() {
    let mut parts = parts(&[&[1, 2, 3]], &[]);
    parts.relabelled = Some(Relabelled {
        noise: vec![0, 2, 0],
        original: None,
    });
    let meta = dataset(&[&[1]], &[]).meta().clone();
    let error = Dataset::new(parts, meta).unwrap_err();
    assert!(error.contains("0 or 1"), "{error}");
}

#[test]
fn refuses_labels_that_contradict_the_clicks() {
    let mut parts = parts(&[&[1, 2, 3]], &[]);
    parts.relabelled = Some(Relabelled {
        noise: vec![0, 1, 0],
        original: Some(vec![1, 2, 3]),
    });
    let meta = dataset(&[&[1]], &[]).meta().clone();
    assert!(
        Dataset::new(parts, meta)
            .unwrap_err()
            .contains("noise labels")
    );
}

#[test]
fn refuses_an_item_outside_the_catalogue() {
    let meta = dataset(&[&[1]], &[]).meta().clone();
    for wrong in [0, 4] {
        let mut parts = parts(&[&[1, 2, 3]], &[]);
        parts.clicks[1] = wrong;
        let error = Dataset::new(parts, meta.clone()).unwrap_err();
        assert!(error.contains(&format!("item {wrong}")), "{error}");
    }
}

proptest! {
    #[test]
    fn training_and_targets_never_share_a_position(
        lengths in prop::collection::vec(1_usize..9, 1..12), held in 0_usize..12,
    ) {
        // Every click is on its own item, so equal items mean equal positions.
        let mut next = 0;
        let histories: Vec<Vec<u32>> = lengths.iter().map(|&n| {
            (0..n).map(|_| { next += 1; next }).collect()
        }).collect();
        let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        let data = dataset(&views, &[held % lengths.len()]);
        for (user, all) in histories.iter().enumerate() {
            let train = data.train(user);
            for split in [Split::Valid, Split::Test, Split::Unseen] {
                let Some(case) = data.case(user, split) else { continue };
                prop_assert!(!train.contains(&case.target));
                prop_assert!(!case.history.contains(&case.target));
                prop_assert_eq!(&all[..case.history.len()], case.history);
                prop_assert_eq!(all[case.history.len()], case.target);
            }
            if data.case(user, Split::Test).is_some() {
                prop_assert_eq!(train.len() + 2, all.len());
            }
        }
    }
}

#[test]
fn several_targets_of_an_unseen_user_are_asked_about_and_one_of_any_other() {
    let data = dataset(
        &[
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
            &[1, 2, 3, 4, 5],
            &[3, 4, 5],
        ],
        &[0, 2],
    );
    let asked = |split, latest| -> Vec<(usize, u32)> {
        let cases = data.all_cases(split, latest);
        cases.iter().map(|case| (case.user, case.target)).collect()
    };
    assert_eq!(asked(Split::Test, 6), [(1, 5)]);
    assert_eq!(asked(Split::Unseen, 1), [(2, 5), (0, 10)]);
    // An earlier target has at least three clicks before it.
    let six = [(2, 5), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (0, 10)];
    assert_eq!(asked(Split::Unseen, 6), six);
    for case in data.all_cases(Split::Unseen, 99) {
        assert!(
            !case.history.contains(&case.target),
            "the clicks before it alone"
        );
    }
    assert_eq!(asked(Split::Unseen, 99).len(), 1 + 7);
}
