//! CSV and TSV, with quotes as in RFC 4180.

use super::{Row, Sink, Wanted};
use crate::InputError;
use csv::{ByteRecord, ReaderBuilder};

pub(super) fn read<const N: usize>(
    wanted: &Wanted<'_, N>,
    delimiter: u8,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let format = if delimiter == b'\t' { "TSV" } else { "CSV" };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(wanted.open()?);
    let header = reader
        .byte_headers()
        .map_err(|e| wanted.unreadable(format, e))?;
    if header.is_empty() {
        return Err(wanted.unreadable(format, "it is empty"));
    }
    let found: Vec<String> = (header.iter().enumerate())
        .map(|(place, name)| {
            let name = String::from_utf8_lossy(name);
            // Spreadsheets write a byte-order mark before the first column name.
            let name = if place == 0 {
                name.trim_start_matches('\u{feff}')
            } else {
                &name
            };
            name.trim().to_owned()
        })
        .collect();
    let places = wanted.places(&found)?;
    let mut record = ByteRecord::new();
    let mut line = 1;
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| wanted.unreadable(format, e))?
    {
        line = record
            .position()
            .map_or(line + 1, |position| position.line() as usize);
        sink(line, cells(&record, &places, found.len()))?;
    }
    Ok(())
}

fn cells<'a, const N: usize>(
    record: &'a ByteRecord,
    places: &[Option<usize>; N],
    columns: usize,
) -> Result<Row<'a, N>, String> {
    if record.len() != columns {
        return Err(format!(
            "{} cells where the header has {columns}",
            record.len()
        ));
    }
    let mut row: Row<'_, N> = [None; N];
    for (cell, place) in row.iter_mut().zip(places) {
        let text = place
            .map(|place| str::from_utf8(&record[place]))
            .transpose();
        *cell = text.map_err(|_| "the text is not UTF-8".to_owned())?;
    }
    Ok(row)
}
