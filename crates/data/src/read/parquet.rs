//! Parquet, read in batches of rows and only the wanted columns.

use super::{Row, Sink, Wanted};
use crate::InputError;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows decoded at a time; memory holds them and the pages they are decoded from.
const BATCH: usize = 8192;

pub(super) fn read<const N: usize>(
    wanted: &Wanted<'_, N>,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let damaged = |e: &dyn std::fmt::Display| wanted.unreadable("Parquet", e);
    let file = wanted.open()?;
    let builder = unwound(|| ParquetRecordBatchReaderBuilder::try_new(file))
        .map_err(|e| damaged(&e))?
        .map_err(|e| damaged(&e))?;
    let found: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    let places = wanted.places(&found)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
    let builder = builder.with_projection(mask).with_batch_size(BATCH);
    let mut reader = unwound(|| builder.build())
        .map_err(|e| damaged(&e))?
        .map_err(|e| damaged(&e))?;
    let mut line = 0;
    let mut texts = [const { String::new() }; N];
    while let Some(batch) = unwound(|| reader.next()).map_err(|e| damaged(&e))? {
        let batch = batch.map_err(|e| damaged(&e))?;
        let columns = columns(&batch, wanted)?;
        let formatters = formatters(&columns).map_err(|e| damaged(&e))?;
        for row in 0..batch.num_rows() {
            line += 1;
            sink(line, cells(&columns, &formatters, row, &mut texts))?;
        }
    }
    Ok(())
}

/// Runs the decoder, which panics at some kinds of damage; the panic becomes an error.
fn unwound<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).map_err(|panic| {
        let text = (panic.downcast_ref::<&str>().copied())
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("it is damaged: {}", text.unwrap_or("the decoder stopped"))
    })
}

/// The wanted columns of a batch, with times as whole numbers.
fn columns<const N: usize>(
    batch: &RecordBatch,
    wanted: &Wanted<'_, N>,
) -> Result<Vec<Option<ArrayRef>>, InputError> {
    let column = |(theirs, ours): (&String, &&str)| {
        let column = batch
            .column_by_name(theirs)
            .or_else(|| batch.column_by_name(ours));
        let Some(column) = column else {
            return Ok(None);
        };
        if column.data_type().is_nested() {
            return Err(InputError::ColumnType {
                path: wanted.file.to_owned(),
                column: theirs.clone(),
                found: column.data_type().to_string(),
                wanted: "text or numbers",
            });
        }
        let plain = whole(column).map_err(|e| wanted.unreadable("Parquet", e))?;
        Ok(Some(plain))
    };
    wanted.theirs.iter().zip(wanted.names).map(column).collect()
}

/// A column of times as whole numbers; other columns unchanged. Nanoseconds become microseconds, and days
/// become seconds.
fn whole(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let numbers = |unit| {
        let times = cast(column, &DataType::Timestamp(unit, None))?;
        cast(&times, &DataType::Int64)
    };
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => numbers(TimeUnit::Microsecond),
        DataType::Timestamp(..) => cast(column, &DataType::Int64),
        DataType::Date32 | DataType::Date64 => numbers(TimeUnit::Second),
        _ => Ok(column.clone()),
    }
}

/// Formatters for the cells of each column.
fn formatters(columns: &[Option<ArrayRef>]) -> Result<Vec<Option<ArrayFormatter<'_>>>, ArrowError> {
    const OPTIONS: FormatOptions<'static> = FormatOptions::new();
    let mut formatters = Vec::with_capacity(columns.len());
    for column in columns {
        let formatter = column
            .as_ref()
            .map(|column| ArrayFormatter::try_new(column, &OPTIONS));
        formatters.push(formatter.transpose()?);
    }
    Ok(formatters)
}

/// One row, written into `texts`.
fn cells<'a, const N: usize>(
    columns: &[Option<ArrayRef>],
    formatters: &[Option<ArrayFormatter<'_>>],
    row: usize,
    texts: &'a mut [String; N],
) -> Result<Row<'a, N>, String> {
    let mut cells: Row<'a, N> = [None; N];
    let columns = columns.iter().zip(formatters);
    for ((cell, text), (column, formatter)) in cells.iter_mut().zip(texts).zip(columns) {
        let (Some(column), Some(formatter)) = (column, formatter) else {
            continue;
        };
        if column.is_valid(row) {
            text.clear();
            formatter
                .value(row)
                .write(text)
                .map_err(|e| e.to_string())?;
            *cell = Some(text);
        }
    }
    Ok(cells)
}
