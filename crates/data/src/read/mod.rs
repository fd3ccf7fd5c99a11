//! Reading interaction, window and item files: CSV (or TSV), JSON lines and Parquet, told apart by their
//! extension. What cannot be read is counted and shown with file and line; it never stops the
//! reading unless asked to.

mod delimited;
mod json_lines;
mod parquet;
mod time;
mod weight;
mod windows;

pub use weight::Worths;
pub use windows::{Window, Windows, windows};

use super::names::Names;
use super::{BadRow, InputError};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::path::Path;

/// Longest id that is believed to be one, in bytes.
const LONGEST_ID: usize = 1024;
/// Bad rows that are shown; all are counted.
const SHOWN: usize = 10;

/// Theirs for ours: `{"user_id": "customer"}`.
pub type Columns = HashMap<String, String>;

/// One row of `N` columns, cells in the order that was asked for; `None` where the row has no such cell. It lives
/// as long as the reader stays on it: what is to stay is copied.
pub type Row<'a, const N: usize> = [Option<&'a str>; N];

/// A click as it stands in a log, user and item by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// Number of the user in [`Log::users`].
    pub user: u32,
    /// Number of the item in [`Log::items`].
    pub item: u32,
    /// Time in the unit of the log.
    pub time: i64,
}

/// All clicks of some files, in the order read.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// User ids.
    pub users: Names,
    /// Item ids.
    pub items: Names,
    /// The clicks.
    pub clicks: Vec<Click>,
    /// How much each click counts as a target, `0.0..=1.0`; empty where that is not asked for.
    pub weights: Vec<f32>,
    /// What a column of weights says, where one is asked for.
    pub worths: Option<Worths>,
    /// Rows read, good and bad.
    pub rows: usize,
    /// What could not be read.
    pub bad: BadRows,
}

/// What an items file says.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// What is said of each item, by id.
    pub items: HashMap<String, Labels>,
    /// Rows about an item that had one already.
    pub repeated: BadRows,
}

/// What an items file says of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// What the shop calls it.
    pub title: Option<String>,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// Where that is said: a line of the file, counted from 1.
    pub line: usize,
}

/// Rows that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// Whether the first one is an error.
    pub strict: bool,
    /// How many there were.
    pub count: usize,
    /// The first few.
    pub shown: Vec<BadRow>,
}

impl BadRows {
    /// Counts a row that cannot be used.
    ///
    /// # Errors
    /// If such rows are fatal.
    pub fn note(&mut self, file: &Path, line: usize, reason: String) -> Result<(), InputError> {
        let file = file.display().to_string();
        let row = BadRow {
            file,
            line: line as u64,
            reason,
        };
        if self.strict {
            return Err(InputError::Row(row));
        }
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(row);
        }
        Ok(())
    }
}

/// Where a reader hands its rows: the line, and the cells or why there are none.
type Sink<'a, const N: usize> =
    dyn FnMut(usize, Result<Row<'_, N>, String>) -> Result<(), InputError> + 'a;

/// Reads the named columns of a file, `needed` of which it must have.
fn rows<const N: usize>(
    file: &Path,
    names: &[&'static str; N],
    needed: usize,
    columns: &Columns,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let theirs = names.map(|name| columns.get(name).map_or(name, String::as_str).to_owned());
    let wanted = Wanted {
        file,
        names,
        theirs,
        needed,
    };
    let extension = file
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match extension.as_str() {
        "csv" => delimited::read(&wanted, b',', sink),
        "tsv" => delimited::read(&wanted, b'\t', sink),
        "jsonl" | "ndjson" => json_lines::read(&wanted, sink),
        "parquet" => parquet::read(&wanted, sink),
        _ => Err(InputError::Format {
            path: file.to_owned(),
        }),
    }
}

/// The columns a reader looks for.
struct Wanted<'a, const N: usize> {
    file: &'a Path,
    names: &'a [&'static str; N],
    theirs: [String; N],
    needed: usize,
}

impl<const N: usize> Wanted<'_, N> {
    /// The place of each wanted column among `found`.
    fn places(&self, found: &[String]) -> Result<[Option<usize>; N], InputError> {
        // A name given for one file does not have to hold in the other: ours will do as well.
        let at = |wanted: &str| found.iter().position(|name| name == wanted);
        let place = |column: usize| at(&self.theirs[column]).or_else(|| at(self.names[column]));
        let places: [Option<usize>; N] = std::array::from_fn(place);
        let Some(missing) = places[..self.needed].iter().position(Option::is_none) else {
            return Ok(places);
        };
        Err(InputError::Columns {
            path: self.file.to_owned(),
            ours: self.names[missing],
            missing: self.theirs[missing].clone(),
            found: found.to_vec(),
        })
    }

    fn unreadable(&self, format: &'static str, reason: impl std::fmt::Display) -> InputError {
        InputError::Unreadable {
            path: self.file.to_owned(),
            format,
            reason: reason.to_string(),
        }
    }

    fn open(&self) -> Result<File, InputError> {
        File::open(self.file).map_err(InputError::read(self.file))
    }
}

/// Reads one interaction file into `log`.
///
/// # Errors
/// If the file or a column is missing, the file is damaged, or a row is bad and `bad.strict`.
pub fn interactions(file: &Path, columns: &Columns, log: &mut Log) -> Result<(), InputError> {
    let Some(worths) = log.worths.clone() else {
        let names = ["user_id", "item_id", "timestamp"];
        return rows(file, &names, 3, columns, &mut |line, row| {
            let row = row.and_then(|row| Ok((click(row)?, None)));
            log.add(file, line, row)
        });
    };
    let names = ["user_id", "item_id", "timestamp", "weight"];
    rows(file, &names, 4, columns, &mut |line, row| {
        let row = row.and_then(|[user, item, time, weight]| {
            Ok((click([user, item, time])?, Some(worths.of(weight)?)))
        });
        log.add(file, line, row)
    })
}

impl Log {
    /// Adds a click with its weight, if those are asked for, or notes why a row is none.
    fn add(
        &mut self,
        file: &Path,
        line: usize,
        row: Result<(Cells<'_>, Option<f32>), String>,
    ) -> Result<(), InputError> {
        self.rows += 1;
        match row {
            Ok(((user, item, time), weight)) => {
                let (user, item) = (self.users.number(user), self.items.number(item));
                self.clicks.push(Click { user, item, time });
                self.weights.extend(weight);
                Ok(())
            }
            Err(reason) => self.bad.note(file, line, reason),
        }
    }
}

/// User, item and time of a row.
type Cells<'a> = (&'a str, &'a str, i64);

fn click([user, item, time]: Row<'_, 3>) -> Result<Cells<'_>, String> {
    let (user, item) = (id("user_id", user)?, id("item_id", item)?);
    Ok((user, item, time::parse(id("timestamp", time)?)?))
}

fn id<'a>(name: &str, cell: Option<&'a str>) -> Result<&'a str, String> {
    let cell = cell.filter(|cell| !cell.is_empty());
    let cell = cell.ok_or_else(|| format!("{name} is empty"))?;
    if cell.len() > LONGEST_ID {
        return Err(format!("{name} is {} bytes long", cell.len()));
    }
    Ok(cell)
}

/// Reads an items file: titles and categories by id. The first of several rows for an id counts. If `titled`,
/// the file must have a column of titles.
///
/// # Errors
/// As [`interactions`].
pub fn items(
    file: &Path,
    columns: &Columns,
    titled: bool,
    bad: &mut BadRows,
) -> Result<Catalogue, InputError> {
    let mut catalogue = Catalogue::default();
    rows(
        file,
        &["item_id", "title", "category"],
        if titled { 2 } else { 1 },
        columns,
        &mut |line, row| {
            let [id, title, category] = match row {
                Ok(row) => row.map(|cell| cell.filter(|text| !text.trim().is_empty())),
                Err(reason) => return bad.note(file, line, reason),
            };
            let Some(id) = id else {
                return bad.note(file, line, "item_id is empty".to_owned());
            };
            if let Entry::Vacant(place) = catalogue.items.entry(id.to_owned()) {
                let [title, category] = [title, category].map(|text| text.map(str::to_owned));
                place.insert(Labels {
                    title,
                    category,
                    line,
                });
                return Ok(());
            }
            let reason = format!("item {id} has a row already");
            catalogue.repeated.note(file, line, reason)
        },
    )?;
    Ok(catalogue)
}

#[cfg(test)]
mod tests;
