//! How a file is laid out: its format, encoding, delimiter and header, as its beginning and its name tell.

use super::open::Opened;
use super::{Reading, delimited, time};
use crate::InputError;
use crate::error::excerpt;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use std::path::Path;

/// Lines of a file's beginning that are looked at.
const LINES: usize = 200;
/// Share of those lines that must have as many cells as the first.
const ALIKE: f64 = 0.9;
/// Delimiters that are tried, the likeliest first.
const DELIMITERS: [&str; 5] = [",", "\t", "::", ";", "|"];

/// How a file is laid out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Its format.
    pub(super) format: Format,
    /// How it is packed.
    pub(super) packed: Option<&'static str>,
    /// Its encoding.
    pub(super) encoding: &'static Encoding,
}

/// The format of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines of cells.
    Cells(Cells),
    /// An object of JSON a line.
    Lines,
    /// One JSON array of objects.
    Array,
    /// A product feed in XML.
    Xml,
    /// Parquet.
    Parquet,
}

/// Lines of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// What stands between cells.
    pub(super) delimiter: String,
    /// Names of the columns, or their places from 1 if no line names them.
    pub(super) columns: Vec<String>,
    /// Whether the first line names the columns.
    pub(super) header: bool,
    /// The cells of the first line.
    pub(super) first: Vec<String>,
}

impl Layout {
    /// Looks at a file. `wanted` are names of columns that may be there.
    pub(super) fn of(
        path: &Path,
        file: &Opened,
        reading: &Reading,
        wanted: &[&str],
    ) -> Result<Self, InputError> {
        let unknown = |reason: &str| InputError::Format {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let layout = |format, encoding| Self {
            format,
            packed: file.packed,
            encoding,
        };
        let extension = extension(path);
        let head = &file.head[..];
        if head.starts_with(b"PAR1") || extension == "parquet" {
            if file.packed.is_some() {
                return Err(unknown("it is a packed Parquet file: unpack it first"));
            }
            return Ok(layout(Format::Parquet, UTF_8));
        }
        if head.starts_with(b"PK\x03\x04") {
            let reason =
                "it is a zip archive or an Excel workbook: unpack it, or save its table as CSV";
            return Err(unknown(reason));
        }
        let encoding = reading
            .encoding
            .unwrap_or_else(|| encoding(head, file.whole));
        let text = encoding.decode(head).0;
        if text.contains('\0') {
            return Err(unknown("it is neither text nor Parquet"));
        }
        let text = text.trim_start_matches('\u{feff}');
        let start = text.trim_start();
        if start.is_empty() {
            return Err(InputError::Unreadable {
                path: path.to_owned(),
                format: format_name(&extension),
                reason: "it is empty".to_owned(),
            });
        }
        if ["<?xml", "<rss", "<feed"]
            .iter()
            .any(|tag| start.starts_with(tag))
        {
            return Ok(layout(Format::Xml, encoding));
        }
        let json = ["json", "jsonl", "ndjson"].contains(&extension.as_str());
        // Elsewhere a line may begin with a bracket by chance.
        let looks = |bracket: &str, then: &[char]| {
            (start.strip_prefix(bracket)).is_some_and(|rest| rest.trim_start().starts_with(then))
        };
        if looks("[", &['{']) || (json && start.starts_with('[')) {
            return Ok(layout(Format::Array, encoding));
        }
        if json || looks("{", &['"', '\'', 'u', '}']) && reading.delimiter.is_none() {
            return Ok(layout(Format::Lines, encoding));
        }
        let whole_lines = if file.whole {
            text
        } else {
            text.rsplit_once('\n').map_or(text, |(lines, _)| lines)
        };
        let cells = Cells::of(whole_lines, &extension, reading, wanted);
        Ok(layout(Format::Cells(cells), encoding))
    }

    /// What the file's name does not tell, for a message; `None` if it is read as anybody would expect.
    pub(super) fn unusual(&self, path: &Path) -> Option<String> {
        let mut parts = Vec::new();
        if let Format::Cells(cells) = &self.format {
            let expected = match extension(path).as_str() {
                "csv" => ",",
                "tsv" | "tab" => "\t",
                _ => "",
            };
            if cells.delimiter != expected {
                parts.push(format!("with {} between cells", said(&cells.delimiter)));
            }
            if !cells.header {
                parts.push(format!(
                    "without a header, its columns called 1 to {}",
                    cells.columns.len()
                ));
            }
        }
        if self.encoding != UTF_8 {
            parts.push(format!("as {}", self.encoding.name()));
        }
        let what = parts.join(", ");
        (!what.is_empty()).then(|| format!("{} is read {what}", path.display()))
    }
}

/// A delimiter as a message calls it.
pub(super) fn said(delimiter: &str) -> &str {
    if delimiter == "\t" { "tabs" } else { delimiter }
}

fn format_name(extension: &str) -> &'static str {
    match extension {
        "csv" => "CSV",
        "tsv" => "TSV",
        "json" | "jsonl" | "ndjson" => "JSON",
        _ => "text",
    }
}

/// The extension of a file's name without that of its packing, in small letters.
pub(super) fn extension(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    let name = ["gz", "gzip", "zst", "zstd"]
        .iter()
        .find_map(|packed| name.strip_suffix(packed)?.strip_suffix('.'))
        .unwrap_or(&name);
    name.rsplit_once('.')
        .map_or_else(String::new, |(_, extension)| extension.to_owned())
}

/// The encoding of a text: what its byte-order mark says, or UTF-8 unless it cannot be. A text with a letter of UTF-8
/// is UTF-8 with damaged places.
fn encoding(head: &[u8], whole: bool) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    let mut chunks = head.utf8_chunks().peekable();
    let mut broken = false;
    while let Some(chunk) = chunks.next() {
        if !chunk.valid().is_ascii() {
            return UTF_8;
        }
        let cut = chunks.peek().is_none() && !whole;
        broken |= !chunk.invalid().is_empty() && !cut;
    }
    if broken { WINDOWS_1252 } else { UTF_8 }
}

impl Cells {
    fn of(text: &str, extension: &str, reading: &Reading, wanted: &[&str]) -> Self {
        let delimiter = match &reading.delimiter {
            Some(delimiter) => delimiter.clone(),
            None => delimiter(text, extension).to_owned(),
        };
        let first = delimited::first(text, &delimiter);
        let header = reading.header.unwrap_or_else(|| names(&first, wanted));
        let columns = if header {
            first.clone()
        } else {
            (1..=first.len()).map(|place| place.to_string()).collect()
        };
        Self {
            delimiter,
            columns,
            header,
            first,
        }
    }

    /// Why a column may be missing, other than by its name, and what to do; OURS stands for the column.
    pub(super) fn cause(&self) -> String {
        let data = self.first.iter().any(|cell| is_data(cell));
        if !self.header || data {
            let place = if data {
                "its first line looks like data"
            } else {
                "it is read"
            };
            return format!(
                "It has no header ({place}: {}). Say at which place OURS is, from 1, with --no-header --column OURS=PLACE",
                excerpt(&self.first.join(&self.delimiter))
            );
        }
        if self.first.len() == 1 {
            return "It has one column: if something else stands between its cells, say so with --delimiter".to_owned();
        }
        String::new()
    }
}

/// The delimiter that divides most lines into as many cells as the first, and into the most.
fn delimiter(text: &str, extension: &str) -> &'static str {
    let expected = match extension {
        "tsv" | "tab" => "\t",
        "dat" => "::",
        _ => ",",
    };
    let mut best = (expected, 1);
    let others = DELIMITERS.iter().filter(|&&other| other != expected);
    for &delimiter in std::iter::once(&expected).chain(others) {
        let counts = delimited::counts(text, delimiter, LINES);
        let Some((&columns, rest)) = counts.split_first() else {
            continue;
        };
        let alike = rest.iter().filter(|&&count| count == columns).count();
        if columns > best.1 && alike as f64 >= ALIKE * rest.len() as f64 {
            best = (delimiter, columns);
            if delimiter == expected {
                break;
            }
        }
    }
    if best.1 == 1 {
        // Lines of unequal length: what divides the first line best is the likeliest.
        let divided = |delimiter: &&str| delimited::first(text, delimiter).len();
        let likeliest = DELIMITERS
            .iter()
            .max_by_key(|d| (divided(d), **d == expected));
        return likeliest.filter(|d| divided(d) > 1).unwrap_or(&expected);
    }
    best.0
}

/// Whether a first line names the columns: it has no cell that is a number or a time, or it has a wanted name.
fn names(first: &[String], wanted: &[&str]) -> bool {
    let named = |cell: &String| wanted.contains(&cell.as_str()) && !is_data(cell);
    first.iter().any(named) || !first.iter().any(|cell| is_data(cell))
}

/// Whether a cell is a number or a time, as no column is called.
fn is_data(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(f64::is_finite) || time::parse(cell).is_ok()
}
