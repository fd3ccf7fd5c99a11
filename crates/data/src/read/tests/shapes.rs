//! Tests of the shapes in which people have logs.

use super::*;
use arrow::array::{ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use flate2::write::GzEncoder;
use std::io::Write as _;

const CSV: &str = "user_id,item_id,timestamp\nann,x,5\nbob,y,6\n";
const CLICKS: [(&str, &str, i64); 2] = [("ann", "x", 5), ("bob", "y", 6)];

pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("packs");
    packed.finish().expect("packs")
}

fn with(file: &Path, reading: &Reading) -> Result<Log, String> {
    let mut log = Log::default();
    interactions(file, reading, &mut log).map_err(|e| e.to_string())?;
    Ok(log)
}

#[test]
fn packed_files_are_unpacked_whatever_their_names_are() {
    let dir = Folder::new();
    let zstd = zstd::encode_all(CSV.as_bytes(), 1).expect("packs");
    let twice = [
        gzip("user_id,item_id,timestamp\nann,x,5\n"),
        gzip("bob,y,6\n"),
    ]
    .concat();
    for (name, bytes) in [
        ("a.csv.gz", gzip(CSV)),
        ("a.csv", gzip(CSV)),
        ("b.csv.zst", zstd),
        ("c.csv.gz", twice),
    ] {
        let log = read(&dir.file(name, bytes), &[]).expect(name);
        assert_eq!(
            (clicks(&log), log.notes.len()),
            (CLICKS.to_vec(), 0),
            "{name}"
        );
    }
    let lines = gzip("{\"user_id\":\"ann\",\"item_id\":\"x\",\"timestamp\":5}\n");
    assert_eq!(
        clicks(&read(&dir.file("a.json.gz", lines), &[]).expect("reads")),
        CLICKS[..1]
    );
    let cut = &gzip(CSV)[..30];
    let error = read(&dir.file("cut.csv.gz", cut), &[]).expect_err("cut");
    assert!(
        error.contains("gzip") && error.contains("too early"),
        "{error}"
    );
    // Past the beginning, by which the layout is told, a damaged file is refused as well.
    let long = format!("{CSV}{}", "ann,x,7\n".repeat(400_000));
    let long = gzip(&long);
    let error = read(&dir.file("long.csv.gz", &long[..long.len() - 9]), &[]).expect_err("cut");
    assert!(error.contains("long.csv.gz"), "{error}");
}

#[test]
fn json_is_lines_or_an_array_whatever_it_is_called() {
    let dir = Folder::new();
    let one = r#"{"user_id":"ann","item_id":"x","timestamp":5}"#;
    let two = r#"{"timestamp":6,"user_id":"bob","item_id":"y"}"#;
    for (name, text) in [
        ("a.json", format!("{one}\n{two}\n")),
        ("b.json", format!("[{one},\n {two}]")),
        ("c.jsonl", format!("\u{feff} [ {one}, {two} ]\n")),
        ("part-00000", format!("{one}\n{two}\n")),
        ("d.txt", format!("[{one},{two}]")),
    ] {
        let log = read(&dir.file(name, text), &[]).expect(name);
        assert_eq!(clicks(&log), CLICKS, "{name}");
    }
    let log = read(&dir.file("e.json", format!("[{one}, 7]")), &[]).expect("reads");
    assert_eq!(
        log.bad.shown()[0].to_string().rsplit(':').next(),
        Some(" no JSON object")
    );
    for (text, due) in [
        (format!("[{one},"), "not a readable JSON file"),
        ("{\n  \"user_id\": 1\n}\n".to_owned(), "an object a line"),
        ("[]".to_owned(), ""),
    ] {
        match read(&dir.file("f.json", &text), &[]) {
            Ok(log) => assert!(due.is_empty() && log.rows == 0, "{text}"),
            Err(error) => assert!(!due.is_empty() && error.contains(due), "{error}"),
        }
    }
}

#[test]
fn keys_that_are_left_out_cost_their_row_alone_in_any_order() {
    let dir = Folder::new();
    let mut lines = [
        r#"{"item_id":"x","timestamp":1}"#,
        r#"{"item_id":"x","user_id":"ann","timestamp":2}"#,
        r#"{"user_id":"ann","timestamp":3}"#,
        r#"{"item_id":"y","user_id":"bob","timestamp":4}"#,
    ];
    for _ in 0..lines.len() {
        lines.rotate_left(1);
        let log = read(&dir.file("a.jsonl", lines.join("\n")), &[]).expect("reads");
        let mut found = clicks(&log);
        found.sort_by_key(|click| click.2);
        assert_eq!(found, [("ann", "x", 2), ("bob", "y", 4)]);
        assert_eq!((log.rows, log.bad.count), (4, 2));
    }
    let error = read(
        &dir.file("b.jsonl", lines.join("\n").replace("user_id", "customer")),
        &[],
    );
    let error = error.expect_err("no user_id");
    assert!(error.contains("--column user_id=customer"), "{error}");
}

#[test]
fn delimiters_are_found_and_said_or_given() {
    let dir = Folder::new();
    for (name, text, said) in [
        (
            "a.csv",
            "user_id;item_id;timestamp;price\nann;x;5;3,50\nbob;y;6;1,20\n",
            "; between",
        ),
        (
            "a.dat",
            "user_id::item_id::timestamp\nann::x::5\nbob::y::6\n",
            ":: between",
        ),
        (
            "a.txt",
            "user_id\titem_id\ttimestamp\nann\tx\t5\nbob\ty\t6\n",
            "tabs between",
        ),
        (
            "b.txt",
            "user_id|item_id|timestamp\nann|x|5\nbob|y|6\n",
            "| between",
        ),
        ("a.data", CSV, ", between"),
    ] {
        let log = read(&dir.file(name, text), &[]).expect(name);
        assert_eq!(clicks(&log), CLICKS, "{name}");
        assert!(
            log.notes.len() == 1 && log.notes[0].contains(said),
            "{:?}",
            log.notes
        );
    }
    let mut reading = Reading::default();
    reading.delimited_by("~").expect("a delimiter");
    let log = with(&dir.file("c.csv", CSV.replace(',', "~")), &reading).expect("reads");
    assert_eq!(clicks(&log), CLICKS);
    assert!(reading.delimited_by("\"").is_err() && reading.delimited_by("").is_err());
}

#[test]
fn text_that_cannot_be_utf_8_is_latin_1_and_said_to_be() {
    let dir = Folder::new();
    let latin = b"user_id,item_id,timestamp\nann,caf\xe9,5\n";
    let log = read(&dir.file("a.csv", latin), &[]).expect("reads");
    assert_eq!(clicks(&log), [("ann", "café", 5)]);
    assert!(log.notes[0].contains("windows-1252"), "{:?}", log.notes);
    let wide: Vec<u8> = "\u{feff}user_id\titem_id\ttimestamp\nann\tcafé\t5\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let log = read(&dir.file("b.csv", wide), &[]).expect("reads");
    assert_eq!(clicks(&log), [("ann", "café", 5)]);
    let mut reading = Reading::default();
    reading.encoded_as("iso-8859-7").expect("Greek");
    let greek = b"user_id,item_id,timestamp\nann,\xe1\xe2\xe3,5\n";
    assert_eq!(
        clicks(&with(&dir.file("c.csv", greek), &reading).expect("reads"))[0].1,
        "αβγ"
    );
    assert!(reading.encoded_as("klingon").is_err());
}

#[test]
fn a_first_line_of_data_is_no_header_and_no_click_is_lost() {
    let dir = Folder::new();
    let text = "31,7001,900,pv,1512000070\n31,7002,900,cart,1512000170\n";
    let file = dir.file("log.csv", text);
    let error = read(&file, &[]).expect_err("which is which");
    assert!(
        error.contains("no header") && error.contains("31,7001") && error.contains("PLACE"),
        "{error}"
    );
    let obeyed = [
        ("user_id", "31"),
        ("item_id", "7001"),
        ("timestamp", "1512000070"),
    ];
    assert!(
        read(&file, &obeyed)
            .expect_err("not names")
            .contains("no header")
    );
    let places = [("user_id", "1"), ("item_id", "2"), ("timestamp", "5")];
    let log = read(&file, &places).expect("reads");
    assert_eq!(
        clicks(&log),
        [("31", "7001", 1_512_000_070), ("31", "7002", 1_512_000_170)]
    );
    assert!(log.notes[0].contains("without a header"), "{:?}", log.notes);
    // A header with a year in it is one.
    let years = dir.file("years.csv", "user_id,item_id,timestamp,2019\nann,x,5,1\n");
    assert_eq!(clicks(&read(&years, &[]).expect("reads")), CLICKS[..1]);
    let words = dir.file("words.tsv", "x\tA lamp\ny\tA chair\n");
    let reading = Reading {
        columns: [("item_id", "1"), ("title", "2")]
            .map(|(a, b)| (a.into(), b.into()))
            .into(),
        header: Some(false),
        ..Reading::default()
    };
    let found = items(&words, &reading, true, &mut BadRows::default()).expect("reads");
    assert_eq!(found.items["x"].title.as_deref(), Some("A lamp"));
}

#[test]
fn a_quote_in_a_feed_of_tabs_is_a_letter() {
    let dir = Folder::new();
    let feed = "id\ttitle\tprice\nF1\t\"Retro\" mirror\t3\nF2\t\"Sunset print, 12 inch\t4\n\
        F3\tFrame 24\" black\t5\nF4\t\"Quoted \"\"all\"\" over\"\t6\nF5\t\"a\ttab\"\t7\nF6\tcut\n";
    let reading = Reading::of([("item_id".to_owned(), "id".to_owned())].into());
    let mut bad = BadRows::default();
    let found = items(&dir.file("feed.tsv", feed), &reading, true, &mut bad).expect("reads");
    let title = |id: &str| found.items[id].title.clone().unwrap_or_default();
    let titles = ["F1", "F2", "F3", "F4", "F5"].map(title);
    let due = [
        "\"Retro\" mirror",
        "\"Sunset print, 12 inch",
        "Frame 24\" black",
        "Quoted \"all\" over",
        "a\ttab",
    ];
    assert_eq!(titles, due);
    assert!(
        bad.count == 1 && bad.shown()[0].reason.starts_with("2 cells"),
        "{bad:?}"
    );
    let csv = "user_id,item_id,timestamp\nann,\"x,1\nbob,y,2\ncat,\"z,3\ndan,w,4\n";
    let log = read(&dir.file("a.csv", csv), &[]).expect("reads");
    assert!(
        log.notes
            .iter()
            .any(|note| note.contains("a quote that is not closed")),
        "{:?}",
        log.notes
    );
}

#[test]
fn paths_lead_into_objects_and_every_entry_of_a_list_is_a_row() {
    let dir = Folder::new();
    let events = r#"{"session":9,"events":[{"aid":1,"ts":10},{"aid":2,"ts":11}]}
{"session":8,"events":[]}
{"session":7,"events":[{"aid":3,"ts":12}]}
"#;
    let file = dir.file("a.jsonl", events);
    for path in ["events.", "events[]."] {
        let (item, time) = (format!("{path}aid"), format!("{path}ts"));
        let columns = [
            ("user_id", "session"),
            ("item_id", &*item),
            ("timestamp", &*time),
        ];
        let log = read(&file, &columns).expect("reads");
        assert_eq!(
            clicks(&log),
            [("9", "1", 10), ("9", "2", 11), ("7", "3", 12)]
        );
        assert_eq!((log.rows, log.bad.count), (3, 0));
        assert!(
            log.notes[0].contains("1 objects have an empty list"),
            "{:?}",
            log.notes
        );
    }
    let orders = r#"{"at":5,"user":{"id":"ann"},"lines":[{"sku":"x"},{"sku":"y"}],"tags":["new"]}"#;
    let columns = [
        ("user_id", "user.id"),
        ("item_id", "lines.sku"),
        ("timestamp", "at"),
    ];
    let log = read(&dir.file("b.json", orders), &columns).expect("reads");
    assert_eq!(clicks(&log), [("ann", "x", 5), ("ann", "y", 5)]);
    let error = read(&dir.file("c.json", orders), &columns[..1]).expect_err("item_id");
    assert!(
        error.contains("lines.sku") && error.contains("user.id"),
        "{error}"
    );
    let twins = r#"{"user_id":1,"items":["x","y"],"times":[5,6]}
{"user_id":2,"items":["x","y"],"times":[5]}
"#;
    let columns = [("item_id", "items"), ("timestamp", "times")];
    let log = read(&dir.file("d.jsonl", twins), &columns).expect("reads");
    assert_eq!(clicks(&log), [("1", "x", 5), ("1", "y", 6)]);
    assert!(log.bad.shown()[0].reason.contains("unequal length"));
}

#[test]
fn nested_parquet_is_read_as_nested_json_is() {
    let dir = Folder::new();
    let aid: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let ts: ArrayRef = Arc::new(Int64Array::from(vec![5, 6, 7]));
    let fields = vec![
        Field::new("aid", DataType::Utf8, true),
        Field::new("ts", DataType::Int64, true),
    ];
    let entries: ArrayRef = Arc::new(StructArray::new(fields.clone().into(), vec![aid, ts], None));
    let list: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new("element", DataType::Struct(fields.into()), true)),
        arrow::buffer::OffsetBuffer::from_lengths([2, 0, 1]),
        entries,
        None,
    ));
    let users: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let bytes = parquet(vec![("user_id", users), ("events", list)]);
    let columns = [("item_id", "events.aid"), ("timestamp", "events.ts")];
    let log = read(&dir.file("a.parquet", bytes), &columns).expect("reads");
    assert_eq!(clicks(&log), [("1", "x", 5), ("1", "y", 6), ("3", "z", 7)]);
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let numbers = [Some(vec![Some(1), Some(2)]), None];
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(numbers));
    let bytes = parquet(vec![("item_id", ids), ("category", lists)]);
    let file = dir.file("items.parquet", bytes);
    let found = items(&file, &Reading::default(), false, &mut BadRows::default()).expect("reads");
    assert_eq!(found.items["x"].category.as_deref(), Some("1 > 2"));
    assert_eq!(found.items["y"].category, None);
}

#[test]
fn a_category_that_is_a_list_is_joined_and_never_costs_the_title() {
    let dir = Folder::new();
    let text = r#"{"item_id":"a","title":"Hose","category":["Garden","Hoses"]}
{"item_id":"b","title":"Barrel","category":[]}
{"item_id":"c","title":"Nozzle","category":[["Garden","Watering"],["Tools"]]}
{"item_id":"d","title":"Reel","category":{"name":"Garden"}}
{"item_id":"e","title":["Rain","coat"],"category":null}
"#;
    let mut bad = BadRows::default();
    let found = items(
        &dir.file("a.jsonl", text),
        &Reading::default(),
        true,
        &mut bad,
    )
    .expect("reads");
    let category = |id: &str| found.items[id].category.clone();
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(category),
        [
            Some("Garden > Hoses".to_owned()),
            None,
            Some("Garden > Watering".to_owned()),
            None,
            None
        ]
    );
    assert_eq!(
        (found.items["e"].title.as_deref(), bad.count),
        (Some("Rain coat"), 0)
    );
    assert!(
        found.notes[0].contains("1 titles or categories"),
        "{:?}",
        found.notes
    );
    let named =
        r#"{"item_id":"a","title":"Hose","categories":[{"name":"Garden"},{"name":"Hoses"}]}"#;
    let reading = Reading::of([("category".to_owned(), "categories.name".to_owned())].into());
    let found = items(&dir.file("b.json", named), &reading, true, &mut bad).expect("reads");
    assert_eq!(found.items["a"].category.as_deref(), Some("Garden > Hoses"));
    assert_eq!(found.repeated.count, 0);
}

#[test]
fn a_folder_stands_for_the_files_in_it() {
    let dir = Folder::new();
    let below = dir.0.path().join("day=2");
    fs::create_dir(&below).expect("a folder");
    for (name, text) in [
        ("part-1.csv", CSV),
        ("part-0.csv", CSV),
        ("_SUCCESS", ""),
        (".part-0.csv.crc", "x"),
        ("day=2/part-2.csv", CSV),
    ] {
        dir.file(name, text);
    }
    let found = files(&[dir.0.path().to_owned()]).expect("files");
    let names = found
        .iter()
        .map(|path| path.strip_prefix(dir.0.path()).expect("inside"));
    let names: Vec<String> = names.map(|name| name.display().to_string()).collect();
    assert_eq!(names, ["day=2/part-2.csv", "part-0.csv", "part-1.csv"]);
    fs::remove_file(below.join("part-2.csv")).expect("removes");
    let error = files(&[below]).expect_err("empty").to_string();
    assert!(error.contains("a folder without files"), "{error}");
}

#[test]
fn what_is_neither_text_nor_parquet_is_refused() {
    let dir = Folder::new();
    for (bytes, due) in [
        (&b"PK\x03\x04rest"[..], "zip archive"),
        (b"SQLite format 3\0", "neither text nor Parquet"),
    ] {
        let error = read(&dir.file("a.csv", bytes), &[]).expect_err(due);
        assert!(error.contains(due), "{error}");
    }
}
