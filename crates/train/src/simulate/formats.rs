//! Writes a log to a file, a few thousand rows at a time.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringBuilder};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::SimulateError;
use super::log::{LogOptions, Row, walk};

/// File format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text, a line a click
    Csv,
    /// Columns, compressed
    Parquet,
}

/// Result of writing a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Number of shoppers.
    pub shoppers: u32,
}

/// Rows per batch of the Parquet writer, and rows it buffers.
const BATCH: usize = 8192;
const ROW_GROUP: usize = 32 * BATCH;

/// Simulates a log and writes it as `interactions.csv` or `interactions.parquet` into `dir`, which is created if it
/// is missing.
pub fn write_log(
    options: &LogOptions,
    format: Format,
    dir: &Path,
) -> Result<Written, SimulateError> {
    if options.clicks == 0 || options.products < 2 {
        return Err(SimulateError::Log);
    }
    let path = dir.join(match format {
        Format::Csv => "interactions.csv",
        Format::Parquet => "interactions.parquet",
    });
    let write = || {
        std::fs::create_dir_all(dir)?;
        let file = File::create(&path)?;
        match format {
            Format::Csv => csv(options, file),
            Format::Parquet => parquet(options, file),
        }
    };
    match write() {
        Ok(shoppers) => Ok(Written { path, shoppers }),
        Err(source) => Err(SimulateError::Write { path, source }),
    }
}

fn csv(options: &LogOptions, file: File) -> io::Result<u32> {
    let mut file = BufWriter::new(file);
    writeln!(file, "user_id,item_id,timestamp")?;
    let shoppers = walk(options, |row| {
        let [user, item] = ids(row);
        writeln!(
            file,
            "shopper-{user:08x},product-{item:08x},{}",
            row.timestamp
        )
    })?;
    file.flush()?;
    Ok(shoppers)
}

fn parquet(options: &LogOptions, file: File) -> io::Result<u32> {
    let mut columns = Columns::default();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let schema = columns.batch()?.schema();
    let mut writer =
        ArrowWriter::try_new(file, schema, Some(properties)).map_err(io::Error::other)?;
    let shoppers = walk(options, |row| {
        columns.push(row)?;
        if columns.rows == BATCH {
            writer.write(&columns.batch()?)?;
        }
        Ok(())
    })?;
    writer.write(&columns.batch()?)?;
    writer.close()?;
    Ok(shoppers)
}

/// Rows to be written to a Parquet file.
#[derive(Default)]
struct Columns {
    users: StringBuilder,
    items: StringBuilder,
    times: Int64Builder,
    rows: usize,
}

impl Columns {
    fn push(&mut self, row: &Row) -> io::Result<()> {
        use std::fmt::Write as _;
        let [user, item] = ids(row);
        write!(self.users, "shopper-{user:08x}").map_err(io::Error::other)?;
        self.users.append_value("");
        write!(self.items, "product-{item:08x}").map_err(io::Error::other)?;
        self.items.append_value("");
        self.times.append_value(row.timestamp);
        self.rows += 1;
        Ok(())
    }

    /// The rows pushed since the last call.
    fn batch(&mut self) -> io::Result<RecordBatch> {
        self.rows = 0;
        let columns: [(&str, ArrayRef); 3] = [
            ("user_id", Arc::new(self.users.finish())),
            ("item_id", Arc::new(self.items.finish())),
            ("timestamp", Arc::new(self.times.finish())),
        ];
        RecordBatch::try_from_iter(columns).map_err(io::Error::other)
    }
}

/// Numbers for meaningless ids: multiplication by an odd number permutes the 32-bit numbers.
fn ids(row: &Row) -> [u32; 2] {
    [row.shopper, row.product].map(|number| number.wrapping_add(1).wrapping_mul(0x9e37_79b1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read::{Log, Reading, interactions};

    const OPTIONS: LogOptions = LogOptions {
        clicks: 20_000,
        products: 500,
        seed: 3,
    };

    #[test]
    fn both_formats_hold_the_same_rows() {
        let dir = tempfile::tempdir().unwrap();
        let [csv, parquet] = [Format::Csv, Format::Parquet].map(|format| {
            let written = write_log(&OPTIONS, format, &dir.path().join("new")).unwrap();
            let mut log = Log::default();
            interactions(&written.path, &Reading::default(), &mut log).unwrap();
            assert_eq!(log.users.list().len(), written.shoppers as usize);
            (log.users.into_list(), log.items.into_list(), log.clicks)
        });
        assert_eq!(csv.2.len(), 20_000);
        assert!(csv == parquet);
    }

    #[test]
    fn nothing_to_click_and_a_folder_that_cannot_be_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        for options in [
            LogOptions {
                clicks: 0,
                ..OPTIONS
            },
            LogOptions {
                products: 1,
                ..OPTIONS
            },
        ] {
            let error = write_log(&options, Format::Csv, dir.path()).unwrap_err();
            assert!(error.to_string().contains("--clicks"), "{error}");
        }
        let taken = dir.path().join("taken");
        std::fs::write(&taken, "a file").unwrap();
        let error = write_log(&OPTIONS, Format::Csv, &taken).unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
    }
}
