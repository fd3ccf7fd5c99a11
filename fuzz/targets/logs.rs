//! Logs, item files and windows in every format, and the dataset that is made of them.
//!
//! The first byte says which reader and format, and whether bad rows are fatal; the rest is the file.

#![no_main]

use ingle_data::read::{
    BadRows, Catalogue, Columns, Log, Reading, Windows, interactions, items, look, settle, windows,
};
use ingle_data::{Dataset, InputError, Options, Shares, Ties, build};
use ingle_fuzz::{tells, within};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::fs;
use std::path::Path;

// What the name says counts for little: packed files, arrays and other delimiters are known by their first bytes.
const FORMATS: [&str; 4] = ["csv", "tsv", "json", "parquet"];
const SHARES: Shares = Shares {
    valid: 0.2,
    test: 0.2,
};

fuzz_target!(
    // The reader answers for the panics of the Parquet decoder; any that gets past it still ends the run.
    init: std::panic::set_hook(Box::new(|panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/.cargo/registry/")) {
            eprintln!("{panic}");
        }
    })),
    |bytes: &[u8]| -> Corpus {
    let Some((&which, file)) = bytes.split_first() else {
        return Corpus::Reject;
    };
    let which = usize::from(which);
    let path = std::env::temp_dir().join(format!("log.{}", FORMATS[which % 4]));
    fs::write(&path, file).expect("a folder for temporary files");
    let bad = BadRows {
        strict: which / 12 % 2 == 1,
        ..BadRows::default()
    };
    let columns = [("user_id", "customer"), ("timestamp", "at.ts"), ("category", "tags.name")];
    let columns = columns.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    let mut reading = Reading::of(Columns::from(columns));
    if which / 24 % 2 == 1 {
        reading.header = Some(false);
        reading.columns = Columns::from(
            [("user_id", "1"), ("item_id", "2"), ("timestamp", "3")]
                .map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned())),
        );
    }
    if which / 48 % 2 == 1 {
        reading.encoded_as("utf-16").expect("an encoding");
    }
    let packed = file.starts_with(b"\x1f\x8b") || file.starts_with(b"\x28\xb5\x2f\xfd");
    // A packed file is worth what it unpacks to.
    let worth = if packed { (16 << 20) + 1100 * file.len() } else { file.len() };
    let read = within(worth, || match which / 4 % 3 {
        0 => log(&path, &reading, bad),
        1 => catalogue(&path, &reading, bad),
        _ => labelled(&path, &reading, bad),
    }
);
    if let Err(error) = read {
        tells(&error);
    }
    match within(worth, || look(&path, &reading)) {
        Ok(seen) => {
            assert!(seen.columns.len() <= 200 && seen.command.starts_with("ingle prepare"));
        }
        Err(error) => tells(&error),
    }
    Corpus::Keep
});

fn log(path: &Path, reading: &Reading, bad: BadRows) -> Result<(), InputError> {
    let mut log = Log {
        bad,
        ..Log::default()
    };
    interactions(path, reading, &mut log)?;
    counted(&log.bad, log.rows, log.clicks.len());
    assert!(log.said().iter().all(|note| note.len() <= 4096));
    for ids in [log.users.list(), log.items.list()] {
        assert!(ids.iter().all(|id| (1..=1024).contains(&id.len())));
    }
    for click in &log.clicks {
        assert!((click.user as usize) < log.users.list().len());
        assert!((click.item as usize) < log.items.list().len());
    }
    settle(&mut log, &Catalogue::default());
    for by_time in [None, Some(SHARES)] {
        let options = Options {
            ties: if by_time.is_some() {
                Ties::Mixed
            } else {
                Ties::AsRead
            },
            min_user_clicks: 1,
            min_item_clicks: 1,
            holdout_users: 0.3,
            by_time,
            ..Options::default()
        };
        let (name, clicks) = ("fuzz".to_owned(), log.clicks.len());
        match build::build(log.clone(), Catalogue::default(), name, Vec::new(), options) {
            Ok(data) => {
                assert_eq!(data.n_clicks(), clicks);
                dataset(&data);
            }
            Err(error) => tells(&error),
        }
    }
    Ok(())
}

fn catalogue(path: &Path, reading: &Reading, mut bad: BadRows) -> Result<(), InputError> {
    let read = items(path, reading, false, &mut bad)?;
    counted(&bad, bad.count, 0);
    for (id, labels) in &read.items {
        assert!(!id.trim().is_empty() && labels.line > 0);
        assert_ne!(labels.title.as_deref().map(str::trim), Some(""));
    }
    Ok(())
}

fn labelled(path: &Path, reading: &Reading, bad: BadRows) -> Result<(), InputError> {
    let mut read = Windows {
        bad,
        ..Windows::default()
    };
    windows(path, reading, false, &mut read)?;
    counted(&read.bad, read.rows, read.list.len());
    for window in &read.list {
        assert!(window.items.len() > 1 && window.items.len() == window.noise.len());
        assert!(!read.name(window).is_empty());
    }
    let name = "fuzz".to_owned();
    let built = ingle_data::windows::build(&read, Catalogue::default(), name, Vec::new(), SHARES)?;
    dataset(&built);
    Ok(())
}

fn counted(bad: &BadRows, rows: usize, good: usize) {
    assert_eq!(rows, good + bad.count);
    let shown = bad.shown();
    assert!(shown.len() <= 60 && shown.len() <= bad.count);
    assert_eq!(
        bad.kinds.iter().map(|kind| kind.rows).sum::<usize>(),
        bad.count
    );
    assert!(!bad.strict || bad.count == 0);
    assert!(shown.iter().all(|row| row.reason.len() <= 3000));
}

/// What everything after the reading relies on.
fn dataset(data: &Dataset) {
    let mut clicks = 0;
    for user in 0..data.n_users() {
        let history = data.clicks(user);
        clicks += history.len();
        assert!(
            history
                .iter()
                .all(|&item| (1..=data.n_items()).contains(&(item as usize)))
        );
        assert!(data.timestamps(user).is_sorted());
        assert!(history.starts_with(data.train(user)));
    }
    assert_eq!(clicks, data.n_clicks());
}
