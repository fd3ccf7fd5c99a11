//! From a log to a dataset: drop what has too few clicks, order by time, number users and items.

use super::read::{Catalogue, Click, Log};
use super::{Dataset, Dropped, InputError, Item, Meta, Options, Parts, Source, Summary};
use ingle_model::Rng;
use std::collections::HashSet;

/// Builds a dataset called `name`.
///
/// Clicks are sorted by time, those of equal time as they were read. Items are numbered by falling
/// popularity, users by id; ties go by id, so that the order of the input files does not matter.
///
/// # Errors
/// If nothing is left.
pub fn build(
    log: Log,
    catalogue: &Catalogue,
    name: String,
    sources: Vec<Source>,
    options: Options,
) -> Result<Dataset, InputError> {
    let mut dropped = Dropped {
        rows: log.rows as u64,
        bad_rows: log.bad.count as u64,
        repeated_items: catalogue.repeated,
        ..Dropped::default()
    };
    if log.clicks.is_empty() {
        let (rows, bad) = (log.rows, log.bad.count);
        return Err(InputError::Nothing(format!(
            "{rows} rows read, {bad} could not be used"
        )));
    }
    let Log {
        users,
        items,
        mut clicks,
        ..
    } = log;
    // Stable: clicks of one user at one time stay as they were read.
    clicks.sort_by_key(|click| (click.user, click.time));
    let before = clicks.len();
    if options.dedup {
        let mut seen = HashSet::new();
        clicks.retain(|click| seen.insert((click.user, click.item, click.time)));
    }
    dropped.duplicates = before - clicks.len();
    core(
        &mut clicks,
        (users.list().len(), items.list().len()),
        &options,
        &mut dropped,
    );
    if clicks.is_empty() {
        return Err(InputError::Nothing(format!(
            "no user has {} clicks on items of {} clicks; lower --min-user-clicks and --min-item-clicks",
            options.min_user_clicks, options.min_item_clicks
        )));
    }
    let mut parts = number(&clicks, users.list(), items.list(), catalogue);
    hold_out(&mut parts, &options);
    let clicked = parts
        .items
        .iter()
        .filter(|item| catalogue.items.contains_key(&item.id))
        .count();
    dropped.unclicked_items = catalogue.items.len() - clicked;
    let summary = Summary::of(&parts, trained_items(&parts), dropped);
    let ingle = env!("CARGO_PKG_VERSION").to_owned();
    let meta = Meta {
        name,
        ingle,
        sources,
        options,
        summary,
        corruption: None,
    };
    Dataset::new(parts, meta).map_err(InputError::other)
}

/// Drops users and items of too few clicks until all left have enough.
fn core(clicks: &mut Vec<Click>, sizes: (usize, usize), options: &Options, dropped: &mut Dropped) {
    let count = |clicks: &[Click]| {
        let (mut users, mut items) = (vec![0usize; sizes.0], vec![0usize; sizes.1]);
        for click in clicks {
            users[click.user as usize] += 1;
            items[click.item as usize] += 1;
        }
        (users, items)
    };
    let present = |counts: &[usize]| counts.iter().filter(|&&count| count > 0).count();
    let (all_users, all_items) = count(clicks);
    let all = clicks.len();
    loop {
        let (users, items) = count(clicks);
        let before = clicks.len();
        clicks.retain(|click| {
            users[click.user as usize] >= options.min_user_clicks
                && items[click.item as usize] >= options.min_item_clicks
        });
        if clicks.len() == before {
            dropped.core_users = present(&all_users) - present(&users);
            dropped.core_items = present(&all_items) - present(&items);
            dropped.core_clicks = all - before;
            return;
        }
        dropped.core_rounds += 1;
    }
}

/// Gives users and items their final numbers.
fn number(clicks: &[Click], users: &[String], items: &[String], catalogue: &Catalogue) -> Parts {
    let mut counts = vec![0usize; items.len()];
    for click in clicks {
        counts[click.item as usize] += 1;
    }
    let mut kept: Vec<usize> = (0..items.len()).filter(|&item| counts[item] > 0).collect();
    kept.sort_by(|&a, &b| {
        counts[b]
            .cmp(&counts[a])
            .then_with(|| items[a].cmp(&items[b]))
    });
    let mut index = vec![0u32; items.len()];
    for (place, &item) in kept.iter().enumerate() {
        index[item] = place as u32 + 1;
    }

    let mut histories: Vec<&[Click]> = clicks.chunk_by(|a, b| a.user == b.user).collect();
    histories.sort_by_key(|history| &users[history[0].user as usize]);
    let mut offsets = vec![0];
    offsets.extend(histories.iter().scan(0, |end, history| {
        *end += history.len();
        Some(*end)
    }));
    let item = |&item: &usize| {
        let known = catalogue.items.get(&items[item]).cloned();
        known.unwrap_or_else(|| Item {
            id: items[item].clone(),
            title: None,
            category: None,
        })
    };
    Parts {
        items: kept.iter().map(item).collect(),
        users: histories
            .iter()
            .map(|h| users[h[0].user as usize].clone())
            .collect(),
        offsets,
        clicks: histories
            .iter()
            .copied()
            .flatten()
            .map(|c| index[c.item as usize])
            .collect(),
        timestamps: histories
            .iter()
            .copied()
            .flatten()
            .map(|c| c.time)
            .collect(),
        unseen: vec![false; histories.len()],
        relabelled: None,
    }
}

/// Chooses the users kept out of training, among those who have a history and a target.
fn hold_out(parts: &mut Parts, options: &Options) {
    let users = parts.users.len();
    let held_out = (users as f64 * options.holdout_users).round() as usize;
    let order = Rng::new(options.seed, &[4]).permutation(users).into_iter();
    let offsets = &parts.offsets;
    for user in order
        .filter(|&user| offsets[user + 1] - offsets[user] >= 2)
        .take(held_out)
    {
        parts.unseen[user] = true;
    }
}

/// Items that occur in a training history.
fn trained_items(parts: &Parts) -> usize {
    let mut trained: HashSet<u32> = HashSet::new();
    for (user, ends) in parts.offsets.windows(2).enumerate() {
        let clicks = ends[1] - ends[0];
        let kept = if parts.unseen[user] {
            0
        } else if clicks < 3 {
            clicks
        } else {
            clicks - 2
        };
        trained.extend(&parts.clicks[ends[0]..ends[0] + kept]);
    }
    trained.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::{Columns, interactions};
    use proptest::prelude::*;

    fn log(text: &str) -> Log {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.csv");
        std::fs::write(&file, format!("user_id,item_id,timestamp\n{text}")).expect("writes");
        let mut log = Log::default();
        interactions(&file, &Columns::new(), &mut log).expect("reads");
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
            &Catalogue::default(),
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
    fn clicks_are_ordered_by_time_and_ties_stay_as_read() {
        let data = build("u,c,2\nu,b,1\nu,a,2\nu,d,1\n", &options(0)).expect("builds");
        assert_eq!(ids(&data, 0), ["b", "d", "c", "a"]);
        assert_eq!(data.timestamps(0), [1, 1, 2, 2]);
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
            let mut clicks: Vec<Click> =
                pairs.iter().map(|&(user, item)| Click { user, item, time: 0 }).collect();
            core(&mut clicks, (12, 12), &options(least), &mut Dropped::default());
            let count = |of: &dyn Fn(&Click) -> u32, which| clicks.iter().filter(|c| of(c) == which).count();
            for click in &clicks {
                prop_assert!(count(&|c| c.user, click.user) >= least);
                prop_assert!(count(&|c| c.item, click.item) >= least);
            }
            let again = clicks.len();
            core(&mut clicks, (12, 12), &options(least), &mut Dropped::default());
            prop_assert_eq!(clicks.len(), again);
        }
    }
}
