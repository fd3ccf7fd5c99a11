//! From the files that people have to a dataset: a look at them, imports, and what the program advises.

use crate::shop::Shop;
use std::fs;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/src/import/fixtures");

/// The command that a line of the output begins with, without the name of the program.
fn advised<'a>(text: &'a str, word: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.and_then(|line| line.strip_prefix("ingle "))
        .unwrap_or_else(|| panic!("no {word}in {text}"))
}

#[test]
fn an_export_is_imported_and_prepared_by_the_command_that_is_printed() {
    let shop = Shop::empty();
    let said = shop.ok(&format!(
        "import shopify {FIXTURES}/shopify/orders_export.csv {FIXTURES}/shopify/products_export.csv --out shop"
    ));
    assert!(said.contains("8 interactions, 5 items; 2 rows"), "{said}");
    let all = "--min-user-clicks 1 --min-item-clicks 1";
    let said = shop.ok(&format!("{} {all}", advised(&said, "next: ")));
    assert!(said.contains("items without title"), "{said}");
    let report = shop.json(&format!("import ga4 {FIXTURES}/ga4 --out ga4 --json"));
    assert_eq!(
        (&report["interactions"], &report["events"]["view"]),
        (&9.into(), &4.into())
    );
    let again = shop.refused(&format!("import ga4 {FIXTURES}/ga4 --out ga4"));
    assert!(again.contains("there already"), "{again}");
    let other = shop.refused(&format!("import otto {FIXTURES}/ga4 --out other"));
    assert!(other.contains("sessions with session, events"), "{other}");
    assert!(
        shop.refused("import magento a.csv --out x")
            .contains("shopify")
    );
    assert!(shop.ok("import --list").contains("retailrocket"));
}

#[test]
fn a_look_at_a_file_proposes_the_command_that_prepares_it() {
    let shop = Shop::empty();
    let rows: String = (0..200)
        .map(|n| {
            format!(
                "u{};{};2024-05-03T10:{:02}:{:02}.5Z\n",
                n % 20,
                n * 7 % 11,
                n / 60,
                n % 60
            )
        })
        .collect();
    fs::write(
        shop.path("log.csv"),
        format!("Customer;SKU;Created at\n{rows}"),
    )
    .expect("writes");
    let said = shop.ok("prepare --check log.csv");
    for part in [
        "between ;, with a header",
        "200 rows",
        "Customer",
        "= user_id",
        "dates, from 2024-05-03",
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    let command = advised(&said, "try: ");
    assert!(
        command.contains("'timestamp=Created at'") || command.contains("timestamp='Created at'"),
        "{command}"
    );
    // The harness splits at spaces and knows no quotes.
    fs::write(
        shop.path("log.csv"),
        format!("Customer;SKU;Created\n{rows}"),
    )
    .expect("writes");
    let said = shop.ok("prepare --check log.csv");
    let said = shop.ok(advised(&said, "try: "));
    assert!(
        said.contains("next: ingle train --data data/log --out RUN"),
        "{said}"
    );
    let look = shop.json("prepare --check log.csv --json");
    assert_eq!(
        (&look[0]["rows"], &look[0]["columns"][1]["name"]),
        (&200.into(), &"SKU".into())
    );
    assert!(
        shop.refused("prepare --check nowhere.csv")
            .contains("nowhere.csv")
    );
    assert!(
        shop.refused("prepare --interactions log.csv")
            .contains("--out")
    );
}

#[test]
fn a_training_that_would_be_refused_is_not_proposed_and_a_configuration_is() {
    let shop = Shop::empty();
    let all = "--min-user-clicks 1 --min-item-clicks 1";
    fs::write(
        shop.path("short.csv"),
        "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,3\n",
    )
    .expect("writes");
    let said = shop.ok(&format!(
        "prepare --interactions short.csv {all} --out short"
    ));
    assert!(
        said.contains("not enough to train on") && !said.contains("next:"),
        "{said}"
    );
    shop.refused("train --data short --out run");
    fs::create_dir(shop.path("new")).expect("a folder");
    fs::write(shop.path("new/ingle.toml"), "").expect("writes");
    fs::write(
        shop.path("new/log.csv"),
        "user_id,item_id,timestamp\nu,a,1\nu,b,2\nu,c,3\nu,a,4\n",
    )
    .expect("writes");
    let said = shop.ok(&format!(
        "prepare --interactions new/log.csv {all} --out long"
    ));
    assert!(
        said.contains("next: ingle train --data long --config new/ingle.toml --out RUN"),
        "{said}"
    );
}

#[test]
fn what_was_skipped_is_told_by_kind_with_the_first_of_each() {
    let shop = Shop::empty();
    let rows: String = (0..40)
        .map(|n| format!("u,{},{}\n", n % 4, 1_700_000_000 + n))
        .collect();
    let bad = "u,1,soon\nu,2,later\n,3,5\nu,1,never\nu,1,no\n";
    fs::write(
        shop.path("log.csv"),
        format!("user_id,item_id,timestamp\n{bad}{rows}"),
    )
    .expect("writes");
    let all = "--min-user-clicks 1 --min-item-clicks 1";
    let output = shop.run(&format!("prepare --interactions log.csv {all} --out data"));
    let (said, told) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(
        said.contains("5 of 45 read") && said.contains("4 rows, the first log.csv:2"),
        "{said}"
    );
    assert!(said.contains("skipped: user_id is empty"), "{said}");
    assert!(
        told.contains("log.csv:5: timestamp \"never\"") && told.contains("skipped 1 more rows"),
        "{told}"
    );
    let report = shop.json(&format!(
        "prepare --interactions log.csv {all} --out data2 --json"
    ));
    assert_eq!(
        (
            &report["skipped"][0]["rows"],
            &report["skipped"][1]["first"][0]["line"]
        ),
        (&4.into(), &4.into())
    );
}
