//! Tests of the way from a log to a dataset, over small logs.

use super::*;
use crate::read::{BadRows, Click, Reading, interactions};
use crate::{Shares, Split};
use proptest::prelude::*;

fn log(text: &str) -> Log {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("a.csv");
    std::fs::write(&file, format!("user_id,item_id,timestamp\n{text}")).expect("writes");
    let mut log = Log::default();
    interactions(&file, &Reading::default(), &mut log).expect("reads");
    log
}

fn options(least: usize) -> Options {
    Options {
        min_user_clicks: least,
        min_item_clicks: least,
        ..Options::default()
    }
}

fn build(text: &str, options: &Options) -> Result<Dataset, InputError> {
    super::build(
        log(text),
        Catalogue::default(),
        "test".into(),
        Vec::new(),
        *options,
    )
}

fn ids(data: &Dataset, user: usize) -> Vec<&str> {
    data.clicks(user)
        .iter()
        .map(|&i| data.items()[i as usize - 1].id.as_str())
        .collect()
}

#[test]
fn clicks_are_ordered_by_time_and_ties_stay_as_read_if_asked() {
    let as_read = Options {
        ties: Ties::AsRead,
        ..options(0)
    };
    let data = build("u,c,2\nu,b,1\nu,a,2\nu,d,1\n", &as_read).expect("builds");
    assert_eq!(ids(&data, 0), ["b", "d", "c", "a"]);
    assert_eq!(data.timestamps(0), [1, 1, 2, 2]);
}

/// Two files of ratings given in one go: each user's have one moment, and the files are sorted by item.
#[test]
fn ties_tell_nothing_and_are_counted() {
    let rows: Vec<String> = (0..400)
        .map(|n| format!("u{:02},i{:02},{}\n", n % 40, n / 40, n % 40))
        .collect();
    let data = build(&rows.concat(), &options(0)).expect("builds");
    let halves = [&rows[200..], &rows[..200]].concat();
    let other = build(&halves.concat(), &options(0)).expect("builds");
    assert_eq!(data.hash(), other.hash());
    assert_eq!(data.meta().summary.tied_clicks, 400);
    let ascending = (0..40).flat_map(|user| {
        let clicks = ids(&data, user);
        (1..clicks.len()).map(move |at| clicks[at - 1] < clicks[at])
    });
    let up = ascending.filter(|&up| up).count();
    assert!((130..230).contains(&up), "{up} of 360 neighbours ascend");
    let firsts: std::collections::HashSet<&str> = (0..40).map(|user| ids(&data, user)[0]).collect();
    assert!(firsts.len() > 5, "{firsts:?}");
}

#[test]
fn repeats_are_counted_and_merged_if_asked() {
    let text = "u,a,1\nu,a,2\nu,b,3\nu,c,4\nu,c,5\nv,a,1\nv,b,2\nv,a,3\n";
    let data = build(text, &options(0)).expect("builds");
    let summary = &data.meta().summary;
    assert_eq!((summary.repeated_targets, summary.cases.test), (1, 2));
    assert!(
        (summary.density - 5.0 / 6.0).abs() < 1e-9,
        "{}",
        summary.density
    );
    let merged = Options {
        merge_repeats: true,
        ..options(0)
    };
    let data = build(text, &merged).expect("builds");
    assert_eq!(
        (ids(&data, 0), ids(&data, 1)),
        (vec!["a", "b", "c"], vec!["a", "b", "a"])
    );
    let summary = &data.meta().summary;
    assert_eq!((summary.dropped.repeats, summary.repeated_targets), (2, 0));
    let table = summary.table().to_string();
    assert!(table.contains("repeats of the click before"), "{table}");
}

#[test]
fn numbering_does_not_depend_on_the_order_of_rows() {
    let rows = ["b,x,1\n", "a,y,1\n", "a,x,2\n", "c,z,1\n"];
    let forth = build(&rows.concat(), &options(0)).expect("builds");
    let back: String = rows.iter().rev().copied().collect();
    assert_eq!(
        forth.hash(),
        build(&back, &options(0)).expect("builds").hash()
    );
    assert_eq!(
        forth.items()[0].id,
        "x",
        "the most popular item comes first"
    );
}

#[test]
fn one_user_and_one_item_make_a_dataset() {
    let data = build("u,x,1\n", &options(1)).expect("builds");
    assert_eq!(
        (data.n_users(), data.n_items(), data.clicks(0)),
        (1, 1, &[1][..])
    );
}

#[test]
fn equal_rows_count_once_only_if_asked() {
    let text = "u,x,1\nu,y,2\nu,x,1\n";
    assert_eq!(build(text, &options(0)).expect("builds").clicks(0).len(), 3);
    let data = build(
        text,
        &Options {
            dedup: true,
            ..options(0)
        },
    )
    .expect("builds");
    assert_eq!(
        (ids(&data, 0), data.meta().summary.dropped.duplicates),
        (vec!["x", "y"], 1)
    );
}

#[test]
fn nothing_usable_and_nothing_left_are_errors_that_say_so() {
    let error = build("u,x,never\n", &options(0))
        .expect_err("no row")
        .to_string();
    assert!(
        error.contains("nothing usable") && error.contains("1 rows read"),
        "{error}"
    );
    let error = build("u,x,1\n", &options(5))
        .expect_err("too few")
        .to_string();
    assert!(error.contains("--min-user-clicks"), "{error}");
}

#[test]
fn held_out_users_are_the_asked_share_and_follow_the_seed() {
    let text: String = (0..100).map(|u| format!("u{u},x,1\nu{u},y,2\n")).collect();
    let unseen = |seed| {
        let data = build(
            &text,
            &Options {
                holdout_users: 0.1,
                seed,
                ..options(0)
            },
        )
        .expect("builds");
        (0..100).filter(|&u| data.is_unseen(u)).collect::<Vec<_>>()
    };
    assert_eq!(unseen(1).len(), 10);
    assert_eq!(unseen(1), unseen(1));
    assert_ne!(unseen(1), unseen(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn after_the_filter_all_have_enough_and_filtering_again_changes_nothing(
        pairs in prop::collection::vec((0u32..12, 0u32..12), 1..120),
        least in 1usize..5,
    ) {
        let clicks: Vec<Click> =
            pairs.iter().map(|&(user, item)| Click { user, item, time: 0 }).collect();
        let mut histories = Histories::group(&clicks, &[], &std::array::from_fn::<u32, 12, _>(|user| user as u32), None);
        core(&mut histories, 12, &options(least), &mut Dropped::default());
        let counts = histories.counts(12);
        prop_assert!(histories.lengths().all(|clicks| clicks == 0 || clicks >= least));
        prop_assert!(counts.iter().all(|&clicks| clicks == 0 || clicks >= least));
        let left = histories.items.len();
        core(&mut histories, 12, &options(least), &mut Dropped::default());
        prop_assert_eq!(histories.items.len(), left);
    }
}

/// Eleven clicks at times 0 to 9, of four users.
const MOMENTS: &str = "ann,a,0\nann,b,1\nann,c,6\nann,d,8\nbob,a,2\nbob,c,3\nbob,b,7\n\
    cat,b,4\ncat,a,9\ndan,e,6\ndan,a,9\n";

fn timely(valid: f64, test: f64) -> Options {
    Options {
        by_time: Some(Shares { valid, test }),
        ..options(0)
    }
}

#[test]
fn a_split_by_time_learns_from_what_came_before_and_predicts_the_first_click_after() {
    let data = build(MOMENTS, &timely(0.2, 0.3)).expect("builds");
    let split = Protocol::Time {
        valid_from: 6,
        test_from: 8,
    };
    assert_eq!(data.meta().split, split);
    let named = |indices: &[u32]| -> String {
        let ids = indices
            .iter()
            .map(|&i| data.items()[i as usize - 1].id.as_str());
        ids.collect()
    };
    let train: Vec<String> = (0..4).map(|user| named(data.train(user))).collect();
    assert_eq!(train, ["ab", "ac", "b", ""]);
    let cases = |split| -> Vec<Option<(String, String)>> {
        let cases = (0..4).map(|user| data.case(user, split));
        cases
            .map(|case| case.map(|c| (named(c.history), named(&[c.target]))))
            .collect()
    };
    let case = |history: &str, target: &str| Some((history.to_owned(), target.to_owned()));
    assert_eq!(
        cases(Split::Valid),
        [case("ab", "c"), case("ac", "b"), None, None]
    );
    // Nothing was learnt from dan, but his clicks before the test period are his history.
    let tests = [case("abc", "d"), None, case("b", "a"), case("e", "a")];
    assert_eq!(cases(Split::Test), tests);
    let (summary, counts) = (&data.meta().summary, data.train_counts());
    assert_eq!(
        summary.items_without_training, 2,
        "d and e are in the catalogue"
    );
    assert_eq!(counts.iter().sum::<u32>(), 5);
    let cases = summary.cases;
    assert_eq!(
        (cases.train, cases.valid, cases.test, cases.unseen),
        (3, 2, 3, 0)
    );
}

#[test]
fn users_held_out_of_a_split_by_time_are_asked_for_their_test_click_alone() {
    let options = Options {
        holdout_users: 0.25,
        ..timely(0.2, 0.3)
    };
    let held = (1..99).map(|seed| build(MOMENTS, &Options { seed, ..options }).expect("builds"));
    let data = held
        .into_iter()
        .find(|data| data.is_unseen(0))
        .expect("some seed holds ann out");
    assert_eq!(data.train(0), [0_u32; 0]);
    assert_eq!(
        (data.case(0, Split::Valid), data.case(0, Split::Test)),
        (None, None)
    );
    let case = data.case(0, Split::Unseen).expect("a test click");
    assert_eq!((case.history.len(), ids(&data, 0)[3]), (3, "d"));
}

#[test]
fn a_period_without_anybody_in_it_is_an_error_that_says_which() {
    for (rows, what) in [
        ("u,x,5\nu,y,5\nv,x,5\n", "no click to learn from"),
        ("u,x,1\nu,y,9\nv,x,1\nv,y,9\n", "no user to validate with"),
        ("u,x,1\nu,y,2\nu,x,3\nv,y,4\n", "no user to test with"),
    ] {
        let error = build(rows, &timely(0.25, 0.25))
            .expect_err(what)
            .to_string();
        assert!(
            error.contains(what) && error.contains("--valid-share"),
            "{error}"
        );
    }
}

#[test]
fn what_an_items_file_says_goes_with_the_item_and_the_rest_is_counted() {
    let labels = |title: &str| crate::read::Labels {
        title: Some(title.to_owned()),
        category: None,
        line: 2,
    };
    let known = [
        ("x".to_owned(), labels("A bag")),
        ("z".to_owned(), labels("A hat")),
    ];
    let catalogue = Catalogue {
        items: known.into(),
        repeated: BadRows::default(),
        notes: Vec::new(),
    };
    let log = log("u,x,1\nu,y,2\nu,x,3\n");
    let data = super::build(log, catalogue, "test".into(), Vec::new(), options(0));
    let data = data.expect("builds");
    assert_eq!(data.items()[0].title.as_deref(), Some("A bag"));
    assert_eq!(
        (data.items()[1].title.as_deref(), data.items().len()),
        (None, 2)
    );
    assert_eq!(data.meta().summary.dropped.unclicked_items, 1);
}

proptest! {
    #[test]
    fn a_split_by_time_never_learns_from_the_future_nor_predicts_the_past(
        rows in prop::collection::vec((0..6, 0..8, 0_i64..20), 4..80), held_out in 0..2,
    ) {
        let text: String = rows.iter().map(|(u, i, t)| format!("u{u},i{i},{t}\n")).collect();
        let options = Options { holdout_users: 0.2 * f64::from(held_out), ..timely(0.2, 0.2) };
        // A log that leaves a period empty is refused.
        let Ok(data) = build(&text, &options) else { return Ok(()) };
        let Protocol::Time { valid_from, test_from } = data.meta().split else { panic!("by time") };
        prop_assert!(valid_from <= test_from);
        for user in 0..data.n_users() {
            let times = data.timestamps(user);
            prop_assert!(times[..data.train(user).len()].iter().all(|&time| time < valid_from));
            for (split, line) in [
                (Split::Valid, valid_from), (Split::Test, test_from), (Split::Unseen, test_from),
            ] {
                let Some(case) = data.case(user, split) else { continue };
                let known = case.history.len();
                prop_assert!(known > 0 && known >= data.train(user).len());
                prop_assert!(times[..known].iter().all(|&time| time < line));
                prop_assert!(times[known] >= line);
                prop_assert_eq!(case.target, data.clicks(user)[known]);
                prop_assert_eq!(data.is_unseen(user), split == Split::Unseen);
            }
        }
        let learnt: usize = (0..data.n_users()).map(|user| data.train(user).len()).sum();
        prop_assert_eq!(data.train_counts().iter().sum::<u32>() as usize, learnt);
    }
}
