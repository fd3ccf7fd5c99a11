//! Readers of interaction, window and item files: lines of cells, JSON and Parquet, plain or packed. How a file is laid
//! out is told by its beginning. Bad rows are counted and shown with file and line; they end the reading only if asked
//! to.

mod bad;
mod delimited;
mod files;
mod guess;
mod ids;
mod json;
mod layout;
mod look;
mod open;
mod parquet;
mod python;
mod reading;
mod time;
mod tree;
mod weight;
mod windows;
mod xml;

pub use bad::{BadRows, Kind};
pub use files::files;
pub use ids::{settle, settle_windows};
use layout::{Cells, Format, Layout};
pub use look::{Column, Look, look};
pub use reading::Reading;
pub use time::{Clock, Unit};
pub use weight::Worths;
pub use windows::{Window, Windows, windows};

use super::InputError;
use super::error::{beginning, excerpt};
use super::names::Names;
use encoding_rs::UTF_8;
use guess::guess;
pub(super) use guess::shell;
use open::{Opened, Transcoded};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Read;
use std::path::Path;
use time::Time;

/// Longest accepted id, in bytes.
const LONGEST_ID: usize = 1024;
/// Characters of what a decoder says.
const REASON: usize = 500;

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
    /// Time in the unit of [`Log::clock`].
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
    /// The unit of their times.
    pub clock: Clock,
    /// Weight of each click as a target, `0.0..=1.0`; empty unless requested.
    pub weights: Vec<f32>,
    /// Weights of the values of a column, if requested.
    pub worths: Option<Worths>,
    /// Rows read, good and bad.
    pub rows: usize,
    /// Rows that could not be read.
    pub bad: BadRows,
    /// How files were read, where that is not plain from their names.
    pub notes: Vec<String>,
}

/// Contents of an items file.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Title and category of each item, by id.
    pub items: HashMap<String, Labels>,
    /// Repeated rows for an item.
    pub repeated: BadRows,
    /// How the file was read, where that is not plain from its name.
    pub notes: Vec<String>,
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

/// Receives rows from a reader: the line, and the cells or the reason why there are none.
pub(super) type Sink<'a, const N: usize> =
    dyn FnMut(usize, Result<Row<'_, N>, String>) -> Result<(), InputError> + 'a;

/// Reads the named columns of a file; the first `needed` must exist. Returns notes on how it was read.
pub(super) fn rows<const N: usize>(
    file: &Path,
    names: &[&'static str; N],
    needed: usize,
    reading: &Reading,
    sink: &mut Sink<'_, N>,
) -> Result<Vec<String>, InputError> {
    let mut wanted = Wanted {
        file,
        names,
        theirs: names.map(|name| reading.theirs(name).to_owned()),
        needed,
        notes: Vec::new(),
    };
    let mut opened = Opened::new(file)?;
    let named: Vec<&str> = names
        .iter()
        .copied()
        .chain(wanted.theirs.iter().map(String::as_str))
        .collect();
    let layout = Layout::of(file, &opened, reading, &named)?;
    wanted.notes.extend(layout.unusual(file));
    if layout.format == Format::Parquet {
        parquet::read(&mut wanted, sink)?;
        return Ok(wanted.notes);
    }
    let mark: &[u8] = "\u{feff}".as_bytes();
    if layout.encoding == UTF_8 && opened.head.starts_with(mark) {
        opened.head.drain(..mark.len());
    }
    let text: Box<dyn Read> = if layout.encoding == UTF_8 {
        Box::new(opened.all())
    } else {
        Box::new(Transcoded::new(opened.all(), layout.encoding))
    };
    match layout.format {
        Format::Cells(cells) => delimited::read(&mut wanted, &cells, text, sink)?,
        Format::Array => json::array(&mut wanted, text, sink)?,
        Format::Xml => xml::read(&mut wanted, text, sink)?,
        Format::Lines | Format::Parquet => json::lines(&mut wanted, text, sink)?,
    }
    Ok(wanted.notes)
}

/// The columns that a reader looks for.
struct Wanted<'a, const N: usize> {
    file: &'a Path,
    names: &'a [&'static str; N],
    theirs: [String; N],
    needed: usize,
    /// What is said of the reading.
    notes: Vec<String>,
}

impl<const N: usize> Wanted<'_, N> {
    /// The index of each wanted column among those of a file of cells.
    fn places(&self, cells: &Cells) -> Result<[Option<usize>; N], InputError> {
        // A column name given for one file need not exist in the other; the standard name is accepted as well.
        let at = |wanted: &str| cells.columns.iter().position(|name| name == wanted);
        let place = |column: usize| at(&self.theirs[column]).or_else(|| at(self.names[column]));
        let places: [Option<usize>; N] = std::array::from_fn(place);
        match places[..self.needed].iter().position(Option::is_none) {
            Some(missing) => Err(self.missing(missing, &cells.columns, &cells.cause())),
            None => Ok(places),
        }
    }

    /// The error of a missing column, with its cause if that is known.
    fn missing(&self, column: usize, found: &[String], cause: &str) -> InputError {
        let ours = self.names[column];
        let advice = if cause.is_empty() {
            let theirs = guess(ours, found).map_or_else(|| "THEIRS".to_owned(), shell);
            format!("If {ours} is called otherwise there, say so with --column {ours}={theirs}")
        } else {
            cause.replace("OURS", ours)
        };
        InputError::Columns {
            path: self.file.to_owned(),
            missing: self.theirs[column].clone(),
            found: found.to_vec(),
            advice,
        }
    }

    fn unreadable(&self, format: &'static str, reason: impl std::fmt::Display) -> InputError {
        InputError::Unreadable {
            path: self.file.to_owned(),
            format,
            // A decoder may quote as much of the file as it likes.
            reason: beginning(&reason.to_string(), REASON),
        }
    }
}

/// Reads one interaction file into `log`.
///
/// # Errors
/// If the file or a column is missing, the file is damaged, or a row is bad and `bad.strict` is set.
pub fn interactions(file: &Path, reading: &Reading, log: &mut Log) -> Result<(), InputError> {
    let names = ["user_id", "item_id", "timestamp", "weight"];
    let worths = log.worths.clone();
    let needed = if worths.is_some() { 4 } else { 3 };
    let notes = rows(file, &names, needed, reading, &mut |line, row| {
        let row = row.and_then(|[user, item, time, weight]| {
            let weight = worths.as_ref().map(|worths| worths.of(weight));
            Ok((click([user, item, time])?, weight.transpose()?))
        });
        log.add(file, line, row)
    })?;
    log.notes.extend(notes);
    Ok(())
}

impl Log {
    /// What is to be said when all files have been read: how they were read, and units of time that were mixed.
    pub fn said(&self) -> Vec<String> {
        self.clock.after(&self.notes)
    }

    /// Adds a click, with its weight if requested, or notes why the row is bad.
    fn add(
        &mut self,
        file: &Path,
        line: usize,
        row: Result<(Parsed<'_>, Option<f32>), String>,
    ) -> Result<(), InputError> {
        self.rows += 1;
        match row {
            Ok(((user, item, time), weight)) => {
                let (user, item) = (self.users.number(user), self.items.number(item));
                let clicks = &mut self.clicks;
                let rescale = |factor| clicks.iter_mut().for_each(|click| click.time *= factor);
                let time = self.clock.take(time, (file, line), rescale);
                clicks.push(Click { user, item, time });
                self.weights.extend(weight);
                Ok(())
            }
            Err(reason) => self.bad.note(file, line, reason),
        }
    }
}

/// User, item and time of a row.
type Parsed<'a> = (&'a str, &'a str, Time);

fn click([user, item, time]: Row<'_, 3>) -> Result<Parsed<'_>, String> {
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
    reading: &Reading,
    titled: bool,
    bad: &mut BadRows,
) -> Result<Catalogue, InputError> {
    let mut catalogue = Catalogue::default();
    let notes = rows(
        file,
        &["item_id", "title", "category"],
        if titled { 2 } else { 1 },
        reading,
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
    catalogue.notes = notes;
    ids::settle_catalogue(&mut catalogue);
    Ok(catalogue)
}

#[cfg(test)]
mod tests;
