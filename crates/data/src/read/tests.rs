//! Tests of the readers, over files as people have them.

use super::*;
use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::record_batch::RecordBatch;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

mod any;
mod look;
mod shapes;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("writes");
        path
    }
}

fn read(file: &Path, columns: &[(&str, &str)]) -> Result<Log, String> {
    let columns = columns
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let mut log = Log::default();
    interactions(file, &Reading::of(columns), &mut log).map_err(|e| e.to_string())?;
    Ok(log)
}

fn clicks(log: &Log) -> Vec<(&str, &str, i64)> {
    let name = |click: &Click| {
        let user = &log.users.list()[click.user as usize];
        (user, &log.items.list()[click.item as usize], click.time)
    };
    log.clicks.iter().map(name).collect()
}

#[test]
fn ids_with_quotes_commas_and_emoji_survive() {
    let dir = Folder::new();
    let csv = dir.file(
        "a.csv",
        "user_id,item_id,timestamp\nann,\"a \"\"big\"\", bag 👜\",3\n",
    );
    let jsonl = dir.file(
        "a.jsonl",
        r#"{"user_id":"ann","item_id":"a \"big\", bag 👜","timestamp":3}"#,
    );
    for file in [csv, jsonl] {
        let log = read(&file, &[]).expect("reads");
        assert_eq!(clicks(&log), [("ann", "a \"big\", bag 👜", 3)]);
    }
}

#[test]
fn columns_may_be_named_and_ordered_otherwise() {
    let dir = Folder::new();
    let file = dir.file(
        "a.tsv",
        "\u{feff}price\twhen\tcustomer\titem_id\n9\t5\tbob\tx\n",
    );
    let map = [("user_id", "customer"), ("timestamp", "when")];
    assert_eq!(
        clicks(&read(&file, &map).expect("reads")),
        [("bob", "x", 5)]
    );
}

#[test]
fn a_missing_column_names_those_there_and_the_flag() {
    let dir = Folder::new();
    for (name, text) in [
        ("a.csv", "customer,item_id,timestamp\nx,y,1\n"),
        (
            "a.jsonl",
            "{\"customer\":\"x\",\"item_id\":\"y\",\"timestamp\":1}\n",
        ),
    ] {
        let error = read(&dir.file(name, text), &[]).expect_err("no user_id");
        assert!(
            error.contains("customer") && error.contains("--column user_id=customer"),
            "{error}"
        );
    }
}

#[test]
fn bad_rows_are_counted_with_their_lines() {
    let dir = Folder::new();
    let mut text = b"user_id,item_id,timestamp\n".to_vec();
    text.extend(b"a,x,1\na,x\n,x,1\na,,1\na,x,-5\na,x,soon\n");
    text.extend("a,é,-5\n".bytes());
    text.extend(b"a,\xff\xfe,1\n\"two\nlines\",x,1\nb,x,2\n");
    let log = read(&dir.file("a.csv", &text), &[]).expect("reads");
    assert_eq!(
        clicks(&log),
        [("a", "x", 1), ("two\nlines", "x", 1), ("b", "x", 2)]
    );
    assert_eq!((log.rows, log.bad.count), (10, 7));
    let shown: Vec<String> = log
        .bad
        .shown()
        .into_iter()
        .map(ToString::to_string)
        .collect();
    let shown = shown.join("\n");
    for part in [
        ":3: 2 cells",
        ":4: user_id",
        ":5: item_id",
        ":6: timestamp \"-5\"",
        ":7: timestamp \"soon\"",
        ":9: the text is not UTF-8",
    ] {
        assert!(shown.contains(part), "{part} not in {shown}");
    }
}

#[test]
fn only_the_first_bad_rows_are_shown() {
    let dir = Folder::new();
    let text = format!("user_id,item_id,timestamp\n{}", "a,x,never\n".repeat(500));
    let log = read(&dir.file("a.csv", text), &[]).expect("reads");
    assert_eq!((log.bad.count, log.bad.shown().len()), (500, 3));
}

#[test]
fn strict_makes_the_first_bad_row_an_error() {
    let dir = Folder::new();
    let file = dir.file(
        "a.jsonl",
        "{\"user_id\":1,\"item_id\":2,\"timestamp\":3}\nnot json\n",
    );
    let mut log = Log::default();
    log.bad.strict = true;
    let error = interactions(&file, &Reading::default(), &mut log)
        .expect_err("strict")
        .to_string();
    assert!(error.contains(":2: no JSON object"), "{error}");
}

#[test]
fn missing_empty_and_unknown_files_are_errors() {
    let dir = Folder::new();
    assert!(
        read(Path::new("nowhere.csv"), &[])
            .expect_err("missing")
            .contains("nowhere.csv")
    );
    for name in ["a.csv", "a.jsonl", "a.parquet"] {
        let error = read(&dir.file(name, ""), &[]).expect_err(name);
        assert!(error.contains(name), "{error}");
    }
    assert!(
        read(&dir.file("a.xlsx", "PK\x03\x04"), &[])
            .expect_err("format")
            .contains("Excel")
    );
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let mut bytes = Vec::new();
    let writer = ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None);
    let mut writer = writer.expect("a writer");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

#[test]
fn parquet_takes_text_and_numbers_and_times() {
    let dir = Folder::new();
    let items: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("👜")]));
    let users: ArrayRef = Arc::new(Int64Array::from(vec![7, 7, 8]));
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![5000, 6000, 7000]));
    let extra: ArrayRef = Arc::new(Int64Array::from(vec![0, 0, 0]));
    let bytes = parquet(vec![
        ("extra", extra),
        ("item_id", items),
        ("user_id", users),
        ("timestamp", times),
    ]);
    let log = read(&dir.file("a.parquet", &bytes), &[]).expect("reads");
    assert_eq!(clicks(&log), [("7", "x", 5000), ("8", "👜", 7000)]);
    assert_eq!(log.bad.shown().len(), 1);
    let error =
        read(&dir.file("b.parquet", &bytes[..bytes.len() / 2]), &[]).expect_err("truncated");
    assert!(error.contains("not a readable Parquet file"), "{error}");
}

#[test]
fn a_parquet_file_that_the_decoder_panics_at_is_refused() {
    let dir = Folder::new();
    let file = dir.file("a.parquet", include_bytes!("damaged.parquet"));
    let error = read(&file, &[]).expect_err("damaged");
    assert!(error.contains("not a readable Parquet file"), "{error}");
}

#[test]
fn titles_and_categories_are_optional() {
    let dir = Folder::new();
    let file = dir.file(
        "items.csv",
        "item_id,title\nx,A bag\ny,\nx,Another\n,lost\n",
    );
    let mut bad = BadRows::default();
    let items = items(&file, &Reading::default(), false, &mut bad).expect("reads");
    assert_eq!(items.items["x"].title.as_deref(), Some("A bag"));
    assert_eq!(
        (
            items.items["y"].title.as_deref(),
            items.items["y"].category.as_deref()
        ),
        (None, None)
    );
    assert_eq!(
        (items.items.len(), items.repeated.count, bad.count),
        (2, 1, 1)
    );
}

#[test]
fn a_bad_row_is_told_in_a_line_however_long_its_cells_are() {
    let dir = Folder::new();
    let long = "\u{1}".repeat(5000);
    let short = "\u{1}".repeat(1000);
    let logs = [
        format!("user_id,item_id,timestamp,weight\na,b,{short},1\n"),
        format!("user_id,item_id,timestamp,weight\na,b,1,{long}\n"),
    ];
    for (at, text) in logs.iter().enumerate() {
        let file = dir.file(&format!("{at}.csv"), text);
        for worths in [
            Worths::default(),
            Worths::new(&["5=1".to_owned()]).expect("a pair"),
        ] {
            let mut log = Log {
                worths: Some(worths),
                ..Log::default()
            };
            interactions(&file, &Reading::default(), &mut log).expect("reads");
            assert!(log.bad.shown()[0].reason.len() < 600, "{:?}", log.bad);
        }
    }
    let list = format!("{{\"user_id\":[{long:?}],\"item_id\":1,\"timestamp\":1}}");
    let log = read(&dir.file("a.jsonl", list.replace("\\u{1}", "x")), &[]).expect("reads");
    assert_eq!(
        log.bad.shown()[0].reason,
        "user_id is a list, neither text nor a number"
    );
    let columns = read(&dir.file("b.csv", vec!["name"; 4000].join(",")), &[]).expect_err("columns");
    assert!(columns.len() < 1400, "{columns}");
}
