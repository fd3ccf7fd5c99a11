//! Readers of interaction, window and item files: CSV (or TSV), JSON lines and Parquet, chosen by extension. Bad
//! rows are counted and shown with file and line; they end the reading only if asked to.

mod delimited;
mod json_lines;
mod parquet;
mod time;
mod weight;
mod windows;

pub use weight::Worths;
pub use windows::{Window, Windows, windows};

use super::error::{beginning, excerpt};
use super::names::Names;
use super::{BadRow, InputError};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::path::Path;

/// Longest accepted id, in bytes.
const LONGEST_ID: usize = 1024;
/// Characters of what a decoder says.
const REASON: usize = 500;
/// Number of bad rows that are shown; all are counted.
const SHOWN: usize = 10;

/// Column names of the file, by standard name: `{"user_id": "customer"}`.
pub type Columns = HashMap<String, String>;

/// One row of `N` columns in the requested order; `None` if the row has no such cell. It borrows the reader's
/// buffer until the next row.
pub type Row<'a, const N: usize> = [Option<&'a str>; N];

/// A click of a log; user and item are numbers.
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
    /// Weight of each click as a target, `0.0..=1.0`; empty unless requested.
    pub weights: Vec<f32>,
    /// Weights of the values of a column, if requested.
    pub worths: Option<Worths>,
    /// Rows read, good and bad.
    pub rows: usize,
    /// Rows that could not be read.
    pub bad: BadRows,
}

/// Contents of an items file.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Title and category of each item, by id.
    pub items: HashMap<String, Labels>,
    /// Repeated rows for an item.
    pub repeated: BadRows,
}

/// Title and category of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The title.
    pub title: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// Line of the file, counted from 1.
    pub line: usize,
}

/// Rows that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// Whether the first one is an error.
    pub strict: bool,
    /// Number of such rows.
    pub count: usize,
    /// The first few.
    pub shown: Vec<BadRow>,
}

impl BadRows {
    /// Counts a bad row.
    ///
    /// # Errors
    /// If bad rows are errors.
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

/// Receives rows from a reader: the line, and the cells or the reason why there are none.
type Sink<'a, const N: usize> =
    dyn FnMut(usize, Result<Row<'_, N>, String>) -> Result<(), InputError> + 'a;

/// Reads the named columns of a file; the first `needed` must exist.
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

/// The columns that a reader looks for.
struct Wanted<'a, const N: usize> {
    file: &'a Path,
    names: &'a [&'static str; N],
    theirs: [String; N],
    needed: usize,
}

impl<const N: usize> Wanted<'_, N> {
    /// The index of each wanted column among `found`.
    fn places(&self, found: &[String]) -> Result<[Option<usize>; N], InputError> {
        // A column name given for one file need not exist in the other; the standard name is accepted as well.
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
            // A decoder may quote as much of the file as it likes.
            reason: beginning(&reason.to_string(), REASON),
        }
    }

    fn open(&self) -> Result<File, InputError> {
        File::open(self.file).map_err(InputError::read(self.file))
    }
}

/// Reads one interaction file into `log`.
///
/// # Errors
/// If the file or a column is missing, the file is damaged, or a row is bad and `bad.strict` is set.
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
    /// Adds a click, with its weight if requested, or notes why the row is bad.
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

/// Reads titles and categories from an items file. The first of several rows for an id is used. If `titled`, the
/// file must have a column of titles.
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
            let reason = format!("item {} has a row already", excerpt(id));
            catalogue.repeated.note(file, line, reason)
        },
    )?;
    Ok(catalogue)
}

#[cfg(test)]
mod tests;
