//! Tests of a look at a file, and of formats that few files have.

use super::shapes::gzip;
use super::*;

#[test]
fn a_look_at_a_file_tells_its_shape_and_proposes_a_command_that_reads_it() {
    let dir = Folder::new();
    let orders =
        "Name;Email;Created at;Lineitem sku\n#1;ann;2024-11-02 18:20:41 +0100;x\n#1;ann;;y\n";
    let seen = look(&dir.file("orders.csv", orders), &Reading::default()).expect("looks");
    assert!(
        seen.format.contains("between ;, with a header, UTF-8"),
        "{}",
        seen.format
    );
    assert_eq!((seen.rows, seen.columns[2].filled), (Some(2), 1));
    assert_eq!(seen.columns[3].examples, ["x", "y"]);
    for part in [
        "user_id=Email",
        "'Lineitem sku'",
        "'Created at'",
        "--out data/orders",
    ] {
        assert!(
            seen.command.contains(part),
            "{part} not in {}",
            seen.command
        );
    }
    assert!(seen.times.expect("times").contains("2024-11-02T17:20:41Z"));
    let behaviour = "31,7001,900,pv,1512000070\n31,7002,900,cart,1512000170\n";
    let seen = look(&dir.file("log", behaviour), &Reading::default()).expect("looks");
    assert!(
        seen.command.contains("--column user_id=THEIRS"),
        "{}",
        seen.command
    );
    assert!(
        seen.command.contains("--column timestamp=5"),
        "{}",
        seen.command
    );
    assert!(
        seen.times
            .expect("times")
            .starts_with("seconds, from 2017-11-3")
    );
    let events = r#"{"session":9,"events":[{"aid":1,"ts":1662328800000,"type":"clicks"}]}"#;
    let seen = look(
        &dir.file("a.jsonl.gz", gzip(&format!("{events}\n"))),
        &Reading::default(),
    );
    let seen = seen.expect("looks");
    assert!(seen.format.contains("an object a line") && seen.format.contains("gzip"));
    for part in [
        "user_id=session",
        "item_id=events.aid",
        "timestamp=events.ts",
    ] {
        assert!(
            seen.command.contains(part),
            "{part} not in {}",
            seen.command
        );
    }
    assert_eq!(seen.events, [("clicks".to_owned(), 1)].into());
    let items = look(
        &dir.file("items.csv", "item_id,name\nx,Lamp\n"),
        &Reading::default(),
    );
    let command = items.expect("looks").command;
    assert!(
        command.contains("--items") && command.contains("title=name"),
        "{command}"
    );
    let array = format!("[{events},{events}]");
    assert_eq!(
        look(&dir.file("b.json", array), &Reading::default())
            .expect("looks")
            .rows,
        Some(2)
    );
    let users: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let file = dir.file("a.parquet", parquet(vec![("customer", users)]));
    let seen = look(&file, &Reading::default()).expect("looks");
    assert_eq!((seen.rows, seen.columns[0].examples.len()), (Some(3), 3));
    let long = format!(
        "user_id,item_id,timestamp\n{}",
        "a,x,1700000000\n".repeat(200_000)
    );
    let seen = look(&dir.file("long.csv", long), &Reading::default()).expect("looks");
    assert_eq!((seen.rows, seen.looked_at), (Some(200_000), 1000));
}

#[test]
fn feeds_in_xml_are_read_and_damaged_ones_refused() {
    let dir = Folder::new();
    let feed = "<?xml version=\"1.0\"?><feed xmlns:g=\"x\"><title>Shop</title>\
        <entry><g:id>a</g:id><title>Caf&#233; &amp; <![CDATA[<b>]]></title><g:price>3 EUR</g:price></entry>\
        <entry><g:id>b</g:id><link href=\"/b\"/><g:shipping><g:id>no</g:id></g:shipping></entry></feed>";
    let reading = Reading::of([("item_id".to_owned(), "id".to_owned())].into());
    let read = |text: &str| {
        let mut bad = BadRows::default();
        items(&dir.file("feed.xml", text), &reading, false, &mut bad).map_err(|e| e.to_string())
    };
    let found = read(feed).expect("reads");
    assert_eq!(found.items["a"].title.as_deref(), Some("Café & <b>"));
    assert_eq!((found.items.len(), &found.items["b"].title), (2, &None));
    for end in [feed.len() - 3, 100, 60] {
        let error = read(&feed[..end]).expect_err("cut");
        assert!(error.contains("not a readable XML file"), "{error}");
    }
    let seen = look(&dir.file("feed.xml", feed), &Reading::default()).expect("looks");
    assert!(
        seen.format.contains("XML") && seen.command.contains("--items"),
        "{seen:?}"
    );
    assert_eq!(seen.rows, Some(2));
}

#[test]
fn objects_as_python_prints_them_are_read() {
    let dir = Folder::new();
    let text = "{u'user_id': u'ann', 'item_id': \"it's\", 'timestamp': 5L}\n{'user_id': broken}\n";
    let log = read(&dir.file("a.json", text), &[]).expect("reads");
    assert_eq!((clicks(&log), log.bad.count), (vec![("ann", "it's", 5)], 1));
}
