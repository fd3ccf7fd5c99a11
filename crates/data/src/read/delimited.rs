//! Lines of cells. Between commas and semicolons, quotes are those of RFC 4180. Elsewhere a line is a row, and a quote
//! is a letter unless it encloses the cell.

use super::layout::Cells;
use super::{Row, Sink, Wanted};
use crate::InputError;
use csv::{ByteRecord, ReaderBuilder};
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

/// Longest line that is taken, in bytes.
pub(super) const LONGEST_LINE: u64 = 1 << 28;

pub(super) fn read<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    layout: &Cells,
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let places = wanted.places(layout)?;
    if quotes(&layout.delimiter) {
        quoted(wanted, layout, &places, text, sink)
    } else {
        lines(wanted, layout, &places, text, sink)
    }
}

/// Whether cells between these may run over several lines in quotes.
fn quotes(delimiter: &str) -> bool {
    delimiter.len() == 1 && !["\t", "|"].contains(&delimiter)
}

fn quoted<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    layout: &Cells,
    places: &[Option<usize>; N],
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(layout.delimiter.as_bytes()[0])
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut record = ByteRecord::new();
    let (mut line, mut several, mut first) = (0, 0_usize, 0);
    let mut header = layout.header;
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| wanted.unreadable("CSV", e))?
    {
        line = record
            .position()
            .map_or(line + 1, |position| position.line() as usize);
        if std::mem::take(&mut header) {
            continue;
        }
        if record.as_slice().contains(&b'\n') {
            several += 1;
            first = if several == 1 { line } else { first };
        }
        sink(line, cells(&record, places, layout))?;
    }
    if several > 0 {
        wanted.notes.push(format!(
            "{}: {several} rows run over several lines, the first at line {first}: a quote that is not closed takes \
             the lines up to the next one",
            wanted.file.display()
        ));
    }
    Ok(())
}

fn cells<'a, const N: usize>(
    record: &'a ByteRecord,
    places: &[Option<usize>; N],
    layout: &Cells,
) -> Result<Row<'a, N>, String> {
    if record.len() != layout.columns.len() {
        return Err(uneven(record.len(), layout));
    }
    let mut row: Row<'_, N> = [None; N];
    for (cell, place) in row.iter_mut().zip(places) {
        let text = place
            .map(|place| str::from_utf8(&record[place]))
            .transpose();
        *cell = text.map_err(|_| NOT_UTF_8.to_owned())?;
    }
    Ok(row)
}

const NOT_UTF_8: &str = "the text is not UTF-8; --encoding names another";

fn uneven(cells: usize, layout: &Cells) -> String {
    let columns = layout.columns.len();
    let what = if layout.header {
        "header"
    } else {
        "first line"
    };
    format!("{cells} cells where the {what} has {columns}")
}

fn lines<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    layout: &Cells,
    places: &[Option<usize>; N],
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let mut reader = BufReader::new(text);
    let mut bytes = Vec::new();
    let mut line = 0;
    let mut header = layout.header;
    let columns = layout.columns.len();
    while next_line(&mut reader, &mut bytes).map_err(|e| wanted.unreadable("text", e))? {
        line += 1;
        let Ok(text) = str::from_utf8(&bytes) else {
            sink(line, Err(NOT_UTF_8.to_owned()))?;
            continue;
        };
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() || std::mem::take(&mut header) {
            continue;
        }
        let cells = split(text, &layout.delimiter, columns);
        if cells.len() != columns {
            sink(line, Err(uneven(cells.len(), layout)))?;
            continue;
        }
        let at = places.map(|place| place.map(|place| &*cells[place]));
        sink(line, Ok(at))?;
    }
    Ok(())
}

/// Reads a line; `false` at the end of the text.
pub(super) fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    reader.take(LONGEST_LINE).read_until(b'\n', line)?;
    if line.len() as u64 == LONGEST_LINE {
        return Err(std::io::Error::other("a line of it is longer than 256 MiB"));
    }
    Ok(!line.is_empty())
}

/// The cells of a line. Where quotes as letters give another number than `columns`, a quote at both ends of a cell
/// may enclose delimiters.
fn split<'a>(line: &'a str, delimiter: &str, columns: usize) -> Vec<Cow<'a, str>> {
    let plain: Vec<&str> = line.split(delimiter).collect();
    if plain.len() > columns && line.contains('"') {
        let merged = merge(line, &plain, delimiter);
        if merged.len() == columns {
            return merged.into_iter().map(unquoted).collect();
        }
    }
    plain.into_iter().map(unquoted).collect()
}

/// Joins pieces from one that begins with a quote to one that ends with it.
fn merge<'a>(line: &'a str, pieces: &[&'a str], delimiter: &str) -> Vec<&'a str> {
    let mut merged = Vec::new();
    let (mut at, mut start) = (0, 0);
    while at < pieces.len() {
        let closing = (at..pieces.len()).find(|&last| {
            let end = start + length(&pieces[at..=last], delimiter);
            encloses(&line[start..end])
        });
        let last = closing
            .filter(|_| pieces[at].starts_with('"'))
            .unwrap_or(at);
        let end = start + length(&pieces[at..=last], delimiter);
        merged.push(&line[start..end]);
        (at, start) = (last + 1, end + delimiter.len());
    }
    merged
}

fn length(pieces: &[&str], delimiter: &str) -> usize {
    pieces.iter().map(|piece| piece.len()).sum::<usize>() + (pieces.len() - 1) * delimiter.len()
}

/// Whether a cell is enclosed in quotes, with every quote inside doubled.
fn encloses(cell: &str) -> bool {
    let inner = (cell.strip_prefix('"')).and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.replace("\"\"", "").contains('"'))
}

fn unquoted(cell: &str) -> Cow<'_, str> {
    if encloses(cell) {
        Cow::Owned(cell[1..cell.len() - 1].replace("\"\"", "\""))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cells of a text's first line, without the spaces around them.
pub(super) fn first(text: &str, delimiter: &str) -> Vec<String> {
    let text = text.trim_start_matches(['\n', '\r']);
    if quotes(delimiter) {
        let mut records = records(text, delimiter);
        let first = records.next();
        return first.map_or_else(Vec::new, |record| {
            record.iter().map(|cell| cell.trim().to_owned()).collect()
        });
    }
    let line = text.lines().next().unwrap_or_default();
    let cells = line.split(delimiter).map(unquoted);
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// The cells of the first rows, without the header.
pub(super) fn sample(text: &str, layout: &Cells, most: usize) -> Vec<Vec<String>> {
    let skipped = usize::from(layout.header);
    if quotes(&layout.delimiter) {
        let records = records(text, &layout.delimiter).skip(skipped).take(most);
        return records
            .map(|record| record.iter().map(str::to_owned).collect())
            .collect();
    }
    let lines = text.lines().filter(|line| !line.is_empty()).skip(skipped);
    let cells = |line| split(line, &layout.delimiter, layout.columns.len());
    lines
        .take(most)
        .map(|line| cells(line).into_iter().map(Cow::into_owned).collect())
        .collect()
}

/// The number of cells of each of the first lines.
pub(super) fn counts(text: &str, delimiter: &str, most: usize) -> Vec<usize> {
    if quotes(delimiter) {
        let records = records(text, delimiter).take(most);
        return records.map(|record| record.len()).collect();
    }
    let lines = text.lines().filter(|line| !line.is_empty()).take(most);
    lines.map(|line| line.split(delimiter).count()).collect()
}

fn records(text: &str, delimiter: &str) -> impl Iterator<Item = csv::StringRecord> {
    let reader = ReaderBuilder::new()
        .delimiter(delimiter.as_bytes()[0])
        .has_headers(false)
        .flexible(true)
        .from_reader(std::io::Cursor::new(text.to_owned()));
    reader.into_records().map_while(Result::ok)
}
