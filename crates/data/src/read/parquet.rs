//! Parquet, read in batches of rows and only the wanted columns.

use super::json::Objects;
use super::{Row, Sink, Wanted};
use crate::InputError;
use crate::error::beginning;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Rows decoded at a time; memory holds them and the pages they are decoded from.
const BATCH: usize = 8192;
const OPTIONS: FormatOptions<'static> = FormatOptions::new();

pub(super) fn read<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let damaged = damaged(wanted.file);
    let builder = open(wanted.file)?;
    let schema = builder.schema().clone();
    let fields = schema.fields();
    let found: Vec<String> = fields.iter().map(|f| f.name().clone()).collect();
    // The column that a name, or the beginning of a path, is of.
    let root = |name: &str| {
        let within = |field: &String| {
            let rest = name.strip_prefix(field.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        (found.iter().position(|field| field == name)).or_else(|| found.iter().position(within))
    };
    let mut places = [None; N];
    for (column, place) in places.iter_mut().enumerate() {
        *place = root(&wanted.theirs[column]).or_else(|| root(wanted.names[column]));
        if place.is_none() && column < wanted.needed {
            return Err(wanted.missing(column, &found, ""));
        }
    }
    let nested = (places.iter().flatten()).any(|&place| fields[place].data_type().is_nested());
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
    let builder = builder.with_projection(mask).with_batch_size(BATCH);
    let mut reader = unwound(|| builder.build())
        .map_err(|e| damaged(&e))?
        .map_err(|e| damaged(&e))?;
    let mut next = || match unwound(|| reader.next()) {
        Ok(batch) => batch.transpose().map_err(|e| damaged(&e)),
        Err(e) => Err(damaged(&e)),
    };
    let mut line = 0;
    if nested {
        let mut objects = Objects::new(wanted, sink);
        while let Some(batch) = next()? {
            for row in 0..batch.num_rows() {
                line += 1;
                objects.take(line, object(&batch, row))?;
            }
        }
        return objects.end();
    }
    let mut texts = [const { String::new() }; N];
    while let Some(batch) = next()? {
        let columns = columns(&batch, wanted).map_err(|e| damaged(&e))?;
        let formatters = formatters(&columns).map_err(|e| damaged(&e))?;
        for row in 0..batch.num_rows() {
            line += 1;
            sink(line, cells(&columns, &formatters, row, &mut texts))?;
        }
    }
    Ok(())
}

/// The number of a file's rows, and the first of them.
pub(super) fn sample(
    path: &Path,
    most: usize,
) -> Result<(usize, Vec<Map<String, Value>>), InputError> {
    let damaged = damaged(path);
    let builder = open(path)?;
    let rows = builder.metadata().file_metadata().num_rows();
    let builder = builder.with_limit(most).with_batch_size(most);
    let mut reader = unwound(|| builder.build())
        .map_err(|e| damaged(&e))?
        .map_err(|e| damaged(&e))?;
    let mut objects = Vec::new();
    while let Some(batch) = unwound(|| reader.next()).map_err(|e| damaged(&e))? {
        let batch = batch.map_err(|e| damaged(&e))?;
        for row in 0..batch.num_rows() {
            objects.push(object(&batch, row).map_err(|e| damaged(&e))?);
        }
    }
    Ok((usize::try_from(rows).unwrap_or_default(), objects))
}

/// Opens a file and reads its schema.
fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, InputError> {
    let damaged = damaged(path);
    let file = File::open(path).map_err(InputError::read(path))?;
    unwound(|| ParquetRecordBatchReaderBuilder::try_new(file))
        .map_err(|e| damaged(&e))?
        .map_err(|e| damaged(&e))
}

/// The error for a file that the decoder does not read, from the decoder's own.
fn damaged(path: &Path) -> impl Fn(&dyn std::fmt::Display) -> InputError {
    move |e| InputError::Unreadable {
        path: path.to_owned(),
        format: "Parquet",
        reason: beginning(&e.to_string(), super::REASON),
    }
}

/// Runs the decoder, which panics at some kinds of damage; the panic becomes an error.
fn unwound<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).map_err(|panic| {
        let text = (panic.downcast_ref::<&str>().copied())
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("it is damaged: {}", text.unwrap_or("the decoder stopped"))
    })
}

/// A row as an object.
fn object(batch: &RecordBatch, row: usize) -> Result<Map<String, Value>, String> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .map(|(field, column)| Ok((field.name().clone(), value(column, row)?)))
        .collect()
}

/// A cell with all that is nested in it. Bytes, numbers and times are text.
fn value(column: &ArrayRef, row: usize) -> Result<Value, String> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let entries = |list: &ArrayRef| -> Result<Value, String> {
        (0..list.len()).map(|at| value(list, at)).collect()
    };
    match column.data_type() {
        DataType::Struct(fields) => {
            let inner = fields.iter().zip(column.as_struct().columns());
            let object: Result<Map<String, Value>, String> = inner
                .map(|(field, column)| Ok((field.name().clone(), value(column, row)?)))
                .collect();
            Ok(Value::Object(object?))
        }
        DataType::List(_) => entries(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => entries(&column.as_list::<i64>().value(row)),
        other if other.is_nested() => Err(format!(
            "a cell is of the type {}",
            beginning(&other.to_string(), 60)
        )),
        _ => {
            let plain = whole(&column.slice(row, 1)).map_err(|e| e.to_string())?;
            let formatter = ArrayFormatter::try_new(&plain, &OPTIONS).map_err(|e| e.to_string())?;
            Ok(Value::String(
                formatter
                    .value(0)
                    .try_to_string()
                    .map_err(|e| e.to_string())?,
            ))
        }
    }
}

/// The wanted columns of a batch, with times as whole numbers.
fn columns<const N: usize>(
    batch: &RecordBatch,
    wanted: &Wanted<'_, N>,
) -> Result<Vec<Option<ArrayRef>>, ArrowError> {
    let column = |(theirs, ours): (&String, &&str)| {
        let column = batch
            .column_by_name(theirs)
            .or_else(|| batch.column_by_name(ours));
        column.map(whole).transpose()
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
