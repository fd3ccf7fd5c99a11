//! Logs and catalogues of shop systems, trackers and published data sets, as the two files that `ingle prepare` reads.
//!
//! Every source is a file here: which columns of its files are ours, and what else is to be done with a row.

mod amazon;
mod ga4;
mod google_merchant;
mod matomo;
mod movielens;
mod otto;
mod retailrocket;
mod segment;
mod shopify;
mod snowplow;
mod steam;
mod taobao;
#[cfg(test)]
mod tests;
mod woocommerce;
mod write;
mod yelp;
mod yoochoose;

use crate::InputError;
use crate::read::{BadRows, Look, Reading, look, rows};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use write::Writer;

/// All sources.
pub const SOURCES: [&Source; 15] = [
    &shopify::SOURCE,
    &woocommerce::SOURCE,
    &google_merchant::SOURCE,
    &ga4::SOURCE,
    &matomo::SOURCE,
    &segment::SOURCE,
    &snowplow::SOURCE,
    &otto::SOURCE,
    &retailrocket::SOURCE,
    &yoochoose::SOURCE,
    &taobao::SOURCE,
    &movielens::SOURCE,
    &amazon::SOURCE,
    &steam::SOURCE,
    &yelp::SOURCE,
];

/// Where files come from.
pub struct Source {
    /// Its name in a command.
    pub name: &'static str,
    /// What it is, and which files are meant.
    pub about: &'static str,
    parts: &'static [Part],
}

/// One kind of row of a source.
struct Part {
    /// What it is, for messages.
    what: &'static str,
    /// Our columns and what they are called there; of files without a header the places.
    columns: &'static [(&'static str, &'static str)],
    /// Columns that a file of it has.
    needs: &'static [&'static str],
    /// The number of columns of a file without a header.
    width: Option<usize>,
    /// What kinds of events are called there and here; others are passed over. If empty, all are taken as they are.
    events: &'static [(&'static str, &'static str)],
    /// The kind of event of every row, if no column says it.
    event: &'static str,
    /// Whether a row without an item is of another kind and passed over.
    sparse: bool,
    /// Changes each row.
    step: fn() -> Step,
}

/// A part with nothing special.
const PART: Part = Part {
    what: "",
    columns: &[],
    needs: &[],
    width: None,
    events: &[],
    event: "",
    sparse: false,
    step: || Box::new(|_| Ok(())),
};

/// What is done with the rows of one file, in order.
type Step = Box<dyn FnMut(&mut Fields) -> Result<(), String>>;

/// Our columns, and two that only help: the order that a line is of, and anything else.
const NAMES: [&str; 12] = [
    "user_id",
    "item_id",
    "timestamp",
    "event",
    "rating",
    "price",
    "currency",
    "title",
    "category",
    "brand",
    "of_order",
    "other_cell",
];
const USER: usize = 0;
const ITEM: usize = 1;
const TIME: usize = 2;
const EVENT: usize = 3;
const RATING: usize = 4;
const PRICE: usize = 5;
const CURRENCY: usize = 6;
const TITLE: usize = 7;
const CATEGORY: usize = 8;
const BRAND: usize = 9;
const ORDER: usize = 10;
const OTHER: usize = 11;

/// A row, by [`NAMES`].
type Fields = [Option<String>; NAMES.len()];

/// What an import wrote.
#[derive(Debug, Default)]
pub struct Imported {
    /// Number of interactions.
    pub interactions: usize,
    /// Number of items.
    pub items: usize,
    /// Interactions by kind of event, if the source has such.
    pub events: BTreeMap<String, usize>,
    /// Rows that could not be used.
    pub bad: BadRows,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// The command that prepares what was written.
    pub command: String,
}

/// Reads files of a source and writes `interactions.csv` and `items.csv` into a folder.
///
/// # Errors
/// If a file cannot be read or is none of the source, nothing usable is in them, or the folder cannot be written.
pub fn import(
    source: &Source,
    files: &[PathBuf],
    out: &Path,
    strict: bool,
) -> Result<Imported, InputError> {
    let mut imported = Imported::default();
    imported.bad.strict = strict;
    let mut writer = Writer::new(out)?;
    let mut tally = Tally::default();
    for file in files {
        let seen = look(file, &Reading::default())?;
        let parts: Vec<&Part> = source
            .parts
            .iter()
            .filter(|part| part.fits(&seen))
            .collect();
        if parts.is_empty() {
            return Err(source.unlike(&seen));
        }
        for part in parts {
            part.read(file, &mut writer, &mut imported, &mut tally)?;
        }
    }
    imported.notes.extend(tally.notes());
    (imported.interactions, imported.items) = writer.finish()?;
    if imported.interactions + imported.items == 0 {
        return Err(InputError::Nothing(format!(
            "no row of {} is an interaction or an item, {} could not be used",
            source.name, imported.bad.count
        )));
    }
    imported.command = command(out, &imported);
    Ok(imported)
}

fn command(out: &Path, imported: &Imported) -> String {
    let path = |name: &str| crate::read::shell(&out.join(name).display().to_string());
    let mut command = "ingle prepare --interactions ".to_owned();
    command.push_str(&if imported.interactions > 0 {
        path("interactions.csv")
    } else {
        "LOG".to_owned()
    });
    if imported.items > 0 {
        command = format!("{command} --items {}", path("items.csv"));
    }
    format!("{command} --out {}", path("data"))
}

/// What is counted over all files.
#[derive(Default)]
struct Tally {
    passed: BTreeMap<String, usize>,
    currencies: BTreeSet<String>,
}

impl Tally {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.passed.is_empty() {
            let passed: Vec<String> = (self.passed.iter().take(20))
                .map(|(event, rows)| format!("{event} ({rows})"))
                .collect();
            notes.push(format!(
                "passed over, as no choice of an item: {}",
                passed.join(", ")
            ));
        }
        if self.currencies.len() > 1 {
            let currencies: Vec<&str> = self
                .currencies
                .iter()
                .take(20)
                .map(|name| &**name)
                .collect();
            notes.push(format!(
                "prices are in {}: they stand as they are, with their currency",
                currencies.join(" and ")
            ));
        }
        notes
    }
}

impl Source {
    /// The source of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SOURCES.into_iter().find(|source| source.name == name)
    }

    /// The error of a file that fits no part.
    fn unlike(&self, seen: &Look) -> InputError {
        let parts: Vec<String> = self.parts.iter().map(Part::described).collect();
        let found: Vec<&str> = seen.columns.iter().map(|column| &*column.name).collect();
        let found = crate::error::beginning(&found.join(", "), 600);
        InputError::Other(format!(
            "{} is no file of {}: it has the columns {found}, and there are {}",
            seen.file.display(),
            self.name,
            parts.join("; ")
        ))
    }
}

impl Part {
    fn described(&self) -> String {
        match self.width {
            Some(width) => format!("{} with {width} columns and no header", self.what),
            None => format!("{} with {}", self.what, self.needs.join(", ")),
        }
    }

    fn fits(&self, seen: &Look) -> bool {
        let named = |name: &&str| {
            let within = |column: &str| {
                let rest = column.strip_prefix(*name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            seen.columns.iter().any(|column| within(&column.name))
        };
        match self.width {
            Some(width) => {
                let places = (1..=width).map(|place| place.to_string());
                seen.columns
                    .iter()
                    .map(|column| column.name.clone())
                    .eq(places)
            }
            None => self.needs.iter().all(named),
        }
    }

    fn read(
        &self,
        file: &Path,
        writer: &mut Writer,
        imported: &mut Imported,
        tally: &mut Tally,
    ) -> Result<(), InputError> {
        let columns = self
            .columns
            .iter()
            .map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()));
        let mut reading = Reading::of(columns.collect());
        reading.header = self.width.map(|_| false);
        let mut step = (self.step)();
        let is_log = self.columns.iter().any(|(ours, _)| *ours == "user_id");
        let Imported {
            bad, events, notes, ..
        } = imported;
        let said = rows(file, &NAMES, 0, &reading, &mut |line, row| {
            let row = row.and_then(|row| {
                let mut fields = row.map(|cell| {
                    cell.map(str::trim)
                        .filter(|c| !c.is_empty())
                        .map(str::to_owned)
                });
                step(&mut fields)?;
                Ok(fields)
            });
            match row.and_then(|fields| self.sorted(fields, is_log, tally)) {
                Ok(None) => Ok(()),
                Ok(Some(fields)) => {
                    if is_log && let Some(event) = &fields[EVENT] {
                        *events.entry(event.clone()).or_insert(0) += 1;
                    }
                    writer.take(&fields, is_log)
                }
                Err(reason) => bad.note(file, line, reason),
            }
        })?;
        notes.extend(
            said.into_iter()
                .filter(|note| self.width.is_none() || !note.contains("without a header")),
        );
        Ok(())
    }

    /// A row that is to be written, none if it is of another kind, or what it lacks.
    fn sorted(
        &self,
        mut fields: Fields,
        is_log: bool,
        tally: &mut Tally,
    ) -> Result<Option<Fields>, String> {
        if !self.events.is_empty() {
            let theirs = fields[EVENT]
                .take()
                .unwrap_or_else(|| "no event".to_owned());
            let known = self.events.iter().find(|(name, _)| *name == theirs);
            let Some((_, ours)) = known else {
                let theirs = crate::error::excerpt(&theirs);
                if tally.passed.len() < 100 || tally.passed.contains_key(&theirs) {
                    *tally.passed.entry(theirs).or_insert(0) += 1;
                }
                return Ok(None);
            };
            fields[EVENT] = Some((*ours).to_owned());
        } else if !self.event.is_empty() {
            fields[EVENT] = Some(self.event.to_owned());
        }
        if fields[ITEM].is_none() && self.sparse {
            return Ok(None);
        }
        let lacking = |columns: &[usize]| {
            columns
                .iter()
                .find(|&&column| fields[column].is_none())
                .copied()
        };
        let needed: &[usize] = if is_log { &[USER, ITEM, TIME] } else { &[ITEM] };
        if let Some(column) = lacking(needed) {
            return Err(format!("{} is empty", NAMES[column]));
        }
        tally.currencies.extend(fields[CURRENCY].clone());
        Ok(Some(fields))
    }
}
