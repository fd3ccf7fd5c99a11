//! Every source through its files, and files that are not as they should be.

use super::*;
use crate::read::{Catalogue, Log, interactions, items, settle};
use crate::{Options, build};
use std::fs;
use tempfile::TempDir;

fn fixture(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/import/fixtures")
        .join(name);
    let mut files: Vec<PathBuf> = (fs::read_dir(folder).expect("a folder"))
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files
}

struct Done {
    imported: Imported,
    log: Vec<Vec<String>>,
    items: Vec<Vec<String>>,
    folder: TempDir,
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let Ok(mut reader) = csv::Reader::from_path(path) else {
        return Vec::new();
    };
    let records = reader.records().map(|record| record.expect("a row"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

fn run(source: &str, files: &[PathBuf]) -> Result<Done, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Source::named(source).expect("a source");
    let imported = import(source, files, folder.path(), false).map_err(|e| e.to_string())?;
    Ok(Done {
        imported,
        log: rows(&folder.path().join("interactions.csv")),
        items: rows(&folder.path().join("items.csv")),
        folder,
    })
}

/// A source, its fixture, its first interaction and first item, and the numbers of both and of rows that are bad.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    [usize; 3],
);

const CASES: [Case; 19] = [
    (
        "otto",
        "otto",
        &["0", "100", "1661724000000", "view", "", "", ""],
        &[],
        [20, 0, 0],
    ),
    (
        "retailrocket",
        "retailrocket",
        &["200", "500", "1433221332117", "view", "", "", ""],
        &["500", "", "1338", "", "", ""],
        [10, 5, 0],
    ),
    (
        "yoochoose",
        "yoochoose",
        &[
            "1",
            "214536500",
            "2014-04-07T11:00:37.614Z",
            "purchase",
            "",
            "12462",
            "",
        ],
        &[],
        [13, 0, 0],
    ),
    (
        "taobao",
        "taobao",
        &["1", "22", "1511544070", "view", "", "", ""],
        &["22", "", "90", "", "", ""],
        [10, 4, 0],
    ),
    (
        "movielens",
        "movielens",
        &["1", "290", "1147868817", "", "4.0", "", ""],
        &["290", "Once Upon a Lamp (1994)", "Drama > War", "", "", ""],
        [10, 4, 0],
    ),
    (
        "movielens",
        "movielens-1m",
        &["1", "290", "978300760", "", "3", "", ""],
        &["290", "Café (1994)", "Drama > War", "", "", ""],
        [10, 4, 0],
    ),
    (
        "movielens",
        "movielens-100k",
        &["1", "290", "881250949", "", "3", "", ""],
        &["290", "Café (1994)", "", "", "", ""],
        [10, 4, 0],
    ),
    (
        "amazon",
        "amazon",
        &[
            "A1B2C3D4E5F0",
            "B000000000",
            "1252800000",
            "",
            "3.0",
            "",
            "",
        ],
        &[
            "B000000000",
            "Ada's lamp 0",
            "Home > Lamps",
            "Kiln",
            "9.5",
            "",
        ],
        [10, 4, 0],
    ),
    (
        "amazon",
        "amazon-2018",
        &[
            "A1B2C3D4E5F0",
            "B000000000",
            "1455235200",
            "",
            "3.0",
            "",
            "",
        ],
        &["B000000000", "Lamp 0", "Home > Lamps", "Kiln", "$9.50", ""],
        [10, 4, 0],
    ),
    (
        "amazon",
        "amazon-2023",
        &[
            "AGKHLEW2SOWHNMFQ0",
            "B000000000",
            "1588687728923",
            "",
            "5.0",
            "",
            "",
        ],
        &["B000000000", "Lamp 0", "", "Kiln", "", ""],
        [10, 4, 0],
    ),
    (
        "steam",
        "steam",
        &["P0", "70", "2018-01-10", "", "", "", ""],
        &["70", "Game 0", "Action > Indie", "Kiln", "4.99", ""],
        [10, 4, 0],
    ),
    (
        "yelp",
        "yelp",
        &["u0", "b0", "2018-07-07 22:09:11", "", "4.0", "", ""],
        &["b0", "Bakery 0", "", "", "", ""],
        [10, 4, 0],
    ),
    (
        "ga4",
        "ga4",
        &["77.1", "K-1", "1710061201123456", "view", "", "19.5", ""],
        &["K-1", "Kettle 1", "Kitchen", "Kiln", "19.5", ""],
        [9, 4, 0],
    ),
    (
        "matomo",
        "matomo",
        &["f0e0", "L-0", "1700000010", "view", "", "19.5", ""],
        &["L-0", "Lamp 0", "", "", "19.5", ""],
        [7, 4, 0],
    ),
    (
        "segment",
        "segment",
        &[
            "a0",
            "p0",
            "2024-03-10T09:00:10.500Z",
            "view",
            "",
            "19.5",
            "EUR",
        ],
        &["p0", "Lamp 0", "Lamps", "Kiln", "19.5", "EUR"],
        [10, 4, 0],
    ),
    (
        "snowplow",
        "snowplow",
        &[
            "d0",
            "p0",
            "2024-03-10T09:00:10.123Z",
            "view",
            "",
            "19.5",
            "EUR",
        ],
        &["p0", "Lamp 0", "home/lamps", "", "19.5", "EUR"],
        [9, 4, 0],
    ),
    (
        "shopify",
        "shopify",
        &[
            "cy@example.invalid",
            "BWL-1",
            "2024-11-02 18:20:41 +0100",
            "purchase",
            "",
            "12.00",
            "EUR",
        ],
        &[
            "BWL-1",
            "Clay bowl",
            "Home & Garden > Kitchen",
            "Kiln",
            "12.00",
            "EUR",
        ],
        [8, 5, 2],
    ),
    (
        "woocommerce",
        "woocommerce",
        &[
            "u0@example.invalid",
            "40",
            "2024-03-10T09:00:00",
            "purchase",
            "",
            "19.5",
            "EUR",
        ],
        &["40", "Lamp 0", "Home, Home > Lamps", "", "19.5", "EUR"],
        [6, 4, 0],
    ),
    (
        "google-merchant",
        "google-merchant",
        &[],
        &[
            "F0",
            "Frame 0\" black",
            "Home & Garden",
            "Kiln",
            "10.00",
            "EUR",
        ],
        [0, 10, 0],
    ),
];

#[test]
fn every_source_becomes_the_two_files_that_prepare_reads() {
    for (source, files, first, item, [interactions_due, items_due, bad]) in CASES {
        let done = run(source, &fixture(files)).unwrap_or_else(|e| panic!("{files}: {e}"));
        let imported = &done.imported;
        assert_eq!(
            (imported.interactions, imported.items, imported.bad.count),
            (interactions_due, items_due, bad),
            "{files}: {:?} {:?}",
            imported.bad,
            imported.notes
        );
        assert_eq!(
            (done.log.len(), done.items.len()),
            (interactions_due, items_due),
            "{files}"
        );
        if !first.is_empty() {
            assert_eq!(done.log[0], first, "{files}");
        }
        if !item.is_empty() {
            assert!(
                done.items.iter().any(|row| row == item),
                "{files}: {:?}",
                done.items
            );
        }
        // What is written is read, with every row.
        let path = |name: &str| done.folder.path().join(name);
        let (mut log, mut catalogue, mut bad) =
            (Log::default(), Catalogue::default(), BadRows::default());
        if interactions_due > 0 {
            interactions(&path("interactions.csv"), &Reading::default(), &mut log).expect("reads");
        }
        if items_due > 0 {
            catalogue =
                items(&path("items.csv"), &Reading::default(), false, &mut bad).expect("reads");
        }
        assert_eq!(
            (log.clicks.len(), log.bad.count, bad.count),
            (interactions_due, 0, 0),
            "{files}"
        );
        assert_eq!(catalogue.items.len(), items_due, "{files}");
        if interactions_due > 0 {
            settle(&mut log, &catalogue);
            let options = Options {
                min_user_clicks: 1,
                min_item_clicks: 1,
                ..Options::default()
            };
            let data = build::build(log, catalogue, files.to_owned(), Vec::new(), options);
            let data = data.expect("builds");
            let untitled = data.meta().summary.items_without_title;
            assert!(
                untitled < data.n_items() || item.get(1).is_none_or(|title| title.is_empty()),
                "{files}"
            );
        }
    }
}

#[test]
fn every_source_has_a_name_of_its_own_and_a_fixture() {
    for source in SOURCES {
        assert!(
            CASES.iter().any(|case| case.0 == source.name),
            "{}",
            source.name
        );
        assert_eq!(
            SOURCES
                .iter()
                .filter(|other| other.name == source.name)
                .count(),
            1
        );
        assert!(!source.about.is_empty() && !source.parts.is_empty());
    }
    assert!(Source::named("nowhere").is_none());
}

#[test]
fn events_that_are_no_choice_are_told_and_kinds_are_counted() {
    let done = run("ga4", &fixture("ga4")).expect("imports");
    let kinds: Vec<(&str, usize)> = done
        .imported
        .events
        .iter()
        .map(|(k, n)| (&**k, *n))
        .collect();
    assert_eq!(kinds, [("cart", 1), ("purchase", 4), ("view", 4)]);
    let notes = done.imported.notes.join("\n");
    assert!(notes.contains("view_item_list (1)"), "{notes}");
    let command = &done.imported.command;
    assert!(
        command.contains("interactions.csv --items") && command.contains("--out"),
        "{command}"
    );
}

#[test]
fn lines_of_an_order_have_its_shopper_and_two_currencies_are_told() {
    let done = run("shopify", &fixture("shopify")).expect("imports");
    let towel = &done.log[2];
    assert_eq!(
        towel[..3],
        ["ann@example.invalid", "TWL-1", "2024-11-01 09:05:10 +0100"]
    );
    assert_eq!(towel[6], "EUR");
    assert!(
        done.imported
            .notes
            .iter()
            .any(|note| note.contains("EUR and USD"))
    );
    let reasons: Vec<&str> = done
        .imported
        .bad
        .kinds
        .iter()
        .map(|kind| &*kind.reason)
        .collect();
    assert_eq!(reasons, ["item_id is empty", "user_id is empty"]);
    let variant = done
        .items
        .iter()
        .find(|row| row[0] == "BWL-2")
        .expect("a variant");
    assert_eq!(
        variant[1..4],
        ["Clay bowl", "Home & Garden > Kitchen", "Kiln"]
    );
}

#[test]
fn a_file_of_another_version_is_refused_with_what_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ratings.csv");
    fs::write(&file, "user,movie,stars,when\n1,2,3,4\n").expect("writes");
    let error = run("movielens", &[file])
        .map(|_| ())
        .expect_err("other columns");
    for part in [
        "user, movie, stars, when",
        "ratings.csv with userId",
        "24 columns",
    ] {
        assert!(error.contains(part), "{part} not in {error}");
    }
}

#[test]
fn truncated_files_lose_their_last_row_or_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (source, files, _, _, _) in CASES {
        for path in fixture(files) {
            let bytes = fs::read(&path).expect("a fixture");
            let name = path.file_name().expect("a name");
            let cut = folder.path().join(name);
            fs::write(&cut, &bytes[..bytes.len() - 12]).expect("writes");
            match run(source, &[cut]) {
                Ok(done) => assert!(done.imported.interactions + done.imported.items > 0),
                Err(error) => assert!(error.contains(&*name.to_string_lossy()), "{error}"),
            }
        }
    }
}

#[test]
fn a_million_rows_of_one_user_are_written_as_they_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ratings.csv");
    let rows = (0..1_000_000).map(|n| format!("7,{},5,{}\n", n % 1000, 1_500_000_000 + n));
    fs::write(
        &file,
        format!(
            "userId,movieId,rating,timestamp\n{}",
            rows.collect::<String>()
        ),
    )
    .expect("writes");
    let done = run("movielens", &[file]).expect("imports");
    assert_eq!(
        (done.imported.interactions, done.imported.items),
        (1_000_000, 0)
    );
}

#[test]
fn files_that_are_there_already_are_not_written_over() {
    let done = run("otto", &fixture("otto")).expect("imports");
    let source = Source::named("otto").expect("a source");
    let error = import(source, &fixture("otto"), done.folder.path(), false).map(|_| ());
    assert!(
        error
            .expect_err("there")
            .to_string()
            .contains("there already")
    );
}
