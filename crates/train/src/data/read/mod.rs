//! Reading interaction and item files: CSV (or TSV), JSON lines and Parquet, told apart by their
//! extension. What cannot be read is counted and shown with file and line; it never stops the
//! reading unless asked to.

mod delimited;
mod json_lines;
mod parquet;
mod time;

use super::{BadRow, InputError, Item};
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

/// One row, cells in the order that was asked for; `None` where the row has no such cell.
pub type Row = Vec<Option<String>>;

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
    /// Rows read, good and bad.
    pub rows: usize,
    /// What could not be read.
    pub bad: BadRows,
}

/// Strings by number.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    /// All names, by number.
    pub fn list(&self) -> &[String] {
        &self.list
    }

    fn number(&mut self, name: String) -> u32 {
        if let Some(&number) = self.numbers.get(&name) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
}

/// What an items file says.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Items by id.
    pub items: HashMap<String, Item>,
    /// Rows about an item that had one already.
    pub repeated: usize,
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
    fn note(&mut self, file: &Path, line: usize, reason: String) -> Result<(), InputError> {
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
type Sink<'a> = dyn FnMut(usize, Result<Row, String>) -> Result<(), InputError> + 'a;

/// Reads the named columns of a file, `needed` of which it must have.
fn rows(
    file: &Path,
    names: &[&'static str],
    needed: usize,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    let theirs: Vec<String> = (names.iter())
        .map(|&name| {
            columns
                .get(name)
                .cloned()
                .unwrap_or_else(|| name.to_owned())
        })
        .collect();
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
struct Wanted<'a> {
    file: &'a Path,
    names: &'a [&'static str],
    theirs: Vec<String>,
    needed: usize,
}

impl Wanted<'_> {
    /// The place of each wanted column among `found`.
    fn places(&self, found: &[String]) -> Result<Vec<Option<usize>>, InputError> {
        // A name given for one file does not have to hold in the other: ours will do as well.
        let place = |(theirs, ours): (&String, &&str)| {
            let at = |wanted: &str| found.iter().position(|name| name == wanted);
            at(theirs).or_else(|| at(ours))
        };
        let places: Vec<Option<usize>> = self.theirs.iter().zip(self.names).map(place).collect();
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
    let names = ["user_id", "item_id", "timestamp"];
    rows(file, &names, 3, columns, &mut |line, row| {
        log.rows += 1;
        match row.and_then(click) {
            Ok((user, item, time)) => {
                let (user, item) = (log.users.number(user), log.items.number(item));
                log.clicks.push(Click { user, item, time });
                Ok(())
            }
            Err(reason) => log.bad.note(file, line, reason),
        }
    })
}

fn click(row: Row) -> Result<(String, String, i64), String> {
    let mut cells = row.into_iter();
    let mut id = |name: &str| {
        let cell = cells.next().flatten().filter(|cell| !cell.is_empty());
        let cell = cell.ok_or_else(|| format!("{name} is empty"))?;
        if cell.len() > LONGEST_ID {
            return Err(format!("{name} is {} bytes long", cell.len()));
        }
        Ok(cell)
    };
    let (user, item) = (id("user_id")?, id("item_id")?);
    let time = time::parse(&id("timestamp")?)?;
    Ok((user, item, time))
}

/// Reads an items file: titles and categories by id. The first of several rows for an id counts.
///
/// # Errors
/// As [`interactions`].
pub fn items(file: &Path, columns: &Columns, bad: &mut BadRows) -> Result<Catalogue, InputError> {
    let mut catalogue = Catalogue::default();
    rows(
        file,
        &["item_id", "title", "category"],
        1,
        columns,
        &mut |line, row| {
            let mut cells = match row {
                Ok(row) => row
                    .into_iter()
                    .map(|cell| cell.filter(|text| !text.trim().is_empty())),
                Err(reason) => return bad.note(file, line, reason),
            };
            let Some(id) = cells.next().flatten() else {
                return bad.note(file, line, "item_id is empty".to_owned());
            };
            let (title, category) = (cells.next().flatten(), cells.next().flatten());
            let item = Item {
                id: id.clone(),
                title,
                category,
            };
            if let Entry::Vacant(place) = catalogue.items.entry(id) {
                place.insert(item);
            } else {
                catalogue.repeated += 1;
            }
            Ok(())
        },
    )?;
    Ok(catalogue)
}

#[cfg(test)]
mod tests;
