//! A look at a file before it is read: its layout, its columns with examples, and which of them are ours.

use super::guess::{guess, shell};
use super::layout::{Format, Layout, said};
use super::open::Opened;
use super::{Reading, delimited, parquet, python, time, xml};
use crate::InputError;
use crate::error::excerpt;
use encoding_rs::UTF_8;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Rows that are looked at.
const ROWS: usize = 1000;
/// Examples of a column.
const EXAMPLES: usize = 3;
/// Columns that are shown.
const COLUMNS: usize = 200;
/// Different values up to which a column is a kind of something.
const VALUES: usize = 12;
/// Levels of nesting that are followed.
const DEEPEST: usize = 4;

/// What a file looks like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Look {
    /// The file.
    pub file: PathBuf,
    /// Its format in words.
    pub format: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many rows it has, if that could be told without reading all of it.
    pub rows: Option<usize>,
    /// How many rows were looked at.
    pub looked_at: usize,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What our columns are likely to be called there.
    pub guesses: Vec<(&'static str, String)>,
    /// In which unit times are, and what they span.
    pub times: Option<String>,
    /// The values of the column that looks like a kind of event, with their counts.
    pub events: BTreeMap<String, usize>,
    /// The command that reads the file, as far as it can be told.
    pub command: String,
}

/// A column of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name, or its path, or its place.
    pub name: String,
    /// The first different values.
    pub examples: Vec<String>,
    /// How many of the rows that were looked at have a value.
    pub filled: usize,
}

/// Cells of a row with the names of their columns.
type Cells = Vec<(String, String)>;

/// Looks at a file.
///
/// # Errors
/// If the file cannot be read or has no known format.
pub fn look(path: &Path, reading: &Reading) -> Result<Look, InputError> {
    let opened = Opened::new(path)?;
    let ours = ["user_id", "item_id", "timestamp", "title"];
    let wanted: Vec<&str> = ours.iter().map(|ours| reading.theirs(ours)).collect();
    let layout = Layout::of(path, &opened, reading, &wanted)?;
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let (rows, sample) = if layout.format == Format::Parquet {
        let (rows, objects) = parquet::sample(path, ROWS)?;
        (Some(rows), objects.iter().map(flat).collect())
    } else {
        let head = layout.encoding.decode(&opened.head).0.into_owned();
        let text = head.trim_start_matches('\u{feff}');
        let (sample, all): (Vec<Cells>, bool) = match &layout.format {
            Format::Cells(cells) => {
                let rows = delimited::sample(text, cells, ROWS + 1);
                let named = |row: Vec<String>| cells.columns.iter().cloned().zip(row).collect();
                (rows.into_iter().map(named).collect(), opened.whole)
            }
            Format::Xml => (
                xml::sample(text, ROWS + 1).iter().map(flat).collect(),
                opened.whole,
            ),
            Format::Array => (
                objects_of_array(text).iter().map(flat).collect(),
                opened.whole,
            ),
            _ => {
                let object = |line: &str| {
                    let json = serde_json::from_str(line).ok();
                    json.or_else(|| python::object(line.as_bytes()))
                };
                let objects = text.lines().filter_map(object);
                let rows = objects.take(ROWS + 1).map(|object| flat(&object));
                (rows.collect(), opened.whole)
            }
        };
        let all = all && sample.len() <= ROWS;
        let lines = matches!(&layout.format, Format::Lines | Format::Cells(_));
        // A line is a row, nearly.
        let rows = if all {
            Some(sample.len())
        } else {
            lines
                .then(|| count_lines(opened))
                .transpose()
                .unwrap_or_default()
        };
        (rows, sample)
    };
    let mut sample = sample;
    sample.truncate(ROWS);
    Ok(describe(path, reading, &layout, bytes, rows, &sample))
}

fn count_lines(opened: Opened) -> std::io::Result<usize> {
    let mut text = opened.all();
    let (mut lines, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match text.read(&mut buffer)? {
            0 => return Ok(lines),
            n => lines += buffer[..n].iter().filter(|&&byte| byte == b'\n').count(),
        }
    }
}

fn describe(
    path: &Path,
    reading: &Reading,
    layout: &Layout,
    bytes: u64,
    rows: Option<usize>,
    sample: &[Cells],
) -> Look {
    let mut columns: Vec<Column> = Vec::new();
    if let Format::Cells(cells) = &layout.format {
        columns.extend(cells.columns.iter().map(|name| Column {
            name: name.clone(),
            ..Column::default()
        }));
    }
    for (name, value) in sample.iter().flatten() {
        let place = columns.iter().position(|column| column.name == *name);
        if place.is_none() && columns.len() == COLUMNS {
            continue;
        }
        let place = place.unwrap_or_else(|| {
            columns.push(Column {
                name: name.clone(),
                ..Column::default()
            });
            columns.len() - 1
        });
        let column = &mut columns[place];
        if value.is_empty() {
            continue;
        }
        column.filled += 1;
        let example = excerpt(value);
        if column.examples.len() < EXAMPLES && !column.examples.contains(&example) {
            column.examples.push(example);
        }
    }
    columns.truncate(COLUMNS);
    let guesses = guesses(reading, &columns, sample);
    let values = |name: &str| -> Vec<&str> {
        let cells = sample.iter().flatten();
        cells
            .filter(|(column, _)| column == name)
            .map(|(_, value)| &**value)
            .collect()
    };
    let theirs = |ours: &str| {
        guesses
            .iter()
            .find(|(name, _)| *name == ours)
            .map(|(_, theirs)| theirs)
    };
    let times = theirs("timestamp").and_then(|name| time::span(&values(name)));
    let mut events = BTreeMap::new();
    for value in theirs("event").map(|name| values(name)).unwrap_or_default() {
        *events.entry(excerpt(value)).or_insert(0) += 1;
    }
    if events.len() > VALUES {
        events.clear();
    }
    Look {
        file: path.to_owned(),
        format: words(layout),
        bytes,
        rows: rows.map(|rows| match &layout.format {
            Format::Cells(cells) if cells.header && rows > sample.len() => rows - 1,
            _ => rows,
        }),
        looked_at: sample.len(),
        command: command(path, reading, layout, &guesses),
        columns,
        guesses,
        times,
        events,
    }
}

/// What our columns are likely to be called: as is said, by their names, or the one column that holds times.
fn guesses(reading: &Reading, columns: &[Column], sample: &[Cells]) -> Vec<(&'static str, String)> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut guesses: Vec<(&'static str, String)> = Vec::new();
    for ours in [
        "user_id",
        "item_id",
        "timestamp",
        "title",
        "category",
        "event",
        "weight",
    ] {
        let left: Vec<String> = (names.iter())
            .filter(|name| !guesses.iter().any(|(_, taken)| taken == *name))
            .cloned()
            .collect();
        let theirs = reading.columns.get(ours).cloned();
        let theirs = theirs.or_else(|| guess(ours, &left).map(str::to_owned));
        let theirs =
            theirs.or_else(|| (ours == "timestamp").then(|| time_column(&left, sample))?);
        guesses.extend(theirs.map(|theirs| (ours, theirs)));
    }
    guesses
}

/// The only column whose every value is a time of this century.
fn time_column(names: &[String], sample: &[Cells]) -> Option<String> {
    let is_time = |name: &&String| {
        let mut values = (sample.iter().flatten())
            .filter(|(column, value)| column == *name && !value.is_empty())
            .peekable();
        values.peek().is_some() && values.all(|(_, value)| time::is_moment(value))
    };
    let mut times = names.iter().filter(is_time);
    times.next().filter(|_| times.next().is_none()).cloned()
}

fn words(layout: &Layout) -> String {
    let mut words = match &layout.format {
        Format::Cells(cells) => {
            let header = if cells.header {
                "with a header"
            } else {
                "without a header"
            };
            format!(
                "lines of cells between {}, {header}",
                said(&cells.delimiter)
            )
        }
        Format::Lines => "JSON, an object a line".to_owned(),
        Format::Array => "JSON, an array of objects".to_owned(),
        Format::Xml => "XML, a feed of products".to_owned(),
        Format::Parquet => "Parquet".to_owned(),
    };
    if layout.format != Format::Parquet {
        words = format!("{words}, {}", layout.encoding.name());
    }
    if let Some(packed) = layout.packed {
        words = format!("{words}, packed with {packed}");
    }
    words
}

fn command(
    path: &Path,
    reading: &Reading,
    layout: &Layout,
    guesses: &[(&'static str, String)],
) -> String {
    let theirs = |ours: &str| {
        guesses
            .iter()
            .find(|(name, _)| *name == ours)
            .map(|(_, theirs)| &**theirs)
    };
    let is_log =
        theirs("user_id").is_some() || theirs("timestamp").is_some() || theirs("title").is_none();
    let (option, needed, optional): (_, &[_], &[_]) = if is_log {
        ("--interactions", &["user_id", "item_id", "timestamp"], &[])
    } else {
        (
            "--interactions LOG --items",
            &["item_id"],
            &["title", "category"],
        )
    };
    let mut words = vec![
        "ingle prepare".to_owned(),
        option.to_owned(),
        shell(&path.display().to_string()),
    ];
    let column = |ours: &str, theirs: &str| format!("--column {ours}={theirs}");
    for ours in needed {
        match theirs(ours) {
            Some(theirs) if theirs == *ours => {}
            Some(theirs) => words.push(column(ours, &shell(theirs))),
            None => words.push(column(ours, "THEIRS")),
        }
    }
    for ours in optional {
        let other = theirs(ours).filter(|theirs| theirs != ours);
        words.extend(other.map(|theirs| column(ours, &shell(theirs))));
    }
    if let Some(delimiter) = &reading.delimiter {
        let delimiter = if delimiter == "\t" { "tab" } else { delimiter };
        words.push(format!("--delimiter {}", shell(delimiter)));
    }
    if reading.encoding.is_some_and(|encoding| encoding != UTF_8) {
        words.push(format!("--encoding {}", layout.encoding.name()));
    }
    if reading.header == Some(false) {
        words.push("--no-header".to_owned());
    }
    let stem = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = stem
        .split('.')
        .next()
        .filter(|stem| !stem.is_empty())
        .unwrap_or("log");
    words.push(format!("--out {}", shell(&format!("data/{stem}"))));
    words.join(" ")
}

/// The objects of an array whose end may be missing.
fn objects_of_array(text: &str) -> Vec<Map<String, Value>> {
    let inner = text.trim_start().strip_prefix('[').unwrap_or(text);
    let (mut objects, mut rest) = (Vec::new(), inner);
    while objects.len() <= ROWS {
        let start = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let mut values =
            serde_json::Deserializer::from_str(start).into_iter::<Map<String, Value>>();
        let Some(Ok(object)) = values.next() else {
            break;
        };
        objects.push(object);
        rest = &start[values.byte_offset()..];
    }
    objects
}

/// The values of an object with their paths; of a list the first entry, or all if they are values.
fn flat(object: &Map<String, Value>) -> Cells {
    let mut cells = Vec::new();
    flatten(object, "", 0, &mut cells);
    cells
}

fn flatten(object: &Map<String, Value>, before: &str, depth: usize, cells: &mut Cells) {
    for (key, value) in object {
        let name = format!("{before}{key}");
        let inner = match value {
            Value::Object(inner) => Some(inner),
            Value::Array(entries) => entries.iter().find_map(Value::as_object),
            _ => None,
        };
        match (inner, value) {
            (Some(inner), _) if depth < DEEPEST => {
                flatten(inner, &format!("{name}."), depth + 1, cells);
            }
            (_, Value::Null) => cells.push((name, String::new())),
            (_, Value::String(text)) => cells.push((name, text.clone())),
            (_, other) => cells.push((name, other.to_string())),
        }
    }
}
