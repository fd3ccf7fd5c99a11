//! From windows with noise labels to a dataset: every window becomes a user, and none is filtered out, since
//! they were already selected when they were labelled.

use super::build::{by_id, check, number};
use super::histories::Histories;
use super::read::{Catalogue, Window, Windows};
use super::summary::WindowFigures;
use super::{
    Dataset, Dropped, InputError, Meta, Options, Parts, Protocol, Relabelled, Shares, Source,
    Summary, Texts,
};
use std::collections::{HashMap, HashSet};

/// Builds a dataset called `name`, in which the latest of the windows that are not held out, by these shares,
/// are for evaluation. Windows without any noise make a clean dataset.
///
/// # Errors
/// If there are no windows, or none for training, for validation or, if requested, for testing.
pub fn build(
    windows: &Windows,
    mut catalogue: Catalogue,
    name: String,
    sources: Vec<Source>,
    shares: Shares,
) -> Result<Dataset, InputError> {
    if windows.list.is_empty() {
        let (rows, bad) = (windows.rows, windows.bad.count);
        return Err(InputError::Nothing(format!(
            "{rows} rows read, {bad} could not be used"
        )));
    }
    let learnt = windows.list.iter().filter(|window| !window.unseen);
    let times: Vec<i64> = learnt.map(|window| window.time).collect();
    let split = Protocol::by_window(&times, shares);
    let repeated_items = catalogue.repeated.count;
    let (ordered, parts) = users(windows, &mut catalogue);
    let dropped = Dropped {
        rows: windows.rows as u64,
        bad_rows: windows.bad.count as u64,
        unclicked_items: catalogue.items.len(),
        repeated_items,
        ..Dropped::default()
    };
    let mut summary = Summary::of(&parts, split, dropped);
    summary.windows = Some(figures(&ordered, &parts, split));
    check(&summary, split, shares.test > 0.0)?;
    let meta = Meta {
        name,
        ingle: env!("CARGO_PKG_VERSION").to_owned(),
        sources,
        options: options(shares),
        split,
        summary,
        corruption: None,
    };
    Dataset::new(parts, meta).map_err(InputError::other)
}

/// The windows sorted by name, and the same as users.
fn users<'a>(windows: &'a Windows, catalogue: &mut Catalogue) -> (Vec<&'a Window>, Parts) {
    let list = &windows.list;
    let names: Texts = list.iter().map(|window| windows.name(window)).collect();
    let order = by_id(&names);
    let ordered: Vec<&Window> = order.iter().map(|&at| &list[at as usize]).collect();
    let items = windows.items.list();
    let mut parts = number(lay_out(&ordered), &names, &order, items, catalogue);
    parts.unseen = ordered.iter().map(|window| window.unseen).collect();
    let labels = ordered.iter().flat_map(|window| &window.noise);
    let noise: Vec<u8> = labels.copied().collect();
    parts.relabelled = noise.contains(&1).then_some(Relabelled {
        noise,
        original: None,
    });
    (ordered, parts)
}

/// The options of `ingle prepare` that apply to windows.
fn options(shares: Shares) -> Options {
    Options {
        min_user_clicks: 0,
        min_item_clicks: 0,
        by_time: Some(shares),
        ..Options::default()
    }
}

/// Windows as users' clicks, each with the time of its window.
fn lay_out(windows: &[&Window]) -> Histories {
    let mut histories = Histories {
        offsets: vec![0],
        ..Histories::default()
    };
    for window in windows {
        histories.items.extend(&window.items);
        histories
            .times
            .extend(vec![window.time; window.items.len()]);
        histories.offsets.push(histories.items.len());
    }
    histories
}

/// Figures on how the windows of one shopper overlap.
fn figures(windows: &[&Window], parts: &Parts, split: Protocol) -> WindowFigures {
    let times = |window: &Window| vec![window.time; window.items.len()];
    let is_learnt = |window: &Window| !window.unseen && split.learnt(&times(window)) > 0;
    let mut learnt: HashMap<u32, HashSet<u32>> = HashMap::new();
    for window in windows.iter().filter(|window| is_learnt(window)) {
        let clicked = learnt.entry(window.shopper).or_default();
        clicked.extend(&window.items);
    }
    let shoppers: HashSet<u32> = windows.iter().map(|window| window.shopper).collect();
    let mut figures = WindowFigures {
        shoppers: shoppers.len(),
        ..WindowFigures::default()
    };
    for (window, ends) in windows.iter().zip(parts.offsets.windows(2)) {
        figures.noisy_clicks += window.noise.iter().filter(|&&label| label == 1).count();
        if is_learnt(window) {
            continue;
        }
        let clicked = learnt.get(&window.shopper);
        figures.familiar += usize::from(window.unseen && clicked.is_some());
        if parts.truth(ends[1] - 1).is_none() {
            figures.noisy_targets += 1;
            continue;
        }
        let target = &window.items[window.items.len() - 1];
        figures.learnt_targets += usize::from(clicked.is_some_and(|c| c.contains(target)));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Split;
    use crate::corrupt::{Asked, corrupt};
    use crate::read::{Reading, windows};

    const SHARES: Shares = Shares {
        valid: 0.25,
        test: 0.25,
    };

    fn read(seen: &str, unseen: &str) -> Windows {
        let dir = tempfile::tempdir().expect("a folder");
        let mut read = Windows::default();
        for (rows, held_out) in [(seen, false), (unseen, true)] {
            let file = dir.path().join("a.csv");
            let text = format!("user_id,item_ids,noise,timestamp\n{rows}");
            std::fs::write(&file, text).expect("writes");
            windows(&file, &Reading::default(), held_out, &mut read).expect("reads");
        }
        read
    }

    fn build(seen: &str, unseen: &str, shares: Shares) -> Result<Dataset, InputError> {
        let windows = read(seen, unseen);
        super::build(
            &windows,
            Catalogue::default(),
            "test".into(),
            Vec::new(),
            shares,
        )
    }

    fn named(data: &Dataset, clicks: &[u32]) -> String {
        let items = clicks
            .iter()
            .map(|&i| data.items()[i as usize - 1].id.as_str());
        items.collect()
    }

    const SEEN: &str = "z,c a b,0 1 0,1\nz,a b d,0 0 0,4\ny,b a c,0 0 1,3\nx,a a b,1 0 1,2\n\
        v,a b,0 0,3\n";
    const UNSEEN: &str = "z,b d e,0 1 0,5\nw,a c,1 0,5\nz,d c,0 0,5\n";

    #[test]
    fn the_latest_windows_are_predicted_and_the_others_learnt_whole() {
        let data = build(SEEN, UNSEEN, SHARES).expect("builds");
        let users: Vec<&str> = (0..data.n_users()).map(|user| data.user_id(user)).collect();
        assert_eq!(
            users,
            ["v#1", "w#1", "x#1", "y#1", "z#1", "z#2", "z#3", "z#4"]
        );
        let trained: Vec<String> = (0..8).map(|user| named(&data, data.train(user))).collect();
        assert_eq!(trained, ["", "", "aab", "", "cab", "", "", ""]);
        assert_eq!(data.noise(4), Some(&[0, 1, 0][..]));
        let test = data.case(5, Split::Test).expect("a case");
        assert_eq!(
            (named(&data, test.history), named(&data, &[test.target])),
            ("ab".into(), "d".into())
        );
        assert_eq!(data.case(3, Split::Valid), None, "the target of y is noise");
        let unseen = data.case(6, Split::Unseen).expect("a case");
        assert_eq!(
            (named(&data, unseen.history), unseen.noise),
            ("bd".into(), Some(&[0, 1][..]))
        );
    }

    #[test]
    fn the_summary_tells_what_windows_share() {
        let data = build(SEEN, UNSEEN, SHARES).expect("builds");
        let summary = &data.meta().summary;
        let expected = WindowFigures {
            shoppers: 5,
            noisy_clicks: 6,
            noisy_targets: 1,
            familiar: 2,
            learnt_targets: 1,
        };
        assert_eq!(summary.windows, Some(expected));
        let cases = summary.cases;
        assert_eq!(
            (cases.train, cases.valid, cases.test, cases.unseen),
            (2, 1, 1, 3)
        );
        assert!(
            summary
                .table()
                .to_string()
                .contains("clicks labelled noise")
        );
    }

    #[test]
    fn windows_without_noise_are_a_clean_dataset_that_can_be_corrupted() {
        let seen = "z,c a b,0 0 0,1\ny,b a c,0 0 0,2\n";
        let shares = Shares {
            valid: 0.5,
            test: 0.0,
        };
        let data = build(seen, "", shares).expect("builds");
        assert!(!data.has_labels());
        let noisy = corrupt(
            &data,
            &Asked {
                rate: Some(1.0),
                ..Asked::default()
            },
        )
        .expect("corrupts");
        for user in 0..2 {
            assert_eq!(noisy.noise(user), Some(&[1, 1, 0][..]), "the target stays");
        }
    }

    #[test]
    fn labelled_windows_come_back_from_the_disk_and_are_not_corrupted_again() {
        let data = build(SEEN, UNSEEN, SHARES).expect("builds");
        let home = tempfile::tempdir().expect("a folder");
        data.save(home.path()).expect("saves");
        assert_eq!(Dataset::open(home.path()).expect("opens"), data);
        let error = corrupt(
            &data,
            &Asked {
                rate: Some(0.1),
                ..Asked::default()
            },
        )
        .expect_err("labelled");
        assert!(error.to_string().contains("noise already"), "{error}");
    }

    #[test]
    fn nothing_usable_and_nobody_to_choose_by_are_errors_that_say_so() {
        let error = build("z,a,0,1\n", "", SHARES)
            .expect_err("no window")
            .to_string();
        assert!(
            error.contains("1 rows read, 1 could not be used"),
            "{error}"
        );
        for (rows, what) in [
            ("z,a b,0 0,1\nz,a b,0 0,1\n", "no click to learn from"),
            (
                "z,a b,0 0,1\nz,a b,0 1,2\nz,b a,0 1,3\nz,b a,0 0,4\n",
                "no user to validate with",
            ),
        ] {
            let shares = Shares {
                valid: 0.5,
                test: 0.25,
            };
            let error = build(rows, "", shares).expect_err(what).to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
